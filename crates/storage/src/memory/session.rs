//! Sessions.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use tidings_domain::{SessionId, Timestamp, User, UserId};

use crate::change::Digest;
use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::session::{SessionRepository, StoredSession};

/// The most sessions that a list has, as the trait says.
const LIST_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Sessions {
    rows: BTreeMap<SessionId, StoredSession>,
    tokens: HashMap<Digest, SessionId>,
}

impl Sessions {
    pub(super) fn create(&mut self, session: StoredSession) {
        self.tokens.insert(session.token_hash, session.id);
        self.rows.insert(session.id, session);
    }

    pub(super) fn touch(&mut self, id: SessionId, used: Timestamp, end: Timestamp) {
        if let Some(session) = self.rows.get_mut(&id) {
            session.last_used_at = used;
            session.expires_at = end;
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&StoredSession) -> bool) {
        self.rows.retain(|_, session| {
            let kept = keep(session);
            if !kept {
                self.tokens.remove(&session.token_hash);
            }
            kept
        });
    }
}

#[async_trait]
impl SessionRepository for MemoryStore {
    async fn session_by_token(
        &self,
        token_hash: &Digest,
    ) -> Result<Option<(StoredSession, User)>, StorageError> {
        let state = self.state();
        let id = state.sessions.tokens.get(token_hash);
        let Some(session) = id.and_then(|id| state.sessions.rows.get(id)) else { return Ok(None) };
        let user = state.accounts.user(session.user_id);
        Ok(user.map(|user| (session.clone(), user.clone())))
    }

    async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StorageError> {
        Ok(self.state().sessions.rows.get(&id).cloned())
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<StoredSession>, StorageError> {
        let state = self.state();
        let rows = state.sessions.rows.values();
        let mut sessions: Vec<_> = rows.filter(|row| row.user_id == user).cloned().collect();
        sessions.sort_by_key(|session| (session.created_at, session.id));
        sessions.truncate(LIST_MAX);
        Ok(sessions)
    }
}
