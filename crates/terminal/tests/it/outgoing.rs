//! Outgoing webhooks, told to the receiver of the guide.

use std::process::Command;

use crate::world::{Person, Running, Server, text};

/// The guide's receiver, which prints where it is and what it is told.
fn receiver(secret: &str, port: &str) -> (Running, String) {
    let guide = include_str!("../../../../docs/guide/webhooks.md");
    let (_, rest) = guide.split_once("```python\n").expect("a block");
    let (program, _) = rest.split_once("```").expect("its end");
    let mut python = Command::new("python3");
    let receiver =
        Running::start(python.args(["-c", program]).env("SECRET", secret).env("PORT", port));
    let url = receiver.line_with("http://127.0.0.1:");
    (receiver, url.trim().to_owned())
}

#[test]
fn the_guides_receiver_accepts_what_is_signed_and_nothing_else() {
    let server = Server::start_with(&[("TIDINGS__OUTWARD__ALLOW", "[\"127.0.0.1\"]")]);
    let ana = Person::owner(&server, "ana");
    // Found out where it will be; what it knows then is no secret of ours.
    let (other, url) = receiver("whsec_AAAA", "0");
    let secret = ana.ok(&["webhook", "outgoing", "create", &url, "--event", "message.created"]);
    assert!(secret.starts_with("whsec_"), "{secret}");
    let list = ana.json(&["webhook", "outgoing", "list"]);
    let id = list[0]["id"].as_str().expect("an id").to_owned();
    let refused = ana.ok(&["webhook", "outgoing", "test", &id]);
    assert_eq!(refused, "Not accepted: the receiver refused it with 401 Unauthorized.\n");
    drop(other);

    let port = url.trim_end_matches('/').rsplit(':').next().expect("a port");
    let (program, again) = receiver(secret.trim(), port);
    assert_eq!(again, url);
    assert_eq!(ana.ok(&["webhook", "outgoing", "test", &id]), "The receiver accepted it.\n");
    program.line_with("webhook.test");
    ana.ok(&["send", "#general", "hello, program"]);
    assert_eq!(program.line_with("message.created").trim(), "message.created hello, program");
    let told = ana.ok(&["webhook", "outgoing", "deliveries", &id]);
    assert!(told.contains("accepted") && told.contains("401"), "{told}");

    // The old secret is good for a day.
    let new = ana.ok(&["webhook", "outgoing", "rotate", &id]);
    assert_ne!(new, secret);
    ana.ok(&["send", "#general", "still there"]);
    program.line_with("still there");
    ana.ok(&["webhook", "outgoing", "change", &id, "--off", "--name", "quiet"]);
    let list = ana.ok(&["webhook", "outgoing", "list"]);
    assert!(list.contains("quiet") && list.contains("off: An admin"), "{list}");
    ana.ok(&["webhook", "outgoing", "change", &id, "--on", "--event", "message.created"]);
    let output = ana.run(&["webhook", "outgoing", "change", &id]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    ana.ok(&["webhook", "outgoing", "revoke", &id]);
    assert_eq!(ana.json(&["webhook", "outgoing", "list"]).len(), 0);
    let told = ana.fails(1, &["webhook", "outgoing", "create", "http://10.0.0.1/"]);
    assert!(told.contains("not on the public Internet"), "{told}");
    let args = ["webhook", "outgoing", "create", &url, "--channel", "#general", "--name", "room"];
    ana.ok(&args);
    assert_eq!(ana.json(&["webhook", "outgoing", "list", "--channel", "#general"]).len(), 1);
}
