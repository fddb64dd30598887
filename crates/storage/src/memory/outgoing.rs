//! Outgoing webhooks.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use tidings_domain::{ChannelId, CommunityId, Position, Timestamp, WebhookId};

use crate::entry::CommittedEntry;
use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::memory::entry::LogEntry;
use crate::outgoing::{
    ATTEMPTS_KEPT, Happening, Happenings, OutgoingRepository, StoredAttempt, StoredOutgoing,
};

/// The most rows that a list has, as the trait says.
const LIST_MAX: usize = 1_000;
/// How many entries one call looks at.
const SCAN: u64 = 10_000;

#[derive(Debug, Default)]
pub(super) struct Outgoing {
    rows: BTreeMap<WebhookId, StoredOutgoing>,
    /// Newest first.
    attempts: HashMap<WebhookId, Vec<StoredAttempt>>,
}

impl Outgoing {
    pub(super) fn is_at(&self, id: WebhookId, position: Position) -> bool {
        self.rows.get(&id).is_some_and(|row| row.position == position)
    }

    pub(super) fn is(&self, id: WebhookId, revision: u32) -> bool {
        self.rows.get(&id).is_some_and(|row| row.revision == revision)
    }

    pub(super) fn create(&mut self, webhook: StoredOutgoing) {
        self.rows.insert(webhook.id, webhook);
    }

    pub(super) fn update(&mut self, webhook: StoredOutgoing) {
        if let Some(row) = self.rows.get_mut(&webhook.id) {
            let StoredOutgoing { name, url, events, generation, rotated_at, disabled, .. } =
                webhook;
            *row = StoredOutgoing {
                name,
                url,
                events,
                generation,
                rotated_at,
                disabled,
                revision: row.revision + 1,
                ..row.clone()
            };
        }
    }

    pub(super) fn move_to(&mut self, id: WebhookId, position: Position) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.position = position;
        }
    }

    pub(super) fn accepted(&mut self, id: WebhookId, at: Timestamp) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.succeeded_at = Some(at);
        }
    }

    pub(super) fn disable(&mut self, id: WebhookId, at: Timestamp, why: String) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.disabled = Some((at, why));
            row.revision += 1;
        }
    }

    pub(super) fn put_attempt(&mut self, attempt: StoredAttempt) {
        if !self.rows.contains_key(&attempt.webhook_id) {
            return;
        }
        let attempts = self.attempts.entry(attempt.webhook_id).or_default();
        attempts.push(attempt);
        attempts.sort_by(|a, b| (b.at, &b.message, b.attempt).cmp(&(a.at, &a.message, a.attempt)));
        // As in SQL: what is as old as the oldest that is kept is kept, too.
        if let Some(oldest) = attempts.get(ATTEMPTS_KEPT - 1).map(|it| it.at) {
            attempts.retain(|it| it.at >= oldest);
        }
    }

    pub(super) fn delete(&mut self, id: WebhookId) {
        self.rows.remove(&id);
        self.attempts.remove(&id);
    }
}

#[async_trait]
impl OutgoingRepository for MemoryStore {
    async fn outgoing(&self, id: WebhookId) -> Result<Option<StoredOutgoing>, StorageError> {
        Ok(self.state().outgoing.rows.get(&id).cloned())
    }

    async fn outgoing_of(
        &self,
        community: CommunityId,
        channel: Option<ChannelId>,
    ) -> Result<Vec<StoredOutgoing>, StorageError> {
        let state = self.state();
        let rows = state.outgoing.rows.values();
        let rows = rows.filter(|row| row.community_id == community && row.channel_id == channel);
        Ok(rows.take(LIST_MAX).cloned().collect())
    }

    async fn outgoing_active(&self) -> Result<Vec<StoredOutgoing>, StorageError> {
        let state = self.state();
        Ok(state.outgoing.rows.values().filter(|row| row.disabled.is_none()).cloned().collect())
    }

    async fn outgoing_attempts(&self, id: WebhookId) -> Result<Vec<StoredAttempt>, StorageError> {
        Ok(self.state().outgoing.attempts.get(&id).cloned().unwrap_or_default())
    }

    async fn happenings(
        &self,
        community: CommunityId,
        after: Position,
        limit: usize,
    ) -> Result<Happenings, StorageError> {
        let state = self.state();
        let head = state.log.head();
        let mut found = Happenings { reached: after, ..Happenings::default() };
        while found.reached < head
            && found.reached.0 - after.0 < SCAN
            && found.items.len() < limit
            && let Some(entry) = state.log.at(Position(found.reached.0 + 1))
        {
            found.reached = entry.stored.position;
            if entry.stored.community == Some(community) {
                found.items.push(Happening {
                    position: entry.stored.position,
                    log: entry.stored.log,
                    kind: entry.stored.kind.clone(),
                });
            }
        }
        found.at_head = found.reached >= head;
        Ok(found)
    }

    async fn entry_at(&self, position: Position) -> Result<Option<CommittedEntry>, StorageError> {
        Ok(self.state().log.at(position).map(LogEntry::committed))
    }
}
