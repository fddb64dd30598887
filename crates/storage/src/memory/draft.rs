//! Drafts.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tidings_domain::{ChannelId, MessageId, UserId};

use crate::draft::{DraftRepository, StoredDraft};
use crate::error::StorageError;
use crate::memory::MemoryStore;

/// The most rows that a list has, as the trait says.
const LIST_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Drafts(BTreeMap<(UserId, ChannelId, Option<MessageId>), StoredDraft>);

impl Drafts {
    pub(super) fn put(&mut self, draft: StoredDraft) {
        self.0.insert((draft.user_id, draft.channel_id, draft.parent_id), draft);
    }

    pub(super) fn delete(&mut self, user: UserId, channel: ChannelId, parent: Option<MessageId>) {
        self.0.remove(&(user, channel, parent));
    }
}

#[async_trait]
impl DraftRepository for MemoryStore {
    async fn draft(
        &self,
        user: UserId,
        channel: ChannelId,
        parent: Option<MessageId>,
    ) -> Result<Option<StoredDraft>, StorageError> {
        Ok(self.state().drafts.0.get(&(user, channel, parent)).cloned())
    }

    async fn drafts(&self, user: UserId) -> Result<Vec<StoredDraft>, StorageError> {
        let state = self.state();
        let own = state.drafts.0.values().filter(|draft| draft.user_id == user);
        let mut own: Vec<_> = own.cloned().collect();
        own.sort_by_key(|draft| std::cmp::Reverse(draft.updated_at));
        own.truncate(LIST_MAX);
        Ok(own)
    }
}
