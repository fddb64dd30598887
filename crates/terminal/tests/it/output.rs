//! What reaches terminals, pipes and programs.

use std::process::Stdio;

use crate::world::{Person, Server, text};

#[test]
fn text_from_elsewhere_cannot_act_on_a_terminal() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let evil = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}txet";
    ana.ok(&["send", "#general", evil]);
    let harmful = ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}'];
    for args in [&["read", "#general"][..], &["read", "#general", "--json"], &["search", "txet"]] {
        let said = ana.ok(args);
        assert!(!said.contains(harmful), "{args:?}: {said:?}");
    }
    assert!(ana.ok(&["read", "#general"]).contains("␛]0;owned␇<U+009B>2J<U+202E>txet"));
    // The value is what was sent.
    assert_eq!(ana.bodies("#general"), [evil]);
}

#[test]
fn lines_for_programs_have_fields_and_no_headings() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let id = ana.ok(&["send", "#general", "two\nlines\tand a tab"]);
    let said = ana.ok(&["read", "#general"]);
    let fields: Vec<&str> = said.trim_end().split('\t').collect();
    let [time, author, seq, message, body] = &fields[..] else { panic!("{said}") };
    assert!(time.ends_with('Z'), "{time}");
    assert_eq!((*author, *message, *body), ("ana", id.trim(), "two\\nlines\\tand a tab"));
    assert!(seq.parse::<u64>().is_ok());
    assert_eq!(ana.ok(&["community", "list"]).split('\t').next(), Some("acme"));
}

#[test]
fn text_comes_from_arguments_or_standard_input() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    for (args, input) in [
        (&["send", "#general", "argument"][..], "ignored"),
        (&["send", "#general", "-"], "piped\n"),
        (&["send", "#general"], "two\nlines\n"),
        (&["dm", "@ana", "-"], "to myself"),
    ] {
        let output = ana.run_with(args, input.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    }
    assert_eq!(ana.bodies("#general"), ["argument", "piped", "two\nlines"]);
    assert_eq!(ana.bodies("@ana"), ["to myself"]);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    ana.ok(&["send", "#general", "hello"]);
    let mut child = ana
        .command(&["read", "#general"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn any_request_can_be_made() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let me = ana.json(&["api", "patch", "/v1/me", "--data", "{\"status\": \"away\"}"]).remove(0);
    assert_eq!(me["status"], "away");
    let output = ana.run(&["api", "GET", "/v1/channels/0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("\"code\":\"not_found\""));
    assert!(text(&output.stderr).contains("the server refused (404)"));
    let openapi = ana.json(&["api", "GET", "/openapi.json"]).remove(0);
    assert!(openapi["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
}

#[test]
fn completions_name_every_command() {
    let person = Person::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = person.ok(&["completions", shell]);
        for command in ["register", "community", "tail", "completions"] {
            assert!(script.contains(command), "{shell} {command}");
        }
    }
}
