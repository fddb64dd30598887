use serde_json::json;
use tidings_importer::slack::OpenError;

use crate::export::{Export, channel, person, said};

#[test]
fn a_bad_record_is_reported_and_the_rest_goes_on() {
    let outcome = Export::new()
        .day(&json!([
            said("1517449891.000001", "before", json!({})),
            {"type": "message", "text": "no ts"},
            said("soon", "bad ts", json!({})),
            said("1517449891.000002", "x", json!({"user": 7})),
            "not an object",
            null,
            said("1517449891.000003", "x", json!({"type": "reminder"})),
            said("1517449891.000001", "again", json!({})),
            said("1517449891.000004", "after", json!({})),
        ]))
        .read();
    assert_eq!(outcome.bodies(), ["before", "after"]);
    let report = &outcome.report;
    assert_eq!((report.entries, report.bad_records, report.duplicates), (9, 6, 1));
    let notes = outcome.notes();
    assert_eq!(notes.len(), 7);
    assert_eq!(notes[0], "ops/2018-02-01.json[1]: it has no `ts`");
    assert_eq!(notes[1], "ops/2018-02-01.json[2]: its `ts` is no time: \"soon\"");
    assert!(notes.iter().any(|it| it.contains("it is no message but \"reminder\"")));
    assert!(notes.iter().any(|it| it.contains("has the ts 1517449891.000001")));
}

#[test]
fn a_broken_day_is_reported_and_the_other_days_go_on() {
    let outcome = Export::new()
        .raw("ops/2018-01-31.json", b"[{\"type\": \"message\"")
        .raw("ops/2018-01-30.json", b"{\"ok\": false}")
        .raw("ops/2018-01-29.json", b"[\xff]")
        .raw("ops/2018-01-28.json", b"\xef\xbb\xbf[]")
        .day(&json!([said("1517449891.000001", "fine", json!({}))]))
        .read();
    assert_eq!(outcome.bodies(), ["fine"]);
    assert_eq!((outcome.report.bad_files, outcome.report.bad_records), (3, 0));
    assert!(outcome.notes()[0].starts_with("ops/2018-01-29.json: it is not a list in JSON"));
}

#[test]
fn broken_users_and_channels_are_reported_and_the_others_come_in() {
    let outcome = Export::new()
        .file(
            "users.json",
            &json!([7, {"name": "no id"}, {"id": "U:1"}, person("U1", "ana"), person("U1", "twin")]),
        )
        .file("channels.json", &json!([{"id": "C1", "name": ["x"]}, channel("C2", "dev", &[])]))
        .file("nowhere/2018-02-01.json", &json!([]))
        .read();
    assert_eq!((outcome.report.users, outcome.report.channels), (1, 1));
    assert_eq!((outcome.report.bad_records, outcome.report.bad_files), (5, 1));
    let notes = outcome.notes();
    assert!(notes.iter().any(|it| it.starts_with("users.json[0]: it cannot be read")), "{notes:?}");
    assert!(notes.iter().any(|it| it == "users.json[4]: another one has the id U1"), "{notes:?}");
    assert!(notes.iter().any(|it| it.contains("no list of channels has \"nowhere\"")), "{notes:?}");
}

#[test]
fn what_is_no_export_is_refused_in_words() {
    let message = |export: &Export| export.open().unwrap_err().to_string();
    assert_eq!(
        message(&Export::new().without("users.json")),
        "this is not a Slack export: it has no users.json"
    );
    assert_eq!(
        message(&Export::new().without("channels.json")),
        "this is not a Slack export: it has no channels.json"
    );
    let broken = Export::new().raw("users.json", b"[").open().unwrap_err();
    assert!(matches!(broken, OpenError::Unreadable { .. }), "{broken}");
}

#[test]
fn ids_and_times_that_no_record_can_carry_are_passed_over() {
    let long = "U".repeat(300);
    let outcome = Export::new()
        .file(
            "channels.json",
            &json!([{"id": "C1", "name": "ops", "created": 140_000_000_000_000_i64}]),
        )
        .day(&json!([
            said("1517449891.000001", "by a long id", json!({"user": long})),
            said("1517449891.000002", "by braces", json!({"user": "U1} @{channel"})),
            said(
                "1517449891.000003",
                "liked",
                json!({"reactions": [{"name": "+1", "users": [long]}]})
            ),
        ]))
        .read();
    let authors: Vec<_> = outcome.messages().iter().map(|it| it.author.as_str()).collect();
    assert_eq!(authors, ["slack:T1:unknown", "slack:T1:unknown", "slack:T1:U1"]);
    assert!(outcome.messages().iter().all(|it| it.reactions.is_empty()));
    let channels = outcome.channels();
    assert_eq!(channels[0].created_at.to_string(), "2018-02-01T01:51:31.000Z");
}

#[test]
fn nobody_is_called_like_a_channel() {
    let clash = json!({"user": null, "subtype": "bot_message", "bot_id": "C1"});
    let outcome = Export::new()
        .file("channels.json", &json!([channel("C1", "ops", &["U1"]), channel("U2", "bo", &[])]))
        .day(&json!([said("1517449891.000001", "from a channel", clash)]))
        .read();
    assert_eq!(outcome.messages()[0].author.as_str(), "slack:T1:unknown");
    assert_eq!(outcome.channels().len(), 1);
    assert!(outcome.notes().iter().any(|it| it.contains("somebody has the id U2 too")));
}
