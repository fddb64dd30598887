//! One batch of an import becomes one change.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tidings_domain::fact::Reaction;
use tidings_domain::message::{BODY_MAX, REACTION_KINDS_MAX};
use tidings_domain::{
    Channel, ChannelId, ChannelType, Community, CommunityId, Emoji, Fact, Format, LogId, Mention,
    Message, MessageId, Role, RoomKind, Seq, ServerRole, Timestamp, User, UserId, Visibility, name,
};
use tidings_storage::{Change, Precondition, Record};
use tidings_wire::import::{self, ImportResult, Reference, References, SourceId};
use uuid::Uuid;

use super::names::{Named, candidates, translate};
use super::{Failure, Line, Refused, UNOWNED, check_time, error};
use crate::app::App;
use crate::app::change::{author, joined};
use crate::app::channels::TOPIC_MAX;
use crate::app::communities::GENERAL;
use crate::error::ApiError;
use crate::render;

/// Names that the store refused although they could not be seen to be taken.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) usernames: HashSet<String>,
    pub(super) channels: HashSet<(CommunityId, String)>,
}

/// A change under construction, and what will be true once it is written. Every `add_*` looks at
/// everything first and writes last, so that a refused record leaves nothing behind.
pub(super) struct Build<'a> {
    app: &'a App,
    known: HashMap<String, Uuid>,
    taken: &'a Taken,
    change: Change,
    result: ImportResult,
    users: HashMap<UserId, Arc<User>>,
    usernames: HashSet<String>,
    channels: HashMap<ChannelId, Arc<Channel>>,
    channel_names: HashSet<(CommunityId, String)>,
    in_channel: HashMap<(ChannelId, UserId), bool>,
    in_community: HashSet<(CommunityId, UserId)>,
    /// Channel of each message of this batch, and whether it is a reply.
    messages: HashMap<MessageId, (ChannelId, bool)>,
    unowned: Option<Vec<CommunityId>>,
}

impl<'a> Build<'a> {
    pub(super) fn new(app: &'a App, known: HashMap<String, Uuid>, taken: &'a Taken) -> Self {
        Self {
            app,
            known,
            taken,
            change: Change::default(),
            result: ImportResult::default(),
            users: HashMap::new(),
            usernames: HashSet::new(),
            channels: HashMap::new(),
            channel_names: HashSet::new(),
            in_channel: HashMap::new(),
            in_community: HashSet::new(),
            messages: HashMap::new(),
            unowned: None,
        }
    }

    pub(super) fn finish(mut self) -> (Change, ImportResult) {
        if let Some(ids) = self.unowned {
            let bytes = ids.iter().flat_map(|id| *id.as_bytes()).collect();
            self.change.records.push(Record::PutSetting(UNOWNED, bytes));
        }
        (self.change, self.result)
    }

    /// Adds one line.
    pub(super) async fn add(&mut self, line: &Line) -> Result<(), ApiError> {
        let record = match &line.record {
            Ok(record) => record,
            Err(detail) => {
                let refused = Refused::new("bad_record", detail.clone());
                self.result.errors.push(error(line, None, refused));
                return Ok(());
            }
        };
        let source = record.source_id();
        if !source.is_valid() {
            let detail = "a source_id has 1 to 200 characters without space or braces";
            let refused = Refused::new("bad_source_id", detail);
            self.result.errors.push(error(line, None, refused));
            return Ok(());
        }
        if self.known.contains_key(source.as_str()) {
            self.result.skipped += 1;
            return Ok(());
        }
        let made = match record {
            import::Record::Community(it) => self.add_community(it).await,
            import::Record::User(it) => self.add_user(it).await,
            import::Record::Channel(it) => self.add_channel(it).await,
            import::Record::Message(it) => self.add_message(it).await,
            import::Record::Join(it) => self.add_membership(it, true).await,
            import::Record::Leave(it) => self.add_membership(it, false).await,
            import::Record::Topic(it) => self.add_topic(it).await,
            other => {
                let detail = format!("records of kind {} are not known here", other.kind());
                Err(Refused::new("unknown_record", detail).into())
            }
        };
        match made {
            Ok(target) => {
                let source = source.as_str().to_owned();
                self.change.preconditions.push(Precondition::SourceFree(source.clone()));
                self.change.records.push(Record::BindSource { source: source.clone(), target });
                self.known.insert(source, target);
                self.result.created += 1;
                Ok(())
            }
            Err(Failure::Record(refused)) => {
                self.result.errors.push(error(line, Some(source), refused));
                Ok(())
            }
            Err(Failure::Server(error)) => Err(error),
        }
    }

    fn target(&self, source: &SourceId, what: &str) -> Result<Uuid, Refused> {
        self.known.get(source.as_str()).copied().ok_or_else(|| {
            Refused::new("unknown_source", format!("no {what} was imported from {source}"))
        })
    }

    async fn user(&self, source: &SourceId) -> Result<Arc<User>, Failure> {
        let id = UserId(self.target(source, "user")?);
        let found = match self.users.get(&id) {
            Some(user) => Some(Arc::clone(user)),
            None => self.app.user(id).await?,
        };
        found.ok_or_else(|| wrong(source, "a user"))
    }

    async fn channel(&self, source: &SourceId) -> Result<(Arc<Channel>, CommunityId), Failure> {
        let id = ChannelId(self.target(source, "channel")?);
        let found = match self.channels.get(&id) {
            Some(channel) => Some(Arc::clone(channel)),
            None => self.app.channel(id).await?,
        };
        let found = found.and_then(|channel| Some((channel.clone(), channel.community_id?)));
        found.ok_or_else(|| wrong(source, "a channel"))
    }

    fn append(
        &mut self,
        log: LogId,
        community: CommunityId,
        actor: UserId,
        at: Timestamp,
        fact: Fact,
    ) {
        self.change.entries.push(self.app.entry(log, Some(community), actor, at, fact));
    }

    async fn add_community(&mut self, record: &import::Community) -> Result<Uuid, Failure> {
        let slug = name::slug(&record.slug).map_err(|e| Refused::new("bad_slug", e.to_string()))?;
        if let Some(there) = self.app.store().community_by_slug(slug).await? {
            return Ok(there.id.0);
        }
        let display = name::display(&record.name, name::CHANNEL_NAME_MAX)
            .map_err(|e| Refused::new("bad_name", e.to_string()))?;
        let now = self.app.now();
        let id = CommunityId(self.app.new_id());
        let community = Community {
            id,
            name: display.to_owned(),
            slug: slug.to_owned(),
            approval: false,
            created_at: now,
        };
        let owner = self.app.store().server_owner().await?;
        let waiting = match (&owner, &self.unowned) {
            (Some(_), _) => None,
            (None, Some(ids)) => Some(ids.clone()),
            (None, None) => Some(self.app.imports().unowned().await?),
        };
        if let Some(mut ids) = waiting {
            ids.push(id);
            self.unowned = Some(ids);
        }
        self.change.preconditions.push(Precondition::SlugFree(slug.to_owned(), id));
        self.app.communities().found(&mut self.change, &community, owner.as_ref(), now);
        if let Some(owner) = &owner {
            self.in_community.insert((id, owner.id));
        }
        self.channel_names.insert((id, GENERAL.to_owned()));
        Ok(id.0)
    }

    async fn add_user(&mut self, record: &import::User) -> Result<Uuid, Failure> {
        name::username(&record.username)
            .map_err(|error| Refused::new("bad_username", error.to_string()))?;
        let display_name = name::display(&record.display_name, name::DISPLAY_NAME_MAX)
            .map_err(|error| Refused::new("bad_display_name", error.to_string()))?;
        let mut free = None;
        for candidate in candidates(&record.username, name::USERNAME_MAX) {
            let here = self.usernames.contains(&candidate)
                || self.taken.usernames.contains(&candidate)
                || self.app.store().user_by_username(&candidate).await?.is_some();
            if !here {
                free = Some(candidate);
                break;
            }
        }
        let username = free.ok_or_else(|| Refused::new("bad_username", "no name is free"))?;
        let user = User {
            id: UserId(self.app.new_id()),
            username,
            display_name: display_name.to_owned(),
            identity: None,
            server_role: ServerRole::User,
            bot: record.bot,
            discoverable: false,
            status: String::new(),
            disabled: record.disabled,
            created_at: self.app.now(),
        };
        self.usernames.insert(user.username.clone());
        self.change.preconditions.push(Precondition::UsernameFree(user.username.clone()));
        self.change.records.push(Record::CreateUser(user.clone()));
        let id = user.id;
        self.users.insert(id, Arc::new(user));
        Ok(id.0)
    }

    async fn add_channel(&mut self, record: &import::Channel) -> Result<Uuid, Failure> {
        let community = CommunityId(self.target(&record.community, "community")?);
        name::channel(&record.name).map_err(|e| Refused::new("bad_name", e.to_string()))?;
        let visibility: Visibility = record
            .visibility
            .parse()
            .map_err(|_| Refused::new("bad_visibility", "expected one of: public, private"))?;
        let at = check_time(record.created_at.0)?;
        let purpose = record.purpose.as_deref().unwrap_or_default();
        let topic = if record.topic.is_empty() { purpose } else { &record.topic };
        let topic = self.topic(topic)?;
        let creator = match &record.creator {
            Some(source) => self.user(source).await?.id,
            None => UserId::NIL,
        };
        let mut members = Vec::with_capacity(record.members.len());
        for source in &record.members {
            members.push(self.user(source).await?);
        }
        let channel = Channel {
            id: ChannelId(self.app.new_id()),
            community_id: Some(community),
            name: Some(self.channel_name(community, &record.name).await?),
            channel_type: ChannelType::Text,
            visibility,
            kind: RoomKind::Open,
            topic,
            category: None,
            archived: record.archived,
            retention_s: None,
            default: false,
            created_at: at,
            dm_users: Vec::new(),
        };
        let missing = self.not_in_community(community, &members).await?;

        let id = channel.id;
        let name = channel.name.clone().unwrap_or_default();
        if !channel.archived {
            let free = Precondition::ChannelNameFree(community, name.clone(), id);
            self.change.preconditions.push(free);
        }
        self.channel_names.insert((community, name));
        let log = LogId::Conversation(id);
        if visibility == Visibility::Public {
            let fact = Fact::ChannelCreated(Box::new(channel.clone()));
            self.append(LogId::Community(community), community, creator, at, fact);
        }
        self.append(log, community, creator, at, Fact::ChannelCreated(Box::new(channel.clone())));
        self.enter(community, &missing, at);
        for member in &members {
            if self.in_channel.insert((id, member.id), true) != Some(true) {
                self.append(log, community, member.id, at, joined(member));
            }
        }
        self.channels.insert(id, Arc::new(channel));
        Ok(id.0)
    }

    /// The first free form of a channel's name.
    async fn channel_name(&self, community: CommunityId, base: &str) -> Result<String, Failure> {
        for candidate in candidates(base, name::CHANNEL_NAME_MAX) {
            let key = (community, candidate);
            let here = key.1 == GENERAL
                || self.channel_names.contains(&key)
                || self.taken.channels.contains(&key)
                || !self
                    .app
                    .store()
                    .channels_by_name(community, std::slice::from_ref(&key.1), UserId::NIL)
                    .await?
                    .is_empty();
            if !here {
                return Ok(key.1);
            }
        }
        Err(Refused::new("bad_name", "no name is free").into())
    }

    /// Those of the users who are not in the community, each once.
    async fn not_in_community(
        &self,
        community: CommunityId,
        users: &[Arc<User>],
    ) -> Result<Vec<Arc<User>>, Failure> {
        let mut missing: Vec<Arc<User>> = Vec::new();
        for user in users {
            let there = self.in_community.contains(&(community, user.id))
                || missing.iter().any(|other| other.id == user.id)
                || self.app.role(community, user.id).await?.is_some();
            if !there {
                missing.push(Arc::clone(user));
            }
        }
        Ok(missing)
    }

    /// Makes users members of the community, but not of the channels that newcomers join.
    fn enter(&mut self, community: CommunityId, users: &[Arc<User>], at: Timestamp) {
        for user in users {
            if self.in_community.insert((community, user.id)) {
                let fact = Fact::MemberJoined { user: author(user), role: Role::Member };
                self.append(LogId::Community(community), community, user.id, at, fact);
            }
        }
    }

    fn mention(&self, reference: Reference<'_>) -> Option<Mention> {
        match reference {
            Reference::Here => Some(Mention::Here),
            Reference::Everyone => Some(Mention::Everyone),
            Reference::User(source) => self.known.get(source).map(|id| Mention::User(UserId(*id))),
            Reference::Channel(source) => {
                self.known.get(source).map(|id| Mention::Channel(ChannelId(*id)))
            }
        }
    }

    fn topic(&self, text: &str) -> Result<String, Refused> {
        if text.chars().count() > TOPIC_MAX || text.contains('\0') {
            let detail = format!("a topic has at most {TOPIC_MAX} characters and no NUL");
            return Err(Refused::new("bad_topic", detail));
        }
        Ok(translate(text, |reference| self.mention(reference)))
    }

    /// How today's names of everything that a body refers to are drawn.
    async fn named(&self, body: &str) -> Result<Named, Failure> {
        let mut named = Named::default();
        for (_, reference) in References::new(body) {
            match self.mention(reference) {
                Some(Mention::User(id)) => {
                    let found = match self.users.get(&id) {
                        Some(user) => Some(Arc::clone(user)),
                        None => self.app.user(id).await?,
                    };
                    named.users.extend(found.map(|user| (id, user.username.clone())));
                }
                Some(Mention::Channel(id)) => {
                    let found = match self.channels.get(&id) {
                        Some(channel) => Some(Arc::clone(channel)),
                        None => self.app.channel(id).await?,
                    };
                    named.channels.extend(found.and_then(|it| Some((id, it.name.clone()?))));
                }
                _ => {}
            }
        }
        Ok(named)
    }

    async fn add_message(&mut self, record: &import::Message) -> Result<Uuid, Failure> {
        let (channel, community) = self.channel(&record.channel).await?;
        let user = self.user(&record.author).await?;
        let at = check_time(record.at.0)?;
        let edited_at = record.edited_at.map(|time| check_time(time.0)).transpose()?;
        let format = match record.format.as_str() {
            "text" => Format::Text,
            "me" => Format::Me,
            _ => return Err(Refused::new("bad_format", "expected one of: text, me").into()),
        };
        let length = record.body.chars().count();
        let empty = record.body.trim().is_empty() && !record.deleted;
        if length > BODY_MAX || empty || record.body.contains('\0') {
            let detail = format!("a body has 1 to {BODY_MAX} characters and no NUL");
            return Err(Refused::new("bad_body", detail).into());
        }
        let parent_id = match &record.thread {
            Some(source) => Some(self.root(source, channel.id).await?),
            None => None,
        };
        let reactions = self.reactions(record)?;
        let (body, named) = if record.deleted {
            (String::new(), Named::default())
        } else {
            let named = self.named(&record.body).await?;
            (translate(&record.body, |reference| self.mention(reference)), named)
        };
        let prepared = render::prepare_resolved(body, &named);
        let missing = self.not_in_community(community, std::slice::from_ref(&user)).await?;

        let id = MessageId(self.app.new_id());
        let log = LogId::Conversation(channel.id);
        let message = Message {
            id,
            channel_id: channel.id,
            seq: Seq(0),
            author: author(&user),
            parent_id,
            broadcast: record.broadcast && parent_id.is_some(),
            format,
            body: prepared.body,
            body_html: prepared.body_html,
            mentions: prepared.mentions,
            attachments: Vec::new(),
            previews: Vec::new(),
            reactions: Vec::new(),
            reply_count: 0,
            last_reply_at: None,
            pinned: false,
            created_at: at,
            edited_at,
            deleted: false,
            client_id: None,
            imported: true,
        };
        self.enter(community, &missing, at);
        let fact = Fact::MessageCreated { message: Box::new(message) };
        self.append(log, community, user.id, at, fact);
        if record.deleted {
            self.append(log, community, user.id, at, Fact::MessageDeleted { message_id: id });
        } else {
            for (user_id, emoji) in reactions {
                let fact = Fact::ReactionAdded(Reaction { message_id: id, user_id, emoji });
                self.append(log, community, user_id, at, fact);
            }
        }
        self.messages.insert(id, (channel.id, parent_id.is_some()));
        Ok(id.0)
    }

    /// The top-level message that a reply names.
    async fn root(&self, source: &SourceId, channel: ChannelId) -> Result<MessageId, Failure> {
        let id = MessageId(self.target(source, "message")?);
        let (in_channel, is_reply) = if let Some(found) = self.messages.get(&id) {
            *found
        } else {
            let found = self.app.store().message(id, UserId::NIL).await?;
            let found = found.ok_or_else(|| wrong(source, "a message"))?;
            (found.channel_id, found.parent_id.is_some())
        };
        if in_channel == channel && !is_reply {
            Ok(id)
        } else {
            Err(wrong(source, "a top-level message of this channel"))
        }
    }

    fn reactions(&self, record: &import::Message) -> Result<Vec<(UserId, Emoji)>, Refused> {
        if record.reactions.len() > REACTION_KINDS_MAX {
            let detail = format!("a message carries at most {REACTION_KINDS_MAX} different emoji");
            return Err(Refused::new("bad_reaction", detail));
        }
        let mut found: Vec<(UserId, Emoji)> = Vec::new();
        for reaction in &record.reactions {
            let emoji: Emoji = reaction.emoji.parse().map_err(|error| {
                Refused::new("bad_reaction", format!("{}: {error}", reaction.emoji))
            })?;
            for source in &reaction.users {
                let one = (UserId(self.target(source, "user")?), emoji.clone());
                if !found.contains(&one) {
                    found.push(one);
                }
            }
        }
        Ok(found)
    }

    async fn is_in_channel(&self, channel: ChannelId, user: UserId) -> Result<bool, Failure> {
        match self.in_channel.get(&(channel, user)) {
            Some(there) => Ok(*there),
            None => Ok(self.app.in_channel(channel, user).await?),
        }
    }

    async fn add_membership(
        &mut self,
        record: &import::Membership,
        joins: bool,
    ) -> Result<Uuid, Failure> {
        let (channel, community) = self.channel(&record.channel).await?;
        let user = self.user(&record.user).await?;
        let at = check_time(record.at.0)?;
        let there = self.is_in_channel(channel.id, user.id).await?;
        let missing = self.not_in_community(community, std::slice::from_ref(&user)).await?;
        if there != joins {
            let log = LogId::Conversation(channel.id);
            self.enter(community, &missing, at);
            let fact = if joins { joined(&user) } else { Fact::MemberLeft { user: author(&user) } };
            self.append(log, community, user.id, at, fact);
            self.in_channel.insert((channel.id, user.id), joins);
        }
        Ok(channel.id.0)
    }

    /// A topic that was set once. The channel has its last topic from the beginning, so one that
    /// was replaced later is told and taken back: the log says both, and the channel stays right
    /// wherever an import ends.
    async fn add_topic(&mut self, record: &import::Topic) -> Result<Uuid, Failure> {
        let (channel, community) = self.channel(&record.channel).await?;
        let user = self.user(&record.user).await?;
        let at = check_time(record.at.0)?;
        let topic = self.topic(&record.topic)?;
        let log = LogId::Conversation(channel.id);
        let last = Channel::clone(&channel);
        let told = Channel { topic, ..last.clone() };
        let differs = told.topic != last.topic;
        self.append(log, community, user.id, at, Fact::ChannelUpdated(Box::new(told)));
        if differs {
            self.append(log, community, UserId::NIL, at, Fact::ChannelUpdated(Box::new(last)));
        }
        Ok(channel.id.0)
    }
}

fn wrong(source: &SourceId, what: &str) -> Failure {
    Refused::new("wrong_source", format!("{source} was imported as something else than {what}"))
        .into()
}
