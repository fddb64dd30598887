//! Accounts, devices and sessions.

use std::os::unix::fs::PermissionsExt;

use crate::world::{Person, Server, text};

#[test]
fn the_phrase_brings_a_person_back_on_a_new_device() {
    let server = Server::start();
    let ana = Person::new();
    let phrase = ana.file("phrase");
    let path = phrase.to_str().expect("a path");
    let code = server.setup_code();
    ana.ok(&[
        "register",
        "--server",
        server.url(),
        "--username",
        "ana",
        "--setup-code",
        &code,
        "--phrase-out",
        path,
    ]);
    assert_eq!(std::fs::metadata(&phrase).expect("it").permissions().mode() & 0o777, 0o600);
    let words = std::fs::read_to_string(&phrase).expect("words");
    assert_eq!(words.split_whitespace().count(), 24);

    let from_file = Person::new();
    from_file.ok(&["login", "--server", server.url(), "--phrase-file", path]);
    let from_pipe = Person::new();
    let output = from_pipe.run_with(&["login", "--server", server.url()], words.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    let who = |person: &Person| person.json(&["whoami"]).remove(0);
    let (first, second, third) = (who(&ana), who(&from_file), who(&from_pipe));
    assert_eq!(first["user"]["id"], second["user"]["id"]);
    assert_eq!(first["user"]["identity"], third["user"]["identity"]);
    assert_ne!(first["device_id"], second["device_id"]);
    let id = first["user"]["id"].as_str().expect("an id");
    let devices = ana.json(&["api", "GET", &format!("/v1/users/{id}/devices")]).remove(0);
    assert_eq!(devices["items"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_device_that_was_logged_in_needs_no_phrase() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let device = ana.json(&["whoami"]).remove(0)["device_id"].clone();
    ana.ok(&["logout"]);
    assert!(ana.fails(4, &["whoami"]).contains("not logged in"));
    ana.ok(&["login"]);
    assert_eq!(ana.json(&["whoami"]).remove(0)["device_id"], device);
}

#[test]
fn the_words_are_shown_once_and_are_the_account() {
    let server = Server::start();
    let ana = Person::new();
    let code = server.setup_code();
    let line = ana
        .json(&["register", "--server", server.url(), "--username", "ana", "--setup-code", &code])
        .remove(0);
    let words = line["phrase"].as_str().expect("words").to_owned();
    let other = Person::new();
    let output =
        other.run_with(&["login", "--server", server.url()], words.to_uppercase().as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(other.json(&["whoami"]).remove(0)["user"]["username"], "ana");
    // Nothing on this device can make new devices any more.
    let keys = std::fs::read_to_string(ana.file("profiles/default/keys.toml")).expect("keys");
    assert!(!keys.contains("identity"), "{keys}");
}

#[test]
fn keys_and_sessions_are_for_their_owner_alone() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let profile = ana.home().join("profiles/default");
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("a file").permissions().mode() & 0o777
    };
    assert_eq!(mode(&profile), 0o700);
    for file in ["account.toml", "keys.toml", "session.toml"] {
        assert_eq!(mode(&profile.join(file)), 0o600, "{file}");
    }
}

#[test]
fn profiles_keep_accounts_apart() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let invite = ana.ok(&["invite", "create"]);
    let register =
        ["register", "--server", server.url(), "--username", "ana2", "--invite", invite.trim()];
    let refused = ana.fails(2, &register);
    assert!(refused.contains("already holds the account ana"), "{refused}");
    let in_work: Vec<&str> = ["--profile", "work"].into_iter().chain(register).collect();
    ana.ok(&in_work);
    let name = |args: &[&str]| ana.json(args).remove(0)["user"]["username"].clone();
    assert_eq!(name(&["whoami"]), "ana");
    assert_eq!(name(&["whoami", "--profile", "work"]), "ana2");
    let output = ana.command(&["whoami"]).env("TIDINGS_PROFILE", "work").output().expect("an end");
    assert!(text(&output.stdout).contains("username\tana2\n"));
}
