//! The log of a conversation as it stands.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;
use tidings_domain::{LogId, Seq};
use tidings_storage::{StorageError, StoredEntry};
use tidings_wire::Entry;

use super::App;
use crate::access::ChannelReader;
use crate::error::ApiError;

/// From [`App::log`].
#[derive(Debug, Clone, Copy)]
pub struct Log<'a>(pub(super) &'a App);

impl Log<'_> {
    /// Entries after a place, ascending, at most `limit`.
    pub async fn entries(
        &self,
        right: &ChannelReader,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Entry>, ApiError> {
        let log = LogId::Conversation(right.channel().id);
        let entries = self.0.store().entries(log, after, limit).await?;
        entries.into_iter().map(wire).collect()
    }
}

fn wire(entry: StoredEntry) -> Result<Entry, ApiError> {
    let (data, salt) = match entry.data {
        None => (None, None),
        Some((data, salt)) => {
            let corrupt = |detail: String| StorageError::Corrupt { place: "entries.data", detail };
            let text =
                String::from_utf8(data.into()).map_err(|error| corrupt(error.to_string()))?;
            let data = RawValue::from_string(text).map_err(|error| corrupt(error.to_string()))?;
            (Some(data), Some(URL_SAFE_NO_PAD.encode(salt)))
        }
    };
    Ok(Entry {
        actor_id: entry.actor.0,
        channel_id: entry.log.channel().map(|id| id.0),
        community_id: entry.community.map(|id| id.0),
        commitment: URL_SAFE_NO_PAD.encode(entry.commitment),
        data,
        hash: URL_SAFE_NO_PAD.encode(entry.hash),
        log: entry.log.to_string(),
        prev: URL_SAFE_NO_PAD.encode(entry.prev),
        salt,
        seq: entry.seq.0,
        timestamp: entry.at.into(),
        kind: entry.kind,
    })
}
