//! Rights as values. A use case takes the right that it needs, and only this module makes one, so
//! a check that was forgotten does not compile.
//!
//! What the caller may not know exists is `not_found`; `forbidden` is for those who can see the
//! thing but may not do this to it. The writer checks again inside of its transaction: a right
//! that was lost a moment ago is lost.

mod command;
mod media;
mod outgoing;
mod previews;
pub mod scope;

use std::net::IpAddr;
use std::sync::Arc;

use tidings_domain::{
    Channel, ChannelId, ChannelType, CommunityId, DeviceId, MessageId, ReportId, Role, RoomKind,
    Scope, Scopes, ServerRole, SessionId, TokenId, User, UserId, Visibility, WebhookId,
};
use tidings_storage::bot::{StoredBot, StoredToken};
use tidings_storage::message::StoredMessage;
use tidings_storage::report::StoredReport;
use tidings_storage::webhook::StoredWebhook;
use tidings_wire::Code;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::ApiError;

pub use command::{BotCommander, InvokedBot};
pub use media::MediaReader;
pub use outgoing::{OutgoingManager, OutgoingPlace};
pub use previews::PreviewDecider;

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Caller {
    session: Arc<LiveSession>,
    address: Option<IpAddr>,
}

/// Who does something and from where, for the log of administrative acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The account; nil for the server itself.
    pub user: UserId,
    /// Where the request came from, when it came over a network.
    pub address: Option<IpAddr>,
}

/// A session that somebody uses now, or an API token: then it has the token's id and no device.
#[derive(Debug)]
pub(crate) struct LiveSession {
    pub(crate) user_id: UserId,
    pub(crate) session_id: SessionId,
    pub(crate) device_id: DeviceId,
    pub(crate) server_role: ServerRole,
    /// What the API token allows; `None` for a session, which may do all that its person may.
    pub(crate) scopes: Option<Scopes>,
    pub(crate) token_hash: [u8; 32],
    pub(crate) ended: CancellationToken,
}

impl Caller {
    pub(crate) const fn new(session: Arc<LiveSession>) -> Self {
        Self { session, address: None }
    }

    /// The same, with where the request came from.
    #[must_use]
    pub(crate) const fn at(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    pub(crate) fn session(&self) -> &Arc<LiveSession> {
        &self.session
    }

    /// Who acts, and from where.
    pub fn actor(&self) -> Actor {
        Actor { user: self.session.user_id, address: self.address }
    }

    /// The account.
    pub fn user_id(&self) -> UserId {
        self.session.user_id
    }

    /// The session.
    pub fn session_id(&self) -> SessionId {
        self.session.session_id
    }

    /// The device that logged in.
    pub fn device_id(&self) -> DeviceId {
        self.session.device_id
    }

    /// What the API token allows, when the caller is one.
    pub fn scopes(&self) -> Option<Scopes> {
        self.session().scopes
    }

    /// Refuses an API token that was not made for this.
    ///
    /// # Errors
    /// `forbidden`, with the scope that is missing.
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        match self.scopes() {
            Some(scopes) if !scopes.allow(scope) => Err(ApiError::forbidden(format!(
                "This token was not made for this: it needs the scope {}.",
                scope.as_str()
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses an API token that was not made for a route.
    ///
    /// # Errors
    /// `forbidden`, with what is missing.
    pub(crate) fn admit(&self, need: scope::Need) -> Result<(), ApiError> {
        match need {
            scope::Need::Nothing => Ok(()),
            scope::Need::Scope(scope) => self.require(scope),
            scope::Need::Session if self.scopes().is_none() => Ok(()),
            scope::Need::Session => {
                Err(ApiError::forbidden("Tokens may not do this; it needs somebody who logged in."))
            }
        }
    }

    /// Whether limits on sending are lifted: for tokens with the scope `admin`, never for people.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.scopes().is_some_and(|scopes| scopes.has(Scope::Admin))
    }

    /// Is cancelled when the session ends: logged out, revoked, or its device revoked. Long-lived
    /// connections close then.
    pub fn ended(&self) -> &CancellationToken {
        &self.session.ended
    }
}

/// A member of a community.
#[derive(Debug, Clone)]
pub struct Member {
    actor: Actor,
    community: CommunityId,
    role: Role,
}

impl Member {
    /// Who.
    pub const fn user(&self) -> UserId {
        self.actor.user
    }

    /// Who, and from where.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// Of which community.
    pub const fn community(&self) -> CommunityId {
        self.community
    }

    /// As what.
    pub const fn role(&self) -> Role {
        self.role
    }
}

/// A member who is at least admin.
#[derive(Debug, Clone)]
pub struct CommunityAdmin(Member);

impl CommunityAdmin {
    /// The member.
    pub const fn member(&self) -> &Member {
        &self.0
    }
}

/// A member who is owner.
#[derive(Debug, Clone)]
pub struct CommunityOwner(Member);

impl CommunityOwner {
    /// The member.
    pub const fn member(&self) -> &Member {
        &self.0
    }
}

/// Somebody who may read a channel or DM.
#[derive(Debug, Clone)]
pub struct ChannelReader {
    actor: Actor,
    channel: Arc<Channel>,
    joined: bool,
    role: Option<Role>,
}

impl ChannelReader {
    /// Who.
    pub const fn user(&self) -> UserId {
        self.actor.user
    }

    /// Who, and from where.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// Which channel, as it was when the right was made.
    pub fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    /// Whether they are in it; who is not may read because the channel is public.
    pub const fn joined(&self) -> bool {
        self.joined
    }

    /// Whether they moderate here: admins of the community; nobody in a DM.
    pub fn moderates(&self) -> bool {
        self.role >= Some(Role::Admin)
    }
}

/// Somebody who may write into a channel or DM that is open, for text and not archived.
#[derive(Debug, Clone)]
pub struct Poster(ChannelReader);

impl Poster {
    /// The reader.
    pub const fn reader(&self) -> &ChannelReader {
        &self.0
    }
}

/// An admin of the community who can see the channel.
#[derive(Debug, Clone)]
pub struct ChannelManager(ChannelReader);

impl ChannelManager {
    /// The reader.
    pub const fn reader(&self) -> &ChannelReader {
        &self.0
    }
}

/// Somebody who may read a message.
#[derive(Debug, Clone)]
pub struct MessageReader {
    reader: ChannelReader,
    message: StoredMessage,
}

impl MessageReader {
    /// The right to its channel.
    pub const fn reader(&self) -> &ChannelReader {
        &self.reader
    }

    /// The message as it was when the right was made.
    pub const fn message(&self) -> &StoredMessage {
        &self.message
    }
}

/// The author of a message, in a place where they may still write.
#[derive(Debug, Clone)]
pub struct MessageAuthor(MessageReader);

impl MessageAuthor {
    /// The right to read it.
    pub const fn reader(&self) -> &MessageReader {
        &self.0
    }
}

/// Somebody who may delete a message: its author, or an admin.
#[derive(Debug, Clone)]
pub struct MessageModerator(MessageReader);

impl MessageModerator {
    /// The right to read it.
    pub const fn reader(&self) -> &MessageReader {
        &self.0
    }
}

/// Somebody who may see a profile: oneself, those who share a room, and everybody when its owner
/// wants to be found; the server's owner always.
#[derive(Debug, Clone)]
pub struct ProfileReader(Arc<User>);

impl ProfileReader {
    /// Whose profile.
    pub fn user(&self) -> &Arc<User> {
        &self.0
    }
}

/// An admin of the community that a bot was made for.
#[derive(Debug, Clone)]
pub struct BotManager {
    actor: Actor,
    bot: StoredBot,
}

impl BotManager {
    /// Who.
    pub const fn user(&self) -> UserId {
        self.actor.user
    }

    /// Who, and from where.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// Of which bot.
    pub const fn bot(&self) -> &StoredBot {
        &self.bot
    }
}

/// Somebody who deals with a report: an admin of its community, or the server's owner.
#[derive(Debug)]
pub struct ReportManager {
    actor: Actor,
    report: StoredReport,
}

impl ReportManager {
    /// Who.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The report.
    pub const fn report(&self) -> &StoredReport {
        &self.report
    }
}

/// Somebody who may revoke a token: whose it is, or an admin of the bot whose it is.
#[derive(Debug, Clone)]
pub struct TokenManager {
    token: StoredToken,
    /// The right to the bot whose it is; absent for one's own token.
    bot: Option<BotManager>,
}

impl TokenManager {
    /// Which token.
    pub const fn token(&self) -> &StoredToken {
        &self.token
    }

    /// The right to the bot whose it is; `None` for one's own token.
    pub const fn bot(&self) -> Option<&BotManager> {
        self.bot.as_ref()
    }
}

/// An admin who can see the channel of a webhook.
#[derive(Debug, Clone)]
pub struct WebhookManager {
    channel: ChannelManager,
    webhook: StoredWebhook,
}

impl WebhookManager {
    /// The right to its channel.
    pub const fn channel(&self) -> &ChannelManager {
        &self.channel
    }

    /// Which webhook.
    pub const fn webhook(&self) -> &StoredWebhook {
        &self.webhook
    }
}

/// The server's owner.
#[derive(Debug, Clone)]
pub struct ServerOwner(Actor);

impl ServerOwner {
    /// Who.
    pub const fn user(&self) -> UserId {
        self.0.user
    }

    /// Who, and from where.
    pub const fn actor(&self) -> Actor {
        self.0
    }
}

/// Who may import: the server's owner through the API, and whoever can open the store itself.
#[derive(Debug, Clone, Copy)]
pub struct Importer(());

impl Importer {
    /// The right of a program that was given the store, such as `tidingsd import`: whoever can
    /// open the database can write anything into it anyway.
    pub const fn operator() -> Self {
        Self(())
    }
}

impl From<&ServerOwner> for Importer {
    fn from(_: &ServerOwner) -> Self {
        Self(())
    }
}

/// Makes rights; from [`App::access`].
#[derive(Debug, Clone, Copy)]
pub struct Access<'a>(pub(crate) &'a App);

impl Access<'_> {
    /// A member of the community.
    pub async fn member(&self, caller: &Caller, id: CommunityId) -> Result<Member, ApiError> {
        let actor = caller.actor();
        let role = self.0.role(id, actor.user).await?.ok_or_else(ApiError::not_found)?;
        Ok(Member { actor, community: id, role })
    }

    /// An admin or owner of the community.
    pub async fn admin(
        &self,
        caller: &Caller,
        id: CommunityId,
    ) -> Result<CommunityAdmin, ApiError> {
        let member = self.member(caller, id).await?;
        if member.role < Role::Admin {
            return Err(ApiError::forbidden("Only admins of the community may do this."));
        }
        Ok(CommunityAdmin(member))
    }

    /// An owner of the community.
    pub async fn owner(
        &self,
        caller: &Caller,
        id: CommunityId,
    ) -> Result<CommunityOwner, ApiError> {
        let member = self.member(caller, id).await?;
        if member.role < Role::Owner {
            return Err(ApiError::forbidden("Only owners of the community may do this."));
        }
        Ok(CommunityOwner(member))
    }

    /// Somebody who may read the channel.
    pub async fn reader(&self, caller: &Caller, id: ChannelId) -> Result<ChannelReader, ApiError> {
        self.reader_for(caller.actor(), id).await
    }

    /// As [`Access::reader`], for a user whose session is known to be good.
    pub(crate) async fn reader_of(
        &self,
        user: UserId,
        id: ChannelId,
    ) -> Result<ChannelReader, ApiError> {
        self.reader_for(Actor { user, address: None }, id).await
    }

    async fn reader_for(&self, actor: Actor, id: ChannelId) -> Result<ChannelReader, ApiError> {
        let user = actor.user;
        let channel = self.0.channel(id).await?.ok_or_else(ApiError::not_found)?;
        let joined = self.0.in_channel(id, user).await?;
        let role = match channel.community_id {
            Some(community) => {
                Some(self.0.role(community, user).await?.ok_or_else(ApiError::not_found)?)
            }
            None => None,
        };
        let visible = joined || (role.is_some() && channel.visibility == Visibility::Public);
        if !visible {
            return Err(ApiError::not_found());
        }
        Ok(ChannelReader { actor, channel, joined, role })
    }

    /// Somebody who may write into the channel.
    pub async fn poster(&self, caller: &Caller, id: ChannelId) -> Result<Poster, ApiError> {
        caller.require(Scope::MessagesWrite)?;
        post(self.reader(caller, id).await?)
    }

    /// An admin who can see the channel.
    pub async fn manager(
        &self,
        caller: &Caller,
        id: ChannelId,
    ) -> Result<ChannelManager, ApiError> {
        let reader = self.reader(caller, id).await?;
        if reader.channel.community_id.is_none() {
            return Err(ApiError::new(
                Code::Unprocessable,
                "A direct conversation cannot be changed; open another one.",
            ));
        }
        if !reader.moderates() {
            return Err(ApiError::forbidden("Only admins of the community may do this."));
        }
        Ok(ChannelManager(reader))
    }

    /// Somebody who may read the message.
    pub async fn message(&self, caller: &Caller, id: MessageId) -> Result<MessageReader, ApiError> {
        let message = self.0.store().message(id, caller.user_id()).await?;
        let message = message.ok_or_else(ApiError::not_found)?;
        let reader = self.reader(caller, message.channel_id).await?;
        Ok(MessageReader { reader, message })
    }

    /// The author of the message, who may still write where it stands.
    pub async fn author(&self, caller: &Caller, id: MessageId) -> Result<MessageAuthor, ApiError> {
        let MessageReader { reader, message } = self.message(caller, id).await?;
        if message.author_id != reader.user() {
            return Err(ApiError::forbidden("Only its author may edit a message."));
        }
        let Poster(reader) = post(reader)?;
        Ok(MessageAuthor(MessageReader { reader, message }))
    }

    /// Somebody who may delete the message.
    pub async fn moderator(
        &self,
        caller: &Caller,
        id: MessageId,
    ) -> Result<MessageModerator, ApiError> {
        let right = self.message(caller, id).await?;
        if right.message.author_id != right.reader.user() && !right.reader.moderates() {
            return Err(ApiError::forbidden("Only its author or an admin may delete a message."));
        }
        Ok(MessageModerator(right))
    }

    /// Somebody who may see the profile.
    pub async fn profile(&self, caller: &Caller, id: UserId) -> Result<ProfileReader, ApiError> {
        let user = self.0.user(id).await?.ok_or_else(ApiError::not_found)?;
        let known = id == caller.user_id()
            || user.discoverable
            || caller.session().server_role == ServerRole::Owner
            || self.0.store().share_a_room(caller.user_id(), id).await?;
        if known { Ok(ProfileReader(user)) } else { Err(ApiError::not_found()) }
    }

    /// An admin of the bot's community.
    pub async fn bot(&self, caller: &Caller, id: UserId) -> Result<BotManager, ApiError> {
        let bot = self.0.store().bot(id).await?.ok_or_else(ApiError::not_found)?;
        let admin = self.admin(caller, bot.community_id).await?;
        Ok(BotManager { actor: admin.member().actor(), bot })
    }

    /// Somebody who may revoke the token. To everybody else it does not exist.
    pub async fn token(&self, caller: &Caller, id: TokenId) -> Result<TokenManager, ApiError> {
        let token = self.0.store().token(id).await?.ok_or_else(ApiError::not_found)?;
        let bot = match token.user_id {
            own if own == caller.user_id() => None,
            bot => Some(self.bot(caller, bot).await?),
        };
        Ok(TokenManager { token, bot })
    }

    /// An admin who can see the webhook's channel.
    pub async fn webhook(
        &self,
        caller: &Caller,
        id: WebhookId,
    ) -> Result<WebhookManager, ApiError> {
        let webhook = self.0.store().webhook(id).await?.ok_or_else(ApiError::not_found)?;
        let channel = self.manager(caller, webhook.channel_id).await?;
        Ok(WebhookManager { channel, webhook })
    }

    /// Somebody who deals with the report. To everybody else it does not exist.
    pub async fn report(&self, caller: &Caller, id: ReportId) -> Result<ReportManager, ApiError> {
        let report = self.0.store().report(id).await?.ok_or_else(ApiError::not_found)?;
        let actor = match report.community_id {
            Some(community) => self.admin(caller, community).await.map(|it| it.member().actor()),
            None => self.server_owner(caller).map(|it| it.0),
        };
        let actor = actor.map_err(|error| match error.code() {
            Code::Forbidden => ApiError::not_found(),
            _ => error,
        })?;
        Ok(ReportManager { actor, report })
    }

    /// The server's owner.
    pub fn server_owner(&self, caller: &Caller) -> Result<ServerOwner, ApiError> {
        if caller.session().server_role == ServerRole::Owner {
            Ok(ServerOwner(caller.actor()))
        } else {
            Err(ApiError::forbidden("Only the server's owner may do this."))
        }
    }
}

fn post(reader: ChannelReader) -> Result<Poster, ApiError> {
    let channel = &reader.channel;
    if channel.archived {
        return Err(ApiError::conflict("The channel is archived: read-only."));
    }
    if channel.kind == RoomKind::Sealed || channel.channel_type == ChannelType::Voice {
        return Err(ApiError::new(
            Code::Unprocessable,
            "This server does not have the feature that this channel needs.",
        ));
    }
    Ok(Poster(reader))
}

impl App {
    /// The channel, from the cache when it is there.
    pub(crate) async fn channel(&self, id: ChannelId) -> Result<Option<Arc<Channel>>, ApiError> {
        let cache = &self.caches().channels;
        if let Some(channel) = cache.get(&id) {
            return Ok(Some(channel));
        }
        let generation = cache.generation();
        let channel = self.store().channel(id).await?.map(Arc::new);
        if let Some(channel) = &channel {
            cache.fill(generation, id, Arc::clone(channel));
        }
        Ok(channel)
    }

    /// Whether the user is in the channel, from the cache when it is there.
    pub(crate) async fn in_channel(&self, id: ChannelId, user: UserId) -> Result<bool, ApiError> {
        let read = async { Ok(self.store().in_channel(id, user).await?) };
        self.caches().members.get_or((id, user), read).await
    }

    /// The user's role in the community, from the cache when it is there.
    pub(crate) async fn role(
        &self,
        id: CommunityId,
        user: UserId,
    ) -> Result<Option<Role>, ApiError> {
        let read = async { Ok(self.store().community_role(id, user).await?) };
        self.caches().roles.get_or((id, user), read).await
    }

    /// The account, from the cache when it is there.
    pub(crate) async fn user(&self, id: UserId) -> Result<Option<Arc<User>>, ApiError> {
        let cache = &self.caches().users;
        if let Some(user) = cache.get(&id) {
            return Ok(Some(user));
        }
        let generation = cache.generation();
        let user = self.store().user(id).await?.map(Arc::new);
        if let Some(user) = &user {
            cache.fill(generation, id, Arc::clone(user));
        }
        Ok(user)
    }
}
