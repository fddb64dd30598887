//! The worked example of `docs/schema/sigchain.md` is what the code makes, byte for byte.

use tidings_domain::Timestamp;
use tidings_identity::sigchain::{Device, Revoked};
use tidings_identity::{Chain, DeviceSecret, Envelope, IdentitySecret, Op, parse_envelope};

const PAGE: &str = include_str!("../../../../docs/schema/sigchain.md");

/// The blocks of JSON on the page that are whole envelopes, in order.
fn shown() -> Vec<Envelope> {
    PAGE.split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.starts_with("{\n  \"kez\""))
        .map(|block| parse_envelope(block.as_bytes()).expect("an envelope"))
        .collect()
}

#[test]
fn the_example_is_what_the_code_makes() {
    let identity = IdentitySecret::from_seed(&[0; 32]);
    let secret =
        DeviceSecret::from_seed(&std::array::from_fn(|at| u8::try_from(at).expect("small")));
    let id = "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01".parse().expect("an id");
    let laptop = Device::describe(id, "laptop", "linux", &secret);
    let start = Timestamp(1_767_225_600_000);
    let (mut chain, first) = Chain::create(&identity, laptop, start).expect("a chain");
    let revoke = Op::Revoke(Revoked::Device(id));
    let second = chain.sign_next(&identity, &revoke, start.plus_seconds(60)).expect("an entry");
    let made = [first, second];
    let pretty =
        |envelope: &Envelope| serde_json::to_string_pretty(envelope.document()).expect("JSON");
    assert_eq!(shown(), made, "the page should show\n{}\n{}", pretty(&made[0]), pretty(&made[1]));
    for needed in [
        String::from_utf8(made[1].signed_bytes().to_vec()).expect("text"),
        made[0].hash().to_string(),
        made[1].hash().to_string(),
    ] {
        assert!(PAGE.contains(&needed), "the page should show {needed}");
    }
    assert_eq!(Chain::validate(&shown()).expect("a valid chain").head(), chain.head());
}
