//! What calls for a person's attention, and when they do not want to be called.

use std::str::FromStr;

use crate::channel::{ChannelType, words};
use crate::community::UnknownWord;
use crate::id::{ChannelId, CommunityId, MessageId, NotificationId, UserId};
use crate::time::Timestamp;

words!(
    /// Why somebody is told.
    NotificationKind, "mention, dm, thread_reply, invite, system" {
        /// A message names them, everybody in the channel, or one of their keywords.
        Mention = "mention",
        /// A message in a DM or group DM.
        Dm = "dm",
        /// A reply in a thread that they follow.
        ThreadReply = "thread_reply",
        /// Somebody took them into a channel.
        Invite = "invite",
        /// Something about their account or place: a role changed, an invite of theirs was used.
        System = "system",
    }
);

words!(
    /// How much of a channel calls for attention.
    NotifyLevel, "all, mentions, nothing" {
        /// Every message.
        All = "all",
        /// What names one, and replies in threads that one follows.
        Mentions = "mentions",
        /// Nothing at all.
        Nothing = "nothing",
    }
);

impl NotifyLevel {
    /// The level of who has chosen none: everything in direct conversations, else mentions.
    pub const fn default_of(channel: ChannelType) -> Self {
        match channel {
            ChannelType::Dm | ChannelType::GroupDm => Self::All,
            ChannelType::Text | ChannelType::Voice => Self::Mentions,
        }
    }
}

/// One call for a person's attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its id; of one about a message, the message's, so that nobody is called twice for one.
    pub id: NotificationId,
    /// Why.
    pub kind: NotificationKind,
    /// The community that it is about.
    pub community_id: Option<CommunityId>,
    /// The channel that it is about.
    pub channel_id: Option<ChannelId>,
    /// The message that it is about.
    pub message_id: Option<MessageId>,
    /// The thread of that message, by its top-level message.
    pub parent_id: Option<MessageId>,
    /// Who did it; nil for the server itself.
    pub actor: UserId,
    /// Whether the person did not want to be disturbed then: to be listed, not to be announced.
    pub quiet: bool,
    /// When.
    pub created_at: Timestamp,
}

/// What a person chose for a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelNotice {
    /// How much of it calls for attention.
    pub level: NotifyLevel,
    /// Until when it is muted.
    pub muted_until: Option<Timestamp>,
}

impl ChannelNotice {
    /// Whether it is muted at a time.
    pub fn muted(&self, now: Timestamp) -> bool {
        self.muted_until.is_some_and(|until| now < until)
    }
}

/// What a person chose for all channels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attention {
    /// Words and phrases that call for attention like one's own name: lower case, single spaces.
    pub keywords: Vec<String>,
    /// When not to disturb.
    pub quiet: Quiet,
    /// Whether others are not told that the person types.
    pub hide_typing: bool,
}

/// When not to disturb.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quiet {
    /// Not before then.
    pub until: Option<Timestamp>,
    /// Not in these hours of each day.
    pub hours: Option<QuietHours>,
}

impl Quiet {
    /// Whether not to disturb at a time.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now < until)
            || self.hours.is_some_and(|hours| hours.holds(now))
    }
}

/// Minutes of a day in a fixed distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// The first quiet minute of the day, 0 to 1439.
    pub from: u16,
    /// The first minute that is not quiet any more, 0 to 1439; before `from` it is of the next day.
    pub to: u16,
    /// Minutes east of UTC, -840 to 840.
    pub utc_offset: i16,
}

impl QuietHours {
    fn holds(self, now: Timestamp) -> bool {
        let minute = (now.0.div_euclid(60_000) + i64::from(self.utc_offset)).rem_euclid(1440);
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }
}

/// Most characters of a keyword.
pub const KEYWORD_MAX: usize = 64;
/// Most keywords of one person.
pub const KEYWORDS_MAX: usize = 50;
/// Most words of a keyword.
pub const KEYWORD_WORDS_MAX: usize = 5;
/// Most pinned messages of a channel.
pub const PINS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_go_over_midnight_and_follow_the_offset() {
        let at = |hour: i64, minute: i64| Timestamp((hour * 60 + minute) * 60_000);
        let night = QuietHours { from: 22 * 60, to: 7 * 60, utc_offset: 120 };
        for (hour, minute, quiet) in
            [(19, 59, false), (20, 0, true), (23, 30, true), (4, 59, true), (5, 0, false)]
        {
            let found = Quiet { until: None, hours: Some(night) }.holds(at(hour, minute));
            assert_eq!(found, quiet, "{hour}:{minute}");
        }
        let noon = QuietHours { from: 720, to: 780, utc_offset: 0 };
        assert!(noon.holds(at(12, 0)) && !noon.holds(at(13, 0)) && !noon.holds(at(11, 59)));
        let until = Quiet { until: Some(at(9, 0)), hours: None };
        assert!(until.holds(at(8, 59)) && !until.holds(at(9, 0)));
    }
}
