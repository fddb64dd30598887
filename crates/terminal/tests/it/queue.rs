//! Messages that are written while the server is away.

use crate::world::{Person, Server, text};

#[test]
fn messages_written_while_the_server_is_away_arrive_once_and_in_order() {
    let mut server = Server::start();
    let ana = Person::owner(&server, "ana");
    ana.ok(&["send", "#general", "before"]);
    server.stop();
    let written: Vec<String> = (0..5).map(|index| format!("waiting {index}")).collect();
    for body in &written {
        let output = ana.run(&["send", "#general", body]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("queued; will go out when the server is back"), "{said}");
        assert!(output.stdout.is_empty());
    }
    let away = ana.fails(1, &["whoami"]);
    assert!(away.contains("cannot reach"), "{away}");

    server.start_again();
    // Any command that reaches the server takes along what waits.
    ana.ok(&["whoami"]);
    let expected: Vec<&str> =
        std::iter::once("before").chain(written.iter().map(String::as_str)).collect();
    assert_eq!(ana.bodies("#general"), expected);
    ana.ok(&["send", "#general", "after"]);
    assert_eq!(ana.bodies("#general").last().map(String::as_str), Some("after"));
    assert_eq!(ana.bodies("#general").len(), 7);
}

#[test]
fn processes_that_start_at_once_send_nothing_twice() {
    let mut server = Server::start();
    let ana = Person::owner(&server, "ana");
    server.stop();
    let mut written: Vec<String> = (0..8).map(|index| format!("waiting {index}")).collect();
    for body in &written {
        ana.ok(&["send", "#general", body]);
    }
    server.start_again();
    std::thread::scope(|scope| {
        for index in 0..6 {
            let ana = &ana;
            scope.spawn(move || match index {
                0..3 => ana.ok(&["whoami"]),
                _ => ana.ok(&["send", "#general", &format!("now {index}")]),
            });
        }
    });
    let bodies = ana.bodies("#general");
    let (waited, now): (Vec<_>, Vec<_>) =
        bodies.iter().cloned().partition(|body| body.starts_with("waiting"));
    assert_eq!(waited, written);
    assert_eq!(now.len(), 3);
    // Whoever wrote later stands behind those who had been waiting.
    written.extend(now);
    assert_eq!(bodies, written);
}

#[test]
fn a_message_that_is_refused_later_is_kept_and_holds_nobody_up() {
    let mut server = Server::start();
    let ana = Person::owner(&server, "ana");
    server.stop();
    ana.ok(&["send", "#nowhere", "lost?"]);
    ana.ok(&["send", "#general", "next in line"]);
    server.start_again();
    let output = ana.run(&["whoami"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("a message to #nowhere") && said.contains("was refused"), "{said}");
    let kept = said.lines().find_map(|line| line.split("kept in ").nth(1)).expect("a path");
    let kept = std::fs::read_to_string(kept).expect("the message");
    assert!(kept.contains("lost?") && kept.contains("there is no channel #nowhere"), "{kept}");
    assert_eq!(ana.bodies("#general"), ["next in line"]);
    assert!(text(&ana.run(&["whoami"]).stderr).is_empty());
}

#[test]
fn tail_sends_what_waits_when_the_server_is_back() {
    let mut server = Server::start();
    let ana = Person::owner(&server, "ana");
    let tail = ana.tail(&[]);
    ana.ok(&["send", "#general", "before"]);
    tail.line_with("before");
    server.stop();
    tail.line_with("trying again in");
    ana.ok(&["send", "#general", "while away"]);
    server.start_again();
    tail.line_with("\twhile away");
    assert_eq!(ana.bodies("#general"), ["before", "while away"]);
    assert_eq!(tail.interrupt().0, Some(0));
}

#[test]
fn a_queue_survives_the_end_of_the_session() {
    let mut server = Server::start();
    let ana = Person::owner(&server, "ana");
    server.stop();
    ana.ok(&["send", "#general", "patient"]);
    server.start_again();
    // Ended elsewhere: the token that this device has is worth nothing now, the message is.
    let session = std::fs::read_to_string(ana.file("profiles/default/session.toml")).expect("one");
    std::fs::write(
        ana.file("profiles/default/session.toml"),
        session.replace("token = \"", "token = \"x"),
    )
    .expect("a file");
    let refused = ana.fails(4, &["send", "#general", "second"]);
    assert!(refused.contains("waits in the queue"), "{refused}");
    ana.ok(&["login"]);
    assert_eq!(ana.bodies("#general"), ["patient", "second"]);
}

#[test]
fn a_message_whose_answer_was_lost_is_not_sent_twice() {
    let mut server = Server::start();
    let ana = Person::owner(&server, "ana");
    server.stop();
    ana.ok(&["send", "#general", "once"]);
    let outbox = ana.file("profiles/default/outbox");
    let queued = std::fs::read_dir(&outbox)
        .expect("a queue")
        .map_while(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "json"))
        .expect("a message");
    let as_it_was = std::fs::read(&queued).expect("a message");
    server.start_again();
    ana.ok(&["whoami"]);
    assert!(!queued.exists());
    // As after a crash between the server's answer and the end of the file.
    std::fs::write(&queued, as_it_was).expect("a file");
    let said = text(&ana.run(&["whoami"]).stderr);
    assert!(said.contains("sent to #general"), "{said}");
    assert!(!queued.exists());
    assert_eq!(ana.bodies("#general"), ["once"]);
}
