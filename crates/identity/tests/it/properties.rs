//! Properties over generated chains, edits and bytes.

use proptest::prelude::*;
use serde_json::json;
use tidings_identity::sigchain::{Device, Revoked};
use tidings_identity::{Chain, Envelope, Op, Phrase, Signature, parse_envelope};

use crate::support::{START, device, device_id, person};

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (1_u8..16, "[a-z]{1,9}", proptest::option::of(-9_i64..9)).prop_map(
            |(number, name, end)| {
                let expires_at = end.map(|end| START.plus_seconds(end));
                Op::AddDevice(Device { name, expires_at, ..device(number) })
            }
        ),
        (1_u8..16).prop_map(|number| Op::Revoke(Revoked::Device(device_id(number)))),
        "[a-z]{1,5}:[a-z]{1,9}".prop_map(|text| Op::Add(text.parse().expect("a claim"))),
        "[a-z]{1,5}:[a-z]{1,9}"
            .prop_map(|text| Op::Revoke(Revoked::Subject(text.parse().expect("a claim")))),
        (
            "x_[a-z]{1,9}",
            any::<f64>().prop_filter("JSON has no others", |x| x.is_finite()),
            ".{0,9}"
        )
            .prop_map(|(name, x, text)| Op::Unknown { name, payload: json!([x, {text: 1}]) }),
    ]
}

/// A chain of person 1 with the operations that its rules allow, in order.
fn grown(ops: &[Op]) -> (Chain, Vec<Envelope>) {
    let (mut chain, first) = Chain::create(&person(1), device(0), START).expect("a chain");
    let mut entries = vec![first];
    entries.extend(ops.iter().filter_map(|op| chain.sign_next(&person(1), op, START).ok()));
    (chain, entries)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chains_mean_the_same_after_a_round_trip(ops in proptest::collection::vec(op(), 0..12)) {
        let (chain, entries) = grown(&ops);
        let received: Vec<Envelope> = entries
            .iter()
            .map(|entry| parse_envelope(entry.as_json().as_bytes()).expect("an envelope"))
            .collect();
        prop_assert_eq!(&received, &entries);
        let validated = Chain::validate(&received).expect("a valid chain");
        prop_assert_eq!(validated.head(), chain.head());
        prop_assert!(validated.devices(START).eq(chain.devices(START)));
        prop_assert!(validated.subjects().eq(chain.subjects()));
        for device in validated.devices(START) {
            prop_assert!(!validated.is_revoked(device.id));
        }
    }

    #[test]
    fn one_flipped_bit_never_passes(
        ops in proptest::collection::vec(op(), 0..4),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let (chain, entries) = grown(&ops);
        let last = entries.last().expect("an entry");
        let mut bytes = last.as_json().as_bytes().to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        // A change that leaves the document's meaning and hash alone is no change.
        if let Ok(changed) = parse_envelope(&bytes) && changed.hash() != last.hash() {
            let mut entries = entries.clone();
            entries.pop();
            entries.push(changed);
            let accepted = Chain::validate(&entries);
            prop_assert!(accepted.is_err(), "accepted as {:?}", accepted.map(|other| other.extends(chain.head())));
        }
    }

    #[test]
    fn dropped_or_swapped_entries_never_pass(
        ops in proptest::collection::vec(op(), 4..9),
        left in any::<prop::sample::Index>(),
        right in any::<prop::sample::Index>(),
    ) {
        let (_, entries) = grown(&ops);
        let (left, right) = (left.index(entries.len()), right.index(entries.len()));
        if left != right {
            let mut swapped = entries.clone();
            swapped.swap(left, right);
            prop_assert!(Chain::validate(&swapped).is_err());
        }
        if left + 1 < entries.len() {
            let mut shorter = entries.clone();
            shorter.remove(left);
            prop_assert!(Chain::validate(&shorter).is_err());
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(parse_envelope(&bytes).is_err());
    }

    #[test]
    fn phrases_read_back_to_their_seed(seed in any::<[u8; 32]>()) {
        let phrase = Phrase::from_seed(&seed);
        let read = Phrase::parse(&phrase.to_text()).expect("a phrase");
        prop_assert_eq!(*read.secret().seed(), seed);
    }

    #[test]
    fn no_text_makes_the_phrase_reader_panic(text in ".{0,60}", words in proptest::collection::vec("[a-zé]{1,14}", 12)) {
        prop_assert!(Phrase::parse(&text).is_err());
        prop_assert!(Phrase::parse(&words.join(" ")).is_err());
    }

    #[test]
    fn signatures_read_back(bytes in any::<[u8; 32]>()) {
        let mut both = [0; 64];
        both[..32].copy_from_slice(&bytes);
        let signature = Signature(both);
        prop_assert_eq!(Signature::from_hex(&signature.to_hex()), Ok(signature));
        prop_assert_eq!(Signature::from_base64url(&signature.to_base64url()), Ok(signature));
    }
}
