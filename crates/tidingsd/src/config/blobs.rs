//! `[blobs]`

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tidings_server::blobs::S3Options;
use utoipa::ToSchema;

/// Where the bytes of files are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Blobs {
    /// `file:PATH`, or `s3://BUCKET[/PREFIX]`. The folder `blobs` of the data directory when
    /// absent. What was kept elsewhere is not moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) url: Option<BlobsUrl>,
    /// `https://HOST` of an S3-protocol server; Amazon's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) endpoint: Option<String>,
    /// The region of the bucket; most servers but Amazon's take any.
    #[schema(default = "us-east-1")]
    pub(crate) region: String,
    /// The id of the key that signs requests to S3; without one they are not signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_key_id: Option<String>,
    /// The key that signs requests to S3. Better in the environment than in a file:
    /// `TIDINGS__BLOBS__SECRET_ACCESS_KEY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) secret_access_key: Option<Hidden>,
}

impl Default for Blobs {
    fn default() -> Self {
        Self {
            url: None,
            endpoint: None,
            region: "us-east-1".to_owned(),
            access_key_id: None,
            secret_access_key: None,
        }
    }
}

impl Blobs {
    /// The bucket, when it is S3.
    pub(crate) fn s3(&self) -> Option<S3Options> {
        let Some(BlobsUrl::S3 { bucket, prefix }) = &self.url else { return None };
        Some(S3Options {
            bucket: bucket.clone(),
            prefix: prefix.clone(),
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.as_ref().map(|key| key.0.clone()),
        })
    }

    /// The folder: the one that was named, or the usual one.
    pub(crate) fn folder(&self, data: &Path) -> PathBuf {
        match &self.url {
            Some(BlobsUrl::Folder(path)) => path.clone(),
            _ => data.join("blobs"),
        }
    }
}

/// A place for files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum BlobsUrl {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket, and what keys begin with.
    S3 {
        /// Its name.
        bucket: String,
        /// May be empty.
        prefix: String,
    },
}

impl TryFrom<String> for BlobsUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        if let Some(path) = url.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Self::Folder(path.strip_prefix("//").unwrap_or(path).into()));
        }
        let (bucket, prefix) = match url.strip_prefix("s3://") {
            Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
            None => ("", ""),
        };
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
        if bucket.is_empty() || !bucket.bytes().all(plain) {
            return Err("it must be file:PATH or s3://BUCKET[/PREFIX]".to_owned());
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl Serialize for BlobsUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Folder(path) => serializer.collect_str(&format_args!("file:{}", path.display())),
            Self::S3 { bucket, prefix } if prefix.is_empty() => {
                serializer.collect_str(&format_args!("s3://{bucket}"))
            }
            Self::S3 { bucket, prefix } => {
                serializer.collect_str(&format_args!("s3://{bucket}/{prefix}"))
            }
        }
    }
}

/// A secret of the operator's: hidden in `Debug` and in what is serialized.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Hidden {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_written_alike() {
        for url in ["file:/srv/blobs", "file:blobs", "s3://tidings", "s3://tidings/a/b"] {
            let read = BlobsUrl::try_from(url.to_owned()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), url);
        }
        for bad in ["", "file:", "s3://", "s3:///a", "s3://A b/c", "https://x", "/srv"] {
            assert!(BlobsUrl::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_key_is_hidden() {
        let blobs: Blobs =
            toml::from_str("url = \"s3://b\"\nsecret_access_key = \"hush\"").unwrap();
        assert_eq!(blobs.s3().unwrap().secret_access_key.as_deref(), Some("hush"));
        let shown = format!("{blobs:?} {:?} {}", blobs.s3(), toml::to_string(&blobs).unwrap());
        assert!(!shown.contains("hush"), "{shown}");
    }
}
