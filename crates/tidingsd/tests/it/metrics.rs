use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use tidings_wire::Code;

use crate::daemon::Place;

#[tokio::test]
async fn figures_are_at_the_servers_own_address() {
    let place = Place::new();
    let daemon = place.serve();
    place.register(&daemon, "ana", None).await;
    let figures = String::from_utf8(daemon.client().metrics().await.unwrap()).unwrap();
    assert!(figures.contains("http_requests_total{"), "{figures}");
    assert!(!figures.contains("ana"), "{figures}");
}

#[tokio::test]
async fn figures_have_a_listener_of_their_own_when_they_are_told_to() {
    let place = Place::new();
    // Free a moment ago; the server says so when somebody was faster.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let daemon = place.serve_with(|command| {
        command.env("TIDINGS__METRICS__LISTEN", free.to_string());
    });
    let hidden = daemon.client().metrics().await.unwrap_err();
    assert_eq!(hidden.code(), Some(Code::NotFound));
    let mut stream = TcpStream::connect(free).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("http_requests_total"),
        "{answer}"
    );
}
