//! Files, from one terminal to another.

use std::fs;

use crate::world::{Person, Server};

#[test]
fn a_file_goes_from_one_terminal_to_another() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    let plan = ana.file("der Plan.bin");
    fs::write(&plan, &bytes).unwrap();
    let note = ana.file("note.txt");
    fs::write(&note, "remember").unwrap();
    let (plan, note) = (plan.to_str().unwrap(), note.to_str().unwrap());

    let id = ana.ok(&["send", "#general", "see", "--file", plan, "--file", note]);
    let message = &bob.json(&["read", "#general"])[0];
    assert_eq!((message["id"].as_str(), message["body"].as_str()), (Some(id.trim()), Some("see")));
    assert_eq!(message["attachments"][0]["filename"], "der Plan.bin");
    assert_eq!(message["attachments"][1]["content_type"], "text/plain");

    let folder = bob.file("got");
    fs::create_dir(&folder).unwrap();
    let told = bob.ok(&["get", id.trim(), "-o", folder.to_str().unwrap()]);
    let paths: Vec<_> = told.lines().collect();
    assert_eq!(fs::read(paths[0]).unwrap(), bytes);
    assert_eq!(fs::read_to_string(paths[1]).unwrap(), "remember");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    // What is there is not written over, unless it is named.
    let told = bob.fails(1, &["get", id.trim(), "-o", folder.to_str().unwrap()]);
    assert!(told.contains("is there already"), "{told}");
    let media = message["attachments"][1]["id"].as_str().unwrap();
    let named = folder.join("note.txt");
    fs::write(&named, "old").unwrap();
    bob.ok(&["get", media, "--output", named.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&named).unwrap(), "remember");
    assert_eq!(bob.ok(&["get", media, "-o", "-"]), "remember");
    let told = bob.fails(2, &["get", id.trim(), "-o", "one-file"]);
    assert!(told.contains("2 files"), "{told}");
}

#[test]
fn a_file_alone_is_a_message() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let note = ana.file("note.txt");
    fs::write(&note, "remember").unwrap();
    let sent = &ana.json(&["send", "#general", "--file", note.to_str().unwrap()])[0];
    assert_eq!(
        (sent["body"].as_str(), sent["attachments"][0]["size"].as_u64()),
        (Some(""), Some(8))
    );
    let told = ana.fails(1, &["send", "#general", "--file", "there-is-none"]);
    assert!(told.contains("there-is-none") && told.contains("next:"), "{told}");
    let told = ana.fails(1, &["get", "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01"]);
    assert!(told.contains("cannot fetch the file"), "{told}");
}
