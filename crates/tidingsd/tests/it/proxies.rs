//! Whose address limits count behind a proxy.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::daemon::{Daemon, Place};

/// The status of a wrong invite code, of which an address may try one a minute here.
fn guess(daemon: &Daemon, forwarded: &str) -> u16 {
    let address = daemon.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /v1/invites/guess HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         x-forwarded-for: {forwarded}\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn serve(place: &Place, trusted: Option<&str>) -> Daemon {
    place.serve_with(|command| {
        command.env("TIDINGS__LIMITS__ENABLED", "true").env("TIDINGS__LIMITS__FAILURES", "1");
        if let Some(trusted) = trusted {
            command.env("TIDINGS__SERVER__TRUSTED_PROXIES", trusted);
        }
    })
}

#[test]
fn without_the_setting_everybody_is_who_dialed() {
    let place = Place::new();
    let daemon = serve(&place, None);
    assert_eq!(guess(&daemon, "192.0.2.1"), 404);
    assert_eq!(guess(&daemon, "192.0.2.2"), 429);
    daemon.stop();
}

#[test]
fn behind_a_trusted_proxy_each_client_has_its_own_limit() {
    let place = Place::new();
    let daemon = serve(&place, Some("[\"127.0.0.1\", \"10.0.0.0/8\"]"));
    assert_eq!(guess(&daemon, "192.0.2.1"), 404);
    assert_eq!(guess(&daemon, "192.0.2.2"), 404);
    assert_eq!(guess(&daemon, "192.0.2.1, 10.1.2.3"), 429);
    // Whoever writes the header themselves stays who they are.
    assert_eq!(guess(&daemon, "203.0.113.5, 192.0.2.2"), 429);
    // What is no address is the proxy's.
    assert_eq!(guess(&daemon, "junk"), 404);
    assert_eq!(guess(&daemon, "192.0.2.9, other junk"), 429);
    daemon.stop();
}

#[test]
fn what_is_no_network_is_refused_with_an_example() {
    let place = Place::new();
    std::fs::create_dir_all(place.data()).unwrap();
    let file = place.data().join("tidings.toml");
    std::fs::write(file, "[server]\ntrusted_proxies = [\"10.0.0.0/99\"]\n").unwrap();
    let told = place.run(&["config"]).failed(2);
    assert!(told.contains("10.0.0.0/99") && told.contains("10.0.0.0/8"), "{told}");
}
