//! Sign-in through others.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use tidings_domain::{Timestamp, UserId};

use crate::change::Digest;
use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::signin::{SigninRepository, StoredGrant, StoredLink, StoredProvider};

#[derive(Debug, Default)]
pub(super) struct Signin {
    providers: BTreeMap<String, StoredProvider>,
    /// By provider and subject.
    links: BTreeMap<(String, String), StoredLink>,
    grants: HashMap<Digest, StoredGrant>,
}

impl Signin {
    pub(super) fn has_provider(&self, id: &str) -> bool {
        self.providers.contains_key(id)
    }

    pub(super) fn put_provider(&mut self, provider: StoredProvider) {
        self.providers.insert(provider.id.clone(), provider);
    }

    pub(super) fn delete_provider(&mut self, id: &str) {
        self.providers.remove(id);
        self.links.retain(|(provider, _), _| provider != id);
    }

    /// Whether the provider knows neither the subject nor the user.
    pub(super) fn link_free(&self, provider: &str, subject: &str, user: UserId) -> bool {
        let mut links = self.links.values().filter(|link| link.provider == provider);
        links.all(|link| link.subject != subject && link.user_id != user)
    }

    pub(super) fn put_link(&mut self, link: StoredLink) {
        self.links.insert((link.provider.clone(), link.subject.clone()), link);
    }

    pub(super) fn delete_links(&mut self, user: UserId, provider: Option<&str>) {
        self.links.retain(|_, link| {
            link.user_id != user || provider.is_some_and(|provider| link.provider != provider)
        });
    }

    pub(super) fn grant_is(&self, grant: &StoredGrant) -> bool {
        self.grants.get(&grant.device_hash) == Some(grant)
    }

    pub(super) fn code_free(&self, code: &str) -> bool {
        self.grants.values().all(|grant| grant.user_code != code)
    }

    pub(super) fn grants(&self) -> usize {
        self.grants.len()
    }

    pub(super) fn put_grant(&mut self, grant: StoredGrant) {
        self.grants.insert(grant.device_hash, grant);
    }

    pub(super) fn delete_grant(&mut self, device_hash: &Digest) {
        self.grants.remove(device_hash);
    }

    pub(super) fn prune(&mut self, now: Timestamp) {
        self.grants.retain(|_, grant| grant.expires_at >= now);
    }
}

#[async_trait]
impl SigninRepository for MemoryStore {
    async fn providers(&self) -> Result<Vec<StoredProvider>, StorageError> {
        Ok(self.state().signin.providers.values().cloned().collect())
    }

    async fn provider(&self, id: &str) -> Result<Option<StoredProvider>, StorageError> {
        Ok(self.state().signin.providers.get(id).cloned())
    }

    async fn link(
        &self,
        provider: &str,
        subject: &str,
    ) -> Result<Option<StoredLink>, StorageError> {
        let key = (provider.to_owned(), subject.to_owned());
        Ok(self.state().signin.links.get(&key).cloned())
    }

    async fn links_of(&self, user: UserId) -> Result<Vec<StoredLink>, StorageError> {
        let state = self.state();
        let links = state.signin.links.values().filter(|link| link.user_id == user);
        Ok(links.cloned().collect())
    }

    async fn has_links(&self, provider: &str) -> Result<bool, StorageError> {
        Ok(self.state().signin.links.values().any(|link| link.provider == provider))
    }

    async fn grant(&self, device_hash: &Digest) -> Result<Option<StoredGrant>, StorageError> {
        Ok(self.state().signin.grants.get(device_hash).cloned())
    }

    async fn grant_by_code(&self, user_code: &str) -> Result<Option<StoredGrant>, StorageError> {
        let state = self.state();
        Ok(state.signin.grants.values().find(|grant| grant.user_code == user_code).cloned())
    }
}
