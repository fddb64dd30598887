//! Commands of bots.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use tidings_domain::{CommunityId, Timestamp, User, UserId};
use uuid::Uuid;

use crate::command::{CommandRepository, StoredCommand, StoredInvocation};
use crate::error::StorageError;
use crate::memory::MemoryStore;

/// The most rows that a list has, as the trait says.
const LIST_MAX: usize = 2_000;

#[derive(Debug, Default)]
pub(super) struct Commands {
    rows: BTreeMap<(CommunityId, String), StoredCommand>,
    invocations: HashMap<Uuid, StoredInvocation>,
}

impl Commands {
    pub(super) fn set(&mut self, bot: UserId, commands: Vec<StoredCommand>) {
        self.rows.retain(|_, row| row.bot_id != bot);
        let keyed = commands.into_iter().map(|row| ((row.community_id, row.name.clone()), row));
        self.rows.extend(keyed);
    }

    pub(super) fn free(&self, community: CommunityId, bot: UserId, name: &str) -> bool {
        let key = (community, name.to_owned());
        self.rows.get(&key).is_none_or(|row| row.bot_id == bot)
    }

    pub(super) fn invoke(&mut self, invocation: StoredInvocation) {
        self.invocations.insert(invocation.id, invocation);
    }

    pub(super) fn prune(&mut self, now: Timestamp) {
        self.invocations.retain(|_, row| row.expires_at >= now);
    }
}

#[async_trait]
impl CommandRepository for MemoryStore {
    async fn commands_of(
        &self,
        community: CommunityId,
    ) -> Result<Vec<(StoredCommand, User)>, StorageError> {
        let state = self.state();
        let rows = state.commands.rows.values().filter(|row| row.community_id == community);
        let found = rows.filter_map(|row| {
            state.projections.role(community, row.bot_id)?;
            let bot = state.accounts.user(row.bot_id).filter(|bot| !bot.disabled)?;
            Some((row.clone(), bot.clone()))
        });
        Ok(found.take(LIST_MAX).collect())
    }

    async fn bot_commands(&self, bot: UserId) -> Result<Vec<StoredCommand>, StorageError> {
        let state = self.state();
        Ok(state.commands.rows.values().filter(|row| row.bot_id == bot).cloned().collect())
    }

    async fn invocation(&self, id: Uuid) -> Result<Option<StoredInvocation>, StorageError> {
        Ok(self.state().commands.invocations.get(&id).cloned())
    }
}
