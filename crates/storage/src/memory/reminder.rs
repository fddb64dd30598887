//! Reminders.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tidings_domain::{Timestamp, UserId};
use uuid::Uuid;

use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::reminder::{ReminderRepository, StoredReminder};

/// The most rows that a list has, as the trait says.
const LIST_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Reminders(BTreeMap<Uuid, StoredReminder>);

impl Reminders {
    pub(super) fn put(&mut self, reminder: StoredReminder) {
        self.0.insert(reminder.id, reminder);
    }

    pub(super) fn delete(&mut self, id: Uuid) {
        self.0.remove(&id);
    }

    pub(super) fn has(&self, id: Uuid) -> bool {
        self.0.contains_key(&id)
    }

    fn sorted(&self, keep: impl Fn(&&StoredReminder) -> bool) -> Vec<&StoredReminder> {
        let mut found: Vec<_> = self.0.values().filter(keep).collect();
        found.sort_by_key(|reminder| (reminder.due_at, reminder.id));
        found
    }
}

#[async_trait]
impl ReminderRepository for MemoryStore {
    async fn due_reminders(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredReminder>, StorageError> {
        let state = self.state();
        let due = state.reminders.sorted(|reminder| reminder.due_at <= now);
        Ok(due.into_iter().take(limit).cloned().collect())
    }

    async fn next_reminder(&self) -> Result<Option<Timestamp>, StorageError> {
        let state = self.state();
        Ok(state.reminders.sorted(|_| true).first().map(|reminder| reminder.due_at))
    }

    async fn reminders_of(&self, user: UserId) -> Result<Vec<StoredReminder>, StorageError> {
        let state = self.state();
        let found = state.reminders.sorted(|reminder| reminder.user_id == user);
        Ok(found.into_iter().take(LIST_MAX).cloned().collect())
    }
}
