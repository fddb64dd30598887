//! A day in the life of a team of five, from terminals and from `curl` alone.

use std::path::Path;
use std::process::Command;

use crate::world::{Person, Server, text};

/// Runs a program to its end; it must succeed.
fn done(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What another program does that posts to a webhook.
fn curl(url: &str, headers: &[&str], data: &str) -> String {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--fail", "--max-time", "20"]);
    for header in headers {
        command.args(["--header", header]);
    }
    done(command.args(["--header", "Content-Type: application/json", "--data", data, url]))
}

/// A delivery of GitHub as it was recorded.
fn delivery(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/tests/fixtures/webhooks");
    format!("@{}", folder.join(format!("github_{name}.json")).display())
}

/// The address of a new webhook.
fn webhook(by: &Person, channel: &str, name: &str) -> String {
    let made = by.json(&["webhook", "create", channel, name]).remove(0);
    made["url"].as_str().expect("an address").to_owned()
}

#[test]
fn a_team_of_five_has_a_day() {
    let mut server = Server::start();
    let ana = Person::owner(&server, "ana");
    let [bob, cleo, dan, eve] =
        ["bob", "cleo", "dan", "eve"].map(|name| Person::guest(&server, &ana, name));
    assert_eq!(ana.json(&["members", "list", "acme"]).len(), 5);

    // In public, in private, and directly.
    ana.ok(&["channel", "create", "#alerts"]);
    ana.ok(&["channel", "create", "#board", "--private"]);
    ana.ok(&["channel", "add", "#board", "@bob"]);
    ana.ok(&["send", "#general", "Good morning, @channel"]);
    ana.ok(&["send", "#board", "the number is 42"]);
    bob.ok(&["send", "@cleo", "coffee at ten?"]);
    assert_eq!(bob.bodies("#board"), ["the number is 42"]);
    assert!(dan.fails(1, &["read", "#board"]).contains("no channel #board"));
    assert_eq!(cleo.bodies("@bob"), ["coffee at ten?"]);
    let called = cleo.json(&["notifications"]);
    let kinds: Vec<_> = called.iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["dm", "mention"]);
    cleo.ok(&["read", "#general", "--mark-read"]);
    cleo.ok(&["notifications", "--read"]);
    assert!(cleo.json(&["notifications"]).is_empty());

    // Commands.
    dan.ok(&["cmd", "#general", "/me waves"]);
    ana.ok(&["cmd", "#general", "/topic Release on Friday"]);
    let channels = bob.json(&["channel", "list"]);
    let general = channels.iter().find(|channel| channel["name"] == "general").unwrap();
    assert_eq!(general["topic"], "Release on Friday");
    let told = dan.fails(1, &["cmd", "#general", "/statsu x"]);
    assert!(told.contains("/status"), "{told}");

    // Alerts from curl, and what happens at GitHub.
    let alerts = webhook(&ana, "#alerts", "monitor");
    let said = r#"{"text": "*Disk full* on db1", "username": "watchdog"}"#;
    assert_eq!(curl(&alerts, &[], said), "ok");
    let code = format!("{}/github", webhook(&ana, "#alerts", "github"));
    for (number, (event, name)) in [
        ("push", "push"),
        ("issues", "issues"),
        ("issue_comment", "issue_comment"),
        ("pull_request", "pull_request"),
        ("release", "release"),
    ]
    .into_iter()
    .enumerate()
    {
        let event = format!("X-GitHub-Event: {event}");
        let id = format!("X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-{number:012}");
        assert_eq!(curl(&code, &[&event, &id], &delivery(name)), "ok");
        assert_eq!(curl(&code, &[&event, &id], &delivery(name)), "ok", "GitHub tries again");
    }
    cleo.ok(&["channel", "join", "#alerts"]);
    let seen = cleo.json(&["read", "#alerts"]);
    assert_eq!(seen[0]["body"], "**Disk full** on db1");
    assert_eq!(
        (&seen[0]["author"]["username"], &seen[0]["author"]["bot"]),
        (&"watchdog".into(), &true.into())
    );
    assert_eq!(
        seen.len(),
        5,
        "an alert, a push, an issue with its comment, a pull request, a release"
    );

    // Pictures.
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/picture.png");
    let sent = dan.json(&["send", "#general", "the view", "--file", picture.to_str().unwrap()]);
    let media = &sent[0]["attachments"][0];
    assert_eq!((&media["width"], &media["height"]), (&64.into(), &48.into()));
    let got = bob.file("view.png");
    bob.ok(&["get", media["id"].as_str().unwrap(), "--output", got.to_str().unwrap()]);
    assert!(std::fs::read(&got).unwrap().starts_with(b"\x89PNG"));

    // A copy in the evening.
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("yesterday.zip");
    done(server.operator(&["backup"]).arg("--out").arg(&copy));

    // A spammer.
    for number in 0..3 {
        eve.ok(&["send", "#general", &format!("cheap watches {number}")]);
    }
    let spam = bob.json(&["read", "#general", "-n", "1"]).remove(0);
    bob.ok(&["report", "message", spam["id"].as_str().unwrap(), "spam"]);
    assert_eq!(ana.json(&["report", "list"])[0]["reason"], "spam");
    ana.ok(&["cmd", "#general", "/ban @eve 7d spam"]);
    eve.fails(1, &["send", "#general", "still here"]);
    assert!(eve.json(&["community", "list"]).is_empty());
    let acts = ana.json(&["audit", "acme"]);
    assert!(acts.iter().any(|act| act["action"] == "member.ban"), "{acts:?}");

    // An old message, by one who may read it and by one who may not.
    assert_eq!(bob.json(&["search", "number"])[0]["message"]["body"], "the number is 42");
    assert!(dan.json(&["search", "number"]).is_empty());

    // Everything is lost, and yesterday comes back.
    server.stop();
    std::fs::rename(server.data(), copies.path().join("broken")).unwrap();
    done(server.operator(&["restore"]).arg(&copy));
    server.start_again();
    for person in [&ana, &bob, &cleo, &dan] {
        assert!(person.fails(4, &["read", "#general"]).contains("tidings login"));
        person.ok(&["login"]);
    }
    assert_eq!(bob.bodies("#board"), ["the number is 42"]);
    let bodies = cleo.bodies("#general");
    assert!(bodies.iter().any(|body| body == "the view"), "{bodies:?}");
    assert!(!bodies.iter().any(|body| body.contains("cheap watches")), "{bodies:?}");
    bob.ok(&["get", media["id"].as_str().unwrap(), "--output", got.to_str().unwrap()]);
    assert_eq!(curl(&alerts, &[], r#"{"text": "all is well"}"#), "ok", "webhooks go on");
    bob.ok(&["send", "#general", "that was close"]);
    assert_eq!(dan.bodies("#general").last().unwrap(), "that was close");
    done(&mut server.operator(&["doctor"]));
}
