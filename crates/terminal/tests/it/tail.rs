//! Following conversations.

use serde_json::Value;

use crate::world::{Person, Running, Server};

const TRANSPORTS: [&str; 3] = ["ws", "sse", "poll"];

/// The next event of a type in what `tail --json` prints.
fn event(tail: &Running, kind: &str) -> Value {
    let line = tail.line(kind, |line| line.contains(&format!("\"type\":\"{kind}\"")));
    serde_json::from_str(&line).expect("a JSON value")
}

/// The cursor that a tail leaves behind when it is interrupted.
fn cursor(tail: Running) -> String {
    let (code, said) = tail.interrupt();
    assert_eq!(code, Some(0));
    let last = said.last().expect("a last line");
    let (_, cursor) = last.split_once("--since ").expect("a cursor");
    cursor.to_owned()
}

#[test]
fn every_transport_tells_the_same() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    let tails: Vec<Running> = TRANSPORTS
        .iter()
        .map(|transport| bob.tail(&["--json", "--transport", transport]))
        .collect();
    let id = ana.ok(&["send", "#general", "hello"]);
    let id = id.trim();
    ana.ok(&["edit", id, "hello there"]);
    bob.ok(&["react", id, "👍"]);
    ana.ok(&["delete", id]);
    let told: Vec<Vec<Value>> = tails
        .iter()
        .map(|tail| {
            let mut events = vec![event(tail, "message.created")["event"].clone()];
            for kind in ["message.edited", "reaction.added", "message.deleted"] {
                events.push(event(tail, kind)["event"].clone());
            }
            events
        })
        .collect();
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
    let seqs: Vec<u64> = told[0].iter().filter_map(|event| event["seq"].as_u64()).collect();
    let first = seqs.first().copied().expect("a place");
    assert_eq!(seqs, [first, first + 1, first + 2, first + 3]);
}

#[test]
fn a_tail_goes_on_where_another_ended_on_any_transport() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    let mut since = bob.cursor();
    for transport in ["poll", "sse", "ws", "poll"] {
        let missed = format!("missed before {transport}");
        ana.ok(&["send", "#general", &missed]);
        let tail = bob.start(&["tail", "--since", &since, "--transport", transport]);
        let line = tail.line_with("\t");
        assert!(line.ends_with(&format!("\t{missed}")), "{line}");
        since = cursor(tail);
    }
}

#[test]
fn a_tail_outlives_its_server() {
    for transport in TRANSPORTS {
        let mut server = Server::start();
        let ana = Person::owner(&server, "ana");
        let bob = Person::guest(&server, &ana, "bob");
        let tail = bob.tail(&["--json", "--transport", transport]);
        ana.ok(&["send", "#general", "last words"]);
        tail.line_with("last words");
        server.stop();
        server.start_again();
        ana.ok(&["send", "#general", "first words"]);
        let first = tail.line("a message", |line| line.contains("\"type\":\"message.created\""));
        assert!(first.contains("first words"), "{transport}: {first}");
    }
}

#[test]
fn a_cursor_of_another_server_is_noticed_and_the_tail_goes_on() {
    let (here, there) = (Server::start(), Server::start());
    let stranger = Person::owner(&there, "zoe");
    let foreign = stranger.cursor();
    let ana = Person::owner(&here, "ana");
    for transport in TRANSPORTS {
        let tail = ana.start(&["tail", "--since", &foreign, "--transport", transport]);
        tail.line_with("is too old or from another server; going on from now");
        for attempt in 0.. {
            assert!(attempt < 600, "{transport}: the tail never follows");
            ana.ok(&["send", "#general", "hello"]);
            if tail.has_line_with("\thello") {
                break;
            }
        }
    }
    let nonsense = ana.fails(1, &["tail", "--since", "nonsense"]);
    assert!(nonsense.contains("cannot follow"), "{nonsense}");
}

#[test]
fn only_the_channels_that_were_asked_for_are_shown() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    ana.ok(&["channel", "create", "#ops"]);
    let refused = bob.fails(1, &["tail", "#ops"]);
    assert!(refused.contains("tidings channel join '#ops'"), "{refused}");
    bob.ok(&["channel", "join", "#ops"]);
    let tail = bob.tail(&["#ops"]);
    ana.ok(&["send", "#general", "elsewhere"]);
    ana.ok(&["send", "#ops", "here"]);
    let line = tail.line_with("\t");
    assert!(line.contains("\t#ops\tana\t") && line.ends_with("\there"), "{line}");
}

#[test]
fn a_tail_warns_of_a_reset_account_whatever_it_follows() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    let carl = Person::guest(&server, &ana, "carl");
    let tails = [ana.tail(&[]), carl.tail(&["#general"])];
    let before: Value = serde_json::from_str(&bob.ok(&["whoami", "--json"])).expect("JSON");
    let id = before["user"]["id"].as_str().expect("an id");
    let answer = ana.ok(&["api", "POST", &format!("/v1/admin/users/{id}/reset")]);
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let code = answer["code"].as_str().expect("a code");
    let back = Person::new();
    let url = server.url();
    back.ok(&["register", "--server", url, "--username", "bob", "--invite", code]);
    let now: Value = serde_json::from_str(&back.ok(&["whoami", "--json"])).expect("JSON");
    let identity = now["user"]["identity"].as_str().expect("an identity");
    assert_ne!(Some(identity), before["user"]["identity"].as_str());
    for tail in &tails {
        let told = tail.line_with("has a new identity");
        assert!(told.contains("@bob") && told.contains(identity), "{told}");
    }
}
