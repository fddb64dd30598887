//! Accounts, chains, challenges and reset codes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use async_trait::async_trait;
use tidings_domain::user::ServerRole;
use tidings_domain::{IdentityKey, Timestamp, User, UserId};

use crate::account::AccountRepository;
use crate::change::Digest;
use crate::error::StorageError;
use crate::memory::MemoryStore;

#[derive(Debug, Default)]
pub(super) struct Accounts {
    users: BTreeMap<UserId, User>,
    usernames: HashMap<String, UserId>,
    identities: HashMap<IdentityKey, UserId>,
    chains: HashMap<IdentityKey, Vec<Vec<u8>>>,
    challenges: HashMap<Digest, Timestamp>,
    resets: HashMap<Digest, (UserId, Timestamp)>,
}

impl Accounts {
    pub(super) fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    pub(super) fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    pub(super) fn by_username(&self, username: &str) -> Option<&User> {
        self.users.get(self.usernames.get(username)?)
    }

    pub(super) fn by_identity(&self, identity: IdentityKey) -> Option<&User> {
        self.users.get(self.identities.get(&identity)?)
    }

    pub(super) fn any_with_identity(&self) -> bool {
        !self.identities.is_empty()
    }

    pub(super) fn count(&self) -> u64 {
        self.users.len() as u64
    }

    pub(super) fn chain_length(&self, identity: IdentityKey) -> u64 {
        self.chains.get(&identity).map_or(0, Vec::len) as u64
    }

    pub(super) fn challenge_used(&self, challenge: &Digest) -> bool {
        self.challenges.contains_key(challenge)
    }

    pub(super) fn reset(&self, code: &Digest) -> Option<(UserId, Timestamp)> {
        self.resets.get(code).copied()
    }

    pub(super) fn create(&mut self, user: User) {
        self.usernames.insert(user.username.clone(), user.id);
        if let Some(identity) = user.identity {
            self.identities.insert(identity, user.id);
        }
        self.users.insert(user.id, user);
    }

    pub(super) fn update(&mut self, user: User) {
        let Some(row) = self.users.get_mut(&user.id) else { return };
        if let Some(before) = row.identity {
            self.identities.remove(&before);
        }
        if let Some(now) = user.identity {
            self.identities.insert(now, user.id);
        }
        let username = std::mem::take(&mut row.username);
        *row = User { username, created_at: row.created_at, ..user };
    }

    pub(super) fn rename(&mut self, id: UserId, username: String) {
        let Some(row) = self.users.get_mut(&id) else { return };
        self.usernames.remove(&row.username);
        self.usernames.insert(username.clone(), id);
        row.username = username;
    }

    pub(super) fn append_chain(&mut self, identity: IdentityKey, envelopes: Vec<Vec<u8>>) {
        self.chains.entry(identity).or_default().extend(envelopes);
    }

    pub(super) fn use_challenge(&mut self, challenge: Digest, until: Timestamp) {
        self.challenges.insert(challenge, until);
    }

    pub(super) fn create_reset(&mut self, code: Digest, user: UserId, until: Timestamp) {
        self.resets.insert(code, (user, until));
    }

    pub(super) fn use_reset(&mut self, code: &Digest) {
        self.resets.remove(code);
    }

    pub(super) fn prune(&mut self, now: Timestamp) {
        self.challenges.retain(|_, until| *until >= now);
        self.resets.retain(|_, (_, until)| *until >= now);
    }
}

#[async_trait]
impl AccountRepository for MemoryStore {
    async fn has_accounts(&self) -> Result<bool, StorageError> {
        Ok(self.state().accounts.any_with_identity())
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StorageError> {
        Ok(self.state().accounts.user(id).cloned())
    }

    async fn user_by_username(&self, username: &str) -> Result<Option<User>, StorageError> {
        Ok(self.state().accounts.by_username(username).cloned())
    }

    async fn user_by_identity(&self, identity: IdentityKey) -> Result<Option<User>, StorageError> {
        Ok(self.state().accounts.by_identity(identity).cloned())
    }

    async fn server_owner(&self) -> Result<Option<User>, StorageError> {
        let state = self.state();
        let mut users = state.accounts.users.values();
        Ok(users.find(|user| user.server_role == ServerRole::Owner).cloned())
    }

    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError> {
        let state = self.state();
        Ok(ids.iter().filter_map(|id| state.accounts.user(*id)).cloned().collect())
    }

    async fn users_by_username(&self, usernames: &[String]) -> Result<Vec<User>, StorageError> {
        let state = self.state();
        Ok(usernames.iter().filter_map(|it| state.accounts.by_username(it)).cloned().collect())
    }

    async fn list_users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StorageError> {
        let state = self.state();
        let users = state.accounts.users.range((Bound::Excluded(after), Bound::Unbounded));
        Ok(users.take(limit).map(|(_, user)| user.clone()).collect())
    }

    async fn chain(
        &self,
        identity: IdentityKey,
        first: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let state = self.state();
        let chain = state.accounts.chains.get(&identity).into_iter().flatten();
        // A place past what memory can hold is past the end.
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        Ok(chain.skip(first).take(limit).cloned().collect())
    }
}
