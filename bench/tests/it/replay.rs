//! A small made-up community, replayed through the public API: three followers, REST and the export
//! agree; and when the export says something else, that is told.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tidings_bench::replay::{Outcome, Setting, Speed, run};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::server;

/// Channels by Slack's id and name; every community has a `general` of its own.
const CHANNELS: [(&str, &str); 3] = [("C1", "general"), ("C2", "boats"), ("C3", "tide-tables")];

/// Messages of each channel, beside the special ones.
const MESSAGES: u32 = 40;

/// What Slack would have told live, and what it would have exported afterwards.
#[derive(Default)]
struct Days {
    events: Vec<Value>,
    export: Vec<Value>,
    clock: u32,
}

impl Days {
    fn tick(&mut self) -> String {
        self.clock += 1;
        format!("17000{:05}.000100", self.clock)
    }

    /// `user` says `text`; returns the time, which is the message's name.
    fn say(&mut self, channel: &str, user: &str, text: &str, root: Option<&str>) -> String {
        let ts = self.tick();
        let mut message =
            json!({ "type": "message", "channel": channel, "user": user, "text": text, "ts": ts });
        if let Some(root) = root {
            message["thread_ts"] = json!(root);
        }
        self.events.push(message.clone());
        self.export.push(message);
        ts
    }

    /// Something that the export does not hold as a message.
    fn tell(&mut self, channel: &str, user: &str, subtype: &str, more: &Value) {
        let ts = self.tick();
        let mut event = json!({
            "type": "message", "subtype": subtype, "channel": channel, "user": user, "ts": ts,
        });
        event.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        self.events.push(event);
    }

    fn edit(&mut self, channel: &str, ts: &str, text: &str) {
        let message = self.export.iter_mut().find(|message| message["ts"] == ts).unwrap();
        message["text"] = json!(text);
        let message = message.clone();
        let user = message["user"].as_str().unwrap().to_owned();
        self.tell(channel, &user, "message_changed", &json!({ "message": message }));
    }

    fn delete(&mut self, channel: &str, ts: &str) {
        self.export.retain(|message| message["ts"] != ts);
        self.tell(channel, "U1", "message_deleted", &json!({ "deleted_ts": ts }));
    }

    /// Deletes a message that has replies.
    fn bury(&mut self, channel: &str, ts: &str) {
        let message = self.export.iter_mut().find(|message| message["ts"] == ts).unwrap();
        *message = json!({
            "type": "message", "subtype": "tombstone", "channel": channel, "user": "USLACKBOT",
            "text": "This message was deleted.", "ts": ts, "thread_ts": ts,
        });
        let message = message.clone();
        self.tell(channel, "U3", "message_changed", &json!({ "message": message }));
    }

    /// Everything that the replay knows, at least once in each channel.
    fn of_a_community() -> Self {
        let mut days = Self::default();
        for (channel, _) in CHANNELS {
            days.tell(channel, "U1", "channel_join", &json!({}));
            days.tell(channel, "U1", "channel_topic", &json!({ "topic": "Low water at noon" }));
            let root = days.say(channel, "U1", "who sails <!here> &amp; <@U2>?", None);
            let reply = days.say(channel, "U2", "me, see <#C2|boats>", Some(&root));
            days.say(channel, "U3", "an answer to something older", Some("1600000000.000001"));
            days.edit(channel, &reply, "me, *tomorrow*");
            let gone = days.say(channel, "U3", "never mind", None);
            days.delete(channel, &gone);
            let answered = days.say(channel, "U3", "buy my boat", None);
            days.say(channel, "U2", "no", Some(&answered));
            days.bury(channel, &answered);
            for number in 0..MESSAGES {
                let user = format!("U{}", number % 4);
                let root = (number % 5 == 0).then_some(root.as_str());
                days.say(channel, &user, &format!("`{number}` < <https://tide.example/>"), root);
            }
            let late = days.say(channel, "U2", "first heard of when it was changed", None);
            days.events.pop();
            days.edit(channel, &late, "first heard of now");
            days.tell(channel, "U3", "channel_leave", &json!({}));
        }
        days
    }

    fn write(&self, folder: &Path) {
        let mut events = File::create(folder.join("events.jsonl")).unwrap();
        for event in &self.events {
            writeln!(events, "{event}").unwrap();
        }
        let mut archive = ZipWriter::new(File::create(folder.join("export.zip")).unwrap());
        let mut file = |name: &str, content: &Value| {
            archive.start_file(name, SimpleFileOptions::default()).unwrap();
            archive.write_all(content.to_string().as_bytes()).unwrap();
        };
        let channels: Vec<Value> =
            CHANNELS.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
        file("channels.json", &json!(channels));
        for (id, name) in CHANNELS {
            let messages: Vec<&Value> =
                self.export.iter().filter(|message| message["channel"] == id).collect();
            file(&format!("{name}/2023-11-14.json"), &json!(messages));
        }
        archive.finish().unwrap();
    }

    fn replay(&self) -> Outcome {
        let folder = TempDir::new_in(server::scratch()).unwrap();
        self.write(folder.path());
        run(&Setting {
            tidingsd: server::tidingsd(),
            scratch: server::scratch(),
            events: folder.path().join("events.jsonl"),
            export: folder.path().join("export.zip"),
            speed: Speed::Max,
            seed: 1,
        })
        .unwrap()
    }
}

#[test]
fn followers_of_all_transports_and_rest_agree_with_the_export() {
    let outcome = Days::of_a_community().replay();
    assert_eq!(outcome.differences, 0, "{}", outcome.report);
    for told in ["first that is heard of the message", "message_changed: deletes", "topic: sets"] {
        assert!(outcome.report.contains(told), "no {told:?} in {}", outcome.report);
    }
}

#[test]
fn export_that_says_something_else_is_told() {
    let mut days = Days::of_a_community();
    days.export[5]["text"] = json!("something else");
    days.export.remove(9);
    let outcome = days.replay();
    assert_eq!(outcome.differences, 2, "{}", outcome.report);
}
