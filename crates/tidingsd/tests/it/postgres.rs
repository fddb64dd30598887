use tidings_testkit::postgres_database;

use crate::community::{bodies, everything, general, say};
use crate::daemon::{Place, Ran, tidingsd};
use crate::export;

#[tokio::test]
async fn postgres_holds_a_server_as_sqlite_does() {
    let place = Place::new();
    let url = postgres_database().await;
    let run = |arguments: &[&str]| {
        let mut command = tidingsd(place.folder());
        Ran::of(command.args(arguments).env("TIDINGS__STORAGE__URL", &url).output().unwrap())
    };
    let serve = || {
        place.serve_with(|command| {
            command.env("TIDINGS__STORAGE__URL", &url);
        })
    };
    assert!(run(&["migrate"]).ok().contains("0 accounts"));
    let daemon = serve();
    let ana = place.register(&daemon, "ana", None).await;
    let channel = general(&ana).await;
    say(ana.client(), channel, "hello").await.unwrap();
    daemon.kill();

    export::write(place.folder(), 100);
    let import = ["import", "slack", "export.zip", "--community", "imported"];
    let told = run(&import).ok();
    assert!(told.contains("107  records are new"), "{told}");
    let told = run(&import).ok();
    assert!(told.contains("107  records were there already"), "{told}");

    let daemon = serve();
    assert_eq!(daemon.setup_code(), None);
    let client = ana.log_in(daemon.client()).await;
    assert!(bodies(&client, channel).await.contains(&"hello".to_owned()));
    let before = everything(&client).await;
    assert!(before.iter().any(|line| line.contains("number 99")), "{before:?}");
    daemon.stop();
    run(&["rebuild"]).ok();
    let told = run(&["doctor"]).ok();
    assert!(told.contains("ok    integrity"), "{told}");
    assert!(!place.data().join("tidings.db").exists());

    let daemon = serve();
    let client = ana.log_in(daemon.client()).await;
    assert_eq!(everything(&client).await, before);
}
