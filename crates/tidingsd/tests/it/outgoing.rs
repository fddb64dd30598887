//! Outgoing webhooks of real processes: killed between attempts, and two at a time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tidings_client::{Client, OutgoingPlace};
use tidings_domain::{ChannelId, WebhookId};
use tidings_testkit::postgres_database;
use tidings_wire::outgoing::CreateOutgoingWebhook;

use crate::community::{general, say};
use crate::daemon::Place;

/// Longer than any wait of the test; only a broken server lets it pass.
const PATIENCE: Duration = Duration::from_mins(2);

/// Takes one request after the other: its id and body come out, and the next status is its answer.
fn receiver() -> (String, Receiver<(String, String)>, Sender<u16>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (got, requests) = channel();
    let (answer, answers) = channel::<u16>();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            if got.send(read(&stream)).is_err() {
                return;
            }
            let status = answers.try_recv().unwrap_or(204);
            // Whoever was killed meanwhile does not read it.
            let _ = write!(
                &stream,
                "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
        }
    });
    (url, requests, answer)
}

fn read(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("webhook-id: ") {
            value.clone_into(&mut id);
        } else if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    // Of whoever was killed meanwhile there may be less.
    let _ = reader.read_exact(&mut body);
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    (id, event["data"]["body"].as_str().unwrap_or_default().to_owned())
}

async fn webhook(client: &Client, channel: ChannelId, url: &str) -> WebhookId {
    let request = CreateOutgoingWebhook {
        name: "test".to_owned(),
        url: url.to_owned(),
        events: vec!["message.created".to_owned()],
    };
    let place = OutgoingPlace::Channel(channel);
    WebhookId(client.create_outgoing(place, &request).await.unwrap().id)
}

fn environment(command: &mut Command, storage: Option<&str>) {
    command.env("TIDINGS__OUTWARD__ALLOW", "[\"127.0.0.0/8\"]");
    if let Some(url) = storage {
        command.env("TIDINGS__STORAGE__URL", url);
    }
}

async fn survives_a_kill(storage: Option<&str>) {
    let (url, requests, answers) = receiver();
    let place = Place::new();
    let serve = || place.serve_with(|command| environment(command, storage));
    let daemon = serve();
    let ana = place.register(&daemon, "ana", None).await;
    let channel = general(&ana).await;
    let webhook = webhook(ana.client(), channel, &url).await;
    answers.send(500).unwrap();
    answers.send(503).unwrap();
    say(ana.client(), channel, "told at last").await.unwrap();
    let first = requests.recv_timeout(PATIENCE).unwrap();
    assert_eq!(first.1, "told at last");
    // Until the attempt is written down; a server that is killed before makes it again later.
    while ana.client().deliveries(webhook).await.unwrap().is_empty() {}
    daemon.kill();

    let daemon = serve();
    let client = ana.log_in(daemon.client()).await;
    say(&client, channel, "and this").await.unwrap();
    assert_eq!(requests.recv_timeout(PATIENCE).unwrap(), first);
    while client.deliveries(webhook).await.unwrap().len() < 2 {}
    daemon.kill();

    let daemon = serve();
    assert_eq!(requests.recv_timeout(PATIENCE).unwrap(), first);
    let (other, body) = requests.recv_timeout(PATIENCE).unwrap();
    assert_eq!(body, "and this");
    assert_ne!(other, first.0);
    let client = ana.log_in(daemon.client()).await;
    let statuses = async || {
        let deliveries = client.deliveries(webhook).await.unwrap();
        deliveries.iter().map(|it| (it.status, it.attempt)).collect::<Vec<_>>()
    };
    let expected = [(Some(204), 1), (Some(204), 3), (Some(503), 2), (Some(500), 1)];
    while statuses().await.len() < expected.len() {}
    assert_eq!(statuses().await, expected);
    daemon.stop();
}

#[tokio::test]
async fn a_delivery_survives_kills_between_its_attempts() {
    survives_a_kill(None).await;
}

#[tokio::test]
async fn a_delivery_survives_kills_between_its_attempts_on_postgres() {
    let url = postgres_database().await;
    survives_a_kill(Some(&url)).await;
}

#[tokio::test]
async fn two_processes_on_one_postgres_tell_each_event_once_and_in_order() {
    let (url, requests, _answers) = receiver();
    let storage = postgres_database().await;
    let (one, other) = (Place::new(), Place::new());
    let serve = |place: &Place| place.serve_with(|command| environment(command, Some(&storage)));
    let first = serve(&one);
    let ana = one.register(&first, "ana", None).await;
    let channel = general(&ana).await;
    webhook(ana.client(), channel, &url).await;
    let second = serve(&other);
    let client = ana.log_in(second.client()).await;
    let mut said = Vec::new();
    for number in 0..30 {
        let body = format!("number {number}");
        let client = if number % 2 == 0 { ana.client() } else { &client };
        say(client, channel, &body).await.unwrap();
        said.push(body);
    }
    let got: Vec<_> = said.iter().map(|_| requests.recv_timeout(PATIENCE).unwrap()).collect();
    assert_eq!(got.iter().map(|(_, body)| body.clone()).collect::<Vec<_>>(), said);
    first.stop();
    second.stop();
    assert!(requests.try_recv().is_err(), "something was told twice");
}
