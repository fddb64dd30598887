//! The adversarial signatures of "Taming the Many `EdDSAs`" (Chalkias, Garillot and
//! Nikolaenko, 2020),
//! and HKDF sub-keys computed by another implementation.

use tidings_identity::key::verify_strict;
use tidings_identity::{DeviceSecret, DeviceUse, PublicKey, Signature};

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).expect("hex").try_into().expect("the length")
}

/// Message, public key, signature. The strict equation takes case 3 alone: its key and commitment
/// are of mixed order, which is harmless; the others have small order, a scalar past the group
/// order, or an encoding that is not the canonical one.
const CASES: [[&str; 3]; 12] = [
    [
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a\
         0000000000000000000000000000000000000000000000000000000000000000",
    ],
    [
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43\
         a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
    ],
    [
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa\
         8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
    ],
    [
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f\
         87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
    ],
    [
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512\
         5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
    ],
    [
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7\
         e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
    ],
    [
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e\
         547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
    ],
    [
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942\
         7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
    ],
    [
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
         03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
    ],
    [
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
         ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
    ],
    [
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc\
         a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
    ],
    [
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc\
         a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
    ],
];

#[test]
fn adversarial_signatures_are_refused() {
    for (number, [message, key, signature]) in CASES.into_iter().enumerate() {
        let key = PublicKey(bytes(key));
        let message: [u8; 32] = bytes(message);
        let accepted = verify_strict(key, &message, &Signature(bytes(signature))).is_ok();
        assert_eq!(accepted, number == 3, "case {number}");
    }
}

#[test]
fn small_order_keys_are_unsound() {
    for number in [0, 1, 10, 11] {
        assert!(!PublicKey(bytes(CASES[number][1])).is_sound(), "case {number}");
    }
    let neutral = "0100000000000000000000000000000000000000000000000000000000000000";
    let no_point = "0200000000000000000000000000000000000000000000000000000000000000";
    for bad in [neutral, no_point, &"00".repeat(32)] {
        assert!(!PublicKey(bytes(bad)).is_sound(), "{bad}");
    }
    assert!(DeviceSecret::from_seed(&[1; 32]).public_keys().nats.is_sound());
}

#[test]
fn sub_keys_are_those_of_hkdf() {
    let seed = bytes("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    let device = DeviceSecret::from_seed(&seed);
    for (usage, sub_seed, public) in [
        (
            DeviceUse::Login,
            "ded193746326572545de885cc5b169e425f48b372d8c3e914b0a34bb5d8cb22b",
            "1fe179c762d191ba5af615e5487c644c9ffb76ffde27ca573fb3b6a76d4ef1fe",
        ),
        (
            DeviceUse::Mls,
            "44ecb5e13602a95bb9304ab7bbf638da6c818c07a56ee6a9538647a812d73115",
            "a412b263840d91bc91c8d2b027a5ec0b6b38305035b81b7850e730bc45a50211",
        ),
        (
            DeviceUse::Nats,
            "de96289b48ecffb43c6014b8368bfc3ac04118a1255e2ee1791cbe3ec2090b38",
            "b232e0a8143902db6716b8aa972bc68792085f7049f28889ddc913de06abc365",
        ),
        (
            DeviceUse::Overlay,
            "f83cc78c74cfed920508243bd98e921414d54626b8c9a3629becc1d5fa43e50b",
            "50419f5c3632961fb296dc259230123e51f477afe0da7b1ffcebb1f0fcc1f92a",
        ),
        (
            DeviceUse::Files,
            "612c052b3f0d90b04750035c4a335fb7fb5861621d7edfa5a20b099f709ff05f",
            "93038f3c63d4b78a00f4937e38cdd0552f68b5c803091076c70984a313c21d3b",
        ),
    ] {
        assert_eq!(hex::encode(*device.sub_seed(usage)), sub_seed, "{usage:?}");
        assert_eq!(device.public_keys().get(usage), PublicKey(bytes(public)), "{usage:?}");
    }
    assert_eq!(DeviceUse::ALL.map(DeviceUse::as_str), ["login", "mls", "nats", "overlay", "files"]);
}
