//! Exports, proved from a terminal without a server.

use std::fs;

use crate::world::{Person, Server};

#[test]
fn an_export_is_proved_offline_and_a_changed_one_is_named() {
    let mut server = Server::start();
    let ana = Person::owner(&server, "ana");
    ana.ok(&["send", "#general", "hello"]);
    let file = ana.file("acme.zip");
    let key = server.export(&["community", "acme"], &file);
    server.stop();
    let file = file.to_str().unwrap().to_owned();

    // Nobody is logged in here, and there is no server.
    let eve = Person::new();
    let said = eve.ok(&["export", "verify", &file]);
    assert!(said.contains("acme.zip is whole: the community Acme"), "{said}");
    assert!(said.contains(&key), "{said}");
    let proved = &eve.json(&["export", "verify", &file, "--key", &key])[0];
    assert_eq!((&proved["key_matches"], &proved["logs"]), (&true.into(), &2.into()));
    let other = format!("ed25519:{}", "3b".repeat(32));
    let told = eve.fails(1, &["export", "verify", &file, "--key", &other]);
    assert!(told.contains("line 1 says that"), "{told}");
    eve.fails(1, &["export", "verify", "nowhere.zip"]);
    assert_eq!(eve.run(&["export", "verify", &file, "--key", "x"]).status.code(), Some(2));

    let good = fs::read(&file).unwrap();
    let bad = eve.file("bad.zip");
    let bad_name = bad.to_str().unwrap();
    fs::write(&bad, &good[..good.len() - 30]).unwrap();
    let told = eve.fails(1, &["export", "verify", bad_name]);
    assert!(told.contains("bad.zip is not whole"), "{told}");
    let mut changed = good;
    let middle = changed.len() / 3;
    changed[middle] ^= 0x40;
    fs::write(&bad, &changed).unwrap();
    let told = eve.fails(1, &["export", "verify", bad_name]);
    assert!(told.contains("bad.zip is not whole: line "), "{told}");
}
