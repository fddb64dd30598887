//! Communities: making, reading, renaming, entering.

use tidings_domain::{
    Channel, ChannelId, ChannelType, Community, CommunityId, Fact, LogId, RestrictionKind, Role,
    RoomKind, Timestamp, User, UserId, Visibility, name,
};
use tidings_storage::{Change, Precondition, Record};
use tidings_wire::community::{Community as CommunityView, CreateCommunity, UpdateCommunity};

use super::App;
use super::change::{Merge, author, joined};
use crate::access::{Caller, CommunityAdmin, Member};
use crate::error::ApiError;

/// The name of the channel that every community begins with.
pub(super) const GENERAL: &str = "general";

/// From [`App::communities`].
#[derive(Debug, Clone, Copy)]
pub struct Communities<'a>(pub(super) &'a App);

impl Communities<'_> {
    /// Makes a community with `#general`; the caller owns it.
    pub async fn create(
        &self,
        caller: &Caller,
        request: &CreateCommunity,
    ) -> Result<CommunityView, ApiError> {
        let app = self.0;
        let now = app.now();
        let community = Community {
            id: CommunityId(app.new_id()),
            name: display_name(&request.name)?,
            slug: slug(&request.slug)?,
            approval: false,
            created_at: now,
        };
        let user = app.user(caller.user_id()).await?.ok_or_else(ApiError::unauthorized)?;
        let mut change = Change {
            preconditions: vec![
                Precondition::UserActive(user.id),
                Precondition::SlugFree(community.slug.clone(), community.id),
            ],
            ..Change::default()
        };
        self.found(&mut change, &community, Some(&user), now);
        app.commit(change).await?;
        Ok(view(&community, Role::Owner))
    }

    /// Adds a new community with `#general` to a change. Without an owner nobody is in it yet.
    pub(super) fn found(
        self,
        change: &mut Change,
        community: &Community,
        owner: Option<&User>,
        at: Timestamp,
    ) -> ChannelId {
        let app = self.0;
        let general = Channel {
            id: ChannelId(app.new_id()),
            community_id: Some(community.id),
            name: Some(GENERAL.to_owned()),
            channel_type: ChannelType::Text,
            visibility: Visibility::Public,
            kind: RoomKind::Open,
            topic: String::new(),
            category: None,
            archived: false,
            retention_s: None,
            default: true,
            created_at: at,
            dm_users: Vec::new(),
        };
        let id = general.id;
        let actor = owner.map_or(UserId::NIL, |owner| owner.id);
        let (log, in_channel) = (LogId::Community(community.id), LogId::Conversation(id));
        let mut append = |log, fact| {
            change.entries.push(app.entry(log, Some(community.id), actor, at, fact));
        };
        if let Some(owner) = owner {
            append(log, Fact::MemberJoined { user: author(owner), role: Role::Owner });
        }
        append(log, Fact::ChannelCreated(Box::new(general.clone())));
        append(in_channel, Fact::ChannelCreated(Box::new(general)));
        if let Some(owner) = owner {
            append(in_channel, joined(owner));
        }
        change.records.push(Record::CreateCommunity(community.clone()));
        id
    }

    /// Adds somebody's entering to a change: the community, and the channels that newcomers join.
    pub(super) async fn enter(
        &self,
        change: &mut Change,
        id: CommunityId,
        user: &User,
        role: Role,
        actor: UserId,
        at: Timestamp,
    ) -> Result<(), ApiError> {
        let app = self.0;
        let fact = Fact::MemberJoined { user: author(user), role };
        change.preconditions.push(Precondition::NotInCommunity(id, user.id));
        let ban = RestrictionKind::Ban;
        change.preconditions.push(Precondition::NotRestricted(ban, id, user.id, at));
        // Whoever is in waits no more.
        change.records.push(Record::DeleteJoinRequest(id, user.id));
        change.entries.push(app.entry(LogId::Community(id), Some(id), actor, at, fact));
        for channel in app.store().default_channels(id).await? {
            if !app.in_channel(channel, user.id).await? {
                let log = LogId::Conversation(channel);
                change.entries.push(app.entry(log, Some(id), actor, at, joined(user)));
            }
        }
        Ok(())
    }

    /// The communities that the caller is in, by id.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<CommunityView>, ApiError> {
        let found = self.0.store().communities_of(caller.user_id()).await?;
        Ok(found.iter().map(|(community, role)| view(community, *role)).collect())
    }

    /// The community as the member sees it.
    pub async fn get(&self, right: &Member) -> Result<CommunityView, ApiError> {
        let found = self.0.store().community(right.community()).await?;
        Ok(view(&found.ok_or_else(ApiError::not_found)?, right.role()))
    }

    /// Changes name, slug or approval; what is absent stays.
    pub async fn update(
        &self,
        right: &CommunityAdmin,
        update: &UpdateCommunity,
    ) -> Result<CommunityView, ApiError> {
        let (app, member) = (self.0, right.member());
        let rewritten = |refused: &Precondition| matches!(refused, Precondition::CommunityIs(_));
        let mut merge = Merge::new(rewritten);
        loop {
            let found = app.store().community(member.community()).await?;
            let found = found.ok_or_else(ApiError::not_found)?;
            let mut community = found.clone();
            if let Some(text) = &update.name {
                community.name = display_name(text)?;
            }
            if let Some(text) = &update.slug {
                community.slug = slug(text)?;
            }
            community.approval = update.approval.unwrap_or(community.approval);
            let answer = view(&community, member.role());
            let preconditions = vec![
                Precondition::CommunityRole(community.id, member.user(), Role::Admin),
                Precondition::SlugFree(community.slug.clone(), community.id),
                Precondition::CommunityIs(found),
            ];
            let act = app
                .act(member.actor(), community.id, "community.update")
                .on("community", community.id.0, &community.slug)
                .with_some("name", update.name.clone())
                .with_some("slug", update.slug.clone())
                .with_some("approval", update.approval);
            let records = vec![Record::UpdateCommunity(community), act.record()];
            if merge.commit(app, Change { preconditions, records, ..Change::default() }).await? {
                return Ok(answer);
            }
        }
    }
}

fn display_name(text: &str) -> Result<String, ApiError> {
    let name = name::display(text, name::CHANNEL_NAME_MAX);
    Ok(name.map_err(|error| ApiError::name("name", error))?.to_owned())
}

fn slug(text: &str) -> Result<String, ApiError> {
    Ok(name::slug(text).map_err(|error| ApiError::name("slug", error))?.to_owned())
}

/// A community as somebody with this role sees it.
pub(crate) fn view(community: &Community, role: Role) -> CommunityView {
    CommunityView {
        id: community.id.0,
        name: community.name.clone(),
        slug: community.slug.clone(),
        icon: None,
        approval: community.approval,
        created_at: community.created_at.into(),
        my_role: role.as_str().to_owned(),
    }
}
