//! Notifications: whom a message calls, and what has called somebody.

use std::collections::{HashMap, HashSet};

use tidings_domain::attention::KEYWORD_WORDS_MAX;
use tidings_domain::{
    Channel, Fact, LogId, Mention, Message, Notification, NotificationId, NotificationKind,
    NotifyLevel, UserId,
};
use tidings_storage::attention::StoredNotification;
use tidings_storage::search::words;
use tidings_storage::{Change, NewEntry};
use tidings_wire::attention::{
    Notification as WireNotification, Notifications as WireNotifications, ReadNotifications,
    UnreadNotifications,
};
use uuid::Uuid;

use super::App;
use crate::access::Caller;
use crate::error::ApiError;
use crate::limit::Key;

/// Most people whom one message calls one by one, so that one send costs no more than it may:
/// first those whom it names, then keywords, the others of a DM, and followers of the thread.
/// `@channel` calls any number of people with a single row.
const CALLED_MAX: usize = 200;
/// Most ids of one request.
const IDS_MAX: usize = 200;
/// Most ids that one entry marks as seen, and most entries of one request.
const SEEN_MAX: usize = 500;
const ENTRIES_MAX: usize = 20;

/// From [`App::notifications`].
#[derive(Debug, Clone, Copy)]
pub struct Notifications<'a>(pub(super) &'a App);

impl Notifications<'_> {
    /// The entries that call people to a new message. A message that names nobody, in a channel and
    /// not in a thread, reads nothing for it.
    pub(super) async fn of_message(
        &self,
        channel: &Channel,
        message: &Message,
    ) -> Result<Vec<NewEntry>, ApiError> {
        let app = self.0;
        let mut called: Vec<(UserId, NotificationKind, bool)> = Vec::new();
        for mention in &message.mentions {
            if let Mention::User(user) = mention {
                called.push((*user, NotificationKind::Mention, true));
            }
        }
        let keywords = self.keywords_in(&message.body).await?;
        if !keywords.is_empty() {
            let of = app.store().keyword_listeners(channel.id, &keywords, CALLED_MAX).await?;
            called.extend(of.into_iter().map(|user| (user, NotificationKind::Mention, false)));
        }
        called.extend(channel.dm_users.iter().map(|user| (*user, NotificationKind::Dm, false)));
        if let Some(root) = message.parent_id {
            let followers = app.store().thread_followers(root, CALLED_MAX).await?;
            let reply = |user| (user, NotificationKind::ThreadReply, false);
            called.extend(followers.into_iter().map(reply));
        }
        let mut known = HashSet::new();
        called.retain(|(user, ..)| *user != message.author.id && known.insert(*user));
        called.truncate(CALLED_MAX);
        if called.is_empty() {
            return Ok(Vec::new());
        }
        let users: Vec<_> = called.iter().map(|(user, ..)| *user).collect();
        let speaker = message.author.id;
        let listeners = app.store().listeners(channel.id, speaker, &users).await?;
        let listeners: HashMap<_, _> = listeners.into_iter().map(|it| (it.user, it)).collect();
        let now = message.created_at;
        let mut entries = Vec::new();
        for (user, kind, named) in called {
            let Some(listener) = listeners.get(&user) else { continue };
            let muted = listener.notice.is_some_and(|notice| notice.muted(now));
            let nothing = listener.notice.is_some_and(|it| it.level == NotifyLevel::Nothing);
            if nothing || (muted && !named) {
                continue;
            }
            let notification = Notification {
                id: NotificationId(message.id.0),
                kind,
                community_id: channel.community_id,
                channel_id: Some(channel.id),
                message_id: Some(message.id),
                parent_id: message.parent_id,
                actor: message.author.id,
                quiet: muted || listener.quiet.holds(now),
                created_at: now,
            };
            entries.push(self.entry(user, notification));
        }
        Ok(entries)
    }

    /// The entry that tells somebody of something that is no message: an invite, or what became of
    /// their place here.
    pub(super) async fn about(
        &self,
        user: UserId,
        kind: NotificationKind,
        (community, channel): (
            Option<tidings_domain::CommunityId>,
            Option<tidings_domain::ChannelId>,
        ),
        actor: UserId,
    ) -> Result<NewEntry, ApiError> {
        let (app, now) = (self.0, self.0.now());
        let quiet = app.store().attention(user).await?.quiet;
        let notification = Notification {
            id: NotificationId(app.new_id()),
            kind,
            community_id: community,
            channel_id: channel,
            message_id: None,
            parent_id: None,
            actor,
            quiet: quiet.holds(now),
            created_at: now,
        };
        Ok(self.entry(user, notification))
    }

    fn entry(self, user: UserId, notification: Notification) -> NewEntry {
        let (actor, at) = (notification.actor, notification.created_at);
        let fact = Fact::NotificationCreated(Box::new(notification));
        self.0.entry(LogId::User(user), None, actor, at, fact)
    }

    /// The keywords of anybody that stand in a body. They are known by heart, so that a body costs
    /// one look into a table for each of its words and phrases, whoever is in the channel.
    async fn keywords_in(&self, body: &str) -> Result<Vec<String>, ApiError> {
        let app = self.0;
        let read = async {
            let all: HashSet<String> = app.store().keywords().await?.into_iter().collect();
            Ok::<_, ApiError>(std::sync::Arc::new(all))
        };
        let all = app.caches().keywords.get_or((), read).await?;
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let text = words(body);
        let words: Vec<&str> = text.split(' ').collect();
        let mut found = HashSet::new();
        for start in 0..words.len() {
            for length in 1..=KEYWORD_WORDS_MAX {
                let Some(phrase) = words.get(start..start + length) else { break };
                let phrase = phrase.join(" ");
                if all.contains(&phrase) {
                    found.insert(phrase);
                }
            }
        }
        Ok(found.into_iter().collect())
    }

    /// What has called the caller, newest first, at most `limit` before one.
    pub async fn list(
        &self,
        caller: &Caller,
        unread: bool,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<WireNotifications, ApiError> {
        let (app, user) = (self.0, caller.user_id());
        let before = NotificationId(before.unwrap_or(Uuid::max()));
        let mut found = app.store().notifications(user, unread, before, limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| last.notification.id.to_string());
        let mut items = Vec::with_capacity(found.len());
        for StoredNotification { notification, read } in found {
            let mut item = WireNotification::new(&notification, read);
            if let Some(id) = notification.message_id
                && let Some(message) = app.store().message(id, user).await?
            {
                item.message = Some(Box::new(app.messages().present(message).await?));
            }
            items.push(item);
        }
        let unread = app.store().unread_notifications(user).await?;
        Ok(WireNotifications { items, next, unread })
    }

    /// Marks notifications as seen; what is none of the caller's, or seen already, is passed over.
    pub async fn read(
        &self,
        caller: &Caller,
        request: &ReadNotifications,
    ) -> Result<UnreadNotifications, ApiError> {
        let (app, user) = (self.0, caller.user_id());
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        if request.ids.len() > IDS_MAX {
            let detail = format!("must be at most {IDS_MAX}, not {}", request.ids.len());
            return Err(ApiError::field("ids", "too_many", detail));
        }
        let mut ids = Vec::new();
        for id in request.ids.iter().collect::<HashSet<_>>() {
            let after = NotificationId(Uuid::from_u128(id.as_u128().saturating_add(1)));
            let found = app.store().notifications(user, true, after, 1).await?;
            ids.extend(found.iter().map(|it| it.notification.id).filter(|found| found.0 == *id));
        }
        if !ids.is_empty() {
            self.seen(user, ids).await?;
        }
        if let Some(up_to) = request.up_to {
            let after = NotificationId(Uuid::from_u128(up_to.as_u128().saturating_add(1)));
            for _ in 0..ENTRIES_MAX {
                let found = app.store().notifications(user, true, after, SEEN_MAX).await?;
                if found.is_empty() {
                    break;
                }
                self.seen(user, found.iter().map(|it| it.notification.id).collect()).await?;
            }
        }
        Ok(UnreadNotifications { unread: app.store().unread_notifications(user).await? })
    }

    async fn seen(&self, user: UserId, ids: Vec<NotificationId>) -> Result<(), ApiError> {
        let fact = Fact::NotificationRead { ids };
        let entries = vec![self.0.entry(LogId::User(user), None, user, self.0.now(), fact)];
        self.0.commit(Change { entries, ..Change::default() }).await?;
        Ok(())
    }
}
