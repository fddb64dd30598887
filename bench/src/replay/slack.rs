//! What Slack wrote: events of its real-time feed and the messages of an export, as far as the
//! replay needs them, and the way from their text to ours.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

/// A message, or an event about one.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Message {
    pub(super) subtype: Option<String>,
    #[serde(default)]
    pub(super) channel: String,
    pub(super) user: Option<String>,
    bot_id: Option<String>,
    #[serde(default)]
    text: Option<String>,
    pub(super) ts: String,
    pub(super) thread_ts: Option<String>,
    /// For events about a message: that message as it is now.
    #[serde(rename = "message")]
    pub(super) subject: Option<Box<Message>>,
    pub(super) deleted_ts: Option<String>,
    pub(super) topic: Option<String>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    file: Option<File>,
}

#[derive(Debug, Clone, Deserialize)]
struct Attachment {
    fallback: Option<String>,
    text: Option<String>,
    pretext: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct File {
    user: Option<String>,
}

/// What is sent for a message that consists of nothing that can be said in words.
const WORDLESS: &str = "(no text)";

impl Message {
    /// The account that writes it: Slack's id of a user or bot in lower case, which is a valid
    /// username.
    pub(super) fn author(&self) -> String {
        let file = || self.file.as_ref().and_then(|file| file.user.as_ref());
        let id = self.user.as_ref().or(self.bot_id.as_ref()).or_else(file);
        id.map_or_else(|| "nobody".to_owned(), |id| id.to_lowercase())
    }

    /// What is said, as it is sent to Tidings: the text, or that of the first attachment.
    pub(super) fn body(&self) -> String {
        let own = self.text.as_deref().unwrap_or_default();
        let attached = self
            .attachments
            .iter()
            .flat_map(|attachment| [&attachment.pretext, &attachment.text, &attachment.fallback]);
        let texts = std::iter::once(own).chain(attached.filter_map(|text| text.as_deref()));
        let mut bodies = texts.map(to_markdown).filter(|body| !body.is_empty());
        bodies.next().unwrap_or_else(|| WORDLESS.to_owned())
    }

    /// The root of its thread, when it is a reply.
    pub(super) fn root(&self) -> Option<&str> {
        self.thread_ts.as_deref().filter(|root| *root != self.ts)
    }

    /// Whether it stands for a message that was deleted and has replies.
    pub(super) fn is_tombstone(&self) -> bool {
        self.subtype.as_deref() == Some("tombstone")
    }

    /// Whether Tidings has an entry of another kind for it, not a message.
    pub(super) fn is_membership_or_topic(&self) -> bool {
        matches!(self.subtype.as_deref(), Some("channel_join" | "channel_leave" | "channel_topic"))
    }
}

/// Slack's markup of references and its three entities as what a person would type in Tidings;
/// white space at the ends goes, as it goes everywhere.
pub(super) fn to_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((inside, behind)) = after.split_once('>') else {
            out.push('<');
            rest = after;
            continue;
        };
        let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
        if let Some(user) = target.strip_prefix('@') {
            out.push('@');
            out.push_str(&user.to_lowercase());
        } else if target.starts_with('#') {
            out.push('#');
            out.push_str(label);
        } else if let Some(special) = target.strip_prefix('!') {
            out.push('@');
            out.push_str(special);
        } else {
            out.push_str(target);
        }
        rest = behind;
    }
    out.push_str(rest);
    let decoded = out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    decoded.replace('\r', "").trim().to_owned()
}

/// The events of a file with one JSON object a line, in order; `.gz` is unpacked.
pub(super) fn read_events(path: &Path) -> anyhow::Result<Vec<Message>> {
    let file = std::fs::File::open(path).with_context(|| format!("open {}", path.display()))?;
    let lines: Box<dyn std::io::BufRead> = if path.extension().is_some_and(|end| end == "gz") {
        Box::new(BufReader::new(flate2::read::GzDecoder::new(file)))
    } else {
        Box::new(BufReader::new(file))
    };
    (1..)
        .zip(lines.lines())
        .map(|(number, line)| {
            serde_json::from_str(&line?).with_context(|| format!("line {number}"))
        })
        .collect()
}

/// A workspace export.
#[derive(Debug, Default)]
pub(super) struct Export {
    /// Names of channels by id.
    pub(super) names: BTreeMap<String, String>,
    /// Messages by channel id and time.
    pub(super) messages: BTreeMap<(String, String), Message>,
}

impl Export {
    /// Whether the message at `ts` was deleted though it had replies.
    pub(super) fn is_tombstone(&self, channel: &str, ts: &str) -> bool {
        let message = self.messages.get(&(channel.to_owned(), ts.to_owned()));
        message.is_some_and(Message::is_tombstone)
    }
}

/// Reads an export: `channels.json` and `<channel>/<day>.json`.
pub(super) fn read_export(path: &Path) -> anyhow::Result<Export> {
    #[derive(Deserialize)]
    struct Channel {
        id: String,
        name: String,
    }
    let file = std::fs::File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut archive = zip::ZipArchive::new(file).context("read the export")?;
    let mut read = |name: &str| -> anyhow::Result<String> {
        let mut text = String::new();
        archive.by_name(name)?.read_to_string(&mut text)?;
        Ok(text)
    };
    let channels: Vec<Channel> = serde_json::from_str(&read("channels.json")?)?;
    let mut export = Export::default();
    let ids: BTreeMap<String, String> =
        channels.iter().map(|channel| (channel.name.clone(), channel.id.clone())).collect();
    export.names = channels.into_iter().map(|channel| (channel.id, channel.name)).collect();
    let files = archive.file_names().map(|name| Ok(name?.into_owned()));
    let files = files.collect::<anyhow::Result<Vec<String>>>()?;
    let days = files.into_iter().filter(|name| {
        let path = Path::new(name);
        path.components().count() == 2 && path.extension().is_some_and(|end| end == "json")
    });
    for day in days {
        let mut text = String::new();
        archive.by_name(&day)?.read_to_string(&mut text)?;
        let (name, _) = day.split_once('/').context("a day outside of any channel")?;
        let Some(id) = ids.get(name) else { bail!("{day} is in no channel of channels.json") };
        let messages: Vec<Message> =
            serde_json::from_str(&text).with_context(|| format!("read {day}"))?;
        for message in messages {
            export.messages.insert((id.clone(), message.ts.clone()), message);
        }
    }
    Ok(export)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_entities_become_what_a_person_would_type() {
        let cases = [
            ("<@U051SS2EU> that's right", "@u051ss2eu that's right"),
            ("<@U051SS2EU|ana> hi", "@u051ss2eu hi"),
            ("see <#C053AK3F9|beginners>", "see #beginners"),
            ("<!here> a &lt; b &amp;&amp; c", "@here a < b && c"),
            ("<https://a.example/x|a.example>", "https://a.example/x"),
            ("a < b", "a < b"),
            (" \r\nspace ", "space"),
        ];
        for (slack, ours) in cases {
            assert_eq!(to_markdown(slack), ours, "{slack}");
        }
    }

    #[test]
    fn a_message_without_words_takes_those_of_its_attachment() {
        let parse = |text: &str| serde_json::from_str::<Message>(text).unwrap();
        let bot = parse(
            r#"{"ts":"1.0","text":"","bot_id":"B0B1","attachments":[{"pretext":"p","text":"t"}]}"#,
        );
        assert_eq!((bot.body().as_str(), bot.author().as_str()), ("p", "b0b1"));
        let empty = parse(r#"{"ts":"1.0","text":" ","file":{"user":"U1"}}"#);
        assert_eq!((empty.body().as_str(), empty.author().as_str()), (WORDLESS, "u1"));
    }
}
