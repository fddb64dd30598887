//! What calls for attention: notifications, what one chose to be told, pins and saved messages.

use serde::{Deserialize, Serialize};
use tidings_domain::{
    self as domain, ChannelId, ChannelNotice, CommunityId, MessageId, NotificationId, Quiet, UserId,
};
use uuid::Uuid;

use crate::message::Message;
use crate::time::Time;

/// One call for attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Notification {
    /// When.
    pub created_at: Time,
    /// Its id; of one about a message, the message's.
    pub id: Uuid,
    /// The message as it stands now; only in lists, and only of what the reader may still read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<Message>>,
    /// Whether one did not want to be disturbed then: to be listed, not to be announced.
    pub quiet: bool,
    /// Whether it has been seen.
    pub read: bool,
    /// What it is about.
    pub source: NotificationSource,
    /// `mention`, `dm`, `thread_reply`, `invite` or `system`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// What a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NotificationSource {
    /// Who did it; nil for the server itself.
    pub actor_id: Uuid,
    /// The channel or DM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<Uuid>,
    /// The community.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<Uuid>,
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Uuid>,
    /// The thread of that message, by its top-level message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
}

impl Notification {
    /// As events and lists carry it, without the message itself.
    pub fn new(from: &domain::Notification, read: bool) -> Self {
        Self {
            created_at: Time(from.created_at),
            id: from.id.0,
            message: None,
            quiet: from.quiet,
            read,
            source: NotificationSource {
                actor_id: from.actor.0,
                channel_id: from.channel_id.map(|id| id.0),
                community_id: from.community_id.map(|id| id.0),
                message_id: from.message_id.map(|id| id.0),
                parent_id: from.parent_id.map(|id| id.0),
            },
            kind: from.kind.as_str().to_owned(),
        }
    }

    /// The rule's view of it; `None` when its type is unknown to this version.
    pub fn into_domain(self) -> Option<domain::Notification> {
        let source = self.source;
        Some(domain::Notification {
            id: NotificationId(self.id),
            kind: self.kind.parse().ok()?,
            community_id: source.community_id.map(CommunityId),
            channel_id: source.channel_id.map(ChannelId),
            message_id: source.message_id.map(MessageId),
            parent_id: source.parent_id.map(MessageId),
            actor: UserId(source.actor_id),
            quiet: self.quiet,
            created_at: self.created_at.0,
        })
    }
}

/// `GET /v1/notifications`: newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Notifications {
    /// The notifications.
    pub items: Vec<Notification>,
    /// What to pass as `before` for older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many there are that have not been seen.
    pub unread: u64,
}

/// The query of `GET /v1/notifications`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NotificationsQuery {
    /// Only those that have not been seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
    /// Only those older than this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Uuid>,
    /// At most so many, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `POST /v1/notifications/read`: those named, and those up to one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReadNotifications {
    /// These, at most 200.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Uuid>,
    /// This one and all before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Uuid>,
}

/// The answer to `POST /v1/notifications/read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UnreadNotifications {
    /// How many are left that have not been seen.
    pub unread: u64,
}

/// `GET` and `PUT /v1/me/attention`: what one chose for all channels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attention {
    /// Do not disturb before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnd_until: Option<Time>,
    /// Whether others are not told that one types.
    #[serde(default)]
    pub hide_typing: bool,
    /// Words and phrases that call like one's own name: at most 50 of at most 64 characters and 5
    /// words each, in any case.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Do not disturb in these hours of each day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
}

/// Hours of each day, by the clock of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuietHours {
    /// From when on, `HH:MM`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub from: String,
    /// Until when, `HH:MM`; when it is before `from`, of the next day.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub to: String,
    /// Minutes by which that clock is ahead of UTC, -840 to 840.
    #[schema(minimum = -840, maximum = 840)]
    #[serde(default)]
    pub utc_offset_min: i16,
}

impl From<&domain::Attention> for Attention {
    fn from(from: &domain::Attention) -> Self {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        Self {
            dnd_until: from.quiet.until.map(Time),
            hide_typing: from.hide_typing,
            keywords: from.keywords.clone(),
            quiet_hours: from.quiet.hours.map(|hours| QuietHours {
                from: clock(hours.from),
                to: clock(hours.to),
                utc_offset_min: hours.utc_offset,
            }),
        }
    }
}

impl Attention {
    /// The rule's view of it; `None` when the hours are no times of day.
    pub fn into_domain(self) -> Option<domain::Attention> {
        let hours = match self.quiet_hours {
            Some(hours) => Some(domain::QuietHours {
                from: minute(&hours.from)?,
                to: minute(&hours.to)?,
                utc_offset: Some(hours.utc_offset_min).filter(|it| (-840..=840).contains(it))?,
            }),
            None => None,
        };
        let until = self.dnd_until.map(|time| time.0);
        let quiet = Quiet { until, hours };
        Some(domain::Attention { keywords: self.keywords, quiet, hide_typing: self.hide_typing })
    }
}

/// The minute of the day of `HH:MM`.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, end: u16| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|number| digits && *number < end)
    };
    Some(number(hour, 24)? * 60 + number(minute, 60)?)
}

/// `PUT /v1/channels/{id}/notify`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SetNotify {
    /// `all`, `mentions` or `nothing`.
    #[schema(pattern = "^(all|mentions|nothing)$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Mute until then; null takes the mute away.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "given")]
    #[schema(value_type = Option<Time>)]
    pub muted_until: Option<Option<Time>>,
}

/// A field whose null is something else than its absence.
mod given {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::time::Time;

    #[expect(clippy::ref_option, clippy::option_option, reason = "serde calls it like this")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Option<Time>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(serializer)
    }

    #[expect(clippy::option_option, reason = "serde calls it like this")]
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<Time>>, D::Error> {
        Option::deserialize(deserializer).map(Some)
    }
}

/// The answer to `PUT /v1/channels/{id}/notify`, and the data of `notify.updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Notify {
    /// The channel.
    pub channel_id: Uuid,
    /// `all`, `mentions` or `nothing`.
    pub level: String,
    /// Muted until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Time>,
}

impl Notify {
    /// What somebody chose for a channel.
    pub fn new(channel: ChannelId, notice: &ChannelNotice) -> Self {
        Self {
            channel_id: channel.0,
            level: notice.level.as_str().to_owned(),
            muted_until: notice.muted_until.map(Time),
        }
    }

    /// The rule's view of it; `None` when the level is unknown to this version.
    pub fn into_domain(self) -> Option<(ChannelId, ChannelNotice)> {
        let level = self.level.parse().ok()?;
        let muted_until = self.muted_until.map(|time| time.0);
        Some((ChannelId(self.channel_id), ChannelNotice { level, muted_until }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_takes_a_mute_away_and_absence_leaves_it() {
        let read = |text| serde_json::from_str::<SetNotify>(text).unwrap().muted_until;
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"muted_until":null}"#), Some(None));
        assert!(matches!(read(r#"{"muted_until":"2026-05-01T00:00:00.000Z"}"#), Some(Some(_))));
    }

    #[test]
    fn hours_are_times_of_day() {
        assert_eq!(minute("22:05"), Some(1325));
        for bad in ["24:00", "1:00", "12:60", "+1:00", "", "12", "12:0x", "12:000"] {
            assert_eq!(minute(bad), None, "{bad}");
        }
    }
}
