//! Bots and tokens.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use tidings_domain::{CommunityId, Timestamp, TokenId, User, UserId};

use crate::bot::{BotRepository, StoredBot, StoredToken};
use crate::change::Digest;
use crate::error::StorageError;
use crate::memory::MemoryStore;

/// The most rows that a list has, as the trait says.
const LIST_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Bots {
    accounts: BTreeMap<UserId, StoredBot>,
    tokens: BTreeMap<TokenId, StoredToken>,
    by_hash: HashMap<Digest, TokenId>,
}

impl Bots {
    pub(super) fn create(&mut self, bot: StoredBot) {
        self.accounts.insert(bot.user_id, bot);
    }

    pub(super) fn delete(&mut self, id: UserId) {
        self.accounts.remove(&id);
    }

    pub(super) fn create_token(&mut self, token: StoredToken) {
        self.by_hash.insert(token.token_hash, token.id);
        self.tokens.insert(token.id, token);
    }

    pub(super) fn touch_token(&mut self, id: TokenId, used: Timestamp) {
        if let Some(token) = self.tokens.get_mut(&id) {
            token.last_used_at = Some(used);
        }
    }

    pub(super) fn retain_tokens(&mut self, keep: impl Fn(&StoredToken) -> bool) {
        self.tokens.retain(|_, token| {
            let kept = keep(token);
            if !kept {
                self.by_hash.remove(&token.token_hash);
            }
            kept
        });
    }
}

#[async_trait]
impl BotRepository for MemoryStore {
    async fn bot(&self, id: UserId) -> Result<Option<StoredBot>, StorageError> {
        Ok(self.state().bots.accounts.get(&id).cloned())
    }

    async fn bots_of(
        &self,
        community: CommunityId,
    ) -> Result<Vec<(StoredBot, User)>, StorageError> {
        let state = self.state();
        let bots = state.bots.accounts.values().filter(|bot| bot.community_id == community);
        let found = bots.filter_map(|bot| {
            state.accounts.user(bot.user_id).map(|user| (bot.clone(), user.clone()))
        });
        Ok(found.take(LIST_MAX).collect())
    }

    async fn token_by_hash(
        &self,
        token_hash: &Digest,
    ) -> Result<Option<(StoredToken, User)>, StorageError> {
        let state = self.state();
        let id = state.bots.by_hash.get(token_hash);
        let Some(token) = id.and_then(|id| state.bots.tokens.get(id)) else { return Ok(None) };
        let user = state.accounts.user(token.user_id);
        Ok(user.map(|user| (token.clone(), user.clone())))
    }

    async fn token(&self, id: TokenId) -> Result<Option<StoredToken>, StorageError> {
        Ok(self.state().bots.tokens.get(&id).cloned())
    }

    async fn tokens_of(&self, user: UserId) -> Result<Vec<StoredToken>, StorageError> {
        let state = self.state();
        let tokens = state.bots.tokens.values().filter(|token| token.user_id == user);
        Ok(tokens.take(LIST_MAX).cloned().collect())
    }
}
