//! Bots: the example of the SDK and the one of the guide, killed and started again.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::world::{Person, Running, Server};

/// Starts a bot in a directory of its own.
fn start(program: &Path, args: &[&str], server: &Server, token: &str, home: &Path) -> Running {
    Running::start(
        Command::new(program)
            .args(args)
            .current_dir(home)
            .env("TIDINGS_SERVER", server.url())
            .env("TIDINGS_TOKEN", token.trim()),
    )
}

/// What stands in the thread of a message, once there are `count` replies.
fn replies(ana: &Person, message: &Value, count: usize) -> Vec<String> {
    let id = message["message_id"].as_str().or(message["id"].as_str()).expect("an id");
    // Each look is a process of its own, so this is more than a minute.
    for _ in 0..3_000 {
        let path = format!("/v1/messages/{id}");
        let found = &ana.json(&["api", "get", &path])[0];
        if found["reply_count"].as_u64() >= Some(count as u64) {
            let channel = found["channel_id"].as_str().expect("a channel");
            let path = format!("/v1/channels/{channel}/messages?thread={id}");
            let list = &ana.json(&["api", "get", &path])[0];
            let items = list["items"].as_array().expect("a list");
            return items
                .iter()
                .map(|it| it["body"].as_str().expect("a body").to_owned())
                .collect();
        }
    }
    panic!("no reply to {message}");
}

/// A bot answers, is killed, misses nothing meanwhile, and answers nothing twice.
fn answers_and_resumes(program: &Path, args: &[&str]) {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let token = ana.ok(&["bot", "create", "echo"]);
    let home = tempfile::tempdir().expect("a directory");
    let say = |text: &str| ana.json(&["send", "#general", text]).remove(0);

    let bot = start(program, args, &server, &token, home.path());
    // It listens from when it has written down where it begins.
    let cursor = home.path().join("bot.cursor");
    let there = (0..600).any(|_| cursor.exists() || bot.has_line_with("Error") || cursor.exists());
    assert!(there && cursor.exists(), "the bot does not run");
    say("nobody is named here");
    let first = say("@echo one");
    assert_eq!(replies(&ana, &first, 1), ["You said: one"]);
    let kept = std::fs::read_to_string(&cursor).expect("a cursor");
    drop(bot); // SIGKILL

    let missed = say("@echo two");
    // As if it had been killed after its answer, before it could write that down.
    let bot = start(program, args, &server, &token, home.path());
    assert_eq!(replies(&ana, &missed, 1), ["You said: two"]);
    drop(bot);
    std::fs::write(&cursor, kept).expect("a cursor");
    let _bot = start(program, args, &server, &token, home.path());
    let last = say("@echo three");
    assert_eq!(replies(&ana, &last, 1), ["You said: three"]);
    assert_eq!(replies(&ana, &missed, 1), ["You said: two"]);
    assert_eq!(replies(&ana, &first, 1), ["You said: one"]);
}

#[test]
fn the_sdks_example_has_at_most_twenty_lines_answers_and_resumes() {
    let source = include_str!("../../../client/examples/bot.rs");
    assert!(source.lines().count() <= 20);
    let program = Path::new(env!("CARGO_BIN_EXE_tidings")).with_file_name("examples").join("bot");
    assert!(program.exists(), "{} is missing: build the whole workspace", program.display());
    answers_and_resumes(&program, &[]);
}

#[test]
fn the_sdks_command_bot_has_at_most_twenty_lines_and_answers_who_asked() {
    let source = include_str!("../../../client/examples/commands.rs");
    assert!(source.lines().count() <= 20);
    // What the guide shows is what runs here, but for how it is indented.
    let guide = include_str!("../../../../docs/guide/bots.md");
    let (_, shown) = guide.split_once("examples/commands.rs").expect("the program is shown");
    let (_, shown) = shown.split_once("```rust\n").expect("a block");
    let (shown, _) = shown.split_once("```").expect("its end");
    for line in shown.lines().map(str::trim).filter(|line| !line.starts_with("Bot::new")) {
        assert!(source.contains(line), "{line} is not in the program");
    }
    let program =
        Path::new(env!("CARGO_BIN_EXE_tidings")).with_file_name("examples").join("commands");
    assert!(program.exists(), "{} is missing: build the whole workspace", program.display());
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let token = ana.ok(&["bot", "create", "robo"]);
    let home = tempfile::tempdir().expect("a directory");
    let bot = start(&program, &[], &server, &token, home.path());
    let offered = |yes: bool| {
        // Each look is a process of its own, so this is more than a minute.
        let there = || ana.ok(&["cmd", "#general", "/help"]).contains("/deploy env [version]");
        assert!((0..1_000).any(|_| there() == yes), "the command is not there");
    };
    offered(true);
    assert_eq!(ana.ok(&["cmd", "#general", "/deploy prod 1.2"]).trim(), "On its way.");
    let said = || ana.bodies("#general");
    assert!((0..1_000).any(|_| said().contains(&"1.2 is on prod now.".to_owned())), "{:?}", said());
    let refused = ana.fails(1, &["cmd", "#general", "/deploy"]);
    assert!(refused.contains("the env is missing"), "{refused}");

    // It is away, whoever asks is told so, and it finds what was asked when it comes back.
    drop(bot);
    let told = ana.ok(&["cmd", "#general", "/deploy test"]);
    assert!(told.contains("@robo has not answered within 5 seconds"), "{told}");
    let tail = ana.tail(&["#general"]);
    let _bot = start(&program, &[], &server, &token, home.path());
    tail.line_with("robo answers only you: On its way.");
    let late = "The newest version is on test now.".to_owned();
    assert!((0..1_000).any(|_| said().contains(&late)), "{:?}", said());
    // What was answered before the kill is answered once.
    assert_eq!(said().iter().filter(|body| body.starts_with("1.2")).count(), 1);
}

#[test]
fn the_guides_command_in_curl_is_run_and_answers() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let token = ana.ok(&["bot", "create", "dice"]);
    let home = tempfile::tempdir().expect("a directory");
    let script = home.path().join("bot.sh");
    std::fs::write(&script, format!("set -eu\n{}", block("bash"))).expect("a file");
    let script = script.to_str().expect("a path");
    let bot = start(Path::new("bash"), &[script], &server, &token, home.path());
    let there = || ana.ok(&["cmd", "#general", "/help"]).contains("/roll [sides]");
    assert!((0..1_000).any(|_| there()), "the command is not there");
    assert_eq!(ana.ok(&["cmd", "#general", "/roll 6"]).trim(), "a four, rolled fairly");
    assert_eq!(bot.end().0, Some(0));
}

/// The lines of the guide's block of code in this language.
fn block(language: &str) -> String {
    let guide = include_str!("../../../../docs/guide/bots.md");
    let open = format!("```{language}\n");
    let (_, rest) = guide.split_once(&open).expect("a block");
    rest.split_once("```").expect("its end").0.to_owned()
}

#[test]
fn the_guides_bot_in_python_answers_and_resumes() {
    let home = tempfile::tempdir().expect("a directory");
    let file: PathBuf = home.path().join("bot.py");
    std::fs::write(&file, block("python")).expect("a file");
    answers_and_resumes(Path::new("python3"), &[file.to_str().expect("a path")]);
}

#[test]
fn the_guides_bot_in_curl_says_and_hears() {
    let server = Server::start();
    let ana = Person::owner(&server, "ana");
    let token = ana.ok(&["bot", "create", "echo"]);
    let home = tempfile::tempdir().expect("a directory");
    let script = home.path().join("bot.sh");
    std::fs::write(&script, format!("set -eu\n{}", block("sh"))).expect("a file");
    let bot =
        start(Path::new("sh"), &[script.to_str().expect("a path")], &server, &token, home.path());
    let (code, said) = bot.end();
    assert_eq!(code, Some(0), "{said:?}");
    assert!(said.iter().any(|line| line.contains("hello from curl")), "{said:?}");
    let read = ana.json(&["read", "#general"]);
    assert_eq!(read.last().expect("a message")["body"], "hello from curl");
}
