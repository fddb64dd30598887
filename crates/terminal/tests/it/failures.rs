//! What goes wrong, and what people are told then.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::world::{Person, Server, text};

fn register<'a>(server: &'a str, username: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    ["register", "--server", server, "--username", username]
        .into_iter()
        .chain(more.iter().copied())
        .collect()
}

#[test]
fn registration_says_what_is_missing_or_wrong() {
    let server = Server::start();
    let newcomer = Person::new();
    let told = newcomer.fails(1, &register(server.url(), "ana", &[]));
    assert!(told.contains("--setup-code CODE"), "{told}");
    let told = newcomer.fails(1, &register(server.url(), "ana", &["--setup-code", "wrong"]));
    assert!(told.contains("compare the code with what `tidingsd serve` printed"), "{told}");
    let told = newcomer.fails(2, &register(server.url(), "Not A Name", &[]));
    assert!(told.contains("cannot be a username"), "{told}");

    let ana = Person::owner(&server, "ana");
    let told = newcomer.fails(1, &register(server.url(), "bob", &[]));
    assert!(told.contains("--invite CODE"), "{told}");
    let told = newcomer.fails(1, &register(server.url(), "bob", &["--invite", "wrong"]));
    assert!(told.contains("ask for a new invite"), "{told}");
    let invite = ana.ok(&["invite", "create"]);
    let told = newcomer.fails(1, &register(server.url(), "ana", &["--invite", invite.trim()]));
    assert!(told.contains("choose another name with --username"), "{told}");
    // After all that the newcomer is still free to become somebody.
    newcomer.ok(&register(server.url(), "bob", &["--invite", invite.trim()]));
}

#[test]
fn a_phrase_file_is_never_overwritten() {
    let server = Server::start();
    let ana = Person::new();
    let path = ana.file("notes");
    std::fs::write(&path, "precious").expect("a file");
    let (code, path) = (server.setup_code(), path.to_str().expect("a path").to_owned());
    let more = ["--setup-code", &code, "--phrase-out", &path];
    let told = ana.fails(2, &register(server.url(), "ana", &more));
    assert!(told.contains("not overwritten"), "{told}");
    assert_eq!(std::fs::read_to_string(&path).expect("it"), "precious");
    assert!(ana.fails(4, &["whoami"]).contains("not logged in"));
}

#[test]
fn a_wrong_phrase_is_told_word_by_word() {
    let server = Server::start();
    let ana = Person::new();
    let login = |words: &str| {
        let output = ana.run_with(&["login", "--server", server.url()], words.as_bytes());
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    let told = login(&format!("{}abut", "abandon ".repeat(23)));
    assert!(told.contains("word 24 is not in the word list; did you mean \"about\"?"), "{told}");
    let told = login("abandon abandon");
    assert!(told.contains("24 words (or 12), not 2"), "{told}");
    let told = login(&"abandon ".repeat(24));
    assert!(told.contains("do not belong together"), "{told}");
    let told = login(&format!("{}art", "abandon ".repeat(23)));
    assert!(told.contains("knows no account of this identity"), "{told}");
}

#[test]
fn a_message_that_is_too_long_is_told_so_and_not_kept() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let long = "x".repeat(16_001);
    let output = ana.run_with(&["send", "#general", "-"], long.as_bytes());
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("16000") || said.contains("16,000"), "{said}");
    assert!(said.contains("16001") || said.contains("16,001"), "{said}");
    assert_eq!(ana.json(&["whoami"]).remove(0)["waiting"], 0);
    let fits =
        ana.run_with(&["send", "#general", "-"], format!("{}\n", "é".repeat(16_000)).as_bytes());
    assert_eq!(fits.status.code(), Some(0), "{}", text(&fits.stderr));
}

#[test]
fn what_is_no_text_is_not_sent() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let output = ana.run_with(&["send", "#general"], b"GIF89a\xff\xfe\0");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("standard input is not text in UTF-8\n  next: "), "{said}");
    assert!(ana.bodies("#general").is_empty());
    let told = ana.fails(1, &["community", "create", "Acme"]);
    assert!(told.contains("acme is taken") && told.contains("--slug SLUG"), "{told}");
}

#[test]
fn a_session_that_ended_means_log_in_again() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    ana.ok(&["api", "DELETE", "/v1/sessions/current"]);
    for args in [&["whoami"][..], &["read", "#general"], &["send", "#general", "x"], &["tail"]] {
        let output = ana.run(args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{args:?}: {said}");
        assert!(said.contains("next: tidings login"), "{args:?}: {said}");
    }
}

#[test]
fn what_is_no_tidings_server_is_told_apart() {
    let person = Person::new();
    // A port where nobody listens.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let gone = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let told = person.fails(1, &register(&gone, "ana", &[]));
    assert!(told.contains("cannot reach") && told.contains("check that the server runs"), "{told}");

    // A web server of another kind.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        }
    });
    let told = person.fails(1, &register(&format!("http://{address}"), "ana", &[]));
    assert!(told.contains("did not answer like a Tidings server"), "{told}");
    let told = person.fails(1, &register(&format!("https://{address}"), "ana", &[]));
    assert!(told.contains("no secure connection"), "{told}");
    let told = person.fails(2, &register("localhost:8420", "ana", &[]));
    assert!(told.contains("http://"), "{told}");
    assert_eq!(std::fs::read_dir(person.home()).expect("a directory").count(), 0);
}

#[test]
fn wrong_use_is_exit_code_two() {
    let person = Person::new();
    for args in [
        &[][..],
        &["fly"],
        &["send"],
        &["send", "general", "x"],
        &["read", "#general", "-n", "0"],
        &["--profile", "../x", "whoami"],
        &["tail", "--since", "a b"],
        &["react", "1", "x"],
        &["login"],
        &["api", "GET", "v1/me"],
        &["api", "GET", "//evil/v1/me"],
        &["dm", "hello"],
    ] {
        let output = person.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output.stderr));
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}
