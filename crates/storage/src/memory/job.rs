//! Jobs.

use std::collections::HashMap;

use async_trait::async_trait;
use tidings_domain::{JobId, Timestamp};

use crate::error::StorageError;
use crate::job::{JobRepository, StoredJob};
use crate::memory::MemoryStore;

#[derive(Debug, Default)]
pub(super) struct Jobs(HashMap<JobId, StoredJob>);

impl Jobs {
    pub(super) fn is(&self, id: JobId, attempts: u32, due: Timestamp) -> bool {
        self.0.get(&id).is_some_and(|job| job.attempts == attempts && job.due == due)
    }

    pub(super) fn create(&mut self, job: StoredJob) {
        self.0.entry(job.id).or_insert(job);
    }

    pub(super) fn begin(&mut self, id: JobId, until: Timestamp) {
        if let Some(job) = self.0.get_mut(&id) {
            job.attempts += 1;
            job.due = until;
        }
    }

    pub(super) fn renew(&mut self, id: JobId, until: Timestamp) {
        if let Some(job) = self.0.get_mut(&id) {
            job.attempts = 1;
            job.due = until;
        }
    }

    pub(super) fn put_off(&mut self, id: JobId, until: Timestamp) {
        if let Some(job) = self.0.get_mut(&id) {
            job.due = until;
        }
    }

    pub(super) fn delete(&mut self, id: JobId) {
        self.0.remove(&id);
    }
}

#[async_trait]
impl JobRepository for MemoryStore {
    async fn jobs_due(&self, now: Timestamp, limit: usize) -> Result<Vec<StoredJob>, StorageError> {
        let state = self.state();
        let mut due: Vec<_> = state.jobs.0.values().filter(|job| job.due <= now).cloned().collect();
        due.sort_by_key(|job| (job.due, job.id));
        due.truncate(limit);
        Ok(due)
    }

    async fn next_job(&self) -> Result<Option<Timestamp>, StorageError> {
        Ok(self.state().jobs.0.values().map(|job| job.due).min())
    }
}
