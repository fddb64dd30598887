//! People, devices and forgers' tools.

use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use tidings_domain::{DeviceId, Timestamp};
use tidings_identity::sigchain::Device;
use tidings_identity::{Chain, DeviceSecret, Envelope, IdentitySecret, Op, parse_envelope};

/// 2026-01-01T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp(1_767_225_600_000);

pub(crate) fn person(number: u8) -> IdentitySecret {
    IdentitySecret::from_seed(&[number; 32])
}

pub(crate) fn device_id(number: u8) -> DeviceId {
    format!("0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a{number:02x}").parse().expect("an id")
}

pub(crate) fn device(number: u8) -> Device {
    let secret = DeviceSecret::from_seed(&[0x80 | number; 32]);
    Device::describe(device_id(number), format!("device {number}"), "linux", &secret)
}

/// Person 1's chain: devices 1 and 2, and a claim.
pub(crate) fn three_entries() -> (Chain, Vec<Envelope>) {
    let ana = person(1);
    let (mut chain, first) = Chain::create(&ana, device(1), START).expect("a chain");
    let second = chain.sign_next(&ana, &Op::AddDevice(device(2)), START).expect("an entry");
    let claim = Op::Add("dns:example.org".parse().expect("a claim"));
    let third = chain.sign_next(&ana, &claim, START).expect("an entry");
    (chain, vec![first, second, third])
}

pub(crate) fn append(chain: &mut Chain, op: &Op) -> Result<Envelope, String> {
    chain.sign_next(&person(1), op, START).map_err(|refusal| refusal.to_string())
}

/// Signs the payload anew, as somebody who holds the key of `person` and writes by hand.
pub(crate) fn seal_by_hand(payload: &Value, person: u8) -> Value {
    let key = SigningKey::from_bytes(&[person; 32]);
    let bytes = serde_json_canonicalizer::to_vec(payload).expect("JSON");
    json!({
        "kez": "sigchain_event",
        "payload": payload,
        "signature": {
            "alg": "ed25519-sha512-jcs",
            "key": format!("ed25519:{}", hex::encode(key.verifying_key().to_bytes())),
            "sig": hex::encode(key.sign(&bytes).to_bytes()),
        },
    })
}

/// Why `text` cannot follow `chain`, or open one when there is none; panics when it can.
pub(crate) fn refusal(chain: Option<&Chain>, text: &[u8]) -> String {
    let envelope = match parse_envelope(text) {
        Err(error) => return error.to_string(),
        Ok(envelope) => envelope,
    };
    let refused = match chain {
        None => Chain::open(&envelope).map(|_| ()),
        Some(chain) => chain.clone().append(&envelope),
    };
    refused.expect_err("a forgery was accepted").to_string()
}
