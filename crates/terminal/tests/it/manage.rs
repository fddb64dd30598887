//! Devices, sessions, members and channels: who may what, and how it ends.

use serde_json::Value;

use crate::world::{Person, Server, text};

/// The first account, with its phrase in a file; gives that file too.
fn owner_with_phrase(server: &Server) -> (Person, String) {
    let ana = Person::new();
    let phrase = ana.file("phrase").to_str().expect("a path").to_owned();
    let code = server.setup_code();
    let start = ["register", "--server", server.url(), "--username", "ana"];
    let more = ["--setup-code", &code, "--phrase-out", &phrase];
    ana.ok(&start.into_iter().chain(more).collect::<Vec<_>>());
    (ana, phrase)
}

fn id_of(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_lost_device_is_revoked_with_the_phrase_and_comes_back_never() {
    let server = Server::start();
    let (ana, phrase) = owner_with_phrase(&server);
    let lost = Person::new();
    let login = ["login", "--server", server.url(), "--phrase-file", &phrase];
    lost.ok(&login.into_iter().chain(["--device-name", "old laptop"]).collect::<Vec<_>>());
    let devices = ana.json(&["devices", "list"]);
    let named = |name: &str| devices.iter().find(|it| it["name"] == name).expect("a device");
    let laptop = id_of(named("old laptop"));
    let mine = devices.iter().find(|it| it["current"] == true).expect("this device");
    assert_eq!((devices.len(), &mine["id"]), (2, &ana.json(&["whoami"])[0]["device_id"]));
    assert!(lost.ok(&["devices", "list"]).contains("\tlinux\told laptop\there\n"));

    // Nothing but this identity's phrase will do.
    let revoke = ["devices", "revoke", &laptop];
    let told = ana.fails(1, &revoke);
    assert!(told.contains("no recovery phrase"), "{told}");
    let stranger = format!("{}art", "abandon ".repeat(23));
    let output = ana.run_with(&revoke, stranger.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("the phrase of another identity"));
    lost.ok(&["whoami"]);

    let with_phrase = ["devices", "revoke", &laptop, "--phrase-file", &phrase];
    let said = ana.json(&with_phrase);
    assert_eq!(
        said,
        [serde_json::json!({"device_id": laptop, "revoked": true, "sessions_ended": 1})]
    );
    assert!(lost.fails(4, &["whoami"]).contains("your session has expired or was ended"));
    let told = lost.fails(4, &["login"]);
    assert!(told.contains("may have been revoked"), "{told}");
    assert_eq!(ana.json(&["devices", "list"]).len(), 1);
    let told = ana.fails(1, &with_phrase);
    assert!(told.contains("was revoked before"), "{told}");
    let told = ana.fails(1, &["devices", "revoke", "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01"]);
    assert!(told.contains("you have no device") && told.contains("devices list"), "{told}");
    // The machine is not lost: with the phrase it is a new device.
    lost.ok(&login);
}

#[test]
fn the_device_that_one_is_on_is_not_revoked_by_accident() {
    let server = Server::start();
    let (ana, phrase) = owner_with_phrase(&server);
    let mine = id_of(&ana.json(&["devices", "list"])[0]);
    let revoke = ["devices", "revoke", &mine, "--phrase-file", &phrase];
    let told = ana.fails(2, &revoke);
    assert!(told.contains("--this-device") && told.contains("tidings logout"), "{told}");
    // Whoever has not shown that the phrase is written down may have it on this device only.
    let file = ana.file("profiles/default/account.toml");
    let account = std::fs::read_to_string(&file).expect("an account");
    assert!(account.contains("phrase_unchecked = false"), "{account}");
    let unchecked = account.replace("phrase_unchecked = false", "phrase_unchecked = true");
    std::fs::write(&file, unchecked).expect("a file");
    let told = ana.fails(1, &revoke.into_iter().chain(["--this-device"]).collect::<Vec<_>>());
    assert!(told.contains("not checked yet"), "{told}");
    std::fs::write(&file, account).expect("a file");
    ana.ok(&revoke.into_iter().chain(["--this-device"]).collect::<Vec<_>>());
    assert!(ana.fails(4, &["whoami"]).contains("not logged in"));
}

#[test]
fn sessions_are_listed_and_ended() {
    let server = Server::start();
    let (ana, phrase) = owner_with_phrase(&server);
    let elsewhere: Vec<Person> = (0..3).map(|_| Person::new()).collect();
    for person in &elsewhere {
        person.ok(&["login", "--server", server.url(), "--phrase-file", &phrase]);
    }
    let sessions = ana.json(&["sessions", "list"]);
    assert_eq!(sessions.len(), 4);
    let current: Vec<&Value> = sessions.iter().filter(|it| it["current"] == true).collect();
    assert_eq!(current.len(), 1);
    let told = ana.fails(2, &["sessions", "revoke", &id_of(current[0])]);
    assert!(told.contains("tidings logout"), "{told}");

    let second = id_of(&elsewhere[0].json(&["sessions", "list"])[1]);
    ana.ok(&["sessions", "revoke", &second]);
    elsewhere[0].fails(4, &["whoami"]);
    // A session has ended, its device has not.
    elsewhere[0].ok(&["login"]);
    assert!(ana.fails(1, &["sessions", "revoke", &second]).contains("you have no session"));

    let ended = ana.json(&["sessions", "revoke", "--others"]);
    assert_eq!(ended.len(), 3);
    assert!(ended.iter().all(|line| line["revoked"] == true));
    for person in &elsewhere {
        person.fails(4, &["whoami"]);
    }
    assert_eq!(ana.json(&["sessions", "list"]).len(), 1);
    assert_eq!(ana.json(&["sessions", "revoke", "--others"]).len(), 0);
}

#[test]
fn bots_and_tokens_are_made_listed_and_ended() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let token = ana.ok(&["bot", "create", "Deploy", "--scope", "messages:write"]);
    assert!(token.starts_with("tdg_pat_") && token.trim_end().len() == 51, "{token}");
    let bots = ana.json(&["bot", "list"]);
    assert_eq!((bots.len(), &bots[0]["username"]), (1, &serde_json::json!("deploy")));
    let told = ana.fails(1, &["bot", "create", "deploy"]);
    assert!(told.contains("taken"), "{told}");
    let told = ana.fails(1, &["token", "create", "x", "--bot", "nobody"]);
    assert!(told.contains("tidings bot list"), "{told}");
    ana.ok(&["token", "create", "second", "--bot", "@deploy", "--expires-in", "7d"]);
    let tokens = ana.json(&["token", "list", "--bot", "deploy"]);
    let names: Vec<&str> = tokens.iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["first", "second"]);
    assert!(tokens[1]["expires_at"].is_string() && tokens[1].get("token").is_none());

    let mine = ana.json(&["token", "create", "mine", "--scope", "messages:read"]);
    assert_eq!(ana.json(&["token", "list"]).len(), 1);
    ana.ok(&["token", "revoke", &id_of(&mine[0])]);
    assert_eq!(ana.json(&["token", "list"]).len(), 0);
    ana.ok(&["bot", "delete", "deploy"]);
    assert_eq!(ana.json(&["bot", "list"]).len(), 0);
}

#[test]
fn a_webhook_prints_a_line_that_works() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let line = ana.ok(&["webhook", "create", "#general", "alerts"]);
    assert!(line.starts_with("curl -H 'Content-Type: application/json' -d "), "{line}");
    let output = std::process::Command::new("sh").args(["-c", &line]).output().expect("a shell");
    assert_eq!(text(&output.stdout), "ok", "{}", text(&output.stderr));
    let said = ana.json(&["read", "#general"]);
    let hello = said.last().expect("a message");
    assert_eq!((&hello["body"], &hello["author"]["username"]), (&"hello".into(), &"alerts".into()));
    let made = ana.json(&["webhook", "create", "#general", "github", "--signed"]);
    assert!(made[0]["secret"].is_string() && made[0]["url"].is_string());
    let list = ana.json(&["webhook", "list", "#general"]);
    assert_eq!((list.len(), list[0].get("url")), (2, None));
    ana.ok(&["webhook", "revoke", &id_of(&list[0])]);
    let output = std::process::Command::new("sh").args(["-c", &line]).output().expect("a shell");
    assert_eq!(text(&output.stdout), "no_service");
}

#[test]
fn members_are_listed_promoted_and_taken_out() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    let eve = Person::guest(&server, &ana, "eve");
    let roles = || -> Vec<(String, String)> {
        let lines = eve.ok(&["members", "list"]);
        let rows = lines.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        rows.map(|row| (row[0].to_owned(), row[2].to_owned())).collect()
    };
    let row = |name: &str, role: &str| (name.to_owned(), role.to_owned());
    assert_eq!(roles(), [row("@ana", "owner"), row("@bob", "member"), row("@eve", "member")]);

    let told = bob.fails(1, &["members", "role", "acme", "@eve", "admin"]);
    assert!(told.contains("ask an owner"), "{told}");
    let told = bob.fails(1, &["members", "kick", "acme", "@eve"]);
    assert!(told.contains("cannot take them out"), "{told}");
    let promoted = ana.json(&["members", "role", "acme", "@bob", "admin"]);
    assert_eq!(promoted[0]["role"], "admin");
    assert_eq!(roles()[1], row("@bob", "admin"));
    let told = ana.fails(1, &["members", "role", "acme", "@ana", "member"]);
    assert!(told.contains("make somebody else owner first"), "{told}");
    let told = ana.fails(1, &["community", "leave", "acme"]);
    assert!(told.contains("make somebody else owner first"), "{told}");

    let listed = bob.json(&["members", "list", "acme"]);
    let eve_id = listed.iter().find(|it| it["user"]["username"] == "eve").expect("eve");
    let kicked = bob.json(&["members", "kick", "acme", "@eve"]);
    assert_eq!(
        (&kicked[0]["kicked"], &kicked[0]["user_id"]),
        (&true.into(), &eve_id["user"]["id"])
    );
    assert!(eve.fails(1, &["read", "#general"]).contains("no channel #general"));
    let told = ana.fails(1, &["members", "kick", "acme", "@eve"]);
    assert!(told.contains("@eve is not in acme"), "{told}");
    let told = bob.fails(2, &["members", "kick", "acme", "@bob"]);
    assert!(told.contains("tidings community leave acme"), "{told}");
    bob.ok(&["community", "leave", "acme"]);
    assert_eq!(bob.json(&["community", "list"]).len(), 0);
    assert_eq!(ana.json(&["members", "list", "acme"]).len(), 1);
}

#[test]
fn channels_are_renamed_described_filled_and_archived() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    ana.ok(&["channel", "create", "#ops", "--private"]);
    bob.fails(1, &["read", "#ops"]);
    ana.ok(&["channel", "add", "#ops", "@bob"]);
    bob.ok(&["send", "#ops", "thank you"]);

    let renamed = ana.json(&["channel", "rename", "#ops", "#operations"]);
    assert_eq!(renamed[0]["name"], "operations");
    assert_eq!(bob.bodies("#operations"), ["thank you"]);
    let told = ana.fails(2, &["channel", "rename", "#operations", "Not A Name"]);
    assert!(told.contains("cannot be a channel"), "{told}");
    let told = ana.fails(1, &["channel", "rename", "#operations", "general"]);
    assert!(told.contains("cannot rename the channel"), "{told}");
    assert_eq!(
        ana.json(&["channel", "topic", "#operations", "on call: ana"])[0]["topic"],
        "on call: ana"
    );
    assert!(bob.ok(&["channel", "list"]).contains("\ton call: ana\n"));
    assert_eq!(ana.json(&["channel", "topic", "#operations", ""])[0]["topic"], "");
    let told = bob.fails(1, &["channel", "topic", "#operations", "mine"]);
    assert!(told.contains("cannot set the topic"), "{told}");

    let id = id_of(&renamed[0]);
    let archived = ana.json(&["channel", "archive", "#operations"]);
    assert_eq!(archived[0], serde_json::json!({"channel_id": id, "archived": true}));
    assert_eq!(bob.bodies(&id), ["thank you"]);
    let told = bob.fails(1, &["send", &id, "too late"]);
    assert!(told.contains("archived"), "{told}");
    ana.ok(&["channel", "create", "#plans", "--private"]);
    ana.ok(&["channel", "add", "#plans", "@bob"]);
    ana.ok(&["channel", "remove", "#plans", "@bob"]);
    bob.fails(1, &["read", "#plans"]);
}

#[test]
fn who_lost_everything_comes_back_by_a_code_of_the_servers_owner() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    bob.ok(&["send", "#general", "before"]);
    let before = bob.json(&["whoami"]).remove(0)["user"].clone();
    let told = bob.fails(1, &["admin", "reset", "@ana"]);
    assert!(told.contains("only the owner of the server"), "{told}");
    let told = ana.fails(1, &["admin", "reset", "@nobody"]);
    assert!(told.contains("there is nobody called @nobody"), "{told}");

    let output = ana.run(&["admin", "reset", "@bob"]);
    let (code, note) = (text(&output.stdout), text(&output.stderr));
    let command = format!(
        "tidings register --server {} --username bob --reset-code {}",
        server.url(),
        code.trim()
    );
    assert!(note.lines().any(|line| line.trim() == command), "{note}");

    let again = Person::new();
    let register = |username: &str| -> Vec<String> {
        let words = command.replace("--username bob", &format!("--username {username}"));
        words.split(' ').skip(1).map(str::to_owned).collect()
    };
    let told = again.fails(1, &register("eve").iter().map(String::as_str).collect::<Vec<_>>());
    assert!(told.contains("the reset code is wrong, used or old, or not for eve"), "{told}");
    again.ok(&register("bob").iter().map(String::as_str).collect::<Vec<_>>());
    let after = again.json(&["whoami"]).remove(0)["user"].clone();
    assert_eq!((&after["id"], &after["username"]), (&before["id"], &before["username"]));
    assert_ne!(after["identity"], before["identity"]);
    assert_eq!(again.bodies("#general"), ["before"]);
    bob.fails(4, &["whoami"]);
    let third = Person::new();
    third.fails(1, &register("bob").iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn people_are_blocked_and_unblocked_by_name() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let bob = Person::guest(&server, &ana, "bob");
    ana.ok(&["send", "@bob", "hello"]);
    ana.ok(&["block", "add", "@bob"]);
    let list = ana.json(&["block", "list"]);
    assert_eq!(list[0]["user"]["username"], "bob");
    let told = bob.fails(1, &["send", "@ana", "hello?"]);
    assert!(told.contains("blocked"), "{told}");
    ana.ok(&["block", "remove", "@bob"]);
    bob.ok(&["send", "@ana", "hello again"]);
    assert_eq!(ana.json(&["presence", "@bob"])[0]["state"], "offline");
    bob.ok(&["api", "POST", "/v1/heartbeat"]);
    assert_eq!(ana.ok(&["presence", "@bob"]), "online\n");
    bob.ok(&["status", "set", "at lunch"]);
    assert_eq!(bob.json(&["whoami"])[0]["user"]["status"], "at lunch");
    bob.ok(&["status", "clear"]);
    assert_eq!(bob.json(&["whoami"])[0]["user"]["status"], "");
}

#[test]
fn every_command_has_a_manual_page() {
    let person = Person::new();
    let out = person.file("man");
    person.ok(&["man", "--out", out.to_str().expect("a path")]);
    for page in ["tidings.1", "tidings-send.1", "tidings-devices-revoke.1"] {
        let page = std::fs::read_to_string(out.join(page)).expect("a page");
        assert!(page.contains(".TH") && page.contains(".nf\n"), "{page}");
    }
    let blocked = person.file("file");
    std::fs::write(&blocked, "").expect("a file");
    let told = person.fails(1, &["man", "--out", blocked.to_str().expect("a path")]);
    assert!(told.contains("choose another directory"), "{told}");
}

#[test]
fn admins_let_people_in_who_asked() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    ana.ok(&["community", "change", "acme", "--approval", "on"]);
    let link = ana.ok(&["invite", "create"]);
    let bob = Person::new();
    let start = ["register", "--server", server.url(), "--username", "bob", "--invite"];
    bob.ok(&start.into_iter().chain([link.trim()]).collect::<Vec<_>>());
    assert_eq!(bob.ok(&["community", "list"]), "");
    let waiting = bob.json(&["invite", "waiting"]);
    assert_eq!(
        (&waiting[0]["community"], &waiting[0]["state"]),
        (&"Acme".into(), &"waiting".into())
    );
    let id = waiting[0]["community_id"].as_str().expect("an id");
    bob.ok(&["invite", "withdraw", id]);
    let told = ana.fails(1, &["members", "approve", "acme", "@bob"]);
    assert!(told.contains("has not asked") && told.contains("members requests acme"), "{told}");

    let accepted = bob.json(&["invite", "accept", link.trim()]);
    assert_eq!(accepted[0]["state"], "waiting");
    let requests = ana.ok(&["members", "requests"]);
    assert!(requests.starts_with("@bob\tbob\twaiting\tmember\t"), "{requests}");
    ana.ok(&["members", "refuse", "acme", "@bob"]);
    let told = bob.fails(1, &["invite", "accept", link.trim()]);
    assert!(told.contains("refused") && told.contains("tidings invite waiting"), "{told}");
    let done = ana.json(&["members", "approve", "acme", "@bob"]);
    assert_eq!(done[0]["approved"], true);
    assert!(bob.ok(&["community", "list"]).starts_with("acme\t"));
    ana.fails(2, &["community", "change", "acme"]);
}
