//! Incoming webhooks.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use tidings_domain::{ChannelId, WebhookId};

use crate::change::Digest;
use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::webhook::{StoredWebhook, WebhookRepository};

/// The most rows that a list has, as the trait says.
const LIST_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Webhooks {
    rows: BTreeMap<WebhookId, StoredWebhook>,
    notes: HashMap<(WebhookId, Digest), String>,
}

impl Webhooks {
    pub(super) fn has(&self, id: WebhookId) -> bool {
        self.rows.contains_key(&id)
    }

    pub(super) fn create(&mut self, webhook: StoredWebhook) {
        self.rows.insert(webhook.id, webhook);
    }

    pub(super) fn delete(&mut self, id: WebhookId) {
        self.rows.remove(&id);
        self.notes.retain(|(of, _), _| *of != id);
    }

    pub(super) fn note(&self, id: WebhookId, key: &Digest) -> Option<&String> {
        self.notes.get(&(id, *key))
    }

    pub(super) fn put_note(&mut self, id: WebhookId, key: Digest, value: String) {
        self.notes.insert((id, key), value);
    }
}

#[async_trait]
impl WebhookRepository for MemoryStore {
    async fn webhook(&self, id: WebhookId) -> Result<Option<StoredWebhook>, StorageError> {
        Ok(self.state().webhooks.rows.get(&id).cloned())
    }

    async fn webhooks_of(&self, channel: ChannelId) -> Result<Vec<StoredWebhook>, StorageError> {
        let state = self.state();
        let rows = state.webhooks.rows.values().filter(|row| row.channel_id == channel);
        Ok(rows.take(LIST_MAX).cloned().collect())
    }

    async fn webhook_note(
        &self,
        id: WebhookId,
        key: &Digest,
    ) -> Result<Option<String>, StorageError> {
        Ok(self.state().webhooks.note(id, key).cloned())
    }
}
