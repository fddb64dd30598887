//! The one way in which anything is written.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::{
    Channel, ChannelId, Community, CommunityId, DeviceId, Emoji, Fact, IdentityKey, JobId, LogId,
    MediaId, MessageId, Position, ReportId, RestrictionKind, Role, Seq, SessionId, Timestamp,
    TokenId, User, UserId, WebhookId,
};

use tidings_wire::chain::Committing;
use tidings_wire::event::Unplaced;

use crate::block::StoredBlock;
use crate::bot::{StoredBot, StoredToken};
use crate::command::{StoredCommand, StoredInvocation};
use crate::community::StoredInvite;
use crate::draft::StoredDraft;
use crate::error::StorageError;
use crate::job::StoredJob;
use crate::join::StoredJoinRequest;
use crate::media::StoredMedia;
use crate::moderation::{StoredAudit, StoredRestriction};
use crate::operation::StoredResponse;
use crate::outgoing::{StoredAttempt, StoredOutgoing};
use crate::reminder::StoredReminder;
use crate::report::StoredReport;
use crate::search::words;
use crate::session::StoredSession;
use crate::signin::{StoredGrant, StoredLink, StoredProvider};
use crate::webhook::StoredWebhook;

/// SHA-256 of a secret or of a request.
pub type Digest = [u8; 32];

/// Something to write, whole or not at all.
///
/// The store looks at [`Change::dedupe`] first: the same request again is
/// [`Committed::Replayed`], another one is [`Refusal::DedupeMismatch`]. Then preconditions are
/// checked against the state before the change; then records are written, then entries. A record
/// that collides with a row (a taken name, a gap in a chain) fails the whole change with
/// [`StorageError::Internal`]: a precondition should have refused it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What must hold, checked in order before anything is written.
    pub preconditions: Vec<Precondition>,
    /// Rows that are no part of any log, written in order, before the entries.
    pub records: Vec<Record>,
    /// Entries to append, in order.
    pub entries: Vec<NewEntry>,
    /// What makes this change safe to repeat; checked before the preconditions.
    pub dedupe: Option<Dedupe>,
    /// What a store made of the entries ahead of its writer; callers leave it empty.
    pub prepared: Vec<Option<Box<Prepared>>>,
}

/// What is known of a new message before it has its place: done by whoever submits it, so that the
/// one writer has less to do.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The entry's data but for its end.
    pub data: Unplaced,
    /// The commitment to that data but for its end.
    pub commitment: Committing,
    /// The words of the body for the search index, between single spaces.
    pub words: String,
}

impl Prepared {
    fn of(entry: &NewEntry) -> Option<Box<Self>> {
        let Fact::MessageCreated { message } = &entry.fact else { return None };
        let data = Unplaced::new(message)?;
        let commitment = Committing::begin(&entry.salt, data.as_bytes());
        Some(Box::new(Self { data, commitment, words: words(&message.body) }))
    }
}

impl Change {
    /// Fills [`Change::prepared`], one for each entry.
    pub fn prepare(&mut self) {
        self.prepared = self.entries.iter().map(Prepared::of).collect();
    }
}

/// An entry before the writer has given it its place.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The log to append to; it comes to be with its first entry.
    pub log: LogId,
    /// The community that the log belongs to; `None` for DMs and users.
    pub community: Option<CommunityId>,
    /// Who did it; nil for the server itself.
    pub actor: UserId,
    /// When.
    pub at: Timestamp,
    /// What happened. The writer fills in `seq` of a created message, the counts of a read
    /// marker, and of an edited message whatever edits do not change.
    pub fact: Fact,
    /// Random; hides the entry's data in its commitment.
    pub salt: [u8; 32],
}

/// The first message under `(channel, user, client_id)` wins.
#[derive(Debug, Clone)]
pub struct Dedupe {
    /// The channel.
    pub channel: ChannelId,
    /// The author.
    pub user: UserId,
    /// What the author's client calls the message.
    pub client_id: String,
    /// A keyed hash of the request as it was sent; kept after edit and erasure.
    pub request: Digest,
}

/// What must hold for a change. Each is checked inside of the writer's transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precondition {
    /// No account with an identity exists.
    NoAccounts,
    /// The account exists and is not disabled.
    UserActive(UserId),
    /// The username is not taken.
    UsernameFree(String),
    /// The account is exactly this: what a change that writes it whole was made from.
    UserIs(Box<User>),
    /// No account has the identity.
    IdentityFree(IdentityKey),
    /// The identity's chain has exactly this many envelopes.
    ChainLength(IdentityKey, u64),
    /// The challenge has not been used.
    ChallengeUnused(Digest),
    /// The reset code is there, unexpired at this time, and for this user.
    ResetUsable(Digest, UserId, Timestamp),
    /// The user has no identity: a ghost that may be claimed.
    UserUnclaimed(UserId),
    /// The slug is not taken by another community than this one.
    SlugFree(String, CommunityId),
    /// The user is in the community with at least this role.
    CommunityRole(CommunityId, UserId, Role),
    /// The community has this name, slug and approval: what a change of them was made from.
    CommunityIs(Community),
    /// The user is in the community with exactly this role.
    RoleIs(CommunityId, UserId, Role),
    /// The user is not in the community.
    NotInCommunity(CommunityId, UserId),
    /// Another member is owner too.
    OtherOwner(CommunityId, UserId),
    /// The invite exists, is not spent, and not expired at this time.
    InviteUsable(Digest, Timestamp),
    /// The user waits to be let into the community (`false`), was refused a while ago (`true`), or
    /// has not asked (`None`).
    JoinRequestIs(CommunityId, UserId, Option<bool>),
    /// No other channel of the community that is not archived has this name.
    ChannelNameFree(CommunityId, String, ChannelId),
    /// No DM of exactly these users (sorted) exists.
    DmFree(Vec<UserId>),
    /// The channel is exactly this: what a change that writes it whole was made from.
    ChannelIs(Box<Channel>),
    /// The channel exists and is not archived.
    ChannelOpen(ChannelId),
    /// The user is in the channel.
    InChannel(ChannelId, UserId),
    /// The user is not in the channel.
    NotInChannel(ChannelId, UserId),
    /// The message exists in the channel and is not deleted.
    MessageLive(ChannelId, MessageId),
    /// The message exists in the channel and is not itself a reply.
    MessageTopLevel(ChannelId, MessageId),
    /// The user has not reacted to the message with the emoji, and with it the message has at
    /// most this many kinds of reaction.
    ReactionAddable(MessageId, UserId, Emoji, usize),
    /// The user has reacted to the message with the emoji.
    ReactionThere(MessageId, UserId, Emoji),
    /// The marker of the user in the channel stands before this place.
    ReadBefore(ChannelId, UserId, Seq),
    /// The user's marker of the thread stands before this place, or they have none.
    ThreadReadBefore(MessageId, UserId, Seq),
    /// Neither of the two has blocked the other.
    NotBlocked(UserId, UserId),
    /// The provider of sign-in is configured.
    ProviderThere(String),
    /// The provider is linked neither with anybody under this subject nor with this user.
    LinkFree(String, String, UserId),
    /// No terminal waits under this code, and fewer than this many wait.
    UserCodeFree(String, usize),
    /// The terminal's wish is exactly this: what an answer to it was made from.
    GrantIs(Box<StoredGrant>),
    /// The setting has exactly this value: what a new one was made from.
    SettingIs(&'static str, Option<Vec<u8>>),
    /// Nothing was imported from this source.
    SourceFree(String),
    /// The files that the user has uploaded and these many bytes more are at most this many bytes.
    StorageLeft(UserId, u64, u64),
    /// The file is the user's, may be carried by what is in this channel (by what is in no
    /// channel), and has not lost everything that carried it.
    MediaUsable(MediaId, UserId, Option<ChannelId>),
    /// Nothing carries the file, and something did or it is older than this time.
    MediaOrphaned(MediaId, Timestamp),
    /// No file has these bytes.
    BlobUnused(Digest),
    /// The webhook has not been deleted.
    WebhookThere(WebhookId),
    /// The webhook has noted exactly this under the key.
    WebhookNote(WebhookId, Digest, Option<String>),
    /// No other bot of the community than this one has a command of this name.
    CommandFree(CommunityId, UserId, String),
    /// Nobody has been told of the reminder yet, and nobody has canceled it.
    ReminderThere(uuid::Uuid),
    /// No ban or mute of this kind stands against the user in the community at this time.
    NotRestricted(RestrictionKind, CommunityId, UserId, Timestamp),
    /// The channel exists and its messages are erased after exactly this many seconds.
    Retains(ChannelId, u64),
    /// The message is not pinned, and the channel has fewer pins than this.
    Pinnable(ChannelId, MessageId, usize),
    /// The message is pinned.
    Pinned(MessageId),
    /// The user has saved the message, or has not.
    Saved(UserId, MessageId, bool),
    /// The user has not reported the message.
    Unreported(MessageId, UserId),
    /// The job is there, was begun this often, and is due then: nobody took it since it was read.
    JobIs(JobId, u32, Timestamp),
    /// The outgoing webhook is there, and was changed this often: what a change that writes it whole
    /// was made from.
    OutgoingIs(WebhookId, u32),
    /// The outgoing webhook is there, and has told everything up to here.
    OutgoingAt(WebhookId, Position),
}

/// Why a change was refused. The first precondition that does not hold is named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A precondition does not hold.
    #[error("a precondition does not hold: {0:?}")]
    Precondition(Precondition),
    /// Another request came under the same `client_id`.
    #[error("another request came under the same client_id")]
    DedupeMismatch,
}

/// A row that is no part of any log.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Record {
    /// A new account.
    CreateUser(User),
    /// The account as it is now (all fields but id, username and `created_at`).
    UpdateUser(User),
    /// Another username for an account: a ghost that is claimed.
    RenameUser(UserId, String),
    /// Envelopes at the end of an identity's chain, as JSON.
    AppendChain {
        /// Whose chain.
        identity: IdentityKey,
        /// `seq` of the first one.
        first: u64,
        /// The envelopes.
        envelopes: Vec<Vec<u8>>,
    },
    /// The challenge is used; it may be forgotten after this time.
    UseChallenge(Digest, Timestamp),
    /// A code with which a user registers a new identity, until a time.
    CreateReset(Digest, UserId, Timestamp),
    /// The reset code is used up.
    UseReset(Digest),
    /// A new session.
    CreateSession(StoredSession),
    /// A session was used: last use and end move.
    TouchSession(SessionId, Timestamp, Timestamp),
    /// A session ends.
    DeleteSession(SessionId),
    /// Every session of the user ends; with a device, only its sessions.
    DeleteSessions(UserId, Option<DeviceId>),
    /// What makes an account a bot.
    CreateBot(StoredBot),
    /// An account is no bot of any community any more, and offers no commands.
    DeleteBot(UserId),
    /// A new API token.
    CreateToken(StoredToken),
    /// An API token was used.
    TouchToken(TokenId, Timestamp),
    /// An API token ends.
    DeleteToken(TokenId),
    /// Every API token of the account ends.
    DeleteTokens(UserId),
    /// Somebody blocks somebody; again does nothing.
    Block(StoredBlock),
    /// The first user does not block the second any more.
    Unblock(UserId, UserId),
    /// What the user has begun to write in this place; replaces what stood there.
    PutDraft(StoredDraft),
    /// The user has begun nothing in this place any more.
    DeleteDraft(UserId, ChannelId, Option<MessageId>),
    /// A message is reported; again by the same person does nothing.
    Report(StoredReport),
    /// The user has dealt with the report; again does nothing.
    ResolveReport(ReportId, UserId, Timestamp),
    /// A new incoming webhook.
    CreateWebhook(StoredWebhook),
    /// An incoming webhook is gone, with what it has noted.
    DeleteWebhook(WebhookId),
    /// The webhook notes something under a key; replaces what stood there.
    PutWebhookNote(WebhookId, Digest, String),
    /// The user was seen; replaces what was known before.
    Seen(UserId, Timestamp),
    /// All commands of a bot, in place of those before.
    SetCommands(UserId, Vec<StoredCommand>),
    /// Somebody ran a command of a bot.
    CreateInvocation(StoredInvocation),
    /// A reminder, in place of an older one of its id.
    PutReminder(StoredReminder),
    /// A reminder was told, or canceled.
    DeleteReminder(uuid::Uuid),
    /// Something to do; nothing when a job of this id waits already.
    CreateJob(StoredJob),
    /// A job is begun once more, and due again at the end of the lease unless it is done by then.
    BeginJob(JobId, Timestamp),
    /// A step of a job is done, and the next one begun for the first time, with a lease until then.
    RenewJob(JobId, Timestamp),
    /// A job is due later.
    PutOffJob(JobId, Timestamp),
    /// A job is done.
    DeleteJob(JobId),
    /// Whether the links of a channel, or of a user, may be looked up; they may at first.
    SetPreviews(uuid::Uuid, bool),
    /// A new outgoing webhook.
    CreateOutgoing(Box<StoredOutgoing>),
    /// Name, address, events, secret and being off of an outgoing webhook as they are now.
    UpdateOutgoing(Box<StoredOutgoing>),
    /// Everything up to here has become jobs of the outgoing webhook, or is none of its business.
    MoveOutgoing(WebhookId, Position),
    /// The receiver of an outgoing webhook accepted something.
    AcceptOutgoing(WebhookId, Timestamp),
    /// An outgoing webhook is off since then, and why.
    DisableOutgoing(WebhookId, Timestamp, String),
    /// An attempt of an outgoing webhook, and what is too old is forgotten; nothing when it is gone.
    PutAttempt(StoredAttempt),
    /// An outgoing webhook is gone, with its attempts.
    DeleteOutgoing(WebhookId),
    /// A new community.
    CreateCommunity(Community),
    /// Name, slug and approval of a community as they are now.
    UpdateCommunity(Community),
    /// A new invite.
    CreateInvite(StoredInvite),
    /// An invite is used once more.
    UseInvite(Digest),
    /// An invite is gone.
    DeleteInvite(Digest),
    /// Somebody asks to join, or is refused; replaces what stood there.
    PutJoinRequest(StoredJoinRequest),
    /// Nobody waits under these any more.
    DeleteJoinRequest(CommunityId, UserId),
    /// A provider of sign-in as it is now.
    PutProvider(StoredProvider),
    /// A provider of sign-in is gone, and every link with it.
    DeleteProvider(String),
    /// A link with a provider as it is now, by provider and subject.
    PutLink(StoredLink),
    /// Every link of the user ends; with a provider, only that with it.
    DeleteLinks(UserId, Option<String>),
    /// A terminal's wish as it is now, by the hash of its code.
    PutGrant(StoredGrant),
    /// A terminal's wish is done with.
    DeleteGrant(Digest),
    /// What was made from a source record, so that a second import finds it.
    BindSource {
        /// The record's `source_id`.
        source: String,
        /// The 16 bytes of the id of what was made.
        target: uuid::Uuid,
    },
    /// A new file, and the name of the blob that holds its bytes unless an older one does.
    CreateMedia(StoredMedia, String),
    /// Something carries the file; when nothing does any more it is an orphan at once.
    UseMedia(MediaId),
    /// A file is gone; its bytes may stay for others.
    DeleteMedia(MediaId),
    /// Bytes are gone.
    DeleteBlob(Digest),
    /// A ban or mute; replaces an older one of its kind.
    PutRestriction(StoredRestriction),
    /// A ban or mute is lifted.
    DeleteRestriction(RestrictionKind, CommunityId, UserId),
    /// An administrative act, for those who look after others.
    Audit(StoredAudit),
    /// The answer to a request with an `Idempotency-Key`.
    PutResponse(StoredResponse),
    /// A value of the server's own, such as its gateway id; replaces an older one.
    PutSetting(&'static str, Vec<u8>),
    /// Challenges, responses, resets, restrictions, sessions, tokens, refusals, invocations and wishes
    /// of terminals that ended before this time are forgotten.
    Prune(Timestamp),
}

/// The place that an entry was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// In the order of commits.
    pub position: Position,
    /// In its log.
    pub seq: Seq,
}

/// A message that had come before under the same `client_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deduped {
    /// The first message.
    pub message_id: MessageId,
    /// Its place in the channel's log.
    pub seq: Seq,
}

/// What became of a change that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// It is durable; one place for each entry, in order.
    Appended(Vec<Placed>),
    /// It had been there before; nothing was written.
    Replayed(Deduped),
}

/// Why a change is not in the store.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The change does not fit to what is there.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The answer to a submitted change, to be awaited. Dropping it does not undo the change.
pub type Pending = tokio::sync::oneshot::Receiver<Result<Committed, ChangeError>>;

/// The only way in. Changes of all callers are committed together, in the order of submission.
#[async_trait]
pub trait LogWriter {
    /// Hands a change over and returns at once when there is room, else waits for room. Changes
    /// submitted one after another are written in that order.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when the writer has stopped. Safe to drop: the change is then
    /// either handed over or not.
    async fn submit(&self, change: Change) -> Result<Pending, StorageError>;

    /// Writes a change and waits until it is durable. Safe to drop; the change may then still be
    /// written.
    async fn commit(&self, change: Change) -> Result<Committed, ChangeError> {
        let pending = self.submit(change).await?;
        pending.await.unwrap_or_else(|_| {
            Err(StorageError::Unavailable { detail: "the log's writer has stopped".to_owned() }
                .into())
        })
    }

    /// Every batch committed after this call, in order of positions and without gaps, with what
    /// other processes wrote in between. One consumer; it must keep up: the writer waits for it,
    /// and goes on without it once the receiver is dropped. A change without entries makes no
    /// batch.
    /// `None` when it was taken already.
    fn take_tail(&self) -> Option<tokio::sync::mpsc::Receiver<Arc<crate::CommittedBatch>>>;
}
