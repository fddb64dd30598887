//! Slack's legacy attachments, turned into Markdown.
//!
//! Programs fill in what they like and leave the rest out, or `null`, or of another type; whatever
//! is there and readable is shown.

use serde_json::Value;

use crate::blocks;
use crate::mrkdwn::{Names, escape, link, to_markdown as mrkdwn, to_plain};

/// Renders an array of attachments, each as a quote under its pretext; empty when there is nothing
/// to show.
pub fn to_markdown(attachments: &Value, names: &dyn Names) -> String {
    let items = attachments.as_array().map(Vec::as_slice).unwrap_or_default();
    let rendered: Vec<String> =
        items.iter().map(|item| attachment(item, names)).filter(|it| !it.is_empty()).collect();
    rendered.join("\n\n")
}

fn attachment(item: &Value, names: &dyn Names) -> String {
    let mut quoted = Vec::new();
    if let Some(author) = text(item, "author_name").or_else(|| text(item, "service_name")) {
        let url = text(item, "author_link").or_else(|| text(item, "service_url"));
        quoted.push(titled(&to_plain(author, names), url));
    }
    if let Some(title) = text(item, "title") {
        let title = titled(&to_plain(title, names), text(item, "title_link"));
        quoted.push(format!("**{title}**"));
    }
    if let Some(body) = text(item, "text") {
        quoted.push(mrkdwn(body, names));
    }
    quoted.extend(fields(item, names));
    let nested = blocks::to_markdown(item.get("blocks").unwrap_or(&Value::Null), names);
    if !nested.is_empty() {
        quoted.push(nested);
    }
    if let Some(url) = text(item, "image_url") {
        quoted.push(link("image", url));
    }
    if let Some(footer) = text(item, "footer") {
        quoted.push(format!("_{}_", escape(&to_plain(footer, names))));
    }
    let pretext = text(item, "pretext").map(|it| mrkdwn(it, names));
    if quoted.is_empty()
        && pretext.is_none()
        && let Some(fallback) = text(item, "fallback")
    {
        quoted.push(mrkdwn(fallback, names));
    }
    let quote = quote(&quoted.join("\n"));
    match pretext {
        Some(pretext) if quote.is_empty() => pretext,
        Some(pretext) => format!("{pretext}\n{quote}"),
        None => quote,
    }
}

fn fields(item: &Value, names: &dyn Names) -> Vec<String> {
    let items = item.get("fields").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|field| {
            let title = text(field, "title").map(|it| escape(&to_plain(it, names)));
            let value = text(field, "value").map(|it| mrkdwn(it, names));
            match (title, value) {
                (Some(title), Some(value)) => Some(format!("**{title}**: {value}")),
                (Some(title), None) => Some(format!("**{title}**")),
                (None, value) => value,
            }
        })
        .collect()
}

fn titled(title: &str, url: Option<&str>) -> String {
    let title = title.trim();
    match url {
        Some(url) => link(title, &url.replace("&amp;", "&")),
        None => escape(title),
    }
}

/// The string under `key`, when there is one that shows something.
pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).filter(|it| !it.trim().is_empty())
}

/// Puts `> ` before every line.
pub(crate) fn quote(markdown: &str) -> String {
    if markdown.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = markdown
        .lines()
        .map(|line| if line.is_empty() { ">".to_owned() } else { format!("> {line}") })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mrkdwn::NoNames;

    #[track_caller]
    fn check(attachments: &Value, markdown: &str) {
        assert_eq!(to_markdown(attachments, &NoNames), markdown, "{attachments}");
    }

    #[test]
    fn a_full_attachment_is_a_quote_under_its_pretext() {
        check(
            &json!([{
                "pretext": "*build* by <https://x/ana|ana>", "author_name": "CI", "author_link": "https://ci",
                "title": "#93 <fix>", "title_link": "https://x/93?a=1&amp;b=2", "text": "two\nlines &amp; more",
                "fields": [{"title": "State", "value": "`ok`", "short": true}, {"title": "Only"}, null],
                "image_url": "https://x/i.png", "footer": "a_b_", "fallback": "not shown", "color": "good"
            }]),
            "**build** by [ana](https://x/ana)\n\
             > [CI](https://ci)\n\
             > **[#93 \\<fix>](https://x/93?a=1&b=2)**\n\
             > two\n> lines & more\n\
             > **State**: `ok`\n> **Only**\n\
             > [image](https://x/i.png)\n\
             > _a_b\\__",
        );
    }

    #[test]
    fn fallback_shows_only_when_nothing_else_does() {
        check(&json!([{"fallback": "x", "title": null, "text": ""}, {"text": "y"}]), "> x\n\n> y");
        check(&json!([{"pretext": "p", "fallback": "x"}]), "p");
    }

    #[test]
    fn every_field_may_be_null_or_of_another_type() {
        let keys = [
            "pretext",
            "author_name",
            "author_link",
            "title",
            "title_link",
            "text",
            "fields",
            "blocks",
            "image_url",
            "footer",
            "fallback",
            "service_name",
        ];
        for value in [Value::Null, json!(1), json!([]), json!({}), json!([null, 1, "x"])] {
            for key in keys {
                check(&json!([{ key: value }]), "");
            }
            check(&value, "");
        }
    }
}
