use serde_json::{Value, json};

use crate::export::{Export, said};

#[track_caller]
fn check(text: &str, more: Value, body: &str) {
    let outcome = Export::new().day(&json!([said("1517449891.000001", text, more)])).read();
    assert_eq!(outcome.bodies(), [body]);
}

#[test]
fn files_are_named_once() {
    let file = json!({"name": "plan.pdf", "title": "The [plan]", "permalink": "https://s/f/plan"});
    check("look", json!({"files": [file]}), "look\n📎 [The \\[plan\\]](https://s/f/plan)");
    check("", json!({"file": file}), "📎 [The \\[plan\\]](https://s/f/plan)");
    check(
        "<@U1> uploaded a file: <https://s/f/plan|The plan>",
        json!({"subtype": "file_share", "file": file}),
        "@{user:slack:T1:U1} uploaded a file: [The plan](https://s/f/plan)",
    );
    check("gone", json!({"files": [{"mode": "tombstone", "name": null}]}), "gone\n📎 a file");
}

#[test]
fn attachments_stand_under_the_text() {
    check(
        "see <https://x>",
        json!({"attachments": [{"title": "X", "title_link": "https://x", "text": "by <@U2>"}]}),
        "see https://x\n\n> **[X](https://x)**\n> by @{user:slack:T1:U2}",
    );
}

#[test]
fn blocks_are_the_message_of_a_program_and_a_copy_of_a_persons() {
    let blocks = json!([{"type": "section", "text": {"type": "mrkdwn", "text": "*full*"}}]);
    check("short", json!({"blocks": blocks}), "short");
    check("", json!({"blocks": blocks}), "**full**");
    check("short", json!({"blocks": blocks, "subtype": "bot_message", "bot_id": "B1"}), "**full**");
    check("short", json!({"blocks": [{"type": "actions"}], "bot_id": "B1", "user": null}), "short");
}

#[test]
fn a_message_that_shows_nothing_says_so() {
    check("", json!({"text": null}), "_(a message without text)_");
    check(" \n", json!({"attachments": [null, {}], "files": [3]}), "_(a message without text)_");
}
