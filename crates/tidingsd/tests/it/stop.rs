use std::io::Write as _;
use std::net::TcpStream;
use std::time::Instant;

use nix::sys::signal::Signal;
use tidings_client::sync::Update;
use tidings_client::{Follow, Transport};

use crate::daemon::{Daemon, Place};

/// A request whose end never comes.
fn half_a_request(daemon: &Daemon) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.url().strip_prefix("http://").unwrap()).unwrap();
    let head = "POST /v1/auth/challenge HTTP/1.1\r\nhost: localhost\r\ncontent-type: \
                application/json\r\ncontent-length: 1000\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the patience is measured in real time")]
async fn followers_do_not_keep_a_server_from_stopping() {
    let place = Place::new();
    let daemon = place.serve();
    let ana = place.register(&daemon, "ana", None).await;
    let mut followers = Vec::new();
    for transport in [Transport::WebSocket, Transport::Sse, Transport::Poll] {
        let mut follow = Follow::start(ana.client().clone(), transport, None);
        while !matches!(follow.next().await.unwrap().unwrap(), Update::Connected) {}
        followers.push(follow);
    }
    let began = Instant::now();
    daemon.stop();
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the patience is measured in real time")]
fn a_request_that_hangs_is_cut_within_ten_seconds() {
    let place = Place::new();
    let daemon = place.serve();
    let _hanging = half_a_request(&daemon);
    let began = Instant::now();
    daemon.stop();
    assert!(began.elapsed().as_secs() <= 11, "{:?}", began.elapsed());
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let place = Place::new();
    let mut daemon = place.serve();
    let _hanging = half_a_request(&daemon);
    daemon.signal(Signal::SIGINT);
    // Signals of one kind merge: the second one counts only after the first was seen.
    while !daemon.log().contains("requests that run are finished") {
        assert!(!daemon.has_ended(), "{}", daemon.log());
        std::thread::yield_now();
    }
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(130));
}
