//! Slack's incoming webhooks: text, blocks and attachments in mrkdwn.

use serde_json::Value;
use tidings_markup::mrkdwn::{NoNames, escape};
use tidings_markup::{attachments, blocks, mrkdwn};

use super::payload::{is_true, text};
use super::{Post, Refusal};

/// What a payload says. Blocks and attachments are shown; `text` only when they gave nothing, as it
/// is what notifications show then.
///
/// # Errors
/// `no_text` when there is nothing to show.
pub fn post(payload: &Value) -> Result<Post, Refusal> {
    let drawn = [
        blocks::to_markdown(payload.get("blocks").unwrap_or(&Value::Null), &NoNames),
        attachments::to_markdown(payload.get("attachments").unwrap_or(&Value::Null), &NoNames),
    ];
    let plain = payload.get("mrkdwn").and_then(Value::as_bool) == Some(false);
    let said = text(payload, "/text").map(|said| {
        if plain {
            said.lines().map(escape).collect::<Vec<_>>().join("\n")
        } else {
            mrkdwn::to_markdown(said, &NoNames)
        }
    });
    let [blocks, attachments] = drawn;
    // Whoever sends both text and attachments means the text as a heading of them.
    let heading = if blocks.is_empty() { said } else { None };
    let parts = [heading.unwrap_or_default(), blocks, attachments];
    let body = parts.into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>();
    if body.is_empty() {
        return Err(Refusal::NoText);
    }
    let linked = is_true(payload, "/link_names")
        || payload.get("link_names").and_then(Value::as_u64).is_some_and(|number| number > 0);
    Ok(Post {
        body: body.join("\n\n"),
        username: text(payload, "/username").map(str::to_owned),
        // `@channel` is a word to Slack; `<!channel>` rings.
        mentions: linked || rings(payload),
        thread: text(payload, "/thread_ts").map(|ts| format!("ts:{ts}")),
        broadcast: is_true(payload, "/reply_broadcast"),
        ..Post::default()
    })
}

/// Whether some text of the payload has Slack's own form of a mention of everybody.
fn rings(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            ["<!here", "<!channel", "<!everyone"].iter().any(|mark| text.contains(mark))
        }
        Value::Array(items) => items.iter().any(rings),
        Value::Object(fields) => {
            fields.get("type").is_some_and(|kind| kind == "broadcast") || fields.values().any(rings)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(payload: &Value) -> String {
        post(payload).unwrap().body
    }

    #[test]
    fn text_is_mrkdwn_unless_it_says_otherwise() {
        assert_eq!(body(&json!({"text": "*b* <https://x|y> &amp;"})), "**b** [y](https://x) &");
        assert_eq!(body(&json!({"text": "*b*\n_i_", "mrkdwn": false})), "\\*b\\*\n\\_i\\_");
    }

    #[test]
    fn blocks_stand_for_the_text_and_attachments_below_it() {
        let blocks = json!([{"type": "section", "text": {"type": "mrkdwn", "text": "B"}}]);
        let attachments = json!([{"text": "A"}]);
        assert_eq!(body(&json!({"text": "T", "blocks": blocks})), "B");
        assert_eq!(body(&json!({"text": "T", "attachments": attachments})), "T\n\n> A");
        let all = json!({"text": "T", "blocks": blocks, "attachments": attachments});
        assert_eq!(body(&all), "B\n\n> A");
        assert_eq!(body(&json!({"text": "T", "blocks": [], "attachments": [null]})), "T");
    }

    #[test]
    fn nothing_to_show_is_no_text() {
        for empty in [json!({}), json!({"text": null}), json!({"text": " "}), json!({"text": 5})] {
            assert_eq!(post(&empty), Err(Refusal::NoText), "{empty}");
        }
    }

    #[test]
    fn only_slacks_own_form_rings() {
        let rings = |payload: Value| post(&payload).unwrap().mentions;
        assert!(!rings(json!({"text": "@channel look"})));
        assert!(rings(json!({"text": "<!channel> look"})));
        assert!(rings(json!({"text": "@ana look", "link_names": 1})));
        assert!(rings(json!({"text": "@ana look", "link_names": true})));
    }
}
