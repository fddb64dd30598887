//! What Slack writes into its files. Everything may be missing or null.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// An element of `users.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub(super) id: Option<String>,
    pub(super) team_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) real_name: Option<String>,
    pub(super) deleted: Option<bool>,
    pub(super) is_bot: Option<bool>,
    pub(super) profile: Option<Profile>,
}

/// What people call themselves; also in messages, as `user_profile`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Profile {
    pub(super) name: Option<String>,
    pub(super) real_name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) bot_id: Option<String>,
}

/// An element of `channels.json`, `groups.json`, `dms.json` or `mpims.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Channel {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) creator: Option<String>,
    pub(super) is_archived: Option<bool>,
    pub(super) members: Option<Vec<String>>,
    pub(super) topic: Option<Described>,
    pub(super) purpose: Option<Described>,
}

/// A topic or a purpose.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Described {
    pub(super) value: Option<String>,
}

/// An element of a day file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) subtype: Option<String>,
    pub(super) ts: Option<String>,
    pub(super) thread_ts: Option<String>,
    pub(super) user: Option<String>,
    pub(super) bot_id: Option<String>,
    pub(super) username: Option<String>,
    pub(super) text: Option<String>,
    pub(super) topic: Option<String>,
    pub(super) edited: Option<Edited>,
    pub(super) comment: Option<Comment>,
    pub(super) reactions: Value,
    pub(super) attachments: Value,
    pub(super) blocks: Value,
    pub(super) file: Value,
    pub(super) files: Value,
}

/// The trace of the last edit.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Edited {
    pub(super) ts: Option<String>,
}

/// What was said about a file, in old exports.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Comment {
    pub(super) user: Option<String>,
    pub(super) comment: Option<String>,
}

/// As little of an element of a day file as the survey needs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Glance {
    pub(super) subtype: Option<String>,
    pub(super) ts: Option<String>,
    pub(super) user: Option<String>,
    pub(super) bot_id: Option<String>,
    pub(super) username: Option<String>,
    pub(super) text: Option<String>,
    pub(super) comment: Option<Comment>,
    pub(super) user_profile: Option<Profile>,
    pub(super) bot_profile: Option<Profile>,
    pub(super) reactions: Value,
}

/// A reaction, taken out of a [`Value`] so that a broken one does not spoil its message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reaction {
    pub(super) name: Option<String>,
    pub(super) users: Option<Vec<String>>,
}

/// The elements of a list, each still as text, so that a broken one does not spoil the others.
pub(super) fn elements(bytes: &[u8]) -> Result<Vec<&RawValue>, serde_json::Error> {
    serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

/// A point in Slack's time: microseconds since 1970. Unique within a channel, so it names an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ts(pub(super) i64);

impl Ts {
    /// Reads `1517449891.000109`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(seconds) || !digits(fraction) || fraction.len() > 6 || seconds.len() > 11 {
            return None;
        }
        let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
        Some(Self(seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)?))
    }

    /// Milliseconds since 1970.
    pub(super) const fn milliseconds(self) -> i64 {
        self.0 / 1_000
    }
}

impl std::fmt::Display for Ts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// What an entry is, by its `subtype`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    Me,
    Bot,
    Broadcast,
    Tombstone,
    Pin,
    Notice,
    Join,
    Leave,
    Topic,
    /// Says that another entry was changed; that entry is in the export as it is now.
    Event,
    Unknown,
}

impl Kind {
    pub(super) fn of(subtype: Option<&str>) -> Self {
        match subtype.unwrap_or_default() {
            ""
            | "file_share"
            | "file_comment"
            | "file_mention"
            | "slackbot_response"
            | "document_mention"
            | "document_comment_root" => Self::Message,
            "me_message" => Self::Me,
            "bot_message" => Self::Bot,
            "thread_broadcast" | "reply_broadcast" => Self::Broadcast,
            "tombstone" => Self::Tombstone,
            "pinned_item" => Self::Pin,
            "channel_join" | "group_join" => Self::Join,
            "channel_leave" | "group_leave" => Self::Leave,
            "channel_topic" | "group_topic" => Self::Topic,
            "message_changed" | "message_deleted" | "message_replied" => Self::Event,
            "unpinned_item"
            | "bot_add"
            | "bot_remove"
            | "bot_enable"
            | "bot_disable"
            | "reminder_add"
            | "channel_purpose"
            | "channel_name"
            | "channel_archive"
            | "channel_unarchive"
            | "channel_convert_to_private"
            | "channel_convert_to_public"
            | "channel_posting_permissions"
            | "channel_canvas_updated"
            | "group_purpose"
            | "group_name"
            | "group_archive"
            | "group_unarchive"
            | "sh_room_created"
            | "huddle_thread"
            | "app_conversation_join" => Self::Notice,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_to_the_microsecond() {
        let ts = Ts::parse("1517449891.000109").unwrap();
        assert_eq!(ts.to_string(), "1517449891.000109");
        assert_eq!(ts.milliseconds(), 1_517_449_891_000);
        assert_eq!(Ts::parse("1.5").unwrap().to_string(), "1.500000");
        for bad in ["", ".", "1.", "x", "-1.0", "1.1234567", "999999999999.0", "1e3"] {
            assert_eq!(Ts::parse(bad), None, "{bad}");
        }
    }
}
