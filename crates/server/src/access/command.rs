//! Rights to the commands of bots.

use std::sync::Arc;

use tidings_domain::{User, UserId};
use tidings_storage::bot::StoredBot;
use tidings_storage::command::StoredInvocation;
use uuid::Uuid;

use super::{Access, Actor, Caller};
use crate::error::ApiError;

/// Somebody who says what commands a bot has: the bot itself, or an admin of its community.
#[derive(Debug, Clone)]
pub struct BotCommander {
    actor: Actor,
    bot: StoredBot,
    account: Arc<User>,
}

impl BotCommander {
    /// Who, and from where.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// Of which bot.
    pub const fn bot(&self) -> &StoredBot {
        &self.bot
    }

    /// The bot's account.
    pub fn account(&self) -> &User {
        &self.account
    }
}

/// The bot whose command was run.
#[derive(Debug, Clone)]
pub struct InvokedBot {
    caller: Caller,
    invocation: StoredInvocation,
    account: Arc<User>,
}

impl InvokedBot {
    /// The bot, as it called.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What was run.
    pub const fn invocation(&self) -> &StoredInvocation {
        &self.invocation
    }

    /// The bot's account.
    pub fn account(&self) -> &User {
        &self.account
    }
}

impl Access<'_> {
    /// The bot itself, or an admin of its community.
    pub async fn commander(&self, caller: &Caller, id: UserId) -> Result<BotCommander, ApiError> {
        let bot = self.0.store().bot(id).await?.ok_or_else(ApiError::not_found)?;
        if caller.user_id() != id {
            self.admin(caller, bot.community_id).await?;
        }
        let account = self.0.user(id).await?.ok_or_else(ApiError::not_found)?;
        Ok(BotCommander { actor: caller.actor(), bot, account })
    }

    /// The bot whose command was run. To everybody else there was nothing.
    pub async fn invoked(&self, caller: &Caller, id: Uuid) -> Result<InvokedBot, ApiError> {
        let found = self.0.store().invocation(id).await?;
        let invocation = found.filter(|found| found.bot_id == caller.user_id());
        let invocation = invocation.ok_or_else(ApiError::not_found)?;
        let account = self.0.user(caller.user_id()).await?.ok_or_else(ApiError::not_found)?;
        Ok(InvokedBot { caller: caller.clone(), invocation, account })
    }
}
