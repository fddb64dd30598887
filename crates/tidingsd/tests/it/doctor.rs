use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use crate::community::{general, say};
use crate::daemon::Place;
use crate::export;

#[tokio::test]
async fn a_healthy_server_has_nothing_to_fear() {
    let place = Place::new();
    let daemon = place.serve();
    place.register(&daemon, "ana", None).await;
    let told = place.run(&["doctor"]).ok();
    assert!(!told.contains("fail "), "{told}");
    assert!(told.contains("ok    reachable"), "{told}");
    assert!(told.contains(&format!("process {}", daemon.pid())), "{told}");
    daemon.stop();
    let told = place.run(&["doctor"]).ok();
    assert!(told.contains("ok    integrity"), "{told}");
    for subject in ["settings", "data", "disk space", "durability", "open files", "clock"] {
        assert!(
            told.lines().any(|line| line.starts_with("ok ") && line.contains(subject)),
            "{told}"
        );
    }
}

#[test]
fn without_data_there_is_nothing_to_look_at() {
    let place = Place::new();
    let ran = place.run(&["doctor"]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(ran.out.contains("fail  data") && ran.out.contains("--data"), "{ran:?}");
}

#[test]
fn a_directory_that_others_can_read_is_a_warning() {
    let place = Place::new();
    place.serve().stop();
    fs::set_permissions(place.data(), fs::Permissions::from_mode(0o755)).unwrap();
    let told = place.run(&["doctor"]).ok();
    assert!(told.contains("warn  data") && told.contains("chmod 700"), "{told}");
}

#[tokio::test]
async fn an_entry_that_was_changed_is_found() {
    let place = Place::new();
    export::write(place.folder(), 400);
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    say(ana.client(), general(&ana).await, "the needle in the log").await.unwrap();
    daemon.stop();
    place.run(&["import", "slack", "export.zip"]).ok();
    let file = place.data().join("tidings.db");
    let mut file = fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    let needle = b"the needle in the log";
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(needle)).collect();
    assert!(!places.is_empty());
    for at in places {
        file.seek(SeekFrom::Start(at.try_into().unwrap())).unwrap();
        file.write_all(b"the noodle in the log").unwrap();
    }
    drop(file);
    let ran = place.run(&["doctor"]);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    assert!(ran.out.contains("fail  integrity") && ran.out.contains("data was changed"), "{ran:?}");
}
