//! Entries that a stranger, a server or a careless program might send, and none may pass.

use serde_json::{Value, json};
use tidings_identity::{Chain, parse_envelope};

use crate::support::{START, device, person, refusal, seal_by_hand, three_entries};

type Edit = fn(&mut Value);

/// A good fourth entry for the chain of `three_entries`.
fn fourth() -> (Chain, Value) {
    let (chain, _) = three_entries();
    let op = tidings_identity::Op::AddDevice(device(3));
    let envelope = chain.clone().sign_next(&person(1), &op, START).expect("an entry");
    (chain, envelope.document().clone())
}

#[test]
fn the_entry_that_all_forgeries_start_from_is_good() {
    let (mut chain, document) = fourth();
    let envelope = parse_envelope(document.to_string().as_bytes()).expect("an envelope");
    assert_eq!(chain.append(&envelope), Ok(()));
    let again = seal_by_hand(&document["payload"], 1);
    assert_eq!(again, document, "sealing by hand gives the same signature");
}

#[test]
fn entries_edited_without_the_key_are_refused() {
    let edits: [(&str, Edit); 16] = [
        ("the signature is not one of", |d| {
            d["payload"]["created_at"] = json!("2027-01-01T00:00:00Z");
        }),
        ("the signature is not one of", |d| d["payload"]["payload"]["name"] = json!("evil")),
        ("the signature is not one of", |d| d["payload"]["op"] = json!("add_devise")),
        ("the signature is not one of", |d| d["payload"]["extra"] = json!(1)),
        ("the signature is not one of", |d| {
            d["payload"]["payload"]["keys"]["login"] = json!(device(4).keys.login.to_string());
        }),
        ("the signature is not one of", |d| {
            d["payload"]["payload"]["expires_at"] = json!("2027-01-01T00:00:00Z");
        }),
        ("the signature is not one of", |d| d["signature"]["sig"] = json!("0".repeat(128))),
        ("the signature is not one of", |d| {
            let other = three_entries().1[1].signature().to_hex();
            d["signature"]["sig"] = json!(other);
        }),
        ("the signature is not one of", |d| {
            // The same signature with its scalar moved up by the group order.
            let text = d["signature"]["sig"].as_str().expect("text");
            let mut sig = hex::decode(text).expect("hex");
            let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
            let mut carry = 0;
            for (byte, add) in sig[32..].iter_mut().zip(hex::decode(order).expect("hex")) {
                let sum = u16::from(*byte) + u16::from(add) + carry;
                *byte = u8::try_from(sum & 0xff).expect("a byte");
                carry = sum >> 8;
            }
            d["signature"]["sig"] = json!(hex::encode(sig));
        }),
        ("signature.key must be ed25519:", |d| {
            d["signature"]["key"] = json!(person(2).public().to_string());
        }),
        ("signature.alg must be \"ed25519-sha512-jcs\", not \"none\"", |d| {
            d["signature"]["alg"] = json!("none");
        }),
        ("signature.sig must be 128 lowercase", |d| {
            let upper = d["signature"]["sig"].as_str().expect("text").to_uppercase();
            d["signature"]["sig"] = json!(upper);
        }),
        ("signature.sig must be 128 lowercase", |d| d["signature"]["sig"] = json!("00")),
        ("signature.sig must be text, not 7", |d| d["signature"]["sig"] = json!(7)),
        ("kez must be \"sigchain_event\", not \"claim\"", |d| d["kez"] = json!("claim")),
        ("signature must be an object, not null", |d| d["signature"] = json!(null)),
    ];
    let (chain, good) = fourth();
    for (number, (told, edit)) in edits.into_iter().enumerate() {
        let mut document = good.clone();
        edit(&mut document);
        let refusal = refusal(Some(&chain), document.to_string().as_bytes());
        assert!(refusal.contains(told), "edit {number}: {refusal}");
    }
}

/// Somebody who holds the key, but not the format, signs these.
fn assert_refused_though_signed(edits: &[(&str, Edit)]) {
    let (chain, good) = fourth();
    for (number, (told, edit)) in edits.iter().enumerate() {
        let mut payload = good["payload"].clone();
        edit(&mut payload);
        let text = seal_by_hand(&payload, 1).to_string();
        let refusal = refusal(Some(&chain), text.as_bytes());
        assert!(refusal.contains(told), "edit {number}: {refusal}");
    }
}

#[test]
fn events_that_the_owner_signed_against_the_rules_are_refused() {
    let edits: [(&str, Edit); 23] = [
        ("payload.type must be \"kez.sigchain.event\"", |p| p["type"] = json!("kez.claim")),
        ("payload.version must be 1, not 2", |p| p["version"] = json!(2)),
        ("payload.version must be 1, not \"1\"", |p| p["version"] = json!("1")),
        ("seq must be 3, not 2", |p| p["seq"] = json!(2)),
        ("seq must be 3, not 4", |p| p["seq"] = json!(4)),
        ("seq must be 3, not 0", |p| p["seq"] = json!(0)),
        ("payload.seq must be a whole number", |p| p["seq"] = json!(-3)),
        ("payload.seq must be a whole number", |p| p["seq"] = json!(3.5)),
        ("payload.seq must be a whole number", |p| p["seq"] = json!("3")),
        ("payload.seq must be a whole number", |p| p["seq"] = json!(1e300)),
        ("prev must be sha256:", |p| p["prev"] = json!(three_entries().1[1].hash().to_string())),
        ("payload.prev must be text, not null", |p| p["prev"] = json!(null)),
        ("payload.prev must be sha256:<64 lowercase hex>", |p| {
            let upper = p["prev"].as_str().expect("text")[7..].to_uppercase();
            p["prev"] = json!(format!("sha256:{upper}"));
        }),
        ("payload.prev must be sha256:<64 lowercase hex>", |p| {
            let bare = p["prev"].as_str().expect("text")[7..].to_owned();
            p["prev"] = json!(bare);
        }),
        ("not absent", |p| {
            p["seq"] = json!(3);
            p["prev"] = json!(format!("sha256:{}", "0".repeat(64)));
            p.as_object_mut().expect("an object").remove("prev");
        }),
        ("primary must be ed25519:", |p| p["primary"] = json!(person(2).public().to_string())),
        ("payload.primary must be ed25519:<64 lowercase hex>", |p| {
            let upper = p["primary"].as_str().expect("text")[8..].to_uppercase();
            p["primary"] = json!(format!("ed25519:{upper}"));
        }),
        ("payload.primary must be ed25519:", |p| p["primary"] = json!("ed25519:00")),
        ("payload.created_at must be a time", |p| p["created_at"] = json!("yesterday")),
        ("payload.created_at must be a time", |p| {
            p["created_at"] = json!("2026-01-01T01:00:00+01:00");
        }),
        ("payload.created_at must be text", |p| p["created_at"] = json!(1_767_225_600_000_u64)),
        ("payload.op must be text", |p| p["op"] = json!(["add_device"])),
        ("payload.op must be a name", |p| p["op"] = json!("x".repeat(65))),
    ];
    assert_refused_though_signed(&edits);
}

#[test]
fn operands_that_the_owner_signed_against_the_rules_are_refused() {
    let edits: [(&str, Edit); 21] = [
        ("payload.payload must be an object", |p| p["payload"] = json!([])),
        ("payload.payload.device_id is missing", |p| p["payload"] = json!({})),
        ("payload.payload.device_id must be a lowercase", |p| {
            let upper = p["payload"]["device_id"].as_str().expect("text").to_uppercase();
            p["payload"]["device_id"] = json!(upper);
        }),
        ("payload.payload.device_id must be a lowercase", |p| {
            p["payload"]["device_id"] = json!("1");
        }),
        ("payload.payload.name must be 1 to 64", |p| p["payload"]["name"] = json!("")),
        ("payload.payload.name must be 1 to 64", |p| p["payload"]["name"] = json!("a\u{202e}b")),
        ("payload.payload.platform must be 1 to 64", |p| {
            p["payload"]["platform"] = json!("x".repeat(65));
        }),
        ("payload.payload.keys must be an object", |p| p["payload"]["keys"] = json!("all")),
        ("payload.payload.keys.overlay must be text", |p| {
            p["payload"]["keys"]["overlay"] = json!(null);
        }),
        ("payload.payload.keys.mls must be a key that only its owner", |p| {
            p["payload"]["keys"]["mls"] = json!(format!("ed25519:{}", "00".repeat(32)));
        }),
        ("payload.payload.keys.login must be a key that only its owner", |p| {
            let weak = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa";
            p["payload"]["keys"]["login"] = json!(format!("ed25519:{weak}"));
        }),
        ("payload.payload.expires_at must be text", |p| p["payload"]["expires_at"] = json!(null)),
        ("already in use for something else", |p| {
            p["payload"]["keys"]["files"] = p["payload"]["keys"]["nats"].clone();
        }),
        ("must be absent, because there is a device_id", |p| {
            p["op"] = json!("revoke");
            p["payload"]["subject"] = json!("dns:example.org");
        }),
        ("payload.payload.device_id is missing", |p| {
            p["op"] = json!("revoke");
            p["payload"] = json!({"device": 1});
        }),
        ("payload.payload.subject must be a claim", |p| {
            p["op"] = json!("add");
            p["payload"] = json!({"subject": "example.org"});
        }),
        ("payload.payload.key must be x25519:", |p| {
            p["op"] = json!("set_vault");
            p["payload"] = json!({"key": format!("ed25519:{}", "ab".repeat(32))});
        }),
        ("payload.payload.sig_by_new is missing", |p| {
            p["op"] = json!("rotate");
            p["payload"] = json!({"new_primary": person(2).public().to_string()});
        }),
        ("sig_by_new is not a signature of ed25519:", |p| {
            p["op"] = json!("rotate");
            let (key, sig) = (person(2).public().to_string(), "0".repeat(128));
            p["payload"] = json!({"new_primary": key, "sig_by_new": sig});
        }),
        ("payload.payload.count must be a whole number", |p| {
            p["op"] = json!("set_shared_files");
            p["payload"] = json!({"manifest": format!("blake3:{}", "ab".repeat(32)), "count": -1});
        }),
        ("payload.payload.manifest must be blake3:", |p| {
            p["op"] = json!("set_shared_files");
            p["payload"] = json!({"manifest": "ab".repeat(32), "count": 1});
        }),
    ];
    assert_refused_though_signed(&edits);
}

#[test]
fn no_member_can_be_left_out() {
    let (chain, good) = fourth();
    let mut left_out = 0;
    for parent in ["", "/payload", "/payload/payload", "/payload/payload/keys", "/signature"] {
        let names: Vec<String> = good
            .pointer(parent)
            .and_then(Value::as_object)
            .map(|members| members.keys().cloned().collect())
            .expect("an object");
        for name in names {
            let mut document = good.clone();
            let members = document.pointer_mut(parent).and_then(Value::as_object_mut);
            members.expect("an object").remove(&name);
            if parent.starts_with("/payload") {
                document = seal_by_hand(&document["payload"], 1);
            }
            let refusal = refusal(Some(&chain), document.to_string().as_bytes());
            let told = if name == "prev" { "not absent" } else { &format!("{name} is missing") };
            assert!(refusal.contains(told), "{parent}/{name}: {refusal}");
            left_out += 1;
        }
    }
    assert_eq!(left_out, 3 + 8 + 4 + 5 + 3);
}

#[test]
fn another_persons_signature_is_refused_whatever_it_claims() {
    let (chain, good) = fourth();
    let by_stranger = seal_by_hand(&good["payload"], 2);
    assert!(refusal(Some(&chain), by_stranger.to_string().as_bytes()).contains("signature.key"));
    let mut posing = by_stranger;
    posing["signature"]["key"] = good["signature"]["key"].clone();
    let told = refusal(Some(&chain), posing.to_string().as_bytes());
    assert!(told.contains("the signature is not one of"), "{told}");
}

#[test]
fn first_entry_has_place_zero_and_no_predecessor() {
    let (_, entries) = three_entries();
    let first = entries[0].document();
    let edited = |edit: Edit| {
        let mut payload = first["payload"].clone();
        edit(&mut payload);
        refusal(None, seal_by_hand(&payload, 1).to_string().as_bytes())
    };
    let told = edited(|p| p["prev"] = json!(format!("sha256:{}", "0".repeat(64))));
    assert!(told.starts_with("prev must be absent, not sha256:0000"), "{told}");
    assert_eq!(edited(|p| p["seq"] = json!(1)), "seq must be 0, not 1");
    assert!(
        edited(|p| p["primary"] = json!(person(2).public().to_string())).contains("signature.key")
    );
    let told = edited(|p| {
        p["payload"]["keys"]["login"] = p["primary"].clone();
    });
    assert!(told.contains("already in use"), "{told}");
}

#[test]
fn a_chain_cannot_be_opened_under_a_key_of_small_order() {
    // Under the neutral element the signature (neutral, 0) satisfies the lenient equation for
    // every message.
    let neutral = format!("01{}", "00".repeat(31));
    let (_, entries) = three_entries();
    let mut document = entries[0].document().clone();
    document["payload"]["primary"] = json!(format!("ed25519:{neutral}"));
    document["signature"]["key"] = json!(format!("ed25519:{neutral}"));
    document["signature"]["sig"] = json!(format!("{neutral}{}", "00".repeat(32)));
    let told = refusal(None, document.to_string().as_bytes());
    assert!(told.starts_with("the signature is not one of"), "{told}");
}

#[test]
fn documents_with_two_readings_are_refused() {
    let (chain, good) = fourth();
    let text = good.to_string();
    for (from, to, key) in [
        ("\"seq\":3", "\"seq\":3,\"seq\":3", "seq"),
        ("\"seq\":3", "\"seq\":9,\"s\\u0065q\":3", "seq"),
        ("\"op\":", "\"op\":\"revoke\",\"op\":", "op"),
        ("\"kez\":", "\"kez\":\"x\",\"kez\":", "kez"),
        ("\"name\":", "\"name\":\"x\",\"name\":", "name"),
        ("\"alg\":", "\"alg\":\"none\",\"alg\":", "alg"),
    ] {
        let twice = text.replacen(from, to, 1);
        assert_ne!(twice, text, "{from}");
        let told = refusal(Some(&chain), twice.as_bytes());
        assert_eq!(told, format!("the key {key:?} stands twice in one object"));
    }
}

#[test]
fn what_is_no_envelope_is_refused() {
    let (chain, good) = fourth();
    let text = good.to_string();
    let deep = text.replacen(
        "\"seq\"",
        &format!("\"x\":{}1{},\"seq\"", "[".repeat(40), "]".repeat(40)),
        1,
    );
    let wide = text.replacen("\"seq\"", &format!("\"x\":\"{}\",\"seq\"", "x".repeat(65_536)), 1);
    let swells =
        text.replacen("\"seq\"", &format!("\"x\":[{}1e20],\"seq\"", "1e20,".repeat(10_000)), 1);
    let cases: [(&[u8], &str); 11] = [
        (b"", "not JSON"),
        (b"null", "the envelope must be an object, not null"),
        (b"[]", "the envelope must be an object, not []"),
        (b"{}", "kez is missing"),
        (b"{\"kez\":1e999}", "a number is out of range"),
        (b"\xff\xfe", "not JSON"),
        (&text.as_bytes()[..text.len() - 1], "not JSON"),
        (&[text.as_bytes(), b"x"].concat(), "not JSON"),
        (deep.as_bytes(), "nested more than 32 deep"),
        (wide.as_bytes(), "an envelope has at most 65536 bytes, not "),
        (swells.as_bytes(), "an envelope has at most 65536 bytes, not "),
    ];
    assert!(swells.len() < 65_536, "only the canonical form is too large");
    for (bytes, told) in cases {
        let refusal = refusal(Some(&chain), bytes);
        assert!(refusal.contains(told), "{told}: {refusal}");
    }
}

#[test]
fn what_is_shown_of_a_refused_value_is_short() {
    let (chain, mut good) = fourth();
    good["kez"] = json!("é".repeat(30_000));
    let told = refusal(Some(&chain), good.to_string().as_bytes());
    assert!(told.chars().count() < 200, "{told}");
}
