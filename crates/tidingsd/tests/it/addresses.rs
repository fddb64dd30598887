use std::net::TcpListener;

use crate::daemon::Place;

#[test]
fn a_taken_address_is_told_with_what_to_do() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = place.run(&["serve", "--listen", &address]).failed(3);
    assert!(told.contains(&format!("cannot listen on {address}")), "{told}");
    assert!(told.contains("--listen"), "{told}");
}

#[test]
fn an_address_that_is_none_is_a_wrong_flag() {
    let told = Place::new().run(&["serve", "--listen", "8420"]).failed(2);
    assert!(told.contains("127.0.0.1:8420"), "{told}");
    let told = Place::new().run(&["serve", "--public-url", "chat.example.org"]).failed(2);
    assert!(told.contains("https://chat.example.org"), "{told}");
}

#[tokio::test]
async fn the_public_address_is_what_people_are_told() {
    let place = Place::new();
    let daemon = place.serve_with(|command| {
        command.args(["--public-url", "https://chat.example.org/"]);
    });
    assert_eq!(daemon.url(), "https://chat.example.org");
    assert!(daemon.log().contains("127.0.0.1"));
}
