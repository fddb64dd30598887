//! Sending: from a request to a place in the log, without a read while the caches are warm.

use std::collections::HashSet;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tidings_domain::media::ATTACHMENTS_MAX;
use tidings_domain::message::CLIENT_ID_MAX;
use tidings_domain::{
    ChannelId, CommunityId, Fact, Format, LogId, Media, MediaId, Message, MessageId, Role, Seq,
    UserId,
};
use tidings_storage::change::Pending;
use tidings_storage::{
    Change, ChangeError, Committed, Dedupe, Deduped, Precondition, Record, Refusal, StorageError,
};
use uuid::Uuid;

use super::{Messages, check_body};
use crate::access::{Caller, Poster};
use crate::app::blocks::unblocked;
use crate::app::change::{author, joined};
use crate::app::moderation::may_speak;
use crate::app::{App, Stale};
use crate::error::ApiError;
use crate::limit::Key;
use crate::render;

/// A message on its way in, the same from every door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendMessage {
    /// Where.
    pub channel_id: ChannelId,
    /// What the client calls the message, 1 to 64 characters.
    pub client_id: String,
    /// Markdown, at most 16,000 characters.
    pub body: String,
    /// How the body is to be read.
    pub format: Format,
    /// The top-level message to reply to.
    pub parent_id: Option<MessageId>,
    /// Whether a reply is shown in the channel too.
    pub broadcast: bool,
    /// Media ids of files to carry.
    pub attachments: Vec<Uuid>,
}

/// A message that was handed to the log's writer. Dropping it does not take it back.
#[derive(Debug)]
pub struct PendingMessage {
    app: App,
    caller: Caller,
    send: SendMessage,
    attempt: Attempt,
}

#[derive(Debug)]
struct Attempt {
    message: Box<Message>,
    /// Which entry of the change it is; the one before it is the joining.
    at: usize,
    pending: Pending,
    /// Whether it left something to do.
    works: bool,
}

/// A message that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub message_id: MessageId,
    /// Its place in the conversation's log.
    pub seq: Seq,
    /// The message; `None` when it had come before and nothing was written.
    pub message: Option<Box<Message>>,
}

impl Accepted {
    /// Whether it had come before under the same `client_id`.
    pub const fn replayed(&self) -> bool {
        self.message.is_none()
    }
}

/// How often a message is built anew when the caches did not know of the latest joins.
const ATTEMPTS: usize = 3;

impl Messages<'_> {
    /// Hands a message to the log's writer. Messages of one caller that are submitted one after
    /// another come into the log in that order. Posting in a public channel joins it.
    ///
    /// # Errors
    /// Whatever can be refused without the store; the rest comes from
    /// [`PendingMessage::accepted`]. Safe to drop: the message is then either handed over or not.
    pub async fn submit(
        &self,
        caller: &Caller,
        send: SendMessage,
    ) -> Result<PendingMessage, ApiError> {
        let app = self.0;
        check(&send)?;
        let right = app.access().poster(caller, send.channel_id).await?;
        let limits = &app.settings().limits;
        let user = caller.user_id();
        if !caller.is_unlimited() {
            app.limit(Key::Channel(user, send.channel_id), limits.sends_per_channel)?;
            app.limit(Key::Sends(user), limits.sends)?;
        }
        let attempt = self.attempt(&right, &send).await?;
        Ok(PendingMessage { app: app.clone(), caller: caller.clone(), send, attempt })
    }

    async fn attempt(&self, right: &Poster, send: &SendMessage) -> Result<Attempt, ApiError> {
        let app = self.0;
        let (reader, now) = (right.reader(), app.now());
        let (channel, id) = (reader.channel(), reader.user());
        let user = app.user(id).await?.ok_or_else(ApiError::unauthorized)?;
        let names = self.names(channel, id, &render::candidates(&send.body)).await?;
        let render::Prepared { body, body_html, mentions } = render::prepare(&send.body, &names);
        let message = Box::new(Message {
            id: MessageId(app.new_id()),
            channel_id: channel.id,
            seq: Seq(0),
            author: author(&user),
            parent_id: send.parent_id,
            broadcast: send.broadcast,
            format: send.format,
            body,
            body_html,
            mentions,
            attachments: self.carried(id, &send.attachments).await?,
            previews: Vec::new(),
            reactions: Vec::new(),
            reply_count: 0,
            last_reply_at: None,
            pinned: false,
            created_at: now,
            edited_at: None,
            deleted: false,
            client_id: Some(send.client_id.clone()),
            imported: false,
        });

        let log = LogId::Conversation(channel.id);
        let community: Option<CommunityId> = channel.community_id;
        let mut preconditions = Vec::with_capacity(4);
        let mut entries = Vec::with_capacity(2);
        preconditions.push(Precondition::ChannelOpen(channel.id));
        preconditions.extend(may_speak(community, id, now));
        match (reader.joined(), community) {
            (false, Some(community)) => {
                preconditions.push(Precondition::CommunityRole(community, id, Role::Member));
                preconditions.push(Precondition::NotInChannel(channel.id, id));
                entries.push(app.entry(log, Some(community), id, now, joined(&user)));
            }
            _ => preconditions.push(Precondition::InChannel(channel.id, id)),
        }
        preconditions.extend(unblocked(channel, id));
        if let Some(parent) = send.parent_id {
            preconditions.push(Precondition::MessageTopLevel(channel.id, parent));
        }
        let mut records = Vec::with_capacity(message.attachments.len());
        for media in &message.attachments {
            preconditions.push(Precondition::MediaUsable(media.id, id, Some(channel.id)));
            records.push(Record::UseMedia(media.id));
        }
        let job = app.previews().job(&message);
        let works = job.is_some();
        records.extend(job);
        let fact = Fact::MessageCreated { message: message.clone() };
        let at = entries.len();
        entries.push(app.entry(log, community, id, now, fact));
        entries.extend(app.notifications().of_message(channel, &message).await?);
        let dedupe = Dedupe {
            channel: channel.id,
            user: id,
            client_id: send.client_id.clone(),
            request: digest(app.secret(), send),
        };
        let dedupe = Some(dedupe);
        let change = Change { preconditions, records, entries, dedupe, ..Change::default() };
        let pending = app.store().submit(change).await?;
        Ok(Attempt { message, at, pending, works })
    }

    /// The files that a message of theirs shall carry, in the order in which they were named.
    async fn carried(&self, user: UserId, ids: &[Uuid]) -> Result<Vec<Media>, ApiError> {
        let mut carried = Vec::with_capacity(ids.len());
        for id in ids {
            let found = self.0.store().media(MediaId(*id)).await?;
            let Some(found) = found.filter(|found| found.uploader == user) else {
                let detail = format!("you have uploaded no file {id}");
                return Err(ApiError::field("attachments", "unknown", detail));
            };
            carried.push(found.media);
        }
        Ok(carried)
    }
}

impl PendingMessage {
    /// Waits until the message is durable.
    ///
    /// # Errors
    /// What the writer refused, with the answer to give; `idempotency_mismatch` when another
    /// message came under the same `client_id`. Safe to drop.
    pub async fn accepted(self) -> Result<Accepted, ApiError> {
        let Self { app, caller, send, mut attempt } = self;
        let stale = Stale::Member(send.channel_id, caller.user_id());
        for left in (0..ATTEMPTS).rev() {
            let result = attempt.pending.await.unwrap_or_else(|_| {
                let detail = "the log's writer has stopped".to_owned();
                Err(StorageError::Unavailable { detail }.into())
            });
            match result {
                Ok(Committed::Appended(placed)) => {
                    if attempt.at > 0 {
                        app.forget(&stale);
                    }
                    if attempt.works {
                        app.new_jobs().notify_one();
                    }
                    let seq = placed.get(attempt.at).map_or(Seq(0), |placed| placed.seq);
                    let mut message = attempt.message;
                    message.seq = seq;
                    return Ok(Accepted { message_id: message.id, seq, message: Some(message) });
                }
                Ok(Committed::Replayed(Deduped { message_id, seq })) => {
                    return Ok(Accepted { message_id, seq, message: None });
                }
                // The caches had not heard yet who is in the channel: forget, and look again.
                Err(ChangeError::Refused(Refusal::Precondition(
                    Precondition::InChannel(..) | Precondition::NotInChannel(..),
                ))) if left > 0 => {
                    app.forget(&stale);
                    let right = app.access().poster(&caller, send.channel_id).await?;
                    attempt = app.messages().attempt(&right, &send).await?;
                }
                Err(ChangeError::Refused(Refusal::Precondition(
                    Precondition::MessageTopLevel(..),
                ))) => {
                    let detail = "there is no top-level message of this id in the channel";
                    return Err(ApiError::field("parent_id", "unknown", detail));
                }
                Err(other) => return Err(app.moderation().explain(other).await),
            }
        }
        Err(ApiError::conflict("The channel's members change too fast. Try again."))
    }
}

fn check(send: &SendMessage) -> Result<(), ApiError> {
    check_body(&send.body, !send.attachments.is_empty())?;
    let length = send.client_id.chars().count();
    if length == 0 || length > CLIENT_ID_MAX {
        let detail = format!("must be 1 to {CLIENT_ID_MAX} characters, not {length}");
        return Err(ApiError::field("client_id", "length", detail));
    }
    if send.client_id.chars().any(char::is_control) {
        let detail = "must not contain control characters";
        return Err(ApiError::field("client_id", "invalid", detail));
    }
    if send.broadcast && send.parent_id.is_none() {
        let detail = "only replies can also be sent to the channel; name a parent_id";
        return Err(ApiError::field("broadcast", "without_parent", detail));
    }
    if send.attachments.len() > ATTACHMENTS_MAX {
        let detail = format!("a message carries at most {ATTACHMENTS_MAX} files");
        return Err(ApiError::field("attachments", "too_many", detail));
    }
    let named: HashSet<_> = send.attachments.iter().collect();
    if named.len() < send.attachments.len() {
        return Err(ApiError::field("attachments", "twice", "names a file twice"));
    }
    Ok(())
}

/// A keyed hash of the request as it was sent: it outlives edit and erasure, and the key keeps
/// whoever reads the database from guessing short bodies that were erased.
fn digest(secret: &[u8; 32], send: &SendMessage) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of 32 bytes");
    mac.update(b"tidings/v1/message\n");
    mac.update(send.parent_id.unwrap_or(MessageId::NIL).as_bytes());
    mac.update(&[u8::from(send.broadcast)]);
    mac.update(&[send.format as u8]);
    // Fixed lengths before the body, and a count between: no two requests make the same bytes.
    mac.update(&[u8::try_from(send.attachments.len()).unwrap_or(u8::MAX)]);
    for id in &send.attachments {
        mac.update(id.as_bytes());
    }
    mac.update(send.body.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(body: &str) -> SendMessage {
        SendMessage {
            channel_id: ChannelId::NIL,
            client_id: "c-1".to_owned(),
            body: body.to_owned(),
            format: Format::Text,
            parent_id: None,
            broadcast: false,
            attachments: Vec::new(),
        }
    }

    #[test]
    fn requests_are_told_apart_by_everything_that_is_said() {
        let plain = send("hello");
        let reply = SendMessage { parent_id: Some(MessageId(Uuid::max())), ..plain.clone() };
        let broadcast = SendMessage { broadcast: true, ..reply.clone() };
        let file = SendMessage { attachments: vec![Uuid::nil()], ..plain.clone() };
        let other = SendMessage { attachments: vec![Uuid::max()], ..plain.clone() };
        let all = [plain, send("hello "), reply, broadcast, file, other]
            .map(|send| digest(&[1; 32], &send));
        for (at, one) in all.iter().enumerate() {
            assert!(all.iter().skip(at + 1).all(|other| other != one));
        }
        assert_ne!(digest(&[1; 32], &send("a")), digest(&[2; 32], &send("a")));
    }

    #[test]
    fn what_no_channel_takes_is_refused_before_anything_is_read() {
        for (bad, field) in [
            (SendMessage { client_id: String::new(), ..send("x") }, "client_id"),
            (SendMessage { client_id: "x".repeat(65), ..send("x") }, "client_id"),
            (SendMessage { client_id: "a\nb".to_owned(), ..send("x") }, "client_id"),
            (SendMessage { broadcast: true, ..send("x") }, "broadcast"),
            (SendMessage { attachments: vec![Uuid::nil(); 2], ..send("x") }, "attachments"),
            (SendMessage { attachments: vec![Uuid::max(); 11], ..send("x") }, "attachments"),
            (send(" "), "body"),
        ] {
            assert_eq!(check(&bad).unwrap_err().errors()[0].field, field);
        }
        assert!(check(&SendMessage { client_id: "é".repeat(64), ..send("x") }).is_ok());
    }
}
