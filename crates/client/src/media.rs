//! Files: sending them, fetching them.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use tidings_domain::media::filename;
use tidings_domain::{ChannelId, MediaId};
use tidings_wire::media::Media;
use tokio_util::io::ReaderStream;

use crate::client::Client;
use crate::error::ClientError;

/// How long a whole upload may take: as long as the server waits for one.
const UPLOAD_TIMEOUT: Duration = Duration::from_hours(1);
/// How long the server may send nothing of a file.
const SILENCE: Duration = Duration::from_secs(30);
/// How many bytes are read from the disk at once.
const PIECE: usize = 64 * 1024;

/// Why a file was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// The file cannot be read.
    #[error("{error}")]
    File {
        /// What the system said.
        #[from]
        error: std::io::Error,
    },
    /// The server did not take it.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// A file that comes in.
#[derive(Debug)]
pub struct Download {
    /// What it is called, made harmless; never empty, never a path.
    pub filename: String,
    /// How many bytes it has, when the server says so.
    pub size: Option<u64>,
    response: reqwest::Response,
    server: String,
}

impl Download {
    /// The next bytes; `None` at the end of the file, which then is whole.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        let chunk = tokio::time::timeout(SILENCE, self.response.chunk()).await;
        let chunk = chunk.map_err(|_| ClientError::Timeout {
            server: self.server.clone(),
            seconds: SILENCE.as_secs(),
        })?;
        chunk.map_err(|error| ClientError::from_reqwest(&self.server, SILENCE, &error))
    }
}

impl Client {
    /// Uploads a file from the disk. `progress` is told how many bytes more have gone out. With a
    /// channel only messages of that channel may carry it.
    pub async fn upload(
        &self,
        path: &Path,
        channel: Option<ChannelId>,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<Media, UploadError> {
        let file = tokio::fs::File::open(path).await?;
        let size = file.metadata().await?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let pieces = ReaderStream::with_capacity(file, PIECE)
            .inspect_ok(move |piece| progress(piece.len() as u64));
        Ok(self.upload_stream(&name, size, channel, pieces).await?)
    }

    /// Uploads `size` bytes as a file called `name`.
    pub async fn upload_stream(
        &self,
        name: &str,
        size: u64,
        channel: Option<ChannelId>,
        pieces: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<Media, ClientError> {
        self.post(&["v1", "media"])
            .query_some("channel", channel.map(|id| id.0))
            .header(http::HeaderName::from_static("x-filename"), &escaped(name))
            .header(http::header::CONTENT_TYPE, "application/octet-stream")
            .header(http::header::CONTENT_LENGTH, &size.to_string())
            .streamed(reqwest::Body::wrap_stream(pieces))
            .timeout(UPLOAD_TIMEOUT)
            .read()
            .await
    }

    /// Begins to fetch a file.
    pub async fn download(&self, id: MediaId) -> Result<Download, ClientError> {
        let response = self.get(&["v1", "media", &id.to_string()]).stream().await?;
        let told = response.headers().get(http::header::CONTENT_DISPOSITION);
        let told = told.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let name = told.split_once("filename*=UTF-8''").map_or("", |(_, name)| name);
        let server = self.server().origin();
        Ok(Download {
            filename: filename(&unescaped(name)),
            size: response.content_length(),
            response,
            server,
        })
    }
}

/// Percent-encoded (RFC 3986, section 2.1).
fn escaped(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digits = (byte == b'%').then(|| [rest.next(), rest.next()]);
        let digit = |digit: Option<u8>| char::from(digit?).to_digit(16);
        match digits.map(|[high, low]| (digit(high), digit(low))) {
            Some((Some(high), Some(low))) => bytes.extend(u8::try_from(high * 16 + low)),
            Some(_) => {}
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_went() {
        for name in ["a.png", "über uns 100%.pdf", "a b\"c;d", "\u{1f4ac}"] {
            let text = escaped(name);
            assert!(text.bytes().all(|b| b.is_ascii_graphic()), "{text}");
            assert_eq!(unescaped(&text), name);
        }
        assert_eq!(unescaped("a%"), "a");
    }
}
