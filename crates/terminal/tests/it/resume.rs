//! A WebSocket that was cut comes back where it was.

use serde_json::Value;

use crate::line::Line;
use crate::world::{Person, Running, Server};

/// Ana beside the server, and Bob with a line that can be cut.
fn two_people(server: &Server) -> (Person, Person, Line) {
    let ana = Person::owner(server, "ana");
    let bob = Person::guest(server, &ana, "bob");
    let line = Line::to(server.url());
    bob.dial(server, line.url());
    (ana, bob, line)
}

/// The next message, which must be this one: none was left out, none came twice.
fn next_is(tail: &Running, body: &str) -> Value {
    let line = tail.line(body, |line| line.contains("\"type\":\"message.created\""));
    let value: Value = serde_json::from_str(&line).expect("a JSON value");
    assert_eq!(value["event"]["data"]["body"], body);
    value
}

fn nothing_more(tail: Running) {
    let (code, said) = tail.interrupt();
    assert_eq!(code, Some(0));
    assert!(!said.iter().any(|line| line.contains("message.created")), "{said:?}");
}

#[test]
fn a_socket_that_was_cut_is_resumed_and_nothing_is_lost_or_doubled() {
    let mut server = Server::start();
    let (ana, bob, line) = two_people(&server);
    let tail = bob.tail(&["--json"]);
    let first = line.first_frame();
    assert_eq!(first["t"], "session.start");
    let mut token = Value::Null;
    for round in 0..3 {
        let (here, away) = (format!("here {round}"), format!("away {round}"));
        ana.ok(&["send", "#general", &here]);
        let seen = next_is(&tail, &here);
        line.cut();
        if round == 2 {
            server.stop();
            server.start_again();
        }
        ana.ok(&["send", "#general", &away]);
        let again = line.first_frame();
        assert_eq!(again["t"], "session.resume");
        assert_eq!(again["body"]["since"], seen["next"]);
        assert!(again["body"]["token"].is_null() && again["body"]["resume_token"].is_string());
        // Each connection is given a token of its own.
        assert_ne!(again["body"]["resume_token"], token);
        token = again["body"]["resume_token"].clone();
        next_is(&tail, &away);
    }
    nothing_more(tail);
}

#[test]
fn a_resume_token_outlives_the_answer_that_would_have_replaced_it() {
    let server = Server::start();
    let (ana, bob, line) = two_people(&server);
    let tail = bob.tail(&["--json"]);
    assert_eq!(line.first_frame()["t"], "session.start");
    ana.ok(&["send", "#general", "before"]);
    next_is(&tail, "before");
    line.lose_next_answer();
    line.cut();
    ana.ok(&["send", "#general", "meanwhile"]);
    let (lost, again) = (line.first_frame(), line.first_frame());
    assert_eq!((&lost["t"], &again["t"]), (&"session.resume".into(), &"session.resume".into()));
    assert_eq!(lost["body"], again["body"]);
    next_is(&tail, "meanwhile");
    nothing_more(tail);
}

#[test]
fn a_person_is_told_that_the_line_is_back() {
    let server = Server::start();
    let (_ana, bob, line) = two_people(&server);
    let tail = bob.tail(&[]);
    line.first_frame();
    line.cut();
    tail.line_with("trying again in 1 s");
    tail.line_with("connected again");
}

#[test]
fn a_session_that_was_ended_is_not_resumed() {
    let server = Server::start();
    let (ana, bob, line) = two_people(&server);
    let tail = bob.tail(&["--json"]);
    assert_eq!(line.first_frame()["t"], "session.start");
    ana.ok(&["send", "#general", "before"]);
    next_is(&tail, "before");
    bob.ok(&["api", "DELETE", "/v1/sessions/current"]);
    line.cut();
    tail.line_with("next: tidings login");
    let (code, _) = tail.end();
    assert_eq!(code, Some(4));
}
