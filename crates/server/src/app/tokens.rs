//! API tokens: what programs log in with, for a bot or for a person.

use tidings_domain::{Scope, Scopes, ServerRole, Timestamp, TokenId, UserId, name};
use tidings_storage::bot::StoredToken;
use tidings_storage::{Change, Precondition, Record};
use tidings_wire::account::Secret;
use tidings_wire::bot::{CreateToken, Token as TokenView};

use super::App;
use super::audit::Act;
use crate::access::{BotManager, Caller, TokenManager};
use crate::auth::token::{self, Token};
use crate::error::ApiError;

/// Longest life of a token, in seconds: ten years, so that its end is always a date.
const LIFETIME_MAX_S: u64 = 10 * 366 * 24 * 3600;
/// Most tokens of one account: enough for every machine of a person, and a list stays one page.
const TOKENS_MAX: usize = 200;

/// From [`App::tokens`].
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a>(pub(super) &'a App);

impl Tokens<'_> {
    /// Makes a token with which a program acts as the caller.
    pub async fn create(
        &self,
        caller: &Caller,
        request: &CreateToken,
    ) -> Result<TokenView, ApiError> {
        let scopes = match &request.scopes {
            Some(words) => parse_scopes(words)?,
            None => return Err(ApiError::field("scopes", "missing", "name at least one")),
        };
        allow_admin(caller, scopes)?;
        self.make(caller.user_id(), caller.user_id(), scopes, request, None).await
    }

    /// Makes a token with which a program acts as the bot; with all of the bot's scopes when the
    /// request names none.
    pub async fn create_for_bot(
        &self,
        right: &BotManager,
        request: &CreateToken,
    ) -> Result<TokenView, ApiError> {
        let bot = right.bot();
        let scopes = request.scopes.as_deref().map_or(Ok(bot.scopes), parse_scopes)?;
        if !scopes.within(bot.scopes) {
            let detail = format!("the bot may have only: {}", bot.scopes);
            return Err(ApiError::field("scopes", "too_many", detail));
        }
        let user = self.0.user(bot.user_id).await?.ok_or_else(ApiError::not_found)?;
        let act = self.0.act(right.actor(), bot.community_id, "token.create").on_user(&user);
        self.make(bot.user_id, right.user(), scopes, request, Some(act)).await
    }

    async fn make(
        self,
        user: UserId,
        by: UserId,
        scopes: Scopes,
        request: &CreateToken,
        act: Option<Act>,
    ) -> Result<TokenView, ApiError> {
        let app = self.0;
        let now = app.now();
        let name = name::display(&request.name, name::DISPLAY_NAME_MAX)
            .map_err(|error| ApiError::name("name", error))?;
        let expires_at = match request.expires_in_s {
            None => None,
            Some(seconds @ 1..=LIFETIME_MAX_S) => {
                Some(now.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)))
            }
            Some(_) => {
                let detail = format!("must be 1 to {LIFETIME_MAX_S} seconds");
                return Err(ApiError::field("expires_in_s", "out_of_range", detail));
            }
        };
        if app.store().tokens_of(user).await?.len() >= TOKENS_MAX {
            let detail = format!("There are {TOKENS_MAX} tokens already. Revoke one that is idle.");
            return Err(ApiError::conflict(detail));
        }
        let secret = Token::api(&app.random::<32>());
        let token = StoredToken {
            id: TokenId(app.new_id()),
            user_id: user,
            name: name.to_owned(),
            scopes,
            token_hash: token::hash(secret.reveal()),
            created_by: by,
            created_at: now,
            last_used_at: None,
            expires_at,
        };
        let mut answer = view(&token);
        answer.token = Some(Secret(secret.reveal().to_owned()));
        let act = act.map(|act| act.with("name", name).with("scopes", words(scopes)).record());
        let change = Change {
            preconditions: vec![Precondition::UserActive(by), Precondition::UserActive(user)],
            records: act.into_iter().chain([Record::CreateToken(token)]).collect(),
            ..Change::default()
        };
        app.commit(change).await?;
        Ok(answer)
    }

    /// The caller's own tokens, oldest first.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<TokenView>, ApiError> {
        self.of(caller.user_id()).await
    }

    /// The tokens of a bot, oldest first.
    pub async fn list_of_bot(&self, right: &BotManager) -> Result<Vec<TokenView>, ApiError> {
        self.of(right.bot().user_id).await
    }

    async fn of(self, user: UserId) -> Result<Vec<TokenView>, ApiError> {
        let now = self.0.now();
        let tokens = self.0.store().tokens_of(user).await?;
        Ok(tokens.iter().filter(|token| is_good(token, now)).map(view).collect())
    }

    /// Revokes a token: whoever uses it is cut off at once.
    pub async fn delete(&self, right: &TokenManager) -> Result<(), ApiError> {
        let mut records = vec![Record::DeleteToken(right.token().id)];
        if let Some(manager) = right.bot() {
            let bot = manager.bot();
            let user = self.0.user(bot.user_id).await?.ok_or_else(ApiError::not_found)?;
            let act = self.0.act(manager.actor(), bot.community_id, "token.delete").on_user(&user);
            records.push(act.with("name", right.token().name.as_str()).record());
        }
        self.0.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }
}

/// Whether a token has not ended.
pub(super) fn is_good(token: &StoredToken, now: Timestamp) -> bool {
    token.expires_at.is_none_or(|end| now < end)
}

/// Reads scopes of a request: at least one.
pub(super) fn parse_scopes(words: &[String]) -> Result<Scopes, ApiError> {
    let scopes: Result<Scopes, _> = words.iter().map(|word| word.parse::<Scope>()).collect();
    let scopes = scopes.map_err(|error| ApiError::field("scopes", "unknown", error.to_string()))?;
    if scopes.is_empty() {
        return Err(ApiError::field("scopes", "missing", "name at least one"));
    }
    Ok(scopes)
}

/// `admin` lifts the limits on sending, so only who runs the server gives it away.
pub(super) fn allow_admin(caller: &Caller, scopes: Scopes) -> Result<(), ApiError> {
    if scopes.has(Scope::Admin) && caller.session().server_role != ServerRole::Owner {
        return Err(ApiError::forbidden("Only the server's owner gives the scope admin away."));
    }
    Ok(())
}

pub(super) fn words(scopes: Scopes) -> Vec<String> {
    scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
}

fn view(token: &StoredToken) -> TokenView {
    TokenView {
        id: token.id.0,
        name: token.name.clone(),
        scopes: words(token.scopes),
        created_at: token.created_at.into(),
        last_used_at: token.last_used_at.map(Into::into),
        expires_at: token.expires_at.map(Into::into),
        token: None,
    }
}
