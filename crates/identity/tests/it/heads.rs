//! What a client that remembers a head finds out about the server's chain.

use tidings_identity::sigchain::{EntryHash, HeadConflict};
use tidings_identity::{Chain, Head, Op};

use crate::support::{START, device, person, three_entries};

#[test]
fn longer_chain_extends_every_head_it_had() {
    let (chain, entries) = three_entries();
    for entry in &entries {
        assert_eq!(chain.extends(Head { seq: entry.seq(), hash: entry.hash() }), Ok(()));
        assert_eq!(chain.hash_at(entry.seq()), Some(entry.hash()));
    }
    assert_eq!((chain.hash_at(3), chain.hash_at(u64::MAX)), (None, None));
}

#[test]
fn rolled_back_chain_is_noticed() {
    let (chain, entries) = three_entries();
    let shorter = Chain::validate(&entries[..2]).expect("a valid chain");
    let conflict = shorter.extends(chain.head()).expect_err("a rollback");
    assert_eq!(conflict, HeadConflict::RolledBack { known: 2, actual: 1 });
    assert!(conflict.to_string().contains("rolled back: it ends at entry 1"));
}

#[test]
fn forked_chain_is_noticed_however_long_it_grows() {
    let (chain, entries) = three_entries();
    let mut fork = Chain::validate(&entries[..2]).expect("a valid chain");
    for number in 3..6 {
        let op = Op::AddDevice(device(number));
        fork.sign_next(&person(1), &op, START).expect("an entry");
    }
    let known = chain.head();
    let conflict = fork.extends(known).expect_err("a fork");
    let actual = fork.hash_at(2).expect("an entry");
    assert_eq!(conflict, HeadConflict::Forked { seq: 2, known: known.hash, actual });
    let told = conflict.to_string();
    assert!(told.contains("forked") && told.contains(&known.hash.to_string()), "{told}");
}

#[test]
fn hashes_are_written_one_way() {
    let hash = three_entries().0.head().hash;
    let text = hash.to_string();
    assert_eq!(text.parse(), Ok(hash));
    assert_eq!(format!("{hash:?}"), text);
    for bad in [&text[1..], &text[..70], &text.replace("sha256:", "SHA256:"), &text.to_uppercase()]
    {
        assert!(bad.parse::<EntryHash>().is_err(), "{bad}");
    }
    let upper = format!("sha256:{}", "AB".repeat(32));
    assert!(upper.parse::<EntryHash>().is_err());
}
