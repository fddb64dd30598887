use std::fs;

use crate::daemon::Place;

#[test]
fn one_process_uses_a_data_directory() {
    let place = Place::new();
    let daemon = place.serve();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["rebuild"], &["migrate"]] {
        let told = place.run(command).failed(3);
        assert!(told.contains(&format!("process {} is using", daemon.pid())), "{told}");
    }
    daemon.stop();
    place.run(&["rebuild"]).ok();
}

#[test]
fn a_killed_process_leaves_the_directory_free() {
    let place = Place::new();
    place.serve().kill();
    place.serve().stop();
}

#[test]
fn a_server_that_was_stopped_leaves_one_file_to_copy() {
    let place = Place::new();
    place.serve().stop();
    let log = place.data().join("tidings.db-wal");
    assert!(fs::metadata(log).map_or(0, |metadata| metadata.len()) == 0);
    fs::create_dir(place.folder().join("copy")).unwrap();
    let copy = place.folder().join("copy/tidings.db");
    fs::copy(place.data().join("tidings.db"), copy).unwrap();
    let told = place.run(&["doctor", "--data", "copy"]).ok();
    assert!(told.contains("ok    integrity"), "{told}");
}

#[test]
fn two_servers_live_beside_each_other() {
    let place = Place::new();
    let one = place.serve();
    let two = place.serve_with(|command| {
        command.args(["--data", "other"]);
    });
    assert_ne!(one.url(), two.url());
    assert_ne!(one.setup_code(), two.setup_code());
    two.stop();
    one.stop();
}

#[test]
fn a_directory_that_cannot_be_made_is_told() {
    let place = Place::new();
    fs::write(place.folder().join("file"), "").unwrap();
    let told = place.run(&["serve", "--data", "file/data"]).failed(1);
    assert!(told.contains("cannot make the data directory file/data"), "{told}");
    assert!(told.contains("--data"), "{told}");
}

#[test]
fn tools_do_not_make_what_they_should_find() {
    let place = Place::new();
    for command in [&["rebuild"][..], &["user", "list"], &["user", "disable", "ana"]] {
        let told = place.run(command).failed(1);
        assert!(told.contains("there is no database at"), "{told}");
    }
    assert!(!place.data().join("tidings.db").exists());
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let place = Place::new();
    fs::create_dir(place.data()).unwrap();
    fs::write(place.data().join("tidings.db"), "this is not a database, but long enough").unwrap();
    let told = place.run(&["serve", "--listen", "127.0.0.1:0"]).failed(1);
    assert!(told.contains("cannot open the database"), "{told}");
    assert!(told.contains("tidingsd doctor"), "{told}");
}

#[test]
fn migrate_makes_an_empty_database() {
    let place = Place::new();
    let told = place.run(&["migrate"]).ok();
    assert!(told.contains("0 accounts"), "{told}");
    assert!(place.data().join("tidings.db").is_file());
}
