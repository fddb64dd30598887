//! One entry of a day file, as a record.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use tidings_domain::message::{Emoji, REACTION_KINDS_MAX};
use tidings_domain::{Format, Timestamp};
use tidings_markup::split::split;
use tidings_wire::import::{self, Record, SourceId};
use tidings_wire::time::Time;

use super::directory::{Directory, NOBODY};
use super::raw::{self, Kind, Ts};
use super::survey::{author, reactions};
use crate::attachments::{self, text};
use crate::report::Report;
use crate::{blocks, mrkdwn};

/// Longest topic, in characters; the rule of channels.
const TOPIC_MAX: usize = 1_000;
/// What stands under a reply whose thread is not there.
const ORPHAN_NOTE: &str = "_(a reply to a message that is not in the import)_";
/// What stands for a message that shows nothing that we can show.
const EMPTY_NOTE: &str = "_(a message without text)_";

/// What has to be remembered while one channel is converted.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) source_id: SourceId,
    /// Messages so far with the root of their threads; a top-level message is its own root.
    roots: HashMap<Ts, Ts>,
    /// Entries so far that are no messages.
    others: HashSet<Ts>,
    /// Roots that have a reply.
    threads: HashSet<Ts>,
}

impl Conversation {
    pub(super) fn new(source_id: SourceId) -> Self {
        Self { source_id, roots: HashMap::new(), others: HashSet::new(), threads: HashSet::new() }
    }

    fn knows(&self, ts: Ts) -> bool {
        self.roots.contains_key(&ts) || self.others.contains(&ts)
    }
}

/// An entry with its place in the export.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) ts: Ts,
    pub(super) index: usize,
    pub(super) message: raw::Message,
}

/// Turns `entry` into the records that it stands for: none for what is passed over, more than one
/// for a message that is too long.
pub(super) fn convert(
    entry: Entry,
    file: &str,
    conversation: &mut Conversation,
    directory: &Directory,
    report: &mut Report,
) -> Vec<Record> {
    let Entry { ts, index, message } = entry;
    let kind = Kind::of(message.subtype.as_deref());
    if kind == Kind::Event {
        report.skipped_events += 1;
        return Vec::new();
    }
    if conversation.knows(ts) {
        report.duplicates += 1;
        report.note(file, Some(index), format!("another entry of the channel has the ts {ts}"));
        return Vec::new();
    }
    let source_id = SourceId(format!("{}:{ts}", conversation.source_id));
    let at = time(ts);
    let by = author(
        message.user.as_deref(),
        message.bot_id.as_deref(),
        message.comment.as_ref().and_then(|it| it.user.as_deref()),
        message.subtype.as_deref(),
        message.text.as_deref(),
        directory,
    );
    // The survey has met everyone who is author of anything.
    let user = directory.user_source(by).cloned().unwrap_or_else(|| directory.source_id(NOBODY));
    let channel = conversation.source_id.clone();
    match kind {
        Kind::Join | Kind::Leave => {
            conversation.others.insert(ts);
            let membership = import::Membership { source_id, channel, user, at };
            if kind == Kind::Join {
                report.joins += 1;
                vec![Record::Join(membership)]
            } else {
                report.leaves += 1;
                vec![Record::Leave(membership)]
            }
        }
        Kind::Topic => {
            conversation.others.insert(ts);
            report.topics += 1;
            let topic = described(message.topic.as_deref(), directory);
            vec![Record::Topic(import::Topic { source_id, channel, user, at, topic })]
        }
        _ => {
            let mut said = import::Message {
                source_id,
                channel,
                author: user,
                at,
                body: body(&message, kind, by, directory, report),
                format: Format::Text.as_str().to_owned(),
                thread: None,
                broadcast: false,
                edited_at: None,
                deleted: kind == Kind::Tombstone,
                reactions: reacted(&message.reactions, directory, report),
            };
            if kind == Kind::Me {
                Format::Me.as_str().clone_into(&mut said.format);
            }
            if let Some(edited) = &message.edited
                && kind != Kind::Tombstone
            {
                report.edits += 1;
                said.edited_at = edited.ts.as_deref().and_then(Ts::parse).map(time);
            }
            count(&message, kind, report);
            place(&mut said, ts, &message, kind, conversation, report);
            parts(&said, report)
        }
    }
}

/// A topic or purpose as Markdown; what is too long is cut.
pub(super) fn described(text: Option<&str>, directory: &Directory) -> String {
    let markdown = mrkdwn::to_markdown(text.unwrap_or_default().trim(), directory);
    if markdown.chars().count() <= TOPIC_MAX {
        return markdown;
    }
    let mut cut: String = markdown.chars().take(TOPIC_MAX - 1).collect();
    // A reference that is cut in two would be neither a name nor text.
    if let Some(open) = cut.rfind("@{").max(cut.rfind("#{"))
        && !cut.get(open..).is_some_and(|tail| tail.contains('}'))
    {
        cut.truncate(open);
    }
    cut.push('…');
    cut
}

fn time(ts: Ts) -> Time {
    Time(Timestamp(ts.milliseconds()))
}

fn count(message: &raw::Message, kind: Kind, report: &mut Report) {
    report.messages += 1;
    match kind {
        Kind::Me => report.me_messages += 1,
        Kind::Tombstone => report.tombstones += 1,
        Kind::Pin => report.pins += 1,
        Kind::Notice => report.notices += 1,
        Kind::Unknown => {
            // The names come from a stranger; a few of them are enough to see what is going on.
            let name: String = message.subtype.iter().flat_map(|it| it.chars()).take(64).collect();
            let known = report.unknown_subtypes.contains_key(&name);
            let name = if known || report.unknown_subtypes.len() < 100 {
                name
            } else {
                "others".to_owned()
            };
            *report.unknown_subtypes.entry(name).or_default() += 1;
        }
        _ => {}
    }
    if kind == Kind::Bot || (message.bot_id.is_some() && message.subtype.is_none()) {
        report.bot_messages += 1;
    }
}

/// Puts a message into its thread.
fn place(
    said: &mut import::Message,
    ts: Ts,
    message: &raw::Message,
    kind: Kind,
    conversation: &mut Conversation,
    report: &mut Report,
) {
    let thread = message.thread_ts.as_deref().and_then(Ts::parse).filter(|root| *root != ts);
    let Some(thread) = thread else {
        conversation.roots.insert(ts, ts);
        return;
    };
    let Some(&root) = conversation.roots.get(&thread) else {
        conversation.roots.insert(ts, ts);
        report.orphan_replies += 1;
        said.body = format!("{}\n\n{ORPHAN_NOTE}", said.body);
        return;
    };
    conversation.roots.insert(ts, root);
    if conversation.threads.insert(root) {
        report.threads += 1;
    }
    report.replies += 1;
    said.thread = Some(SourceId(format!("{}:{root}", conversation.source_id)));
    if kind == Kind::Broadcast {
        said.broadcast = true;
        report.broadcasts += 1;
    }
}

/// Cuts a message that is too long into several of the same time and place.
fn parts(said: &import::Message, report: &mut Report) -> Vec<Record> {
    let bodies = split(&said.body);
    if bodies.len() > 1 {
        report.split_messages += 1;
        report.split_parts += u64::try_from(bodies.len() - 1).unwrap_or_default();
    }
    let mut records = Vec::with_capacity(bodies.len());
    for (index, body) in bodies.into_iter().enumerate() {
        let mut part = import::Message { body, ..said.clone() };
        if index > 0 {
            part.source_id = SourceId(format!("{}:part-{}", said.source_id, index + 1));
            part.reactions = Vec::new();
        }
        records.push(Record::Message(part));
    }
    records
}

fn body(
    message: &raw::Message,
    kind: Kind,
    by: &str,
    directory: &Directory,
    report: &mut Report,
) -> String {
    let slack = message.text.as_deref().map(str::trim_end).filter(|it| !it.is_empty());
    let comment = message.comment.as_ref().and_then(|it| it.comment.as_deref());
    let written = slack.or(comment).map(|it| mrkdwn::to_markdown(it, directory));
    let drawn = blocks::to_markdown(&message.blocks, directory);
    // What people write stands in `text`, and again in blocks. For programs the blocks are the
    // message and `text` is what a notification shows.
    let by_program = kind == Kind::Bot || message.bot_id.is_some();
    let main = match written {
        Some(text) if !by_program || drawn.is_empty() => text,
        _ => drawn,
    };
    let mut body = main;
    if kind == Kind::Bot
        && let Some(name) = message.username.as_deref().filter(|it| !it.trim().is_empty())
        && directory.display_name(by).is_some_and(|known| known != name)
    {
        // One bot may speak for many, as a bridge to another chat does.
        body = format!("**{}**: {body}", mrkdwn::escape(name.trim()));
    }
    for file in files(message) {
        report.files += 1;
        let address = text(file, "permalink");
        if address.is_some_and(|it| slack.is_some_and(|slack| slack.contains(it))) {
            // The text of old exports is itself the reference: "uploaded a file: …".
            continue;
        }
        push_paragraph(&mut body, &file_line(file), "\n");
    }
    push_paragraph(&mut body, &attachments::to_markdown(&message.attachments, directory), "\n\n");
    if body.trim().is_empty() { EMPTY_NOTE.to_owned() } else { body }
}

fn push_paragraph(body: &mut String, more: &str, between: &str) {
    if !more.is_empty() {
        if !body.is_empty() {
            body.push_str(between);
        }
        body.push_str(more);
    }
}

fn files(message: &raw::Message) -> Vec<&Value> {
    let many = message.files.as_array().map(Vec::as_slice).unwrap_or_default();
    let one = std::iter::once(&message.file).filter(|file| file.is_object());
    if many.is_empty() {
        one.collect()
    } else {
        many.iter().filter(|file| file.is_object()).collect()
    }
}

fn file_line(file: &Value) -> String {
    let name = text(file, "title").filter(|it| *it != "Untitled").or_else(|| text(file, "name"));
    let name = name.unwrap_or("a file");
    match text(file, "permalink").or_else(|| text(file, "url_private")) {
        Some(url) => format!("📎 {}", mrkdwn::link(name, url)),
        None => format!("📎 {}", mrkdwn::escape(name)),
    }
}

fn reacted(value: &Value, directory: &Directory, report: &mut Report) -> Vec<import::Reaction> {
    let mut found: Vec<import::Reaction> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for reaction in reactions(value) {
        let name = reaction.name.unwrap_or_default();
        // Slack writes the color of a hand as a second name: `+1::skin-tone-2`.
        let plain = name.split("::").next().unwrap_or_default();
        let emoji = format!(":{plain}:");
        let mut users: Vec<SourceId> = Vec::new();
        for user in reaction.users.unwrap_or_default() {
            users.extend(directory.user_source(&user).cloned());
        }
        let full = places.len() >= REACTION_KINDS_MAX && !places.contains_key(&emoji);
        if emoji.parse::<Emoji>().is_err() || users.is_empty() || full {
            report.dropped_reactions += 1;
            continue;
        }
        let at = *places.entry(emoji.clone()).or_insert(found.len());
        if at == found.len() {
            found.push(import::Reaction { emoji, users: Vec::new() });
        }
        if let Some(reaction) = found.get_mut(at) {
            for user in users {
                if !reaction.users.contains(&user) {
                    reaction.users.push(user);
                    report.reactions += 1;
                }
            }
        }
    }
    found
}
