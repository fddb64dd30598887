use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::community::everything;
use crate::daemon::{Place, Ran};
use crate::export;

fn report(ran: Ran) -> Value {
    serde_json::from_str(&ran.ok()).unwrap()
}

/// What a member sees after an import into this place.
async fn seen(place: &Place) -> Vec<String> {
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    let seen = everything(ana.client()).await;
    daemon.stop();
    seen
}

#[tokio::test]
async fn an_import_into_a_stopped_server_is_all_there() {
    let place = Place::new();
    export::write(place.folder(), 30);
    let import = ["import", "slack", "export.zip", "--community", "club", "--json"];
    let first = report(place.run(&import));
    assert_eq!(first["found"]["messages"], 32);
    assert_eq!(first["found"]["bad_records_passed_over"], 1);
    assert_eq!(first["passed_over"][0]["file"], "random/2018-02-01.json");
    assert_eq!(first["passed_over"][0]["index"], 2);
    // A community, two users, two channels and the messages.
    assert_eq!(first["created"], 37);
    assert_eq!(first["errors"], serde_json::json!([]));

    let second = report(place.run(&import));
    assert_eq!((&second["created"], &second["skipped"]), (&0.into(), &37.into()));

    let seen = seen(&place).await;
    assert_eq!(seen.iter().filter(|line| line.contains("\"number ")).count(), 30);
    assert!(seen.iter().any(|line| line.contains("#random > ") && line.contains("me & you")));
    assert!(seen.iter().any(|line| line.contains("who is on call? @<user:")), "{seen:?}");
    assert!(seen.iter().any(|line| line.starts_with("#general ")));
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let place = Place::new();
    export::write(place.folder(), 5);
    let told = place.run(&["import", "slack", "export.zip", "--dry-run"]).ok();
    assert!(told.contains("7  messages") && told.contains("dry run"), "{told}");
    assert!(told.contains("random/2018-02-01.json[2]"), "{told}");
    assert!(!place.data().exists());
}

/// The kernel kills a process that writes past the limit on file sizes: here the import, in the
/// middle of a write to its database.
#[tokio::test]
async fn an_import_that_was_killed_goes_on_and_ends_in_the_same_state() {
    let (whole, torn) = (Place::new(), Place::new());
    let import = ["import", "slack", "export.zip", "--community", "club", "--json"];
    export::write(whole.folder(), 6_000);
    let all = report(whole.run(&import))["created"].as_u64().unwrap();

    export::write(torn.folder(), 6_000);
    let mut command = Command::new("/bin/sh");
    let script = "ulimit -f 3000; exec \"$0\" \"$@\"";
    command.args(["-c", script, env!("CARGO_BIN_EXE_tidingsd")]).args(import);
    let killed = command.env_clear().current_dir(torn.folder()).output().unwrap();
    assert_eq!(killed.status.signal(), Some(Signal::SIGXFSZ as i32), "{killed:?}");

    let rest = report(torn.run(&import));
    let (created, skipped) = (rest["created"].as_u64().unwrap(), rest["skipped"].as_u64().unwrap());
    assert!(created > 0 && skipped > 0, "it was killed in the middle: {rest}");
    assert_eq!(created + skipped, all);
    assert_eq!(report(torn.run(&import))["created"], 0);
    let (torn, whole) = (seen(&torn).await, seen(&whole).await);
    assert_eq!(torn.len(), whole.len());
    for (torn, whole) in torn.iter().zip(&whole) {
        assert_eq!(torn, whole);
    }
}

#[tokio::test]
async fn an_import_into_a_running_server_needs_its_owner() {
    let place = Place::new();
    export::write(place.folder(), 1_500);
    let daemon = place.serve_with(|command| {
        command.args(["--registration", "open"]);
    });
    let ana = place.register(&daemon, "ana", None).await;
    let bo = place.register(&daemon, "bo", None).await;
    let token = place.folder().join("token");
    let import = |more: &[&str]| {
        let flags = ["--community", "club", "--server", daemon.url(), "--token-file", "token"];
        place.run(&[&["import", "slack", "export.zip"], &flags[..], more].concat())
    };
    fs::write(&token, &bo.token().0).unwrap();
    let told = import(&[]).failed(1);
    assert!(told.contains("Only the server's owner may import"), "{told}");
    fs::write(&token, "nonsense").unwrap();
    let told = import(&[]).failed(1);
    assert!(told.contains("The token is not valid"), "{told}");
    assert!(!told.contains("nonsense"));

    fs::write(&token, format!("{}\n", ana.token().0)).unwrap();
    assert_eq!(report(import(&["--json"]))["created"], 1_507);
    assert_eq!(report(import(&["--json"]))["created"], 0);
    let seen = everything(ana.client()).await;
    assert_eq!(seen.iter().filter(|line| line.contains("\"number ")).count(), 1_500);
    // The same export into the same server by the other way adds nothing either.
    daemon.stop();
    let again =
        report(place.run(&["import", "slack", "export.zip", "--community", "club", "--json"]));
    assert_eq!(again["created"], 0);
}

#[test]
fn what_is_no_export_is_told() {
    let place = Place::new();
    let told = place.run(&["import", "slack", "absent.zip"]).failed(1);
    assert!(told.contains("cannot import absent.zip"), "{told}");
    fs::write(place.folder().join("text.zip"), "no zip").unwrap();
    let told = place.run(&["import", "slack", "text.zip"]).failed(1);
    assert!(told.contains("not a readable zip file") && told.contains("Export"), "{told}");
    export::write(place.folder(), 1);
    let told = place.run(&["import", "slack", "export.zip", "--community", "Not A Slug"]).failed(1);
    assert!(told.contains("slug"), "{told}");
    assert!(!place.data().exists());
}

#[test]
fn an_import_does_not_disturb_a_server_that_runs() {
    let place = Place::new();
    export::write(place.folder(), 1);
    let daemon = place.serve();
    let told = place.run(&["import", "slack", "export.zip"]).failed(3);
    assert!(told.contains(&daemon.pid().to_string()) && told.contains("--server"), "{told}");
}
