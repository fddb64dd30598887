//! Channels of communities, and who is in them.

use tidings_domain::{
    Channel, ChannelId, ChannelType, CommunityId, Fact, LogId, NotificationKind, NotifyLevel, Role,
    RoomKind, UserId, Visibility, name,
};
use tidings_storage::channel::ChannelView;
use tidings_storage::{Change, ChangeError, NewEntry, Precondition, Record, Refusal};
use tidings_wire::Code;
use tidings_wire::channel::{Channel as WireChannel, CreateChannel, UpdateChannel};
use tidings_wire::community::Member as MemberView;

use super::App;
use super::change::{Merge, author, joined};
use crate::access::{Caller, ChannelManager, ChannelReader, CommunityAdmin, Member};
use crate::error::ApiError;

/// Longest topic, in characters.
pub(super) const TOPIC_MAX: usize = 1000;

/// From [`App::channels`].
#[derive(Debug, Clone, Copy)]
pub struct Channels<'a>(pub(super) &'a App);

impl Channels<'_> {
    /// Makes a channel; the caller is in it.
    pub async fn create(
        &self,
        right: &CommunityAdmin,
        request: &CreateChannel,
    ) -> Result<WireChannel, ApiError> {
        let app = self.0;
        let (community, actor) = (right.member().community(), right.member().user());
        let channel_type: ChannelType = word("type", &request.channel_type)?;
        let visibility: Visibility = word("visibility", &request.visibility)?;
        let kind: RoomKind = word("kind", &request.kind)?;
        match (channel_type, kind) {
            (ChannelType::Text, RoomKind::Open) => {}
            (ChannelType::Voice, _) => return Err(feature("type", "voice")),
            (_, RoomKind::Sealed) => return Err(feature("kind", "sealed")),
            _ => return Err(ApiError::field("type", "unknown", "expected one of: text, voice")),
        }
        let channel = Channel {
            id: ChannelId(app.new_id()),
            community_id: Some(community),
            name: Some(channel_name(&request.name)?),
            channel_type,
            visibility,
            kind,
            topic: request.topic.as_deref().map_or(Ok(String::new()), topic)?,
            category: request.category.as_deref().map_or(Ok(None), category)?,
            archived: false,
            retention_s: None,
            default: false,
            created_at: app.now(),
            dm_users: Vec::new(),
        };
        let user = app.user(actor).await?.ok_or_else(ApiError::unauthorized)?;
        let mut entries = self.tell(actor, &channel, Fact::ChannelCreated);
        let log = LogId::Conversation(channel.id);
        entries.push(app.entry(log, Some(community), actor, channel.created_at, joined(&user)));
        let preconditions = vec![
            Precondition::CommunityRole(community, actor, Role::Admin),
            Precondition::ChannelNameFree(community, request.name.clone(), channel.id),
        ];
        let act = app.act(right.member().actor(), community, "channel.create");
        let records = vec![act.on_channel(&channel).record()];
        app.commit(Change { preconditions, records, entries, ..Change::default() }).await?;
        self.view(channel.id, actor).await
    }

    /// What happened to a channel, for its own log, and for the community's when it is public.
    fn tell(
        self,
        actor: UserId,
        channel: &Channel,
        fact: impl Fn(Box<Channel>) -> Fact,
    ) -> Vec<NewEntry> {
        let app = self.0;
        let now = app.now();
        let public = channel.community_id.filter(|_| channel.visibility == Visibility::Public);
        public
            .map(LogId::Community)
            .into_iter()
            .chain([LogId::Conversation(channel.id)])
            .map(|log| {
                let fact = fact(Box::new(channel.clone()));
                app.entry(log, channel.community_id, actor, now, fact)
            })
            .collect()
    }

    /// The channel as a user sees it now.
    pub(super) async fn view(&self, id: ChannelId, user: UserId) -> Result<WireChannel, ApiError> {
        let found = self.0.store().channel_view(id, user).await?;
        let mut views = self.present(vec![found.ok_or_else(ApiError::not_found)?]).await?;
        views.pop().ok_or_else(ApiError::not_found)
    }

    /// Channels as their reader sees them, for the network.
    pub(crate) async fn present(
        &self,
        views: Vec<ChannelView>,
    ) -> Result<Vec<WireChannel>, ApiError> {
        let app = self.0;
        let (conv_home, now) = (app.gateway_id().to_string(), app.now());
        let mut channels = Vec::with_capacity(views.len());
        for view in views {
            let ChannelView { channel, member_count, joined, head_seq, read_seq, .. } = view;
            let ChannelView { unread, mentions, notice, .. } = view;
            let default = NotifyLevel::default_of(channel.channel_type);
            let muted_until = notice.and_then(|it| it.muted_until).filter(|until| *until > now);
            channels.push(WireChannel {
                id: channel.id.0,
                community_id: channel.community_id.map(|id| id.0),
                name: channel.name,
                channel_type: channel.channel_type.as_str().to_owned(),
                visibility: channel.visibility.as_str().to_owned(),
                kind: channel.kind.as_str().to_owned(),
                topic: channel.topic,
                category: channel.category,
                conv_home: conv_home.clone(),
                archived: channel.archived,
                retention_s: channel.retention_s,
                created_at: channel.created_at.into(),
                member_count,
                joined,
                head_seq: head_seq.0,
                read_seq: read_seq.0,
                unread,
                mentions,
                muted: muted_until.is_some(),
                muted_until: muted_until.map(Into::into),
                notify: notice.map_or(default, |notice| notice.level).as_str().to_owned(),
                users: app.accounts().authors(&channel.dm_users).await?,
            });
        }
        Ok(channels)
    }

    /// Channels of a community that the member may know of: at most `limit` after an id.
    pub async fn list(
        &self,
        right: &Member,
        after: ChannelId,
        limit: usize,
    ) -> Result<Vec<WireChannel>, ApiError> {
        let views = self.0.store().community_channels(right.community(), right.user()).await?;
        self.present(page(views, after, limit)).await
    }

    /// Channels and DMs that the caller is in: at most `limit` after an id.
    pub async fn list_joined(
        &self,
        caller: &Caller,
        after: ChannelId,
        limit: usize,
    ) -> Result<Vec<WireChannel>, ApiError> {
        let views = self.0.store().joined_channels(caller.user_id()).await?;
        self.present(page(views, after, limit)).await
    }

    /// Everything that the caller is in, for a snapshot.
    pub async fn joined(&self, caller: &Caller) -> Result<Vec<WireChannel>, ApiError> {
        self.present(self.0.store().joined_channels(caller.user_id()).await?).await
    }

    /// The channel as its reader sees it.
    pub async fn get(&self, right: &ChannelReader) -> Result<WireChannel, ApiError> {
        self.view(right.channel().id, right.user()).await
    }

    /// Changes name, topic, category or retention, archives or opens again; what is absent stays.
    pub async fn update(
        &self,
        right: &ChannelManager,
        update: &UpdateChannel,
    ) -> Result<WireChannel, ApiError> {
        let app = self.0;
        let reader = right.reader();
        let (id, actor) = (reader.channel().id, reader.user());
        let mut merge = Merge::new(rewritten);
        loop {
            // Read past the cache: the channel is written whole.
            let found = app.store().channel(id).await?.ok_or_else(ApiError::not_found)?;
            let mut channel = found.clone();
            if let Some(text) = &update.name {
                channel.name = Some(channel_name(text)?);
            }
            if let Some(text) = &update.topic {
                channel.topic = topic(text)?;
            }
            if let Some(text) = &update.category {
                channel.category = category(text)?;
            }
            if let Some(seconds) = update.retention_s {
                channel.retention_s = retention(seconds)?;
            }
            channel.archived = update.archived.unwrap_or(found.archived);
            if channel == found {
                break;
            }
            if channel.archived && channel.default {
                return Err(ApiError::conflict("Newcomers join this channel, so it stays open."));
            }
            let mut preconditions = Self::managed(reader);
            let opened = found.archived && !channel.archived;
            if !opened {
                preconditions.push(Precondition::ChannelOpen(id));
            }
            if let (Some(community), Some(name)) = (channel.community_id, &channel.name)
                && (opened || channel.name != found.name)
            {
                preconditions.push(Precondition::ChannelNameFree(community, name.clone(), id));
            }
            let fact = if channel.archived { Fact::ChannelArchived } else { Fact::ChannelUpdated };
            let entries = self.tell(actor, &channel, fact);
            let records = self.acts(reader, &found, &channel);
            preconditions.push(Precondition::ChannelIs(Box::new(found)));
            let change = Change { preconditions, records, entries, ..Change::default() };
            if merge.commit(app, change).await? {
                break;
            }
        }
        self.view(id, actor).await
    }

    /// What an update says of itself to those who look after the channel.
    fn acts(self, reader: &ChannelReader, before: &Channel, now: &Channel) -> Vec<Record> {
        let act = |action| self.0.act(reader.actor(), now.community_id, action).on_channel(before);
        let mut records = Vec::new();
        match (before.archived, now.archived) {
            (false, true) => records.push(act("channel.archive").record()),
            (true, false) => records.push(act("channel.unarchive").record()),
            _ => {}
        }
        let told = Channel { archived: now.archived, ..before.clone() };
        if told != *now {
            let name = now.name.clone().filter(|_| now.name != before.name);
            let topic = (now.topic != before.topic).then(|| now.topic.clone());
            let category = now.category.clone().unwrap_or_default();
            let category = (now.category != before.category).then_some(category);
            let retention = now.retention_s.unwrap_or(0);
            let retention = (now.retention_s != before.retention_s).then_some(retention);
            let act = act("channel.update")
                .with_some("name", name)
                .with_some("topic", topic)
                .with_some("category", category)
                .with_some("retention_s", retention);
            records.push(act.record());
        }
        records
    }

    pub(super) fn managed(reader: &ChannelReader) -> Vec<Precondition> {
        let (channel, user) = (reader.channel(), reader.user());
        let role = |id: CommunityId| Precondition::CommunityRole(id, user, Role::Admin);
        let mut preconditions: Vec<_> = channel.community_id.map(role).into_iter().collect();
        if channel.visibility == Visibility::Private {
            preconditions.push(Precondition::InChannel(channel.id, user));
        }
        preconditions
    }

    /// Makes the channel read-only. Again does nothing.
    pub async fn archive(&self, right: &ChannelManager) -> Result<(), ApiError> {
        let update = UpdateChannel { archived: Some(true), ..UpdateChannel::default() };
        match self.update(right, &update).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Joins a public channel. Who is in it already stays in it.
    pub async fn join(&self, right: &ChannelReader) -> Result<WireChannel, ApiError> {
        let app = self.0;
        let (channel, actor) = (right.channel(), right.user());
        if let (false, Some(community)) = (right.joined(), channel.community_id) {
            let user = app.user(actor).await?.ok_or_else(ApiError::unauthorized)?;
            let log = LogId::Conversation(channel.id);
            let change = Change {
                preconditions: vec![
                    Precondition::ChannelOpen(channel.id),
                    Precondition::CommunityRole(community, actor, Role::Member),
                    Precondition::NotInChannel(channel.id, actor),
                ],
                entries: vec![app.entry(log, Some(community), actor, app.now(), joined(&user))],
                ..Change::default()
            };
            unless_there(app.commit(change).await)?;
        }
        self.view(channel.id, actor).await
    }

    /// Leaves the channel. Who is not in it stays out of it.
    pub async fn leave(&self, right: &ChannelReader) -> Result<(), ApiError> {
        self.take_out(right, right.user()).await
    }

    /// Takes somebody out: oneself, or anybody when one is admin.
    pub async fn remove(&self, right: &ChannelReader, user: UserId) -> Result<(), ApiError> {
        if user != right.user() && !right.moderates() {
            return Err(ApiError::forbidden("Only admins of the community may do this."));
        }
        self.take_out(right, user).await
    }

    async fn take_out(&self, right: &ChannelReader, user: UserId) -> Result<(), ApiError> {
        let app = self.0;
        let (channel, actor) = (right.channel(), right.user());
        let community = channel.community_id.ok_or_else(direct)?;
        if !app.in_channel(channel.id, user).await? {
            return Ok(());
        }
        let account = app.user(user).await?.ok_or_else(ApiError::not_found)?;
        let mut preconditions = vec![Precondition::InChannel(channel.id, user)];
        if user != actor {
            preconditions.extend(Self::managed(right));
        }
        let fact = Fact::MemberLeft { user: author(&account) };
        let log = LogId::Conversation(channel.id);
        let entries = vec![app.entry(log, Some(community), actor, app.now(), fact)];
        let act = app.act(right.actor(), community, "channel.remove_member").within(channel);
        let act = act.on_user(&account).with("channel_id", channel.id.to_string());
        let records = (user != actor).then(|| act.record()).into_iter().collect();
        match app.commit(Change { preconditions, records, entries, ..Change::default() }).await {
            Ok(_) => Ok(()),
            Err(ChangeError::Refused(Refusal::Precondition(Precondition::InChannel(_, who))))
                if who == user =>
            {
                Ok(())
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Members in order of their ids, at most `limit`.
    pub async fn members(
        &self,
        right: &ChannelReader,
        after: UserId,
        limit: usize,
    ) -> Result<Vec<MemberView>, ApiError> {
        let members = self.0.store().channel_members(right.channel().id, after, limit).await?;
        Ok(members.iter().map(super::members::view).collect())
    }

    /// Adds a member of the community; anybody in the channel may. Says whether they are new.
    pub async fn add(
        &self,
        right: &ChannelReader,
        user: UserId,
    ) -> Result<(MemberView, bool), ApiError> {
        let app = self.0;
        let (channel, actor) = (right.channel(), right.user());
        let community = channel.community_id.ok_or_else(direct)?;
        if !right.joined() {
            return Err(ApiError::forbidden("Join the channel before you add others to it."));
        }
        let found = app.store().community_member(community, user).await?;
        let found = found.ok_or_else(|| {
            ApiError::field("user_id", "unknown", "is not a member of this community")
        })?;
        let log = LogId::Conversation(channel.id);
        let place = (Some(community), Some(channel.id));
        let told = app.notifications().about(user, NotificationKind::Invite, place, actor).await?;
        let change = Change {
            preconditions: vec![
                Precondition::ChannelOpen(channel.id),
                Precondition::InChannel(channel.id, actor),
                Precondition::CommunityRole(community, user, Role::Member),
                Precondition::NotInChannel(channel.id, user),
            ],
            entries: vec![
                app.entry(log, Some(community), actor, app.now(), joined(&found.user)),
                told,
            ],
            ..Change::default()
        };
        let new = unless_there(app.commit(change).await)?;
        // Members stand in order of ids: the first after the one before is the one.
        let before = UserId(uuid::Uuid::from_u128(user.0.as_u128().saturating_sub(1)));
        let member = app.store().channel_members(channel.id, before, 1).await?;
        let member = member.first().ok_or_else(ApiError::not_found)?;
        Ok((super::members::view(member), new))
    }
}

/// Whether a change was refused because somebody else wrote the channel in between.
const fn rewritten(refused: &Precondition) -> bool {
    matches!(refused, Precondition::ChannelIs(_))
}

/// Whether a change that puts somebody into a channel was needed.
pub(super) fn unless_there<T>(result: Result<T, ChangeError>) -> Result<bool, ApiError> {
    match result {
        Ok(_) => Ok(true),
        Err(ChangeError::Refused(Refusal::Precondition(Precondition::NotInChannel(..)))) => {
            Ok(false)
        }
        Err(other) => Err(other.into()),
    }
}

fn direct() -> ApiError {
    ApiError::new(Code::Unprocessable, "A direct conversation stays between the same people.")
}

fn feature(field: &'static str, name: &str) -> ApiError {
    ApiError::field(field, "unsupported", format!("this server does not have {name} channels"))
}

fn word<T: std::str::FromStr<Err = tidings_domain::community::UnknownWord>>(
    field: &'static str,
    text: &str,
) -> Result<T, ApiError> {
    text.parse().map_err(|error: tidings_domain::community::UnknownWord| {
        ApiError::field(field, "unknown", error.to_string())
    })
}

fn channel_name(text: &str) -> Result<String, ApiError> {
    Ok(name::channel(text).map_err(|error| ApiError::name("name", error))?.to_owned())
}

fn topic(text: &str) -> Result<String, ApiError> {
    let actual = text.chars().count();
    if actual > TOPIC_MAX {
        let detail = format!("must be at most {TOPIC_MAX} characters, not {actual}");
        return Err(ApiError::field("topic", "too_long", detail));
    }
    if text.contains('\0') {
        return Err(ApiError::field("topic", "invalid", "must not contain NUL"));
    }
    Ok(text.trim().to_owned())
}

fn category(text: &str) -> Result<Option<String>, ApiError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let text = name::display(text, name::CHANNEL_NAME_MAX);
    Ok(Some(text.map_err(|error| ApiError::name("category", error))?.to_owned()))
}

/// Shortest time that messages are kept, in seconds: the job that erases them runs once a minute.
const RETENTION_MIN_S: u64 = 60;
/// Longest time that messages are kept, in seconds: a hundred years.
const RETENTION_MAX_S: u64 = 100 * 366 * 24 * 3600;

fn retention(seconds: u64) -> Result<Option<u64>, ApiError> {
    match seconds {
        0 => Ok(None),
        RETENTION_MIN_S..=RETENTION_MAX_S => Ok(Some(seconds)),
        _ => {
            let detail = format!("must be {RETENTION_MIN_S} to {RETENTION_MAX_S} seconds, or 0");
            Err(ApiError::field("retention_s", "out_of_range", detail))
        }
    }
}

fn page(views: Vec<ChannelView>, after: ChannelId, limit: usize) -> Vec<ChannelView> {
    views.into_iter().filter(|view| view.channel.id > after).take(limit).collect()
}
