use std::process::Command;

use tidings_wire::Code;

use crate::community::{bodies, general, say};
use crate::daemon::Place;

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let place = Place::new();
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    let channel = general(&ana).await;
    for number in 0..20 {
        say(ana.client(), channel, &format!("number {number}")).await.unwrap();
    }
    let before = bodies(ana.client(), channel).await;
    daemon.kill();

    let daemon = place.serve();
    let client = ana.log_in(daemon.client()).await;
    let after = bodies(&client, channel).await;
    assert_eq!(after, before);
    assert!(after.ends_with(&["number 18".to_owned(), "number 19".to_owned()]));
    say(&client, channel, "and on").await.unwrap();
    daemon.stop();
    let told = place.run(&["doctor"]);
    assert!(told.out.contains("ok    integrity"), "{told:?}");
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_nothing_else() {
    let place = Place::new();
    // Files may grow to 1 MiB: that is a disk which is full soon.
    let daemon = place.serve_with(|command| {
        let mut limited = Command::new("/bin/sh");
        limited.args(["-c", "ulimit -f 2048; exec \"$0\" \"$@\""]);
        limited.arg(command.get_program()).args(command.get_args());
        limited.env_clear().current_dir(place.folder()).env("TIDINGS__LIMITS__ENABLED", "false");
        *command = limited;
    });
    let ana = place.register(&daemon, "ana", None).await;
    let channel = general(&ana).await;
    let mut acknowledged = bodies(ana.client(), channel).await;
    let refused = loop {
        let body = format!("{} {}", acknowledged.len(), "x".repeat(15_000));
        match say(ana.client(), channel, &body).await {
            Ok(_) => acknowledged.push(body),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 1_000, "the limit was never reached");
    };
    assert_eq!(refused.code(), Some(Code::StorageFull), "{refused}");
    assert_eq!(bodies(ana.client(), channel).await, acknowledged, "reads go on");
    let again = say(ana.client(), channel, &"y".repeat(15_000)).await.unwrap_err();
    assert_eq!(again.code(), Some(Code::StorageFull), "the process lives: {again}");
    daemon.stop();

    // There is room again.
    let daemon = place.serve();
    let client = ana.log_in(daemon.client()).await;
    assert_eq!(bodies(&client, channel).await, acknowledged);
    say(&client, channel, "room again").await.unwrap();
}
