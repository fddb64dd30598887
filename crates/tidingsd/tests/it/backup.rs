//! Copies: made while a server runs, put back elsewhere, refused when they are damaged.

use std::fs;
use std::path::Path;

use tidings_client::ClientError;
use tidings_client::search::SearchScope;
use tidings_client::sync::{Cursor, Follow, Transport, Update};
use tidings_domain::MessageId;
use tidings_testkit::postgres_database;

use crate::community::{bodies, everything, general, say};
use crate::daemon::{Place, Ran, tidingsd};

/// A blob as the media service keeps it.
const BLOB: &str = "blobs/ab/abcd.0";

async fn snapshot(client: &tidings_client::Client) -> Cursor {
    let mut follow = Follow::start(client.clone(), Transport::Poll, None);
    loop {
        if let Update::Snapshot { next, .. } = follow.next().await.unwrap().unwrap() {
            return next;
        }
    }
}

/// Follows from a cursor; whether the server had forgotten it and a snapshot came instead.
async fn begins_anew(client: &tidings_client::Client, since: Cursor) -> bool {
    let mut follow = Follow::start(client.clone(), Transport::Poll, Some(since.clone()));
    let mut expired_before = false;
    loop {
        match follow.next().await.unwrap().unwrap() {
            Update::SnapshotNeeded { expired } => {
                assert_eq!(expired, since);
                expired_before = true;
            }
            Update::Snapshot { .. } => return expired_before,
            Update::Connected => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_copy_of_a_running_server_brings_everything_back() {
    let place = Place::new();
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    let channel = general(&ana).await;
    let first = say(ana.client(), channel, "salt and vinegar").await.unwrap();
    ana.client().react(MessageId(first.id), "👍").await.unwrap();
    let gone = say(ana.client(), channel, "said in haste").await.unwrap();
    ana.client().delete_message(MessageId(gone.id)).await.unwrap();
    fs::create_dir_all(place.data().join("blobs/ab")).unwrap();
    fs::write(place.data().join(BLOB), vec![0xFF; 70_000]).unwrap();
    fs::create_dir_all(place.data().join("blobs/spool")).unwrap();
    fs::write(place.data().join("blobs/spool/half"), "half").unwrap();
    let before = everything(ana.client()).await;

    let told = place.run(&["backup", "--out", "copy.zip"]).ok();
    assert!(told.contains("copy.zip: ") && told.contains(" 1 files"), "{told}");
    say(ana.client(), channel, "said too late").await.unwrap();
    let cursor = snapshot(ana.client()).await;
    daemon.stop();
    fs::remove_dir_all(place.data()).unwrap();

    let told = place.run(&["restore", "copy.zip"]).ok();
    assert!(told.contains("Everybody signs in again"), "{told}");
    assert_eq!(fs::read(place.data().join(BLOB)).unwrap(), vec![0xFF; 70_000]);
    assert!(!place.data().join("blobs/spool").exists());
    assert!(place.run(&["doctor"]).ok().contains("ok    integrity"));

    let daemon = place.serve();
    assert_eq!(daemon.setup_code(), None);
    let old = daemon.client().with_token(ana.token().clone());
    let refused = old.communities().await.unwrap_err();
    assert!(
        matches!(&refused, ClientError::Problem { problem, .. } if problem.status == 401),
        "{refused:?}"
    );
    let client = ana.log_in(daemon.client()).await;
    assert_eq!(everything(&client).await, before);
    assert!(begins_anew(&client, cursor).await);
    let hits = client.search("vinegar", &SearchScope::default()).await.unwrap().items;
    assert_eq!(hits.len(), 1);
    say(&client, channel, "on we go").await.unwrap();
    assert_eq!(bodies(&client, channel).await.last().unwrap(), "on we go");
    daemon.stop();
    assert!(place.run(&["doctor"]).ok().contains("ok    integrity"));
}

#[tokio::test]
async fn a_server_that_moves_keeps_its_sessions() {
    let place = Place::new();
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    let cursor = snapshot(ana.client()).await;
    daemon.stop();
    let told = place.run(&["backup", "--json"]).ok();
    let manifest: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&manifest["format"], &manifest["database"]), (&1.into(), &"sqlite".into()));
    let name = fs::read_dir(place.folder()).unwrap().map(|it| it.unwrap().file_name());
    let mut names = name.filter_map(|name| name.into_string().ok());
    let copy = names.find(|name| name.starts_with("tidings-2")).unwrap();
    place.run(&["restore", &copy, "--data", "elsewhere", "--keep-sessions"]).ok();
    let daemon = place.serve_with(|command| {
        command.args(["--data", "elsewhere"]);
    });
    let client = daemon.client().with_token(ana.token().clone());
    assert!(client.communities().await.unwrap().is_empty());
    assert!(begins_anew(&client, cursor).await);
}

#[tokio::test]
async fn files_that_are_kept_elsewhere_are_copied_and_come_back_there() {
    let place = Place::new();
    fs::write(place.folder().join("tidings.toml"), "[blobs]\nurl = \"file:pictures\"\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = tidingsd(place.folder());
        Ran::of(command.args(arguments).args(["--config", "tidings.toml"]).output().unwrap())
    };
    run(&["migrate"]).ok();
    let picture = place.folder().join("pictures/ab/abcd.0");
    fs::create_dir_all(picture.parent().unwrap()).unwrap();
    fs::write(&picture, "a picture").unwrap();
    run(&["backup", "--out", "copy.zip"]).ok();
    fs::remove_dir_all(place.data()).unwrap();
    let told = run(&["restore", "copy.zip"]).failed(1);
    assert!(told.contains("pictures is not empty"), "{told}");
    fs::remove_dir_all(place.folder().join("pictures")).unwrap();
    run(&["restore", "copy.zip"]).ok();
    assert_eq!(fs::read_to_string(&picture).unwrap(), "a picture");
}

#[test]
fn a_place_that_is_not_empty_is_left_alone() {
    let place = Place::new();
    place.serve().stop();
    place.run(&["backup", "--out", "copy.zip"]).ok();
    let told = place.run(&["backup", "--out", "copy.zip"]).failed(1);
    assert!(told.contains("copy.zip is there already"), "{told}");
    let before = fs::read(place.data().join("tidings.db")).unwrap();
    let told = place.run(&["restore", "copy.zip"]).failed(1);
    assert!(told.contains("is not empty"), "{told}");
    assert_eq!(fs::read(place.data().join("tidings.db")).unwrap(), before);
}

#[test]
fn a_damaged_copy_is_refused_before_anything_is_written() {
    let place = Place::new();
    place.serve().stop();
    fs::create_dir_all(place.data().join("blobs/ab")).unwrap();
    fs::write(place.data().join(BLOB), vec![0xFF; 70_000]).unwrap();
    place.run(&["backup", "--out", "copy.zip"]).ok();
    let good = fs::read(place.folder().join("copy.zip")).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        fs::write(place.folder().join("bad.zip"), bytes).unwrap();
        let ran = place.run(&["restore", "bad.zip", "--data", "new"]);
        if ran.status.success() {
            return false;
        }
        let told = ran.failed(1);
        assert!(told.contains("bad.zip cannot be restored"), "{what}: {told}");
        assert!(!place.folder().join("new").exists(), "{what}");
        true
    };
    for cut in [0, 1, good.len() / 2, good.len() - 1] {
        assert!(refused(&good[..cut], &format!("cut at {cut}")));
    }
    // Dates and attributes of a zip, and what it says twice, do not touch what is in it: where such
    // a byte was hit, everything must come back as it was.
    let rows = |copy: &str| {
        let text = manifest_of(&place.folder().join(copy));
        let parts = text["parts"].as_array().unwrap().iter();
        let same = parts.filter(|part| part["name"] != "tables/settings.ndjson");
        same.map(ToString::to_string).collect::<Vec<_>>()
    };
    let mut caught = 0;
    let step = good.len() / 40;
    for at in (0..good.len()).step_by(step) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        if refused(&bad, &format!("byte {at}")) {
            caught += 1;
            continue;
        }
        place.run(&["backup", "--data", "new", "--out", "again.zip"]).ok();
        assert_eq!(rows("again.zip"), rows("copy.zip"), "byte {at}");
        fs::remove_dir_all(place.folder().join("new")).unwrap();
        fs::remove_file(place.folder().join("again.zip")).unwrap();
    }
    assert!(caught >= 30, "{caught}");
}

fn manifest_of(copy: &Path) -> serde_json::Value {
    let mut zip = zip::ZipArchive::new(fs::File::open(copy).unwrap()).unwrap();
    serde_json::from_reader(zip.by_name("manifest.json").unwrap()).unwrap()
}

#[tokio::test]
async fn a_copy_goes_from_sqlite_to_postgres_and_back() {
    let place = Place::new();
    let url = postgres_database().await;
    let run = |arguments: &[&str]| {
        let mut command = tidingsd(place.folder());
        Ran::of(command.args(arguments).env("TIDINGS__STORAGE__URL", &url).output().unwrap())
    };
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    let channel = general(&ana).await;
    say(ana.client(), channel, "from SQLite").await.unwrap();
    let before = everything(ana.client()).await;
    place.run(&["backup", "--out", "first.zip"]).ok();
    daemon.stop();

    run(&["restore", "first.zip", "--data", "second"]).ok();
    let told = run(&["restore", "first.zip", "--data", "third"]).failed(1);
    assert!(told.contains("the database is not empty"), "{told}");
    assert!(run(&["doctor", "--data", "second"]).ok().contains("ok    integrity"));
    let daemon = place.serve_with(|command| {
        command.args(["--data", "second"]).env("TIDINGS__STORAGE__URL", &url);
    });
    let client = ana.log_in(daemon.client()).await;
    assert_eq!(everything(&client).await, before);
    // A new log gets a number of its own behind those that were put in.
    client.create_community("Other", "other").await.unwrap();
    say(&client, channel, "from PostgreSQL").await.unwrap();
    let before = everything(&client).await;
    run(&["backup", "--data", "second", "--out", "second.zip"]).ok();
    daemon.stop();

    place.run(&["restore", "second.zip", "--data", "fourth"]).ok();
    assert!(place.run(&["doctor", "--data", "fourth"]).ok().contains("ok    integrity"));
    let daemon = place.serve_with(|command| {
        command.args(["--data", "fourth"]);
    });
    let client = ana.log_in(daemon.client()).await;
    assert_eq!(everything(&client).await, before);
}

/// The lines of the guide that begin with `$ tidingsd`, without their comments.
fn commands_of(guide: &str) -> Vec<Vec<String>> {
    let lines = guide.lines().filter_map(|line| line.strip_prefix("$ tidingsd "));
    let words = lines.map(|line| line.split('#').next().unwrap().split_whitespace());
    words.map(|words| words.map(ToOwned::to_owned).collect()).collect()
}

#[test]
fn the_guide_works_at_three_in_the_morning() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/backup.md");
    let commands = commands_of(&fs::read_to_string(guide).unwrap());
    assert!(commands.len() >= 4, "{commands:?}");
    let place = Place::new();
    fs::create_dir_all(place.folder().join("var/lib/tidings")).unwrap();
    fs::create_dir_all(place.folder().join("backups")).unwrap();
    place.run(&["migrate", "--data", "var/lib/tidings"]).ok();
    for command in commands {
        let to_its_place = ["restore", "/var/lib/tidings"];
        if to_its_place.iter().all(|word| command.iter().any(|it| it == word)) {
            // `mv /var/lib/tidings /var/lib/tidings.broken`, as the guide says.
            let old = place.folder().join("var/lib/tidings");
            fs::rename(old, place.folder().join("var/lib/tidings.broken")).unwrap();
        }
        let here = command.iter().map(|word| word.trim_start_matches('/'));
        place.run(&here.collect::<Vec<_>>()).ok();
    }
}
