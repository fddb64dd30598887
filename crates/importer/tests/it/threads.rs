use serde_json::json;

use crate::export::{Export, said};

#[test]
fn replies_follow_their_root_across_days() {
    let outcome = Export::new()
        .file(
            "ops/2018-02-02.json",
            &json!([
                said("1517536291.000001", "late", json!({"thread_ts": "1517449891.000001"})),
                said(
                    "1517536291.000002",
                    "both",
                    json!({"thread_ts": "1517449891.000001", "subtype": "thread_broadcast"})
                ),
                said("1517536291.000003", "to a reply", json!({"thread_ts": "1517536291.000001"})),
            ]),
        )
        .day(&json!([said(
            "1517449891.000001",
            "root",
            json!({"thread_ts": "1517449891.000001", "reply_count": 3})
        )]))
        .read();
    let seen: Vec<_> = outcome
        .messages()
        .iter()
        .map(|it| (it.body.as_str(), it.thread.as_ref().map(ToString::to_string), it.broadcast))
        .collect();
    let root = Some("slack:T1:C1:1517449891.000001".to_owned());
    assert_eq!(
        seen,
        [
            ("root", None, false),
            ("late", root.clone(), false),
            ("both", root.clone(), true),
            ("to a reply", root, false),
        ]
    );
    let report = &outcome.report;
    assert_eq!((report.threads, report.replies, report.broadcasts), (1, 3, 1));
}

#[test]
fn a_reply_without_its_root_becomes_top_level_and_says_so() {
    let outcome = Export::new()
        .day(&json!([
            said("1517449891.000001", "", json!({"subtype": "channel_join"})),
            said(
                "1517449891.000002",
                "lost",
                json!({"thread_ts": "1517000000.000001", "subtype": "thread_broadcast"})
            ),
            said("1517449891.000003", "to a join", json!({"thread_ts": "1517449891.000001"})),
        ]))
        .read();
    for (message, text) in outcome.messages().into_iter().zip(["lost", "to a join"]) {
        assert_eq!((&message.thread, message.broadcast), (&None, false));
        let note = "_(a reply to a message that is not in the import)_";
        assert_eq!(message.body, format!("{text}\n\n{note}"));
    }
    assert_eq!((outcome.report.orphan_replies, outcome.report.threads), (2, 0));
}

#[test]
fn a_deleted_root_keeps_its_thread() {
    let outcome = Export::new()
        .day(&json!([
            said("1517449891.000001", "This message was deleted.", json!({
                "subtype": "tombstone", "user": "USLACKBOT", "hidden": true, "thread_ts": "1517449891.000001",
                "edited": {"user": "U1", "ts": "1517449892.000000"}})),
            said("1517449891.000002", "still here", json!({"thread_ts": "1517449891.000001"})),
        ]))
        .read();
    let messages = outcome.messages();
    assert!(messages[0].deleted && !messages[0].body.is_empty());
    assert_eq!(messages[0].edited_at, None);
    assert_eq!(messages[1].thread.as_ref(), Some(&messages[0].source_id));
    assert_eq!((outcome.report.tombstones, outcome.report.messages), (1, 2));
}
