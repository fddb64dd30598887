//! What a valid chain certifies, operation by operation.

use serde_json::json;
use tidings_identity::sigchain::{
    AppendError, ChainError, Device, Revoked, SharedFiles, SignError,
};
use tidings_identity::{Chain, DeviceSecret, Envelope, Op, parse_envelope};

use crate::support::{START, append, device, device_id, person, seal_by_hand, three_entries};

fn ids(chain: &Chain) -> Vec<String> {
    chain.devices(START).map(|device| device.id.to_string()).collect()
}

fn revoke(number: u8) -> Op {
    Op::Revoke(Revoked::Device(device_id(number)))
}

#[test]
fn first_entry_certifies_the_first_device() {
    let ana = person(1);
    let (chain, first) = Chain::create(&ana, device(1), START).expect("a chain");
    assert_eq!(chain.identity(), ana.public());
    assert_eq!(chain.primary(), ana.public());
    assert_eq!((chain.head().seq, chain.head().hash), (0, first.hash()));
    assert_eq!(chain.device(device_id(1), START), Some(&device(1)));
    assert_eq!(chain.device(device_id(2), START), None);
    assert_eq!((first.seq(), first.prev(), first.created_at()), (0, None, START));
    assert_eq!(first.op(), &Op::AddDevice(device(1)));
}

#[test]
fn the_whole_chain_validates_after_a_journey_through_json() {
    let (chain, sent) = three_entries();
    let received: Vec<Envelope> = sent
        .iter()
        .map(|envelope| parse_envelope(envelope.as_json().as_bytes()).expect("an envelope"))
        .collect();
    assert_eq!(received, sent);
    let validated = Chain::validate(&received).expect("a valid chain");
    assert_eq!(validated.head(), chain.head());
    assert_eq!(ids(&validated), ids(&chain));
    let written = serde_json::to_value(&sent[1]).expect("JSON");
    assert_eq!(&written, sent[1].document());
    assert_eq!(Envelope::from_value(&written).as_ref(), Ok(&sent[1]));
}

#[test]
fn a_chain_is_validated_for_the_person_whose_it_should_be() {
    let (_, entries) = three_entries();
    assert!(Chain::validate_for(person(1).public(), &entries).is_ok());
    let refused = Chain::validate_for(person(2).public(), &entries).expect_err("a stranger");
    let (expected, actual) = (person(2).public(), person(1).public());
    assert_eq!(refused, ChainError::Identity { expected, actual });
}

#[test]
fn the_refused_entry_is_named() {
    let (_, mut entries) = three_entries();
    assert_eq!(Chain::validate(&[]).expect_err("nothing"), ChainError::Empty);
    entries.swap(1, 2);
    let refused = Chain::validate(&entries).expect_err("a wrong order");
    let source = AppendError::Seq { expected: 1, actual: 2 };
    assert_eq!(refused, ChainError::Entry { index: 1, source });
    let refused = Chain::validate(&entries[1..]).expect_err("no beginning");
    let source = AppendError::Seq { expected: 0, actual: 2 };
    assert_eq!(refused, ChainError::Entry { index: 0, source });
}

#[test]
fn revoked_device_is_gone_for_good() {
    let (mut chain, _) = three_entries();
    append(&mut chain, &revoke(2)).expect("an entry");
    assert_eq!(ids(&chain), [device_id(1).to_string()]);
    assert!(chain.is_revoked(device_id(2)) && !chain.is_revoked(device_id(1)));
    let again = append(&mut chain, &Op::AddDevice(device(2)));
    assert_eq!(
        again,
        Err(format!("device {} was revoked and cannot be added again", device_id(2)))
    );
    let renamed = Device { id: device_id(3), ..device(2) };
    let refused = append(&mut chain, &Op::AddDevice(renamed)).expect_err("revoked keys");
    assert!(refused.contains("already in use"), "{refused}");
}

#[test]
fn revocation_counts_by_order_and_not_by_clock() {
    let (mut chain, _) = three_entries();
    let long_ago = START.plus_seconds(-1_000_000_000);
    let revoked = chain.sign_next(&person(1), &revoke(1), long_ago).expect("an entry");
    assert!(revoked.created_at() < START);
    assert_eq!(ids(&chain), [device_id(2).to_string()]);
}

#[test]
fn device_revoked_before_it_was_added_stays_out() {
    let (mut chain, _) = three_entries();
    append(&mut chain, &revoke(9)).expect("an entry");
    assert!(append(&mut chain, &Op::AddDevice(device(9))).is_err());
}

#[test]
fn device_expires_at_its_time() {
    let (mut chain, _) = three_entries();
    let end = START.plus_seconds(60);
    let guest = Device { expires_at: Some(end), ..device(3) };
    append(&mut chain, &Op::AddDevice(guest.clone())).expect("an entry");
    assert_eq!(chain.device(device_id(3), START), Some(&guest));
    assert_eq!(chain.device(device_id(3), end), None);
    assert_eq!(chain.devices(end).count(), 2);
}

#[test]
fn device_may_be_renamed_but_keeps_its_keys() {
    let (mut chain, _) = three_entries();
    let renamed = Device { name: "kitchen".to_owned(), ..device(2) };
    append(&mut chain, &Op::AddDevice(renamed.clone())).expect("an entry");
    assert_eq!(chain.device(device_id(2), START), Some(&renamed));
    let swapped = Device { keys: device(3).keys, ..device(2) };
    let refused = append(&mut chain, &Op::AddDevice(swapped));
    assert_eq!(
        refused,
        Err(format!("device {} is already in the chain with other keys", device_id(2)))
    );
}

#[test]
fn no_key_has_two_uses() {
    let (mut chain, _) = three_entries();
    let fresh = device(3);
    let mut same = fresh.clone();
    same.keys.nats = same.keys.login;
    let mut foreign = fresh.clone();
    foreign.keys.files = device(1).keys.files;
    let mut primary = fresh.clone();
    primary.keys.login = chain.primary().into();
    for (bad, key) in [
        (same, fresh.keys.login),
        (foreign, device(1).keys.files),
        (primary, chain.primary().into()),
    ] {
        let refused = chain.sign_next(&person(1), &Op::AddDevice(bad), START);
        assert_eq!(refused, Err(SignError::Append(AppendError::KeyReused { key })));
    }
    append(&mut chain, &Op::AddDevice(fresh)).expect("a refused entry leaves nothing behind");
}

#[test]
fn claims_come_and_go_and_come_back() {
    let (mut chain, _) = three_entries();
    let subject: tidings_identity::sigchain::Subject = "dns:example.org".parse().expect("a claim");
    assert_eq!(chain.subjects().collect::<Vec<_>>(), [&subject]);
    append(&mut chain, &Op::Revoke(Revoked::Subject(subject.clone()))).expect("an entry");
    assert_eq!(chain.subjects().count(), 0);
    append(&mut chain, &Op::Add(subject)).expect("an entry");
    assert_eq!(chain.subjects().count(), 1);
}

#[test]
fn the_last_vault_key_and_file_list_count() {
    let (mut chain, _) = three_entries();
    assert_eq!((chain.vault_key(), chain.shared_files()), (None, None));
    for byte in ["0a", "0b"] {
        let key = format!("x25519:{}", byte.repeat(32)).parse().expect("a key");
        append(&mut chain, &Op::SetVault(key)).expect("an entry");
        assert_eq!(chain.vault_key(), Some(key));
        let manifest = format!("blake3:{}", byte.repeat(32)).parse().expect("a hash");
        let shared = SharedFiles { manifest, count: 12 };
        append(&mut chain, &Op::SetSharedFiles(shared)).expect("an entry");
        assert_eq!(chain.shared_files(), Some(shared));
    }
}

#[test]
fn unknown_operations_are_hashed_and_ignored() {
    let (mut chain, mut entries) = three_entries();
    let later = Op::Unknown { name: "set_color".to_owned(), payload: json!({"hue": 0.25}) };
    let unknown = append(&mut chain, &later).expect("an entry");
    assert_eq!((unknown.op(), unknown.op().name()), (&later, "set_color"));
    let bare = json!({
        "type": "kez.sigchain.event", "version": 1, "primary": chain.primary().to_string(),
        "seq": 4, "prev": unknown.hash().to_string(), "created_at": "2026-01-01T00:00:00Z",
        "op": "note", "to_be_defined": [1, {"x": null}],
    });
    let mut document = seal_by_hand(&bare, 1);
    document["signature"]["hint"] = json!("kept");
    let bare = Envelope::from_value(&document).expect("an envelope");
    chain.append(&bare).expect("an entry");
    assert_eq!(bare.document(), &document);
    append(&mut chain, &revoke(2)).expect("an entry");

    entries.extend([unknown, bare.clone()]);
    let validated = Chain::validate(&entries).expect("a valid chain");
    assert_eq!(validated.hash_at(4), Some(bare.hash()));
    assert_eq!(ids(&validated).len(), 2);

    document["signature"]["hint"] = json!("changed");
    let changed = Envelope::from_value(&document).expect("an envelope");
    assert_ne!(changed.hash(), bare.hash(), "members that nobody knows are part of the hash");
}

#[test]
fn after_a_rotation_only_the_new_key_signs() {
    let (mut chain, mut entries) = three_entries();
    let (old, new) = (person(1), person(2));
    entries.push(chain.rotate(&old, &new, START).expect("an entry"));
    assert_eq!((chain.identity(), chain.primary()), (old.public(), new.public()));
    assert_eq!(ids(&chain).len(), 2, "devices stay");

    let refused = chain.sign_next(&old, &revoke(1), START);
    let (expected, actual) = (new.public(), old.public());
    assert_eq!(refused, Err(SignError::Secret { expected, actual }));
    entries.push(chain.sign_next(&new, &revoke(1), START).expect("an entry"));
    let validated = Chain::validate_for(old.public(), &entries).expect("a valid chain");
    assert_eq!((validated.head(), validated.primary()), (chain.head(), new.public()));

    let mut payload = entries[4].document()["payload"].clone();
    payload["primary"] = json!(old.public().to_string());
    let by_old = Envelope::from_value(&seal_by_hand(&payload, 1)).expect("an envelope");
    let mut before = Chain::validate(&entries[..4]).expect("a valid chain");
    assert_eq!(before.append(&by_old), Err(AppendError::Primary { expected, actual }));
}

#[test]
fn a_rotation_needs_a_fresh_key_that_agrees() {
    let (mut chain, _) = three_entries();
    let (old, new) = (person(1), person(2));
    let back = chain.rotate(&old, &old, START);
    let key = old.public().into();
    assert_eq!(back, Err(SignError::Append(AppendError::KeyReused { key })));

    let login = DeviceSecret::from_seed(&[0x81; 32]).sub_seed(tidings_identity::DeviceUse::Login);
    let login = tidings_identity::IdentitySecret::from_seed(&login);
    let key = device(1).keys.login;
    assert_eq!(
        chain.rotate(&old, &login, START),
        Err(SignError::Append(AppendError::KeyReused { key }))
    );

    // An agreement to a rotation at another place is none here.
    let elsewhere = three_entries().0.rotate(&old, &new, START.plus_seconds(1)).expect("an entry");
    let refused = chain.sign_next(&old, elsewhere.op(), START);
    let key = new.public();
    assert_eq!(refused, Err(SignError::Append(AppendError::RotateSignature { key })));
}

#[test]
fn what_cannot_be_written_is_refused_before_it_is_signed() {
    let (mut chain, _) = three_entries();
    let head = chain.head();
    let nameless = Device { name: "  ".to_owned(), ..device(3) };
    let forever = Device { expires_at: Some(tidings_domain::Timestamp(i64::MAX)), ..device(3) };
    let unnamed = Op::Unknown { name: String::new(), payload: json!({}) };
    let huge = Op::Unknown { name: "x".to_owned(), payload: json!("x".repeat(65_536)) };
    for (op, told) in [
        (Op::AddDevice(nameless), "payload.payload.name must be 1 to 64 visible characters"),
        (Op::AddDevice(forever), "expires_at must be a time in the years 0 to 9999"),
        (unnamed, "payload.op must be a name of 1 to 64 bytes"),
        (huge, "an envelope has at most 65536 bytes"),
    ] {
        let refused = append(&mut chain, &op).expect_err("not to be written");
        assert!(refused.contains(told), "{refused}");
    }
    let refused = chain.sign_next(&person(1), &revoke(1), tidings_domain::Timestamp(i64::MIN));
    assert!(matches!(refused, Err(SignError::Form(_))), "{refused:?}");
    assert_eq!(chain.head(), head);
}

#[test]
fn chain_ends_at_ten_thousand_entries() {
    let ana = person(1);
    let (mut chain, _) = Chain::create(&ana, device(1), START).expect("a chain");
    let tick = Op::Unknown { name: "tick".to_owned(), payload: json!(null) };
    for _ in 1..10_000 {
        chain.sign_next(&ana, &tick, START).expect("an entry");
    }
    assert_eq!(chain.head().seq, 9_999);
    let full = chain.sign_next(&ana, &tick, START);
    assert_eq!(full, Err(SignError::Append(AppendError::Full { max: 10_000 })));
}
