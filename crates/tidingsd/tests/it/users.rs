use std::time::Duration;

use tidings_client::sync::Update;
use tidings_client::{Follow, Transport};
use tidings_wire::Code;

use crate::daemon::Place;

#[tokio::test]
async fn a_disabled_account_is_shut_out_until_it_is_enabled() {
    let place = Place::new();
    let open = |command: &mut std::process::Command| {
        command.args(["--registration", "open"]);
    };
    let daemon = place.serve_with(open);
    let ana = place.register(&daemon, "ana", None).await;
    let bo = place.register(&daemon, "bo", None).await;
    daemon.stop();

    assert_eq!(place.run(&["user", "disable", "@Bo"]).ok(), "bo is disabled\n");
    assert_eq!(place.run(&["user", "disable", "bo"]).ok(), "bo was disabled already\n");
    let listed = place.run(&["user", "list"]).ok();
    assert!(listed.lines().any(|line| line.starts_with("bo ") && line.ends_with("disabled")));
    assert!(listed.lines().any(|line| line.starts_with("ana ") && line.contains("owner")));

    let daemon = place.serve_with(open);
    let refused = daemon
        .client()
        .create_session_with(bo.identity().public(), bo.device().id, &bo.device().secret)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("not valid") || is_unauthorized(&refused), "{refused}");
    let old = daemon.client().with_token(bo.token().clone());
    assert_eq!(old.me().await.unwrap_err().code(), Some(Code::Unauthorized));
    let others = daemon.client().with_token(ana.token().clone());
    others.me().await.unwrap();

    // Beside a server that runs.
    assert_eq!(place.run(&["user", "enable", "bo"]).ok(), "bo is enabled\n");
    bo.log_in(daemon.client()).await.me().await.unwrap();

    // What the operator did is written down, without a name.
    let acts = others.server_audit_page(None, 10).await.unwrap().items;
    let told: Vec<_> = acts.iter().map(|act| (act.action.as_str(), act.actor.is_none())).collect();
    assert_eq!(told, [("user.enable", true), ("user.disable", true)]);
}

fn is_unauthorized(error: &tidings_client::login::LoginError) -> bool {
    matches!(error, tidings_client::login::LoginError::Client(error)
        if error.code() == Some(Code::Unauthorized))
}

#[tokio::test]
async fn a_server_that_runs_notices_within_seconds() {
    let place = Place::new();
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    let mut follow = Follow::start(ana.client().clone(), Transport::WebSocket, None);
    while !matches!(follow.next().await.unwrap().unwrap(), Update::Connected) {}
    place.run(&["user", "disable", "ana"]).ok();
    let noticed = async { while ana.client().me().await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(10), noticed).await.unwrap();
    let error = ana.client().me().await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unauthorized));
    // Open connections are asked at each heartbeat.
    let closed = async {
        loop {
            match follow.next().await {
                Some(Err(error)) => return error,
                Some(Ok(_)) => {}
                None => panic!("a connection that ends says why"),
            }
        }
    };
    let error = tokio::time::timeout(Duration::from_mins(1), closed).await.unwrap();
    assert_eq!(error.code(), Some(Code::Unauthorized), "{error}");
}

#[tokio::test]
async fn accounts_are_listed_for_programs() {
    let place = Place::new();
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    let listed = place.run(&["user", "list", "--json"]).ok();
    let account: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(account["id"], ana.id().to_string());
    assert_eq!((&account["username"], &account["kind"]), (&"ana".into(), &"owner".into()));
    assert_eq!(account["disabled"], false);
}

#[test]
fn an_account_that_is_not_there_is_told() {
    let place = Place::new();
    place.run(&["migrate"]).ok();
    let told = place.run(&["user", "disable", "nobody"]).failed(1);
    assert!(told.contains("there is no account \"nobody\""), "{told}");
    assert!(told.contains("tidingsd user list"), "{told}");
}
