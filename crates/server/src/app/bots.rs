//! Bots: accounts of programs, made by the admins of a community.

use tidings_domain::{Fact, LogId, Role, ServerRole, User, UserId, name};
use tidings_storage::bot::StoredBot;
use tidings_storage::{Change, Precondition, Record};
use tidings_wire::bot::{Bot as BotView, CreateBot};

use super::App;
use super::change::author;
use super::tokens::{allow_admin, parse_scopes, words};
use crate::access::{BotManager, Caller, CommunityAdmin};
use crate::error::ApiError;

/// Most bots of one community: a list stays one page.
const BOTS_MAX: usize = 200;

/// From [`App::bots`].
#[derive(Debug, Clone, Copy)]
pub struct Bots<'a>(pub(super) &'a App);

impl Bots<'_> {
    /// Makes a bot: a member of the community that joins its default channels.
    pub async fn create(
        &self,
        right: &CommunityAdmin,
        caller: &Caller,
        request: &CreateBot,
    ) -> Result<BotView, ApiError> {
        let app = self.0;
        let (community, by) = (right.member().community(), right.member().user());
        let scopes = parse_scopes(&request.scopes)?;
        allow_admin(caller, scopes)?;
        let username = request.name.to_lowercase();
        let username = name::username(&username).map_err(|error| ApiError::name("name", error))?;
        let shown = request.display_name.as_deref().unwrap_or(username);
        let shown = name::display(shown, name::DISPLAY_NAME_MAX)
            .map_err(|error| ApiError::name("display_name", error))?;
        if app.store().bots_of(community).await?.len() >= BOTS_MAX {
            let detail = format!("The community has {BOTS_MAX} bots already. Delete one first.");
            return Err(ApiError::conflict(detail));
        }
        let now = app.now();
        let user = User {
            id: UserId(app.new_id()),
            username: username.to_owned(),
            display_name: shown.to_owned(),
            identity: None,
            server_role: ServerRole::User,
            bot: true,
            discoverable: false,
            status: String::new(),
            disabled: false,
            created_at: now,
        };
        let bot = StoredBot {
            user_id: user.id,
            community_id: community,
            scopes,
            created_by: by,
            created_at: now,
        };
        let answer = view(&bot, &user);
        let act = app.act(right.member().actor(), community, "bot.create").on_user(&user);
        let act = act.with("scopes", words(scopes)).record();
        let mut change = Change {
            preconditions: vec![
                Precondition::CommunityRole(community, by, Role::Admin),
                Precondition::UsernameFree(user.username.clone()),
            ],
            records: vec![Record::CreateUser(user.clone()), Record::CreateBot(bot), act],
            ..Change::default()
        };
        app.communities().enter(&mut change, community, &user, Role::Member, by, now).await?;
        app.commit(change).await?;
        Ok(answer)
    }

    /// The bots of a community, oldest first.
    pub async fn list(&self, right: &CommunityAdmin) -> Result<Vec<BotView>, ApiError> {
        let bots = self.0.store().bots_of(right.member().community()).await?;
        Ok(bots.iter().map(|(bot, user)| view(bot, user)).collect())
    }

    /// Ends a bot: its tokens, its memberships, its account. What it said stays.
    pub async fn delete(&self, right: &BotManager) -> Result<(), ApiError> {
        let app = self.0;
        let (bot, by) = (right.bot(), right.user());
        let (id, community, now) = (bot.user_id, bot.community_id, app.now());
        let user = app.user(id).await?.ok_or_else(ApiError::not_found)?;
        let left = |log| {
            app.entry(log, Some(community), by, now, Fact::MemberLeft { user: author(&user) })
        };
        let mut entries = Vec::new();
        let mut preconditions = vec![Precondition::CommunityRole(community, by, Role::Admin)];
        if app.store().community_role(community, id).await?.is_some() {
            preconditions.push(Precondition::CommunityRole(community, id, Role::Member));
            for view in app.store().community_channels(community, id).await? {
                if view.joined {
                    entries.push(left(LogId::Conversation(view.channel.id)));
                }
            }
            entries.push(left(LogId::Community(community)));
        }
        let records = vec![
            Record::UpdateUser(User { disabled: true, ..(*user).clone() }),
            Record::DeleteTokens(id),
            Record::DeleteBot(id),
            app.act(right.actor(), community, "bot.delete").on_user(&user).record(),
        ];
        app.commit(Change { preconditions, records, entries, ..Change::default() }).await?;
        Ok(())
    }
}

fn view(bot: &StoredBot, user: &User) -> BotView {
    BotView {
        id: bot.user_id.0,
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        community_id: bot.community_id.0,
        scopes: words(bot.scopes),
        created_by: bot.created_by.0,
        created_at: bot.created_at.into(),
    }
}
