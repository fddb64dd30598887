//! Slack's blocks, turned into Markdown: section, header, context, divider, image and rich text.
//! Buttons and inputs do nothing in an archive and are left out.

use serde_json::Value;

use crate::attachments::{quote, text};
use crate::mrkdwn::{Names, code_span, escape, link, to_markdown as mrkdwn};

/// Renders an array of blocks; empty when there is nothing to show.
pub fn to_markdown(blocks: &Value, names: &dyn Names) -> String {
    let rendered: Vec<String> =
        items(blocks).iter().map(|it| block(it, names)).filter(|it| !it.is_empty()).collect();
    rendered.join("\n\n")
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn children<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).map(items).unwrap_or_default()
}

fn block(block: &Value, names: &dyn Names) -> String {
    match text(block, "type").unwrap_or_default() {
        "section" => {
            let mut lines = Vec::new();
            lines.extend(object(block.get("text"), names));
            lines.extend(children(block, "fields").iter().filter_map(|it| object(Some(it), names)));
            lines.extend(block.get("accessory").and_then(image));
            lines.join("\n")
        }
        "header" => {
            object(block.get("text"), names).map(|it| format!("**{it}**")).unwrap_or_default()
        }
        "context" => {
            let parts: Vec<String> = children(block, "elements")
                .iter()
                .filter_map(|it| image(it).or_else(|| object(Some(it), names)))
                .collect();
            parts.join(" ")
        }
        "divider" => "---".to_owned(),
        "image" => image(block).unwrap_or_default(),
        "video" => match (text_object(block.get("title")), text(block, "title_url")) {
            (Some(title), Some(url)) => link(title, url),
            (Some(title), None) => escape(title),
            (None, url) => url.map(|url| link(url, url)).unwrap_or_default(),
        },
        "rich_text" => {
            let parts: Vec<String> =
                children(block, "elements").iter().map(|it| rich(it, names)).collect();
            let parts: Vec<&str> =
                parts.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
            parts.join("\n")
        }
        _ => String::new(),
    }
}

/// A text object: `mrkdwn` or `plain_text`; some programs send a bare string.
fn object(value: Option<&Value>, names: &dyn Names) -> Option<String> {
    let body = text_object(value)?;
    let plain = value.and_then(|it| text(it, "type")) == Some("plain_text");
    Some(if plain { lines(body, escape) } else { mrkdwn(body, names) })
}

fn text_object(value: Option<&Value>) -> Option<&str> {
    let value = value?;
    value.as_str().filter(|it| !it.trim().is_empty()).or_else(|| text(value, "text"))
}

fn image(value: &Value) -> Option<String> {
    if text(value, "type") != Some("image") {
        return None;
    }
    let url = text(value, "image_url").or_else(|| text(value.get("slack_file")?, "url"))?;
    let label = text_object(value.get("title")).or_else(|| text(value, "alt_text"));
    Some(link(label.unwrap_or("image"), url))
}

fn lines(text: &str, each: impl Fn(&str) -> String) -> String {
    let lines: Vec<String> = text.split('\n').map(each).collect();
    lines.join("\n")
}

fn rich(element: &Value, names: &dyn Names) -> String {
    let inner =
        || -> String { children(element, "elements").iter().map(|it| leaf(it, names)).collect() };
    match text(element, "type").unwrap_or_default() {
        "rich_text_section" => inner(),
        "rich_text_quote" => quote(&inner()),
        "rich_text_preformatted" => {
            let code: String = children(element, "elements")
                .iter()
                .filter_map(|it| text(it, "text").or_else(|| text(it, "url")))
                .collect();
            let fence = "`".repeat(crate::mrkdwn::longest_run(&code, '`').max(2) + 1);
            format!("{fence}\n{}\n{fence}", code.trim_end_matches('\n'))
        }
        "rich_text_list" => {
            let ordered = text(element, "style") == Some("ordered");
            // Slack shows at most eight steps; a number from a stranger decides nothing more.
            let depth = element.get("indent").and_then(Value::as_u64).unwrap_or(0).min(8);
            let indent = "   ".repeat(usize::try_from(depth).unwrap_or(0));
            let marker = if ordered { "1." } else { "-" };
            let rows: Vec<String> = children(element, "elements")
                .iter()
                .map(|it| format!("{indent}{marker} {}", rich(it, names).replace('\n', " ")))
                .collect();
            rows.join("\n")
        }
        _ => String::new(),
    }
}

fn leaf(element: &Value, names: &dyn Names) -> String {
    let id = |key: &str| text(element, key).unwrap_or_default().to_owned();
    match text(element, "type").unwrap_or_default() {
        "text" => {
            // White space alone is a text too.
            let text = element.get("text").and_then(Value::as_str).unwrap_or_default();
            styled(text, element.get("style").unwrap_or(&Value::Null))
        }
        "link" => text(element, "url")
            .map(|url| link(text(element, "text").unwrap_or(url), url))
            .unwrap_or_default(),
        "user" => mrkdwn(&format!("<@{}>", id("user_id")), names),
        "channel" => mrkdwn(&format!("<#{}>", id("channel_id")), names),
        "usergroup" => mrkdwn(&format!("<!subteam^{}>", id("usergroup_id")), names),
        "broadcast" => mrkdwn(&format!("<!{}>", id("range")), names),
        "emoji" => text(element, "name").map(|name| format!(":{name}:")).unwrap_or_default(),
        "date" => text(element, "fallback").map(escape).unwrap_or_default(),
        "color" => text(element, "value").map(escape).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Text with marks around what can be seen of it: Markdown marks must touch a letter.
fn styled(text: &str, style: &Value) -> String {
    let on = |key: &str| style.get(key).and_then(Value::as_bool).unwrap_or(false);
    lines(text, |line| {
        let core = line.trim();
        if core.is_empty() {
            return line.to_owned();
        }
        let start = line.len() - line.trim_start().len();
        let (before, after) = (
            line.get(..start).unwrap_or_default(),
            line.get(start + core.len()..).unwrap_or_default(),
        );
        let mut out = if on("code") { code_span(core) } else { escape(core) };
        for (key, mark) in [("strike", "~~"), ("italic", "_"), ("bold", "**")] {
            if on(key) {
                out = format!("{mark}{out}{mark}");
            }
        }
        format!("{before}{out}{after}")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mrkdwn::NoNames;

    #[track_caller]
    fn check(blocks: &Value, markdown: &str) {
        assert_eq!(to_markdown(blocks, &NoNames), markdown, "{blocks}");
    }

    #[test]
    fn blocks_follow_each_other() {
        check(
            &json!([
                {"type": "header", "text": {"type": "plain_text", "text": "Down *now*"}},
                {"type": "section", "text": {"type": "mrkdwn", "text": "*x* <https://a|b>"},
                 "fields": [{"type": "mrkdwn", "text": "*f:* 1"}, null],
                 "accessory": {"type": "image", "image_url": "https://i", "alt_text": "pic"}},
                {"type": "divider"},
                {"type": "context", "elements": [{"type": "plain_text", "text": "by"}, {"type": "mrkdwn", "text": "_me_"}]},
                {"type": "image", "image_url": "https://i", "title": {"type": "plain_text", "text": "T"}, "alt_text": "a"},
                {"type": "actions", "elements": [{"type": "button"}]},
            ]),
            "**Down \\*now\\***\n\n**x** [b](https://a)\n**f:** 1\n[pic](https://i)\n\n---\n\nby _me_\n\n[T](https://i)",
        );
    }

    #[test]
    fn rich_text_keeps_styles_lists_and_code() {
        check(
            &json!([{"type": "rich_text", "elements": [
                {"type": "rich_text_section", "elements": [
                    {"type": "text", "text": "a "}, {"type": "text", "text": " b* ", "style": {"bold": true, "italic": true}},
                    {"type": "user", "user_id": "U1"}, {"type": "text", "text": " "},
                    {"type": "emoji", "name": "wave"}, {"type": "link", "url": "https://x"},
                    {"type": "text", "text": "c`d", "style": {"code": true}}, {"type": "broadcast", "range": "here"}]},
                {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}]},
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x\ny"}]},
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": "q\nr"}]},
            ]}]),
            "a  **_b\\*_** @U1 :wave:[https://x](https://x)``c`d``@here\n   - one\n```\nx\ny\n```\n> q\n> r",
        );
    }

    #[test]
    fn every_field_may_be_null_or_of_another_type() {
        for value in [Value::Null, json!(1), json!({}), json!([null, 7, [], {}])] {
            for kind in ["section", "header", "context", "image", "video", "rich_text", "x"] {
                check(
                    &json!([{"type": kind, "text": value, "elements": value, "fields": value,
                            "title": value, "image_url": value, "accessory": value}]),
                    "",
                );
            }
            check(&value, "");
        }
    }
}
