use std::fs;

use tidings_client::search::SearchScope;

use crate::daemon::{Place, Ran, tidingsd};

fn write(place: &Place, toml: &str) {
    fs::create_dir_all(place.data()).unwrap();
    fs::write(place.data().join("tidings.toml"), toml).unwrap();
}

#[test]
fn an_unknown_setting_names_its_nearest_neighbor() {
    let place = Place::new();
    write(&place, "[server]\nlisen = \"127.0.0.1:0\"\n");
    let told = place.run(&["serve"]).failed(2);
    assert!(told.contains("did you mean server.listen?"), "{told}");
    assert!(told.contains("tidings.toml"), "{told}");
}

#[test]
fn an_unknown_variable_names_its_nearest_neighbor() {
    let place = Place::new();
    let mut command = tidingsd(place.folder());
    command.arg("config").env("TIDINGS__LIMIT__ENABLED", "false");
    let told = Ran::of(command.output().unwrap()).failed(2);
    assert!(told.contains("environment") && told.contains("did you mean limits?"), "{told}");
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line() {
    let place = Place::new();
    write(&place, "[server]\nlisten = \n");
    let told = place.run(&["config"]).failed(2);
    assert!(told.contains("line 2"), "{told}");
    let told = place.run(&["config", "--config", "absent.toml"]).failed(2);
    assert!(told.contains("there is no file absent.toml"), "{told}");
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let place = Place::new();
    write(
        &place,
        "[server]\nname = \"file\"\npublic_url = \"https://file\"\n[log]\nlevel = \"warn\"\n",
    );
    let mut command = tidingsd(place.folder());
    command.arg("config").env("TIDINGS__SERVER__NAME", "environment");
    let shown: toml::Table = Ran::of(command.output().unwrap()).ok().parse().unwrap();
    assert_eq!(shown["server"]["name"].as_str(), Some("environment"));
    assert_eq!(shown["server"]["public_url"].as_str(), Some("https://file"));
    assert_eq!(shown["log"]["level"].as_str(), Some("warn"));

    let daemon = place.serve_with(|command| {
        command.args(["--public-url", "https://flag"]);
        command.env("TIDINGS__SERVER__PUBLIC_URL", "https://environment");
    });
    assert_eq!(daemon.url(), "https://flag");
}

#[test]
fn what_is_shown_is_a_file_that_can_be_used() {
    let place = Place::new();
    let shown = place.run(&["config"]).ok();
    fs::write(place.folder().join("shown.toml"), &shown).unwrap();
    let again = place.run(&["config", "--config", "shown.toml"]).ok();
    let settings = |text: &str| text.parse::<toml::Table>().unwrap();
    assert_eq!(settings(&shown), settings(&again));
}

#[test]
fn passwords_are_never_shown() {
    let place = Place::new();
    let url = "postgres://ana:very-secret@127.0.0.1:1/tidings";
    write(&place, &format!("[storage]\nurl = \"{url}\"\n"));
    let shown = place.run(&["config"]).ok();
    assert!(shown.contains("postgres://ana:[redacted]@127.0.0.1:1/tidings"), "{shown}");
    // Nothing listens there.
    let told = place.run(&["serve", "--listen", "127.0.0.1:0"]).failed(1);
    assert!(told.contains("cannot open the database"), "{told}");
    let doctor = place.run(&["doctor"]);
    for text in [&shown, &told, &doctor.out, &doctor.err] {
        assert!(!text.contains("very-secret"), "{text}");
    }
}

#[test]
fn schemas_describe_settings_and_api() {
    let place = Place::new();
    let schema: serde_json::Value =
        serde_json::from_str(&place.run(&["config", "schema"]).ok()).unwrap();
    let server = schema["properties"]["server"].to_string();
    for word in ["listen", "127.0.0.1:8420", "public_url", "registration", "invite"] {
        assert!(server.contains(word), "{word}: {server}");
    }
    let api: serde_json::Value = serde_json::from_str(&place.run(&["openapi"]).ok()).unwrap();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(api["paths"]["/v1/sync"].is_object());
}

#[tokio::test]
async fn limits_hold_when_they_are_on() {
    let place = Place::new();
    let daemon = place.serve_with(|command| {
        command.env("TIDINGS__LIMITS__ENABLED", "true").env("TIDINGS__LIMITS__SEARCHES", "2");
    });
    let ana = place.register(&daemon, "ana", None).await;
    let search = async || ana.client().search("word", &SearchScope::default()).await;
    search().await.unwrap();
    search().await.unwrap();
    let refused = search().await.unwrap_err();
    assert_eq!(refused.code(), Some(tidings_wire::Code::RateLimited));
}

#[test]
fn logs_are_json_when_programs_read_them() {
    let place = Place::new();
    let daemon = place.serve_with(|command| {
        command.env("TIDINGS__LOG__FORMAT", "json");
    });
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    let mut daemon = daemon;
    assert!(daemon.wait().success());
    let lines = daemon.log();
    assert!(lines.lines().count() >= 2, "{lines}");
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
    }
}
