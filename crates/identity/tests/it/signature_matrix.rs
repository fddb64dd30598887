//! T25: every kind of signature, made with one and the same key, offered to every verifier.

use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use tidings_domain::{DeviceId, IdentityKey};
use tidings_identity::{Chain, Envelope, Login, PublicKey, Register, Signature, SignedExport};

use crate::support::{START, device, device_id, person, seal_by_hand, three_entries};

const ORIGIN: &str = "https://chat.example.org";
const CHALLENGE: &str = "Y2hhbGxlbmdl";

/// A purpose, and whether a signature is good for it.
type Verifier<'a> = (&'static str, &'a dyn Fn(&Signature) -> bool);

/// The key of person 7, who in this test signs in every role.
fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn register() -> Register<'static> {
    Register { origin: ORIGIN, username: "ana", challenge: CHALLENGE }
}

fn login() -> Login<'static> {
    Login { origin: ORIGIN, device_id: device_id(1), challenge: CHALLENGE }
}

const SIGNED: SignedExport = SignedExport { lines: 1, chain: [9; 32] };

/// Entry 0 of person 7, unsigned.
fn entry() -> Envelope {
    Chain::create(&person(7), device(1), START).expect("a chain").1
}

/// The rotation of person 1 to person 7 under a given agreement, signed by person 1.
fn rotation(agreement: &Signature) -> Value {
    let (chain, _) = three_entries();
    seal_by_hand(
        &json!({
            "type": "kez.sigchain.event", "version": 1, "primary": person(1).public().to_string(),
            "seq": 3, "prev": chain.head().hash.to_string(),
            "created_at": "2026-01-01T00:00:00.000Z", "op": "rotate",
            "payload": {
                "new_primary": person(7).public().to_string(),
                "sig_by_new": agreement.to_hex(),
            },
        }),
        1,
    )
}

fn agreement_bytes() -> Vec<u8> {
    let mut payload = rotation(&Signature([0; 64]))["payload"].clone();
    payload["payload"].as_object_mut().expect("an object").remove("sig_by_new");
    serde_json_canonicalizer::to_vec(&payload).expect("JSON")
}

fn verifies_as_entry(signature: &Signature) -> bool {
    let mut document = entry().document().clone();
    document["signature"]["sig"] = json!(signature.to_hex());
    Chain::open(&Envelope::from_value(&document).expect("an envelope")).is_ok()
}

fn verifies_as_agreement(signature: &Signature) -> bool {
    let envelope = Envelope::from_value(&rotation(signature)).expect("an envelope");
    three_entries().0.append(&envelope).is_ok()
}

#[test]
fn every_signature_is_good_for_its_own_purpose_alone() {
    let public = key().verifying_key().to_bytes();
    let signed = [
        ("register", register().to_bytes().expect("plain fields")),
        ("login", login().to_bytes().expect("plain fields")),
        ("entry", entry().signed_bytes().to_vec()),
        ("agreement", agreement_bytes()),
        ("export", SIGNED.to_bytes()),
    ];
    let verifiers: [Verifier<'_>; 5] = [
        ("register", &|signature| register().verify(IdentityKey(public), signature).is_ok()),
        ("login", &|signature| login().verify(PublicKey(public), signature).is_ok()),
        ("entry", &verifies_as_entry),
        ("agreement", &verifies_as_agreement),
        ("export", &|signature| SIGNED.verify(PublicKey(public), signature).is_ok()),
    ];
    for (made_as, bytes) in &signed {
        let signature = Signature(key().sign(bytes).to_bytes());
        for (offered_as, verifies) in &verifiers {
            let accepted = verifies(&signature);
            assert_eq!(accepted, made_as == offered_as, "{made_as} offered as {offered_as}");
        }
    }
}

#[test]
fn no_bytes_of_one_statement_are_those_of_another() {
    // The one pair that shares its line count and could be made to share every line but the tag.
    let id = device_id(1).to_string();
    let register = Register { username: &id, ..register() };
    assert_ne!(register.to_bytes(), login().to_bytes());
    let nobody = Login { device_id: DeviceId::NIL, ..login() };
    assert_ne!(nobody.to_bytes(), login().to_bytes());
}
