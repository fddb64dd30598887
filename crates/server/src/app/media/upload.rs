//! An upload, from its first byte to its row.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tidings_domain::media::filename;
use tidings_domain::{ChannelId, Media, MediaId, UserId};
use tidings_storage::media::StoredMedia;
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tidings_wire::Code;
use tidings_wire::media::Media as MediaView;

use super::spool::Spooled;
use super::thumb::draw;
use super::{Files, picture, sniff};
use crate::access::Caller;
use crate::app::App;
use crate::blobs::BlobName;
use crate::error::ApiError;
use crate::limit::Key;

/// A file that is coming in. Dropping it forgets it.
#[derive(Debug)]
pub struct Upload {
    app: App,
    user: UserId,
    channel: Option<ChannelId>,
    spooled: Spooled,
    hash: Sha256,
    size: u64,
    /// The first bytes, which tell what the file is.
    head: Vec<u8>,
}

impl Files<'_> {
    /// Begins an upload. With a channel only messages of that channel may carry the file, and the
    /// caller must be able to post there. `declared` is the size that the caller announces.
    pub async fn begin(
        &self,
        caller: &Caller,
        channel: Option<ChannelId>,
        declared: Option<u64>,
    ) -> Result<Upload, ApiError> {
        let app = self.0;
        let user = caller.user_id();
        app.limit(Key::Uploads(user), app.settings().limits.uploads)?;
        if let Some(channel) = channel {
            app.access().poster(caller, channel).await?;
        }
        // Asked here so that nobody sends what will not be kept; the writer asks again.
        if let Some(size) = declared {
            check_size(app, size)?;
            let there = app.store().media_bytes(user).await?;
            if there.saturating_add(size) > app.settings().storage_per_user {
                return Err(no_room(app));
            }
        }
        self.open(user, channel).await
    }

    async fn open(self, user: UserId, channel: Option<ChannelId>) -> Result<Upload, ApiError> {
        let app = self.0;
        let spooled = Spooled::create(app.blobs().spool(), app.new_id()).await?;
        Ok(Upload {
            app: app.clone(),
            user,
            channel,
            spooled,
            hash: Sha256::new(),
            size: 0,
            head: Vec::new(),
        })
    }

    /// Keeps the picture of a preview, for messages of one channel. It is nobody's upload, and counts
    /// for nobody.
    pub(in crate::app) async fn keep_preview(
        self,
        channel: ChannelId,
        bytes: &[u8],
    ) -> Result<Media, ApiError> {
        let mut upload = self.open(UserId::NIL, Some(channel)).await?;
        upload.write(bytes).await?;
        upload.keep("preview", "").await
    }

    /// A picture that was found elsewhere, at most about `width` pixels wide.
    ///
    /// # Errors
    /// When it is no picture that is drawn here.
    pub(in crate::app) async fn small(self, bytes: Bytes, width: u32) -> Result<Bytes, ApiError> {
        let content_type = sniff::content_type(bytes.get(..sniff::HEAD).unwrap_or(&bytes), "");
        let kind = picture::Kind::of(content_type).ok_or_else(ApiError::not_found)?;
        let turn = self.0.turn_to_draw().await?;
        let small = draw(turn, move || {
            // Its header is looked at before anything is decoded.
            let clean = picture::clean(kind, &bytes)?;
            picture::thumb(kind, &clean.bytes, width)
        });
        Ok(small.await?.into())
    }
}

impl Upload {
    /// Takes the next bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        self.size += bytes.len() as u64;
        check_size(&self.app, self.size)?;
        let missing = sniff::HEAD.saturating_sub(self.head.len());
        self.head.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
        self.hash.update(bytes);
        self.spooled.write(bytes).await
    }

    /// Keeps the file. `name` is what its owner calls it, `declared` what they say it is, which is
    /// believed only where the bytes leave it open.
    pub async fn finish(self, name: &str, declared: &str) -> Result<MediaView, ApiError> {
        self.keep(name, declared).await.map(|media| MediaView::from(&media))
    }

    async fn keep(mut self, name: &str, declared: &str) -> Result<Media, ApiError> {
        if self.size == 0 {
            return Err(ApiError::field("body", "empty", "the file is empty"));
        }
        self.spooled.flush().await?;
        let content_type = sniff::content_type(&self.head, declared).to_owned();
        let dimensions = match picture::Kind::of(&content_type) {
            Some(kind) => Some(self.clean(kind).await?),
            None => None,
        };
        let app = &self.app;
        let sha256 = self.hash.finalize().into();
        let id = app.new_id();
        let media = Media {
            id: MediaId(id),
            filename: filename(name),
            content_type,
            size: self.size,
            sha256,
            dimensions,
        };
        let answer = media.clone();
        let blob = BlobName::new(&sha256, id);
        app.blobs().put(&blob, self.spooled.path()).await?;
        let room =
            Precondition::StorageLeft(self.user, media.size, app.settings().storage_per_user);
        let mut preconditions = vec![Precondition::UserActive(self.user), room];
        if self.user == UserId::NIL {
            preconditions.clear();
        }
        let stored = StoredMedia {
            media,
            uploader: self.user,
            channel: self.channel,
            created_at: app.now(),
            used: false,
        };
        let change = Change {
            preconditions,
            records: vec![Record::CreateMedia(stored, blob.to_string())],
            ..Change::default()
        };
        let result = app.commit(change).await;
        // Equal bytes were there already, or the row was refused: then this blob is for nobody.
        // Whether the row of a commit that failed is there, only the sweep can tell later.
        let kept = match &result {
            Err(ChangeError::Refused(_)) => false,
            Err(_) => true,
            Ok(_) => app.store().blob(&sha256).await?.is_none_or(|kept| kept.name == blob.as_str()),
        };
        if !kept && let Err(error) = app.blobs().delete(&blob).await {
            tracing::warn!(%error, "a blob that nobody needs is left to the sweep");
        }
        match result {
            Ok(_) => Ok(answer),
            Err(ChangeError::Refused(Refusal::Precondition(Precondition::StorageLeft(..)))) => {
                Err(no_room(app))
            }
            Err(other) => Err(other.into()),
        }
    }
}

impl Upload {
    /// Leaves of a picture what is needed to draw it; how wide and high it is.
    async fn clean(&mut self, kind: picture::Kind) -> Result<(u32, u32), ApiError> {
        if self.size > picture::BYTES_MAX {
            let detail = format!("A picture has at most {} bytes.", picture::BYTES_MAX);
            return Err(ApiError::new(Code::TooLarge, detail));
        }
        let turn = self.app.turn_to_draw().await?;
        let bytes = tokio::fs::read(self.spooled.path()).await.map_err(ApiError::internal)?;
        let clean = draw(turn, move || picture::clean(kind, &bytes)).await?;
        self.hash = Sha256::new_with_prefix(&clean.bytes);
        self.size = clean.bytes.len() as u64;
        check_size(&self.app, self.size)?;
        self.spooled.replace(&clean.bytes).await?;
        Ok((clean.width, clean.height))
    }
}

fn check_size(app: &App, size: u64) -> Result<(), ApiError> {
    let most = app.settings().attachment_bytes;
    if size > most {
        let detail = format!("A file has at most {most} bytes here.");
        return Err(ApiError::new(Code::TooLarge, detail));
    }
    Ok(())
}

fn no_room(app: &App) -> ApiError {
    let most = app.settings().storage_per_user;
    let detail = format!(
        "Your files may have {most} bytes in all, and this one does not fit. Delete messages with \
         files that nobody needs any more."
    );
    ApiError::new(Code::StorageFull, detail)
}
