//! Blobs as objects of an S3-protocol server, under `PREFIX/ab/abcd….id`.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{ClientOptions, GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _};
use object_store::{Error, RetryConfig};
use tidings_domain::Timestamp;
use tokio::io::AsyncReadExt as _;

use super::folder::{empty, make_folder};
use super::{BlobError, BlobName, Blobs, ByteStream, Listed};

/// Files up to this size go out in one request, longer ones in parts of it. S3 wants parts of at
/// least 5 MiB, and each one lies in memory while it is sent.
const PART: usize = 8 << 20;
/// How long the other side may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the other side may send nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// How often, and for how long, a request is tried again: whoever waits is a person.
const RETRIES: usize = 3;
const RETRY_FOR: Duration = Duration::from_secs(15);

/// Where a bucket is, and who may use it. `Debug` hides the secret.
#[derive(Clone, Default)]
pub struct S3Options {
    /// The bucket.
    pub bucket: String,
    /// What every key begins with; may be empty.
    pub prefix: String,
    /// `http://` or `https://` and host of another server than Amazon's.
    pub endpoint: Option<String>,
    /// The region; many servers take any.
    pub region: String,
    /// The id of the key that signs requests; without one requests are not signed.
    pub access_key_id: Option<String>,
    /// The key that signs requests.
    pub secret_access_key: Option<String>,
}

impl std::fmt::Debug for S3Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Options")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// A bucket.
#[derive(Debug)]
pub struct S3 {
    bucket: AmazonS3,
    prefix: String,
    spool: PathBuf,
}

impl S3 {
    /// Prepares to use a bucket; nothing is sent yet. Uploads are gathered in the folder `spool`,
    /// which is made when it is not there and emptied.
    ///
    /// # Errors
    /// When the folder cannot be made, or the options cannot be right.
    pub fn open(options: S3Options, spool: impl Into<PathBuf>) -> io::Result<Self> {
        let spool = spool.into();
        make_folder(&spool)?;
        empty(&spool)?;
        let S3Options { bucket, prefix, endpoint, region, access_key_id, secret_access_key } =
            options;
        let client = ClientOptions::new()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(SILENCE)
            .with_timeout_disabled();
        let retry = RetryConfig {
            max_retries: RETRIES,
            retry_timeout: RETRY_FOR,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_client_options(client)
            .with_retry(retry)
            .with_bucket_name(bucket)
            .with_region(region)
            .with_disable_bulk_delete(true);
        if let Some(endpoint) = endpoint {
            let plain = endpoint.starts_with("http://");
            builder = builder.with_endpoint(endpoint).with_allow_http(plain);
        }
        builder = match (access_key_id, secret_access_key) {
            (Some(id), Some(key)) => builder.with_access_key_id(id).with_secret_access_key(key),
            _ => builder.with_skip_signature(true),
        };
        let bucket = builder.build().map_err(io::Error::other)?;
        Ok(Self { bucket, prefix: prefix.trim_matches('/').to_owned(), spool })
    }

    fn key(&self, name: &BlobName) -> Key {
        Key::from(format!("{}/{}/{name}", self.prefix, name.shard()))
    }

    async fn put_parts(&self, key: &Key, mut file: tokio::fs::File) -> Result<(), BlobError> {
        let mut upload = self.bucket.put_multipart(key).await.map_err(failed)?;
        let sent = async {
            loop {
                let part = next_part(&mut file).await?;
                if part.is_empty() {
                    return upload.complete().await.map(drop).map_err(failed);
                }
                upload.put_part(part.into()).await.map_err(failed)?;
            }
        }
        .await;
        if sent.is_err() {
            // Parts that are left over cost room; the bucket's own rules may remove them too.
            let _ = upload.abort().await;
        }
        sent
    }
}

/// The next bytes of a file, a whole part of them but at its end.
async fn next_part(file: &mut tokio::fs::File) -> Result<Bytes, BlobError> {
    let mut part = Vec::with_capacity(PART);
    let read = file.take(PART as u64).read_to_end(&mut part).await;
    read.map_err(|error| BlobError::Unavailable { detail: error.to_string() })?;
    Ok(part.into())
}

fn failed(error: Error) -> BlobError {
    match error {
        Error::NotFound { path, .. } => BlobError::NotFound { name: path },
        other => BlobError::Unavailable { detail: other.to_string() },
    }
}

#[async_trait]
impl Blobs for S3 {
    fn spool(&self) -> &Path {
        &self.spool
    }

    async fn put(&self, name: &BlobName, file: &Path) -> Result<(), BlobError> {
        let here = |error: io::Error| BlobError::Unavailable { detail: error.to_string() };
        let mut file = tokio::fs::File::open(file).await.map_err(here)?;
        let length = file.metadata().await.map_err(here)?.len();
        let key = self.key(name);
        if length > PART as u64 {
            return self.put_parts(&key, file).await;
        }
        let bytes = next_part(&mut file).await?;
        self.bucket.put(&key, bytes.into()).await.map(drop).map_err(failed)
    }

    async fn read(&self, name: &BlobName, range: Range<u64>) -> Result<ByteStream, BlobError> {
        // S3 has no empty range.
        let asked = range.start..range.end.max(range.start + 1);
        let options = GetOptions { range: Some(GetRange::Bounded(asked)), ..GetOptions::default() };
        let found = self.bucket.get_opts(&self.key(name), options).await.map_err(failed)?;
        if range.end > found.meta.size {
            return Err(BlobError::NotFound { name: name.to_string() });
        }
        Ok(found.into_stream().map_err(failed).boxed())
    }

    async fn size(&self, name: &BlobName) -> Result<u64, BlobError> {
        Ok(self.bucket.head(&self.key(name)).await.map_err(failed)?.size)
    }

    async fn delete(&self, name: &BlobName) -> Result<(), BlobError> {
        match self.bucket.delete(&self.key(name)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn list(&self, shard: &str) -> Result<Vec<Listed>, BlobError> {
        let prefix = Key::from(format!("{}/{shard}", self.prefix));
        let mut objects = self.bucket.list(Some(&prefix));
        let mut listed = Vec::new();
        while let Some(object) = objects.try_next().await.map_err(failed)? {
            // What somebody else put here is none of ours.
            if let Some(Ok(name)) = object.location.filename().map(str::parse) {
                let put_at = Timestamp(object.last_modified.timestamp_millis());
                listed.push(Listed { name, put_at });
            }
        }
        Ok(listed)
    }

    async fn ping(&self) -> Result<(), BlobError> {
        match self.bucket.head(&Key::from(format!("{}/ping", self.prefix))).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}
