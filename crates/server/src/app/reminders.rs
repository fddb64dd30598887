//! Reminders: they come due as a message in the conversation that everybody has with themselves.

use tidings_domain::message::BODY_MAX;
use tidings_domain::{
    Author, Channel, ChannelId, Fact, Format, LogId, Message, MessageId, Seq, Timestamp, UserId,
};
use tidings_storage::reminder::StoredReminder;
use tidings_storage::{Change, ChangeError, Committed, Dedupe, Precondition, Record, StorageError};
use tidings_wire::Time;
use tidings_wire::channel::CreateDm;

use super::App;
use crate::access::Caller;
use crate::auth::token;
use crate::error::ApiError;
use crate::limit::Key;
use crate::render;

/// Most reminders of one person: a list stays one page.
const REMINDERS_MAX: usize = 100;
/// The farthest that one can be reminded, in seconds: five years.
const FARTHEST_S: u64 = 5 * 366 * 24 * 3600;
/// Reminders that come due in one step.
const BATCH: usize = 100;
/// When a reminder that could not be told is tried again, in seconds.
const AGAIN_S: i64 = 60;

/// From [`App::reminders`].
#[derive(Debug, Clone, Copy)]
pub struct Reminders<'a>(pub(super) &'a App);

/// Something that somebody wants to be reminded of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// When.
    pub due_at: Time,
    /// Of what.
    pub text: String,
}

impl Reminders<'_> {
    /// Promises to remind the caller; says when.
    ///
    /// # Errors
    /// `unprocessable` for a time or text beyond the bounds, `conflict` when there are too many.
    pub async fn create(
        &self,
        caller: &Caller,
        seconds: u64,
        text: &str,
    ) -> Result<Time, ApiError> {
        let (app, owner) = (self.0, caller.user_id());
        app.limit(Key::Writes(owner), app.settings().limits.writes)?;
        if seconds > FARTHEST_S {
            return Err(ApiError::field("text", "too_far", "at most five years ahead"));
        }
        let length = text.chars().count();
        if length > BODY_MAX {
            let detail = format!("must be at most {BODY_MAX} characters, not {length}");
            return Err(ApiError::field("text", "too_long", detail));
        }
        if app.store().reminders_of(owner).await?.len() >= REMINDERS_MAX {
            let detail = format!("You have {REMINDERS_MAX} reminders already. Cancel one first.");
            return Err(ApiError::conflict(detail));
        }
        let own = CreateDm { users: vec![owner.0], kind: None };
        let (channel, _) = app.dms().open(caller, &own).await?;
        let due_at = app.now().plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
        let reminder = StoredReminder {
            id: app.new_id(),
            user_id: owner,
            channel_id: ChannelId(channel.id),
            due_at,
            text: text.to_owned(),
        };
        let change = Change {
            preconditions: vec![Precondition::UserActive(owner)],
            records: vec![Record::PutReminder(reminder)],
            ..Change::default()
        };
        app.commit(change).await?;
        app.0.reminded.notify_one();
        Ok(Time(due_at))
    }

    /// What the caller will be reminded of, the next first.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<Reminder>, ApiError> {
        let all = self.0.store().reminders_of(caller.user_id()).await?;
        let shown =
            all.into_iter().map(|row| Reminder { due_at: Time(row.due_at), text: row.text });
        Ok(shown.collect())
    }

    /// Forgets one, by its place in the list, from 1; says what it was about.
    ///
    /// # Errors
    /// `unprocessable` when there are fewer.
    pub async fn cancel(&self, caller: &Caller, number: usize) -> Result<String, ApiError> {
        let app = self.0;
        let all = app.store().reminders_of(caller.user_id()).await?;
        let found = number.checked_sub(1).and_then(|at| all.get(at)).ok_or_else(|| {
            let detail = format!("there is no reminder {number}; /remind list shows them");
            ApiError::field("text", "unknown", detail)
        })?;
        let records = vec![Record::DeleteReminder(found.id)];
        app.commit(Change { records, ..Change::default() }).await?;
        Ok(found.text.clone())
    }

    /// Waits until there is a new reminder since the last wait.
    pub async fn changed(&self) {
        self.0.0.reminded.notified().await;
    }

    /// Tells everybody whose time has come, and says when the next time comes. The message and the
    /// end of the reminder are one change: it is told once, whatever stops the server meanwhile.
    pub async fn deliver(&self) -> Result<Option<Timestamp>, ApiError> {
        let app = self.0;
        loop {
            let due = app.store().due_reminders(app.now(), BATCH).await?;
            if due.is_empty() {
                return Ok(app.store().next_reminder().await?);
            }
            for reminder in &due {
                self.tell(reminder).await?;
            }
        }
    }

    async fn tell(self, reminder: &StoredReminder) -> Result<(), ApiError> {
        let app = self.0;
        let done = Record::DeleteReminder(reminder.id);
        let there = Precondition::ReminderThere(reminder.id);
        let Some(channel) = app.channel(reminder.channel_id).await? else {
            return self.settle(there, done).await;
        };
        let change = Change {
            preconditions: vec![
                there.clone(),
                Precondition::UserActive(reminder.user_id),
                Precondition::InChannel(channel.id, reminder.user_id),
                Precondition::ChannelOpen(channel.id),
            ],
            records: vec![done.clone()],
            ..self.message(reminder, &channel).await?
        };
        match app.commit(change).await {
            Ok(Committed::Appended(_)) => Ok(()),
            // It had been told, but came back with an older copy of the store; or somebody else was
            // faster; or it was canceled; or nobody is left to be told.
            Ok(Committed::Replayed(_)) | Err(ChangeError::Refused(_)) => {
                self.settle(there, done).await
            }
            Err(ChangeError::Storage(
                error @ (StorageError::Unavailable { .. } | StorageError::Full),
            )) => Err(error.into()),
            Err(other) => {
                tracing::warn!(error = %other, "a reminder could not be told");
                let due_at = app.now().plus_seconds(AGAIN_S);
                let again = StoredReminder { due_at, ..reminder.clone() };
                self.settle(there, Record::PutReminder(again)).await
            }
        }
    }

    async fn settle(self, there: Precondition, record: Record) -> Result<(), ApiError> {
        let (preconditions, records) = (vec![there], vec![record]);
        match self.0.commit(Change { preconditions, records, ..Change::default() }).await {
            Ok(_) | Err(ChangeError::Refused(_)) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }

    /// The message, by the server itself, so that it counts as unread.
    async fn message(
        self,
        reminder: &StoredReminder,
        channel: &Channel,
    ) -> Result<Change, ApiError> {
        let (app, now) = (self.0, self.0.now());
        let names = render::Names::default();
        let body = format!("⏰ {}", reminder.text);
        let prepared = render::prepare(&body, &names);
        let client_id = format!("remind-{}", reminder.id);
        let message = Box::new(Message {
            id: MessageId(app.new_id()),
            channel_id: channel.id,
            seq: Seq(0),
            author: Author {
                id: UserId::NIL,
                username: "tidings".to_owned(),
                display_name: "Tidings".to_owned(),
                bot: true,
            },
            parent_id: None,
            broadcast: false,
            format: Format::Text,
            body: prepared.body,
            body_html: prepared.body_html,
            mentions: prepared.mentions,
            attachments: Vec::new(),
            previews: Vec::new(),
            reactions: Vec::new(),
            reply_count: 0,
            last_reply_at: None,
            pinned: false,
            created_at: now,
            edited_at: None,
            deleted: false,
            client_id: Some(client_id.clone()),
            imported: false,
        });
        let log = LogId::Conversation(channel.id);
        let request = token::hash(&client_id);
        let called = app.notifications().of_message(channel, &message).await?;
        let fact = Fact::MessageCreated { message };
        let mut entries = vec![app.entry(log, channel.community_id, UserId::NIL, now, fact)];
        entries.extend(called);
        let dedupe = Some(Dedupe { channel: channel.id, user: UserId::NIL, client_id, request });
        Ok(Change { entries, dedupe, ..Change::default() })
    }
}
