//! Signed statements of strangers, and what people type.

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Map, Value, json};
use tidings_domain::Timestamp;
use tidings_identity::key::{DeviceSecret, Signature};
use tidings_identity::sigchain::{Device, EntryHash, MAX_ENVELOPE_BYTES};
use tidings_identity::{Chain, Envelope, IdentitySecret, Phrase, parse_envelope};

use crate::text;

/// 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp(1_767_225_600_000);
/// The seed of whoever signs in [`signed_payload`].
const SEED: [u8; 32] = [1; 32];

pub(crate) fn envelope(data: &[u8]) {
    if let Ok(envelope) = parse_envelope(data) {
        assert!(envelope.as_json().len() <= MAX_ENVELOPE_BYTES);
        same_envelope(&envelope);
        // A signature that fits nothing is found by the chain, and never by a panic.
        let _ = Chain::open(&envelope);
    }
    let Some(text) = text(data) else { return };
    if let Ok(hash) = text.parse::<EntryHash>() {
        assert_eq!(hash.to_string(), text);
    }
    if let Ok(signature) = Signature::from_hex(text) {
        assert_eq!(signature.to_hex(), text);
    }
    if let Ok(signature) = Signature::from_base64url(text) {
        assert_eq!(signature.to_base64url(), text);
    }
}

fn same_envelope(envelope: &Envelope) {
    let again = parse_envelope(envelope.as_json().as_bytes());
    assert!(again.as_ref().is_ok_and(|again| again == envelope), "{envelope:?} became {again:?}");
    assert!(again.is_ok_and(|again| again.hash() == envelope.hash()));
}

/// A chain as a server tells it: one envelope on each line.
pub(crate) fn chain(data: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let envelopes: Result<Vec<_>, _> = lines.map(parse_envelope).collect();
    let Ok(envelopes) = envelopes else { return };
    let Ok(chain) = Chain::validate(&envelopes) else { return };
    assert_eq!(chain.next_seq(), u64::try_from(envelopes.len()).unwrap_or_default());
    consistent(&chain);
}

/// What must hold of a chain, however it came to be.
fn consistent(chain: &Chain) {
    assert_eq!(chain.hash_at(chain.head().seq), Some(chain.head().hash));
    assert_eq!(chain.hash_at(chain.next_seq()), None);
    assert!(chain.extends(chain.head()).is_ok());
    for device in chain.devices(START) {
        assert!(!chain.is_revoked(device.id));
        assert_eq!(chain.device(device.id, START), Some(device));
    }
}

/// The second entry of a chain, well signed by its owner, whatever it says: what a person with a
/// key of their own can send. The input is the inner part: `{"op": …, "payload": …}`, in which any
/// member of the envelope's payload may be set otherwise.
pub(crate) fn signed_payload(data: &[u8]) {
    let Ok(Value::Object(said)) = serde_json::from_slice::<Value>(data) else { return };
    let Some((mut chain, _)) = begun() else { return };
    let Some(entry) = sealed(&chain, said) else { return };
    let Ok(envelope) = parse_envelope(&entry) else { return };
    same_envelope(&envelope);
    let before = chain.head();
    match chain.append(&envelope) {
        Ok(()) => assert_eq!(chain.head().seq, before.seq + 1),
        Err(_) => assert_eq!(chain.head(), before, "a refused entry changes nothing"),
    }
    assert!(chain.extends(before).is_ok());
    consistent(&chain);
}

/// A chain of one entry; made once, because every device key is a multiplication on the curve.
fn begun() -> Option<(Chain, Envelope)> {
    static BEGUN: std::sync::LazyLock<Option<(Chain, Envelope)>> = std::sync::LazyLock::new(|| {
        let id = "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01".parse().ok()?;
        let device = Device::describe(id, "laptop", "linux", &DeviceSecret::from_seed(&[0x81; 32]));
        Chain::create(&IdentitySecret::from_seed(&SEED), device, START).ok()
    });
    BEGUN.clone()
}

fn sealed(chain: &Chain, said: Map<String, Value>) -> Option<Vec<u8>> {
    let key = SigningKey::from_bytes(&SEED);
    let mut payload = json!({
        "type": "kez.sigchain.event",
        "version": 1,
        "primary": chain.primary().to_string(),
        "seq": chain.next_seq(),
        "prev": chain.head().hash.to_string(),
        "created_at": "2026-01-01T00:01:00.000Z",
    });
    payload.as_object_mut()?.extend(said);
    let signed = serde_json_canonicalizer::to_vec(&payload).ok()?;
    let envelope = json!({
        "kez": "sigchain_event",
        "payload": payload,
        "signature": {
            "alg": "ed25519-sha512-jcs",
            "key": chain.primary().to_string(),
            "sig": hex::encode(key.sign(&signed).to_bytes()),
        },
    });
    serde_json::to_vec(&envelope).ok()
}

pub(crate) fn phrase(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Phrase::parse(text) {
        Ok(phrase) => {
            let shown = phrase.to_text();
            let again = Phrase::parse(&shown).map(|again| again.secret().public());
            assert_eq!(again.ok(), Some(phrase.secret().public()));
            assert!(phrase.words().enumerate().all(|(at, word)| phrase.has_word(at + 1, word)));
        }
        // The error may name a word of the list, and nothing of what was typed.
        Err(error) => assert!(error.to_string().len() < 200, "{error}"),
    }
}
