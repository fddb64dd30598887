//! The guide to looking after a community, command by command.

use crate::world::{Person, Server};

/// The words of a command line, as a shell would make them: quotes are all that the guide uses.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// What the guide tells to type, without what follows a pipe.
fn commands(guide: &str) -> Vec<Vec<String>> {
    let lines = guide.lines().filter_map(|line| line.strip_prefix("$ tidings "));
    lines.map(|line| words(line.split(" | ").next().unwrap_or(line))).collect()
}

#[test]
fn what_the_guide_says_works() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let mallory = Person::guest(&server, &ana, "mallory");
    for channel in ["#alerts", "#old-project"] {
        ana.ok(&["channel", "create", channel]);
    }
    for number in 0..3 {
        mallory.ok(&["send", "#general", &format!("buy {number}")]);
    }
    let said = ana.json(&["send", "#general", "hello"]).remove(0);
    mallory.ok(&["report", "message", said["id"].as_str().unwrap(), "too friendly"]);
    let report = ana.json(&["report", "list", "acme"]).remove(0);
    let guide = include_str!("../../../../docs/guide/moderate.md");
    let here =
        guide.replace("01a1f8a5-e964-7266-b234-6c6bdecbfc33", report["id"].as_str().unwrap());
    let commands = commands(&here);
    assert!(commands.len() > 10, "{commands:?}");
    for command in &commands {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        ana.ok(&command);
    }
    let acts: Vec<String> = ana
        .json(&["audit", "acme", "--limit", "100"])
        .iter()
        .filter_map(|act| act["action"].as_str().map(str::to_owned))
        .collect();
    for act in [
        "member.mute",
        "member.ban",
        "member.unban",
        "channel.purge",
        "channel.unarchive",
        "report.resolve",
    ] {
        assert!(acts.iter().any(|there| there == act), "{act} is not among {acts:?}");
    }
}

#[test]
fn what_the_guide_says_of_commands_works() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let mallory = Person::guest(&server, &ana, "mallory");
    mallory.ok(&["send", "#general", "buy this"]);
    let commands = commands(include_str!("../../../../docs/guide/commands.md"));
    assert!(commands.len() > 5, "{commands:?}");
    for command in &commands {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        ana.ok(&command);
    }
    let read = ana.json(&["read", "#general"]);
    assert_eq!((&read[0]["deleted"], &read[1]["format"]), (&true.into(), &"me".into()));
    let refused = mallory.fails(1, &["cmd", "#general", "/ban", "@ana"]);
    assert!(refused.contains("Only an admin may run /ban"), "{refused}");
    let refused = ana.fails(1, &["cmd", "#general", "/tpoic", "x"]);
    assert!(refused.contains("/topic"), "{refused}");
}

#[test]
fn a_reminder_survives_a_kill() {
    let mut server = Server::start();
    let ana = Person::owner(&server, "ana");
    let told = ana.ok(&["cmd", "#general", "/remind 1s drink tea"]);
    assert!(told.starts_with("You will be reminded at 2"), "{told}");
    ana.ok(&["cmd", "#general", "/remind 90d much later"]);
    server.stop(); // SIGKILL
    server.start_again();
    // Each look is a process of its own, so this is more than a minute.
    let there = || ana.bodies("@ana") == ["⏰ drink tea"];
    assert!((0..1_000).any(|_| there()), "{:?}", ana.bodies("@ana"));
    let list = ana.ok(&["cmd", "#general", "/remind list"]);
    assert!(list.contains("much later") && !list.contains("tea"), "{list}");
    server.stop();
    server.start_again();
    assert_eq!(ana.bodies("@ana"), ["⏰ drink tea"], "once is enough");
}

#[test]
fn a_ban_holds_until_it_is_lifted() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let mallory = Person::guest(&server, &ana, "mallory");
    mallory.ok(&["send", "#general", "spam"]);
    let link = ana.ok(&["invite", "create"]);
    let muted = ana.json(&["members", "mute", "acme", "@mallory", "--for", "1h"]);
    assert_eq!(muted[0]["kind"], "mute");
    let refused = mallory.fails(1, &["send", "#general", "more spam"]);
    assert!(refused.contains("muted"), "{refused}");

    ana.ok(&["members", "ban", "acme", "@mallory", "--reason", "spam"]);
    let refused = mallory.fails(1, &["invite", "accept", link.trim()]);
    assert!(refused.contains("invite"), "{refused}");
    let bans = ana.json(&["members", "bans"]);
    assert_eq!(
        (&bans[0]["user"]["username"], &bans[0]["reason"]),
        (&"mallory".into(), &"spam".into())
    );
    let purged = ana.json(&["channel", "purge", "#general", "--last", "5"]);
    assert_eq!(purged[0]["deleted"], 1);
    ana.ok(&["members", "unban", "acme", "@mallory"]);
    ana.ok(&["members", "unmute", "acme", "@mallory"]);
    mallory.ok(&["invite", "accept", link.trim()]);
    mallory.ok(&["send", "#general", "sorry"]);
    let shown = ana.ok(&["audit", "acme"]);
    assert!(shown.contains("member.ban\t@mallory\treason=spam"), "{shown}");
    let refused = mallory.fails(1, &["audit", "acme"]);
    assert!(refused.contains("only admins"), "{refused}");
    ana.fails(2, &["members", "ban", "acme", "@ana"]);
}
