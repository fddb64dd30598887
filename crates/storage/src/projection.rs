//! What entries do to projections: the rules that every store follows.
//!
//! A projection is a pure function of the entries, in order of positions. Where an entry's data
//! has been erased, [`Remains`] stands in for it, so that a rebuild comes to what live writing
//! came to.
//!
//! - **Messages.** `message.created` makes the row. When it counts ([`Remains::counts`]) the log's
//!   `message_count` grows by one, the row keeps that number, and the author's own read marker
//!   moves to it if they are in the channel and it stood before. A reply adds one to its parent's
//!   `reply_count`. `message.edited` replaces the newest version and the mentions.
//! - **Deletion.** `message.deleted` erases data and salt of the message's created and edited
//!   entries; body, reactions and mentions go; id, place, author, time and parent stay. If it
//!   counted, its place joins the channel's tombstones. Its parent's `reply_count` falls by one;
//!   `last_reply_at` is the latest `created_at` of the replies that are not deleted. A deleted
//!   parent keeps its replies and their count. `message_count` never falls.
//! - **Previews.** `message.previewed` replaces the newest version by the same with previews; it is no
//!   edit: `edited_at` stays, and the list of versions passes over it. Its data is erased with the
//!   message's.
//! - **Attachments.** One row for each message and file that it shows, from `message.created` to
//!   `message.deleted`: those that it carries, which edits do not change, and the pictures of its
//!   previews, which `message.previewed` replaces.
//! - **Reactions.** One row for each message, emoji and person. An emoji stands where it stood
//!   when its first reaction came, for as long as anybody holds it; it goes to the end when it
//!   comes again after the last one was taken back.
//! - **Mentions.** Rows for messages that count: one for each named user, and one for everyone
//!   when `@channel` or `@here` is named.
//! - **Channels.** `channel.created`, `.updated` and `.archived` in the conversation's own log
//!   make or replace the row. The same facts in a community's log tell listeners, and change
//!   nothing.
//! - **Members.** `member.joined` in a conversation's log begins a membership and sets the read
//!   marker to that entry; `member.left` ends it, and the marker goes. In a community's log the
//!   same begin and end a membership with a role, which `member.role_changed` replaces, and a
//!   nickname, which is empty at first and which `member.updated` replaces; `member.banned` ends a
//!   membership too. Who is in already does not join again. Of somebody who came and left more
//!   than once only the newest membership is kept.
//! - **Read markers.** `read.updated` in a user's log sets the marker, back too; of somebody who is
//!   not in the channel it sets nothing, and counts nothing.
//! - **Threads.** A marker of a thread says that its user follows it. A reply that was said here
//!   ([`Remains::counts_in_thread`]) moves its author's marker of the thread to itself if it stood
//!   before or was not there, and gives the author of the top-level message a marker at that message
//!   if they have none; both only while they are in the channel. `read.updated` with a thread sets
//!   the marker, back too. Leaving the channel ends its user's markers of threads there. Unread
//!   replies are those that count after the marker, less the deleted ones: the number of the newest
//!   reply, less that of the last one at or before the marker, less the tombstones after it.
//! - **Notifications.** `notification.created` in a user's log makes a row of that user;
//!   `notification.read` there marks ids as seen, whether rows have them or not. A message that counts
//!   and names `@channel` or `@here` makes one row for everybody, a call, which an edit does not change
//!   and a deletion takes away. A user's list has their rows and the calls of others since they joined
//!   from channels that they are in, unless they chose `nothing` there or had muted it then; what there
//!   is a row about is no call. What is about a message is listed while the message is not deleted and
//!   the user has been in its channel since. What somebody did whom the user has blocked is not listed. It is seen when it was marked, or when the message is in
//!   the timeline and at or before the user's marker, or is a reply and at or before their marker of the
//!   thread, or the channel's when they do not follow it.
//! - **Attention.** `notify.updated` and `attention.updated` in a user's log replace what they chose.
//! - **Pins.** `pin.added` pins a message of that log, if it is not deleted; `pin.removed` and deletion
//!   take the pin out.
//! - **Saved.** `message.saved` and `message.unsaved` in a user's log.
//! - **Unread.** `message_count` now, less the number of the last message that counts at or before
//!   the marker, less the tombstones after the marker. Mentions are the rows after the marker that
//!   name the reader or everyone, without the reader's own messages.
//!
//! Three things are refused even without a precondition, as if
//! [`Precondition::MessageLive`](crate::Precondition::MessageLive) had been one: to edit, to preview
//! or to delete a message that is not there or already deleted.

use tidings_domain::message::ReactionCount;
use tidings_domain::{Message, MessageId, Timestamp, UserId};

use crate::message::StoredMessage;

/// What is known of a `message.created` entry after its data has been erased. Stores keep it beside
/// the entry, outside of the hash chain, from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remains {
    /// The message.
    pub message_id: MessageId,
    /// Who wrote it.
    pub author_id: UserId,
    /// The top-level message that it replies to.
    pub parent_id: Option<MessageId>,
    /// Whether a reply was also sent to the channel.
    pub broadcast: bool,
    /// Whether it came from another chat.
    pub imported: bool,
    /// When it was accepted.
    pub created_at: Timestamp,
}

impl Remains {
    /// What will be left of a message.
    pub const fn of(message: &Message) -> Self {
        Self {
            message_id: message.id,
            author_id: message.author.id,
            parent_id: message.parent_id,
            broadcast: message.broadcast,
            imported: message.imported,
            created_at: message.created_at,
        }
    }

    /// Whether the channel's timeline shows it.
    pub const fn in_timeline(&self) -> bool {
        self.parent_id.is_none() || self.broadcast
    }

    /// Whether it counts: it is in the timeline, and was said here. Messages from another chat
    /// count as read for everybody.
    pub const fn counts(&self) -> bool {
        self.in_timeline() && !self.imported
    }

    /// Whether it counts in a thread: it is a reply, and was said here.
    pub const fn counts_in_thread(&self) -> bool {
        self.parent_id.is_some() && !self.imported
    }
}

/// Completes the message of a `message.edited` fact: `edit` keeps its body, HTML, mentions and
/// format, and takes everything that edits do not change from the `newest` version and from what
/// is `kept` beside it.
pub fn complete_edit(edit: &mut Message, newest: Message, kept: &StoredMessage, at: Timestamp) {
    let said = std::mem::replace(edit, newest);
    edit.body = said.body;
    edit.body_html = said.body_html;
    edit.mentions = said.mentions;
    edit.format = said.format;
    edit.seq = kept.seq;
    edit.reactions = kept
        .reactions
        .iter()
        .map(|reaction| ReactionCount { emoji: reaction.emoji.clone(), count: reaction.count })
        .collect();
    edit.pinned = kept.pinned;
    edit.reply_count = kept.reply_count;
    edit.last_reply_at = kept.last_reply_at;
    edit.edited_at = Some(at);
}

/// Completes the message of a `message.previewed` fact: of `found` only the previews count, and
/// everything else is as the `newest` version says.
pub fn complete_previews(found: &mut Message, newest: Message) {
    let previews = std::mem::take(&mut found.previews);
    *found = Message { previews, ..newest };
}
