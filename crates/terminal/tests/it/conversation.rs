//! What people do all day.

use crate::world::{Person, Server};

#[test]
fn two_people_talk_from_two_terminals() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");

    let hello = ana.ok(&["send", "#general", "hello bob"]);
    let hello = hello.trim();
    assert_eq!(bob.bodies("#general"), ["hello bob"]);
    let answer = bob.ok(&["send", "acme/#general", "hi @ana", "--reply-to", hello]);
    bob.ok(&["send", "#general", "top level"]);

    let read = ana.json(&["read", "#general"]);
    let bodies: Vec<&str> = read.iter().filter_map(|message| message["body"].as_str()).collect();
    assert_eq!(bodies, ["hello bob", "top level"]);
    assert_eq!(read[0]["reply_count"], 1);
    let thread = ana.json(&["read", "#general", "--thread", hello]);
    assert_eq!(thread.len(), 1);
    assert_eq!(thread[0]["id"], answer.trim());
    // A mention is stored as a reference and shown with today's name.
    assert!(thread[0]["body"].as_str().is_some_and(|body| body.starts_with("hi @<user:")));
    let shown = ana.ok(&["read", "#general", "--thread", hello]);
    assert!(shown.ends_with("\thi @ana\n"), "{shown}");
}

#[test]
fn messages_are_edited_reacted_to_and_deleted() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    let id = ana.ok(&["send", "#general", "first"]);
    let id = id.trim();

    ana.ok(&["edit", id, "better"]);
    bob.ok(&["react", id, "👍"]);
    bob.ok(&["react", id, "👍"]);
    ana.ok(&["react", id, ":shipit:"]);
    ana.ok(&["react", id, ":shipit:", "--remove"]);
    let read = bob.json(&["read", "#general"]);
    assert_eq!(read[0]["body"], "better");
    assert!(read[0]["edited_at"].is_string());
    assert_eq!(read[0]["reactions"], serde_json::json!([{"count": 1, "emoji": "👍", "me": true}]));

    // Only its author may change it, and the owner of the community may delete it.
    let refused = bob.fails(1, &["edit", id, "mine"]);
    assert!(refused.contains("cannot edit the message"), "{refused}");
    ana.ok(&["delete", id]);
    let read = bob.json(&["read", "#general"]);
    assert_eq!((&read[0]["deleted"], &read[0]["body"]), (&true.into(), &"".into()));
}

#[test]
fn unread_is_counted_until_it_is_read() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    let unread = || {
        let channels = bob.json(&["channel", "list", "--joined"]);
        (channels[0]["unread"].as_u64(), channels[0]["mentions"].as_u64())
    };
    assert_eq!(unread(), (Some(0), Some(0)));
    for text in ["one", "two for @bob", "three"] {
        ana.ok(&["send", "#general", text]);
    }
    assert_eq!(unread(), (Some(3), Some(1)));
    // A pipe reads without marking; only the flag marks.
    bob.ok(&["read", "#general"]);
    assert_eq!(unread(), (Some(3), Some(1)));
    bob.ok(&["read", "#general", "--mark-read"]);
    assert_eq!(unread(), (Some(0), Some(0)));
}

#[test]
fn long_channels_are_read_in_pages() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    for index in 0..12 {
        ana.ok(&["send", "#general", &format!("message {index}")]);
    }
    let last = ana.json(&["read", "#general", "-n", "5"]);
    let first = last[0]["seq"].as_u64().map(|seq| seq.to_string()).unwrap_or_default();
    assert_eq!(last[0]["body"], "message 7");
    let before = ana.json(&["read", "#general", "-n", "3", "--before", &first]);
    let bodies: Vec<&str> = before.iter().filter_map(|message| message["body"].as_str()).collect();
    assert_eq!(bodies, ["message 4", "message 5", "message 6"]);
}

#[test]
fn channels_are_made_joined_and_left() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    assert_eq!(ana.ok(&["channel", "create", "#ops", "--topic", "on call"]), "acme/#ops\n");
    ana.ok(&["channel", "create", "acme/#secret", "--private"]);

    let listed = bob.ok(&["channel", "list"]);
    assert!(listed.contains("#ops\t-\t-\t1\ton call\n"), "{listed}");
    assert!(!listed.contains("secret"), "{listed}");
    bob.ok(&["channel", "join", "#ops"]);
    assert!(bob.ok(&["channel", "list"]).contains("#ops\t0\t0\t2\ton call\n"));
    bob.ok(&["channel", "leave", "#ops"]);
    assert!(bob.ok(&["channel", "list"]).contains("#ops\t-\t-\t1\t"));
    let hidden = bob.fails(1, &["channel", "join", "#secret"]);
    assert!(hidden.contains("there is no channel #secret that you can see"), "{hidden}");
}

#[test]
fn names_that_two_communities_share_must_be_written_in_full() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    ana.ok(&["community", "create", "Other Place"]);
    let slugs: Vec<String> = ana
        .json(&["community", "list"])
        .iter()
        .filter_map(|community| community["slug"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(slugs, ["acme", "other-place"]);
    let told = ana.fails(1, &["read", "#general"]);
    assert!(told.contains("acme/#general") && told.contains("other-place/#general"), "{told}");
    ana.ok(&["send", "other-place/#general", "here"]);
    assert_eq!(ana.bodies("other-place/#general"), ["here"]);
    assert!(ana.bodies("acme/#general").is_empty());
}

#[test]
fn people_talk_directly_in_twos_and_threes() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    let eve = Person::guest(&server, &ana, "eve");

    ana.ok(&["dm", "@bob", "between us"]);
    bob.ok(&["send", "@ana", "indeed"]);
    assert_eq!(ana.bodies("@bob"), ["between us", "indeed"]);
    let room = ana.ok(&["dm", "@bob", "@eve"]);
    let room = room.trim();
    eve.ok(&["dm", "@ana", "@bob", "all three"]);
    assert_eq!(bob.bodies(room), ["all three"]);
    assert_eq!(eve.bodies("@bob"), Vec::<String>::new());
    let nobody = ana.fails(1, &["dm", "@nobody", "hello?"]);
    assert!(nobody.contains("there is nobody called @nobody"), "{nobody}");
}

#[test]
fn what_was_said_is_found_again() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    ana.ok(&["send", "#general", "the deploy is at noon"]);
    bob.ok(&["send", "#general", "which deploy?"]);
    ana.ok(&["dm", "@bob", "the secret deploy"]);

    let hits = bob.json(&["search", "deploy", "from:ana", "in:#general"]);
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0]["message"]["body"], "the deploy is at noon");
    let lines = bob.ok(&["search", "deploy"]);
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert!(lines.contains("\t#general\tana\t"), "{lines}");
    let eve = Person::guest(&server, &ana, "eve");
    assert_eq!(eve.json(&["search", "secret"]).len(), 0);
}

#[test]
fn who_is_called_sees_it_until_it_is_marked() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    ana.ok(&["notifications", "--read"]);
    assert_eq!(bob.ok(&["notifications"]), "");
    ana.ok(&["send", "#general", "hello all"]);
    ana.ok(&["send", "#general", "hello @bob"]);
    ana.ok(&["dm", "@bob", "psst"]);
    let shown = bob.ok(&["notifications"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 2, "{shown}");
    assert!(lines[0].contains("\tdm ") && lines[0].ends_with("\tpsst"), "{shown}");
    assert!(lines[1].contains("\tmention #general\tana\t"), "{shown}");
    assert!(lines[1].ends_with("\thello @bob"), "{shown}");
    let first = bob.json(&["notifications", "-n", "1"]);
    assert_eq!((first.len(), &first[0]["type"]), (1, &"dm".into()));
    bob.ok(&["notifications", "--read"]);
    assert_eq!(bob.ok(&["notifications"]), "");
    let all = bob.json(&["notifications", "--all"]);
    assert!(all.len() == 2 && all.iter().all(|it| it["read"] == true), "{all:?}");
}

#[test]
fn what_calls_is_chosen_and_what_matters_is_kept() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    let chosen = ["attention", "set", "--keyword", "Deploy", "--quiet", "22:00-07:00"];
    let chosen = &bob.json(&chosen)[0];
    assert_eq!(
        (&chosen["keywords"][0], &chosen["quiet_hours"]["from"]),
        (&"deploy".into(), &"22:00".into())
    );
    // What is not named stays.
    let chosen = bob.ok(&["attention", "set", "--hide-typing", "yes", "--no-quiet"]);
    assert!(chosen.contains("deploy") && chosen.contains("hidden"), "{chosen}");
    assert!(bob.ok(&["attention", "show"]).contains("quiet hours     none"));
    let muted =
        &bob.json(&["attention", "channel", "#general", "--mute", "8h", "--level", "all"])[0];
    assert_eq!((&muted["level"], muted["muted_until"].is_string()), (&"all".into(), true));
    let muted = &bob.json(&["attention", "channel", "#general", "--unmute"])[0];
    assert_eq!(muted.get("muted_until"), None);

    let said = ana.json(&["send", "#general", "the plan"])[0]["id"].as_str().unwrap().to_owned();
    bob.ok(&["pin", "add", &said]);
    assert_eq!(ana.json(&["pin", "list", "#general"])[0]["body"], "the plan");
    bob.ok(&["saved", "add", &said]);
    assert_eq!(bob.json(&["saved", "list"])[0]["id"], said.as_str());
    bob.ok(&["saved", "remove", &said]);
    assert!(bob.json(&["saved", "list"]).is_empty());

    bob.ok(&["draft", "set", "#general", "about the plan:"]);
    assert_eq!(bob.ok(&["draft", "show", "#general"]), "about the plan:\n");
    assert!(bob.ok(&["draft", "list"]).contains("#general"));
    bob.ok(&["draft", "clear", "#general"]);
    assert!(bob.json(&["draft", "list"]).is_empty());

    bob.ok(&["report", "message", &said, "too bold"]);
    let report = ana.json(&["report", "list"]).remove(0);
    assert_eq!(
        (&report["reason"], &report["message"]["body"]),
        (&"too bold".into(), &"the plan".into())
    );
    ana.ok(&["report", "resolve", report["id"].as_str().unwrap()]);
    assert!(ana.json(&["report", "list"]).is_empty());
    assert!(bob.fails(1, &["report", "list"]).contains("list reports"));
}
