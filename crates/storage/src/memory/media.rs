//! Files.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tidings_domain::{ChannelId, MediaId, Timestamp, UserId};

use crate::change::Digest;
use crate::error::StorageError;
use crate::media::{MediaRepository, MediaUses, StoredBlob, StoredMedia};
use crate::memory::{MemoryStore, State};

#[derive(Debug, Default)]
pub(super) struct Files {
    media: BTreeMap<MediaId, StoredMedia>,
    blobs: BTreeMap<Digest, String>,
}

impl Files {
    pub(super) fn has(&self, id: MediaId) -> bool {
        self.media.contains_key(&id)
    }

    pub(super) fn create(&mut self, media: StoredMedia, blob: String) {
        self.blobs.entry(media.media.sha256).or_insert(blob);
        self.media.insert(media.media.id, media);
    }

    pub(super) fn use_media(&mut self, id: MediaId) {
        if let Some(media) = self.media.get_mut(&id) {
            media.used = true;
        }
    }

    pub(super) fn delete(&mut self, id: MediaId) {
        self.media.remove(&id);
    }

    pub(super) fn delete_blob(&mut self, sha256: &Digest) {
        self.blobs.remove(sha256);
    }

    pub(super) fn bytes_of(&self, user: UserId) -> u64 {
        let theirs = self.media.values().filter(|media| media.uploader == user);
        theirs.map(|media| media.media.size).sum()
    }

    pub(super) fn blob_unused(&self, sha256: &Digest) -> bool {
        self.media.values().all(|media| media.media.sha256 != *sha256)
    }
}

impl State {
    fn uses(&self, id: MediaId) -> MediaUses {
        let rows = self.projections.messages.values();
        let carriers = rows.filter(|row| {
            row.newest().is_some_and(|message| message.media().any(|it| it.id == id))
        });
        let channels: BTreeSet<_> = carriers.map(|row| row.channel).collect();
        MediaUses { channels: channels.into_iter().collect() }
    }

    pub(super) fn media_usable(
        &self,
        id: MediaId,
        user: UserId,
        channel: Option<ChannelId>,
    ) -> bool {
        self.files.media.get(&id).is_some_and(|media| {
            media.uploader == user
                && media.channel.is_none_or(|only| Some(only) == channel)
                && (!media.used || !self.uses(id).is_empty())
        })
    }

    pub(super) fn media_orphaned(&self, id: MediaId, before: Timestamp) -> bool {
        self.files.media.get(&id).is_some_and(|media| {
            (media.used || media.created_at < before) && self.uses(id).is_empty()
        })
    }
}

#[async_trait]
impl MediaRepository for MemoryStore {
    async fn media(&self, id: MediaId) -> Result<Option<StoredMedia>, StorageError> {
        Ok(self.state().files.media.get(&id).cloned())
    }

    async fn media_uses(&self, id: MediaId) -> Result<MediaUses, StorageError> {
        Ok(self.state().uses(id))
    }

    async fn media_bytes(&self, user: UserId) -> Result<u64, StorageError> {
        Ok(self.state().files.bytes_of(user))
    }

    async fn orphaned_media(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<MediaId>, StorageError> {
        let state = self.state();
        let all = state.files.media.keys().copied();
        Ok(all.filter(|id| state.media_orphaned(*id, before)).take(limit).collect())
    }

    async fn blob(&self, sha256: &Digest) -> Result<Option<StoredBlob>, StorageError> {
        let name = self.state().files.blobs.get(sha256).cloned();
        Ok(name.map(|name| StoredBlob { sha256: *sha256, name }))
    }

    async fn unused_blobs(&self, limit: usize) -> Result<Vec<StoredBlob>, StorageError> {
        let state = self.state();
        let unused = state.files.blobs.iter().filter(|(sha256, _)| state.files.blob_unused(sha256));
        Ok(unused
            .map(|(sha256, name)| StoredBlob { sha256: *sha256, name: name.clone() })
            .take(limit)
            .collect())
    }

    async fn known_blobs(&self, names: &[String]) -> Result<Vec<bool>, StorageError> {
        let state = self.state();
        let known: BTreeSet<&String> = state.files.blobs.values().collect();
        Ok(names.iter().map(|name| known.contains(name)).collect())
    }
}
