//! Smaller pictures: made when somebody first wants one, and kept beside the blob.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use tidings_wire::Code;
use tokio::sync::OwnedSemaphorePermit;

use super::Files;
use super::picture::{self, Kind, PictureError};
use super::spool::Spooled;
use crate::access::MediaReader;
use crate::app::App;
use crate::blobs::{BlobError, BlobName};
use crate::error::ApiError;

/// The widths that are made: a request gets the next one, so that nobody fills the disk with all
/// the others.
pub(super) const WIDTHS: [u32; 5] = [64, 128, 256, 512, 1024];
/// How long a picture waits for others that are drawn, before whoever asked is told to come back.
const TURN: Duration = Duration::from_secs(20);

/// A smaller picture.
#[derive(Debug, Clone)]
pub struct Thumb {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its MIME type.
    pub content_type: &'static str,
    /// How wide it is at most, one of a few widths.
    pub width: u32,
}

impl App {
    /// Waits until a picture may be drawn: each takes much memory and a processor.
    pub(super) async fn turn_to_draw(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let turn = Arc::clone(self.drawing()).acquire_owned();
        match tokio::time::timeout(TURN, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => {
                Err(ApiError::new(Code::Unavailable, "Too many pictures at once. Try again soon."))
            }
        }
    }
}

/// Runs what draws, where it holds up nobody.
pub(super) async fn draw<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    job: impl FnOnce() -> Result<T, PictureError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(move || {
        let done = job();
        // Who stops waiting does not give the turn away: the job runs on.
        drop(turn);
        done
    });
    match done.await {
        Ok(done) => done.map_err(|error| ApiError::field("body", "picture", error.to_string())),
        Err(error) => Err(ApiError::internal(error)),
    }
}

impl Files<'_> {
    /// The file as a picture at most about `width` pixels wide.
    ///
    /// # Errors
    /// `not_found` of what is no picture, `unprocessable` of one that cannot be drawn.
    pub async fn thumb(&self, right: &MediaReader, width: u32) -> Result<Thumb, ApiError> {
        let media = &right.media().media;
        let kind = Kind::of(&media.content_type).filter(|_| media.dimensions.is_some());
        let kind = kind.ok_or_else(ApiError::not_found)?;
        let [.., largest] = WIDTHS;
        let width = WIDTHS.into_iter().find(|known| *known >= width).unwrap_or(largest);
        let blob = self.blob(media).await?;
        let name = blob.thumb(width);
        let kept = match self.0.blobs().size(&name).await {
            Ok(size) => self.whole(&name, size).await?,
            Err(BlobError::NotFound { .. }) => {
                self.draw_thumb(kind, &blob, media.size, width).await?
            }
            Err(other) => return Err(other.into()),
        };
        let content_type = if kept.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
        Ok(Thumb { bytes: kept, content_type, width })
    }

    async fn draw_thumb(
        &self,
        kind: Kind,
        blob: &BlobName,
        size: u64,
        width: u32,
    ) -> Result<Bytes, ApiError> {
        let app = self.0;
        let turn = app.turn_to_draw().await?;
        let original = self.whole(blob, size).await?;
        let drawn = draw(turn, move || picture::thumb(kind, &original, width)).await?;
        let bytes = Bytes::from(drawn);
        let mut spooled = Spooled::create(app.blobs().spool(), app.new_id()).await?;
        spooled.write(&bytes).await?;
        spooled.flush().await?;
        app.blobs().put(&blob.thumb(width), spooled.path()).await?;
        Ok(bytes)
    }

    async fn whole(&self, name: &BlobName, size: u64) -> Result<Bytes, ApiError> {
        let pieces = self.0.blobs().read(name, 0..size).await?;
        let whole = pieces.try_fold(BytesMut::new(), async |mut whole, piece| {
            whole.extend_from_slice(&piece);
            Ok(whole)
        });
        Ok(whole.await?.freeze())
    }
}
