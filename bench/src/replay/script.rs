//! From events to what the authors do, one lane of steps for each channel.

use std::collections::{BTreeMap, BTreeSet};

use super::slack::Message;

/// What an author does in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// Joins.
    Join,
    /// Leaves.
    Leave,
    /// Says something under its Slack time, which is its client id.
    Send {
        /// The message's time.
        ts: String,
        /// What is said.
        body: String,
        /// The time of the thread's root.
        root: Option<String>,
        /// Whether the reply is shown in the channel too.
        broadcast: bool,
    },
    /// Changes what was said.
    Edit {
        /// The message's time.
        ts: String,
        /// What is said now.
        body: String,
    },
    /// Takes back what was said.
    Delete {
        /// The message's time.
        ts: String,
    },
    /// Sets the topic (done by the community's owner, who may).
    Topic {
        /// The new one.
        text: String,
    },
}

/// One step of a lane.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// When it happened, in seconds of Slack's clock.
    pub(super) at: f64,
    /// The username of who does it.
    pub(super) author: String,
    pub(super) deed: Deed,
}

/// Everything that is to happen.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// Steps by Slack's channel id, in order.
    pub(super) lanes: BTreeMap<String, Vec<Step>>,
    /// Usernames of all authors.
    pub(super) authors: BTreeSet<String>,
    /// How many events of each kind there were, and what became of them.
    pub(super) kinds: BTreeMap<String, usize>,
    /// Messages that were first heard of when they were changed: they stand where that happened.
    pub(super) late: BTreeSet<(String, String)>,
    /// Replies whose root was not known when they came: they are top-level.
    pub(super) rootless: BTreeSet<(String, String)>,
}

/// What is known of a message while the script is written.
struct Known {
    author: String,
    body: String,
    deleted: bool,
}

/// Writes the script of `events`.
pub(super) fn write(events: &[Message]) -> Script {
    // A reply becomes a broadcast by a later event, but can only be sent as one.
    let broadcasts: BTreeSet<(&str, &str)> = events
        .iter()
        .filter_map(|event| {
            let message = event.subject.as_ref()?;
            let broadcast = message.subtype.as_deref() == Some("thread_broadcast");
            broadcast.then_some((event.channel.as_str(), message.ts.as_str()))
        })
        .collect();
    let mut writer = Writer { script: Script::default(), known: BTreeMap::new(), broadcasts };
    for event in events {
        writer.take(event);
    }
    writer.script
}

struct Writer<'a> {
    script: Script,
    known: BTreeMap<(String, String), Known>,
    broadcasts: BTreeSet<(&'a str, &'a str)>,
}

impl Writer<'_> {
    fn take(&mut self, event: &Message) {
        let kind = event.subtype.as_deref().unwrap_or("message");
        let outcome = match kind {
            "channel_join" => self.step(event, event.author(), Deed::Join),
            "channel_leave" => self.step(event, event.author(), Deed::Leave),
            "channel_topic" => {
                let text = event.topic.clone().unwrap_or_default();
                self.step(event, event.author(), Deed::Topic { text })
            }
            "message_replied" => "says nothing that the reply does not say",
            "message_changed" => self.change(event),
            "message_deleted" => self.delete(event, event.deleted_ts.clone().unwrap_or_default()),
            _ => self.send(event, event),
        };
        *self.script.kinds.entry(format!("{kind}: {outcome}")).or_default() += 1;
    }

    fn step(&mut self, event: &Message, author: String, deed: Deed) -> &'static str {
        let outcome = match deed {
            Deed::Join => "joins",
            Deed::Leave => "leaves",
            Deed::Send { root: Some(_), .. } => "is sent as a reply",
            Deed::Send { .. } => "is sent",
            Deed::Edit { .. } => "edits",
            Deed::Delete { .. } => "deletes",
            Deed::Topic { .. } => "sets the topic",
        };
        self.script.authors.insert(author.clone());
        let at = event.ts.parse().unwrap_or(0.0);
        let lane = self.script.lanes.entry(event.channel.clone()).or_default();
        lane.push(Step { at, author, deed });
        outcome
    }

    fn send(&mut self, event: &Message, message: &Message) -> &'static str {
        let channel = event.channel.clone();
        let key = (channel.clone(), message.ts.clone());
        let known_root = |root: &&str| {
            let key = (channel.clone(), (*root).to_owned());
            self.known.get(&key).is_some_and(|known| !known.deleted)
        };
        let root = message.root().filter(known_root).map(str::to_owned);
        if message.root().is_some() && root.is_none() {
            self.script.rootless.insert(key.clone());
        }
        let (author, body) = (message.author(), message.body());
        let broadcast =
            root.is_some() && self.broadcasts.contains(&(key.0.as_str(), key.1.as_str()));
        let deed = Deed::Send { ts: message.ts.clone(), body: body.clone(), root, broadcast };
        self.known.insert(key, Known { author: author.clone(), body, deleted: false });
        self.step(event, author, deed)
    }

    fn change(&mut self, event: &Message) -> &'static str {
        let Some(message) = event.subject.as_deref() else { return "names no message" };
        if message.is_tombstone() {
            return self.delete(event, message.ts.clone());
        }
        let key = (event.channel.clone(), message.ts.clone());
        let Some(known) = self.known.get_mut(&key) else {
            self.script.late.insert(key);
            self.send(event, message);
            return "is the first that is heard of the message: it is sent";
        };
        let body = message.body();
        if known.deleted {
            return "changes a message that was deleted";
        }
        if known.body == body {
            return "changes no words";
        }
        known.body.clone_from(&body);
        let author = known.author.clone();
        self.step(event, author, Deed::Edit { ts: message.ts.clone(), body })
    }

    fn delete(&mut self, event: &Message, ts: String) -> &'static str {
        match self.known.get_mut(&(event.channel.clone(), ts.clone())) {
            None => "deletes a message that was never heard of",
            Some(known) if known.deleted => "deletes again",
            Some(known) => {
                known.deleted = true;
                let author = known.author.clone();
                self.step(event, author, Deed::Delete { ts })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(lines: &[&str]) -> Script {
        let events: Vec<Message> =
            lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        write(&events)
    }

    #[test]
    fn an_edit_that_changes_no_words_is_no_edit() {
        let script = script(&[
            r#"{"channel":"C","ts":"1.0","user":"U1","text":"a"}"#,
            r#"{"channel":"C","ts":"2.0","subtype":"message_changed","message":{"ts":"1.0","user":"U1","text":"a"}}"#,
            r#"{"channel":"C","ts":"3.0","subtype":"message_changed","message":{"ts":"1.0","user":"U1","text":"b"}}"#,
        ]);
        let deeds: Vec<&Deed> = script.lanes["C"].iter().map(|step| &step.deed).collect();
        assert_eq!(deeds.len(), 2);
        assert_eq!(*deeds[1], Deed::Edit { ts: "1.0".into(), body: "b".into() });
    }

    #[test]
    fn a_reply_hangs_on_a_root_that_is_known_and_is_a_broadcast_from_the_start() {
        let script = script(&[
            r#"{"channel":"C","ts":"1.0","user":"U1","text":"root"}"#,
            r#"{"channel":"C","ts":"2.0","user":"U2","text":"reply","thread_ts":"1.0"}"#,
            r#"{"channel":"C","ts":"3.0","subtype":"message_changed","message":{"ts":"2.0","user":"U2","text":"reply","subtype":"thread_broadcast","thread_ts":"1.0"}}"#,
            r#"{"channel":"C","ts":"4.0","user":"U2","text":"lost","thread_ts":"0.5"}"#,
        ]);
        let lane = &script.lanes["C"];
        let reply = Deed::Send {
            ts: "2.0".into(),
            body: "reply".into(),
            root: Some("1.0".into()),
            broadcast: true,
        };
        assert_eq!(lane[1].deed, reply);
        assert!(script.rootless.contains(&("C".to_owned(), "4.0".to_owned())));
        assert_eq!(lane.len(), 3);
    }

    #[test]
    fn a_change_of_something_unheard_of_sends_it() {
        let script = script(&[
            r#"{"channel":"C","ts":"9.0","subtype":"message_changed","message":{"ts":"1.0","user":"U1","text":"old"}}"#,
            r#"{"channel":"C","ts":"9.5","subtype":"message_deleted","deleted_ts":"1.0"}"#,
            r#"{"channel":"C","ts":"9.6","subtype":"message_deleted","deleted_ts":"7.0"}"#,
        ]);
        assert_eq!(script.lanes["C"].len(), 2);
        assert!(script.late.contains(&("C".to_owned(), "1.0".to_owned())));
    }
}
