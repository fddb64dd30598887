use serde_json::json;
use tidings_wire::import::Record;

use crate::export::{Export, channel, said};

#[test]
fn private_channels_are_private_and_direct_conversations_are_only_counted() {
    let outcome = Export::new()
        .file("groups.json", &json!([channel("G1", "board", &["U1"])]))
        .file("dms.json", &json!([{"id": "D1", "members": ["U1", "U2"]}]))
        .file("mpims.json", &json!([{"id": "G9", "name": "mpdm-ana--bo--cy-1", "members": []}]))
        .file("board/2018-02-01.json", &json!([said("1517449891.000001", "secret", json!({}))]))
        .file("D1/2018-02-01.json", &json!([said("1517449891.000001", "psst", json!({}))]))
        .file("mpdm-ana--bo--cy-1/2018-02-01.json", &json!([said("1.000001", "a", json!({})), {}]))
        .read();
    let seen: Vec<_> =
        outcome.channels().iter().map(|it| (it.name.as_str(), it.visibility.as_str())).collect();
    assert_eq!(seen, [("ops", "public"), ("board", "private")]);
    assert_eq!(outcome.bodies(), ["secret"]);
    assert_eq!((outcome.report.direct_conversations, outcome.report.direct_messages), (2, 3));
    assert_eq!(outcome.report.bad_records, 0);
}

#[test]
fn no_channel_is_called_general_and_odd_names_are_made_valid() {
    let outcome = Export::new()
        .file(
            "channels.json",
            &json!([
                channel("C1", "general", &[]),
                channel("C2", "Two Words", &[]),
                channel("C3", "two-words", &[]),
                {"id": "C4", "name": null},
            ]),
        )
        .file("general/2018-02-01.json", &json!([said("1517449891.000001", "x", json!({}))]))
        .read();
    let names: Vec<_> = outcome.channels().iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["general-2", "two-words", "two-words-2", "c4"]);
    assert_eq!(outcome.messages()[0].channel.as_str(), "slack:T1:C1");
}

#[test]
fn members_are_those_who_were_there_before_the_export_begins() {
    let moved = |ts: &str, user: &str, kind: &str| json!({"type": "message", "subtype": kind, "ts": ts, "user": user, "text": "<@U> moved"});
    let outcome = Export::new()
        .file("channels.json", &json!([channel("C1", "ops", &["U1", "U2", "U7"])]))
        .day(&json!([
            moved("1517449891.000002", "U2", "channel_join"),
            moved("1517449891.000003", "U3", "channel_leave"),
            moved("1517449891.000004", "U2", "channel_leave"),
            {"type": "message", "subtype": "channel_topic", "user": "U1", "ts": "1517449891.000005",
             "topic": "see <#C1|ops> &amp; <https://x|y>", "text": "set the topic"},
        ]))
        .read();
    let members: Vec<_> = outcome.channels()[0].members.iter().map(ToString::to_string).collect();
    assert_eq!(members, ["slack:T1:U1", "slack:T1:U3"]);
    assert_eq!(outcome.report.unknown_members, 1);
    let kinds: Vec<_> = outcome.records.iter().skip(5).map(Record::kind).collect();
    assert_eq!(kinds, ["join", "leave", "leave", "topic"]);
    let Some(Record::Topic(topic)) = outcome.records.last() else { panic!("{outcome:?}") };
    assert_eq!(topic.topic, "see #{channel:slack:T1:C1} & [y](https://x)");
    assert_eq!((outcome.report.joins, outcome.report.leaves, outcome.report.topics), (1, 2, 1));
    assert_eq!(outcome.report.messages, 0);
}

#[test]
fn a_channel_is_never_younger_than_what_was_said_in_it() {
    let at = |created: i64| {
        let mut ops = channel("C1", "ops", &[]);
        ops["created"] = json!(created);
        ops["creator"] = json!("U404");
        let outcome = Export::new()
            .file("channels.json", &json!([ops]))
            .day(&json!([said("1517449891.000001", "x", json!({}))]))
            .read();
        assert_eq!(outcome.channels()[0].creator, None);
        outcome.channels()[0].created_at.to_string()
    };
    assert_eq!(at(1_400_000_000), "2014-05-13T16:53:20.000Z");
    assert_eq!(at(1_600_000_000), "2018-02-01T01:51:31.000Z");
    assert_eq!(at(0), "2018-02-01T01:51:31.000Z");
}
