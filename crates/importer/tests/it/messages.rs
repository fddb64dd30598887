use serde_json::{Value, json};

use crate::export::{Export, said};

#[test]
fn a_message_carries_everything_that_slack_knew_of_it() {
    let outcome = Export::new()
        .day(&json!([said(
            "1517449891.123456",
            "*hi* <@U2>",
            json!({
                "edited": {"user": "U1", "ts": "1517449999.000000"},
                "reactions": [
                    {"name": "tada", "users": ["U2", "U1"], "count": 2},
                    {"name": "+1::skin-tone-3", "users": ["U2"], "count": 1},
                    {"name": "+1", "users": ["U1", "U2"], "count": 2},
                    {"name": "no good", "users": ["U1"], "count": 1},
                    "broken",
                ],
            })
        )]))
        .read();
    let line = serde_json::to_value(outcome.records.last().unwrap()).unwrap();
    assert_eq!(
        line,
        json!({
            "record": "message", "source_id": "slack:T1:C1:1517449891.123456",
            "channel": "slack:T1:C1", "author": "slack:T1:U1", "at": "2018-02-01T01:51:31.123Z",
            "body": "**hi** @{user:slack:T1:U2}", "format": "text", "edited_at": "2018-02-01T01:53:19.000Z",
            "reactions": [
                {"emoji": ":tada:", "users": ["slack:T1:U2", "slack:T1:U1"]},
                {"emoji": ":+1:", "users": ["slack:T1:U2", "slack:T1:U1"]},
            ],
        })
    );
    let report = &outcome.report;
    assert_eq!((report.edits, report.reactions, report.dropped_reactions), (1, 4, 1));
}

#[test]
fn kinds_of_message_are_counted_and_kept() {
    let kind = |n: u32, subtype: &str| {
        said(&format!("1517449891.{n:06}"), subtype, json!({"subtype": subtype}))
    };
    let outcome = Export::new()
        .day(&json!([
            kind(1, "me_message"),
            kind(2, "pinned_item"),
            kind(3, "channel_purpose"),
            kind(4, "message_changed"),
            kind(5, "brand_new"),
            kind(6, "brand_new"),
        ]))
        .read();
    assert_eq!(
        outcome.bodies(),
        ["me_message", "pinned_item", "channel_purpose", "brand_new", "brand_new"]
    );
    assert_eq!(outcome.messages()[0].format, "me");
    let report = &outcome.report;
    assert_eq!(
        (report.me_messages, report.pins, report.notices, report.skipped_events, report.messages),
        (1, 1, 1, 1, 5)
    );
    assert_eq!(report.unknown_subtypes.get("brand_new"), Some(&2));
}

#[test]
fn entries_are_ordered_by_time_within_a_day_and_across_neighbors() {
    let outcome = Export::new()
        .day(&json!([
            said("1517449893.000001", "3", json!({})),
            said("1517449891.000001", "1", json!({})),
            said("1517449895.000001", "5", json!({})),
        ]))
        .file("ops/2018-02-02.json", &json!([said("1517449894.000001", "4", json!({}))]))
        .file("ops/2018-02-03.json", &json!([said("1517449896.000001", "6", json!({}))]))
        .file("ops/2018-02-04.json", &json!([said("1517449892.000001", "2", json!({}))]))
        .read();
    // Beyond the neighboring day an entry stays where the export has it.
    assert_eq!(outcome.bodies(), ["1", "3", "4", "5", "2", "6"]);
    assert_eq!(outcome.report.out_of_order, 1);
}

#[test]
fn a_message_that_is_too_long_is_cut_into_several() {
    let text = format!("{}\n```{}```", "word ".repeat(2_000), "(code)\n".repeat(5_000));
    let outcome = Export::new()
        .day(&json!([
            said("1517449891.000001", "root", json!({})),
            said("1517449891.000002", &text, json!({"thread_ts": "1517449891.000001", "reactions": [{"name": "x", "users": ["U1"]}]})),
        ]))
        .read();
    let parts = &outcome.messages()[1..];
    assert_eq!(parts.len(), 3);
    assert!(parts.iter().all(|it| it.body.chars().count() <= 16_000));
    assert!(parts.iter().all(|it| it.thread.as_ref() == Some(&outcome.messages()[0].source_id)));
    let ids: Vec<_> = parts.iter().map(|it| it.source_id.as_str()).collect();
    let id = "slack:T1:C1:1517449891.000002";
    assert_eq!(ids, [id, &format!("{id}:part-2"), &format!("{id}:part-3")]);
    let reactions: Vec<_> = parts.iter().map(|it| it.reactions.len()).collect();
    assert_eq!(reactions, [1, 0, 0]);
    assert!(parts[0].body.ends_with("\n```") && parts[1].body.starts_with("```\n(code)"));
    let code: usize = parts.iter().map(|it| it.body.matches("(code)").count()).sum();
    assert_eq!(code, 5_000);
    let report = &outcome.report;
    assert_eq!((report.messages, report.split_messages, report.split_parts), (2, 1, 2));
}

#[test]
fn a_second_reading_gives_the_same_lines() {
    let export = Export::new().day(&json!([
        said("1517449891.000001", "a", json!({"user": "U77"})),
        said(
            "1517449891.000002",
            "b",
            json!({"user": null, "bot_id": "B5", "reactions": [{"name": "x", "users": ["U78"]}]})
        ),
    ]));
    let lines = |export: &Export| -> Vec<Value> {
        export.read().records.iter().map(|it| serde_json::to_value(it).unwrap()).collect()
    };
    assert_eq!(lines(&export), lines(&export));
}
