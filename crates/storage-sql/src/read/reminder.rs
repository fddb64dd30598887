//! Reminders.

use async_trait::async_trait;
use tidings_domain::{ChannelId, Timestamp, UserId};
use tidings_storage::reminder::StoredReminder;
use tidings_storage::{ReminderRepository, StorageError};

use crate::conn::{Row, params};
use crate::store::SqlStore;

macro_rules! select_reminder {
    ($rest:literal) => {
        concat!("SELECT id, user_id, channel_id, due_at, text FROM reminders ", $rest)
    };
}

fn reminder(row: &Row<'_>) -> Result<StoredReminder, StorageError> {
    Ok(StoredReminder {
        id: row.id(0)?,
        user_id: UserId(row.id(1)?),
        channel_id: ChannelId(row.id(2)?),
        due_at: Timestamp(row.int(3)?),
        text: row.text(4)?,
    })
}

#[async_trait]
impl ReminderRepository for SqlStore {
    async fn due_reminders(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredReminder>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_reminder!("WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?2");
                conn.query(sql, params![now, limit], reminder).await
            })
        })
        .await
    }

    async fn next_reminder(&self) -> Result<Option<Timestamp>, StorageError> {
        self.read(|conn| {
            Box::pin(async move {
                let sql = "SELECT due_at FROM reminders ORDER BY due_at LIMIT 1";
                conn.query_first(sql, params![], |row| Ok(Timestamp(row.int(0)?))).await
            })
        })
        .await
    }

    async fn reminders_of(&self, user: UserId) -> Result<Vec<StoredReminder>, StorageError> {
        self.read(move |conn| {
            Box::pin(async move {
                let sql = select_reminder!("WHERE user_id = ?1 ORDER BY due_at, id LIMIT 1000");
                conn.query(sql, params![user], reminder).await
            })
        })
        .await
    }
}
