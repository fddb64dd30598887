//! Settings: `tidings.toml`, then the environment, then flags; the later one wins.
//!
//! One file for each section. Every field has a default, so none is needed, and no setting is
//! accepted that does nothing. To add one: the field with its doc (what it does, which unit) and
//! default in the file of its section, then `cargo xtask schema`.

#![expect(
    unused_qualifications,
    reason = "the derived schemas of inlined sections qualify names that are in scope"
)]

pub(crate) mod address;
pub(crate) mod blobs;
pub(crate) mod limits;
mod load;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod outward;
pub(crate) mod server;
pub(crate) mod storage;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::{PartialSchema, ToSchema};

use blobs::{Blobs, BlobsUrl};
use limits::Limits;
use log::Log;
use metrics::Metrics;
use outward::Outward;
use server::Server;
use storage::{Storage, StorageUrl};

pub(crate) use address::{Listen, Network, PublicUrl};
pub(crate) use server::Registration;

/// Everything that an operator can decide. Each section and each key may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The server itself.
    #[schema(inline)]
    pub(crate) server: Server,
    /// The database.
    #[schema(inline)]
    pub(crate) storage: Storage,
    /// Where the bytes of files are kept.
    #[schema(inline)]
    pub(crate) blobs: Blobs,
    /// How much one caller may do.
    #[schema(inline)]
    pub(crate) limits: Limits,
    /// What the server may speak to when others name an address.
    #[schema(inline)]
    pub(crate) outward: Outward,
    /// The log on standard error.
    #[schema(inline)]
    pub(crate) log: Log,
    /// Figures for Prometheus.
    #[schema(inline)]
    pub(crate) metrics: Metrics,
}

/// What flags say; it wins over everything else.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    pub(crate) data: Option<PathBuf>,
    pub(crate) listen: Option<Listen>,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) registration: Option<Registration>,
}

/// Settings and where they come from.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// The file that was read, when there was one.
    pub(crate) file: Option<PathBuf>,
}

impl Config {
    /// Where the database is: as decided, or in the data directory.
    pub(crate) fn database(&self) -> StorageUrl {
        self.storage.url.clone().unwrap_or_else(|| StorageUrl::in_folder(&self.server.data))
    }

    /// The settings with what the server derives from others filled in.
    pub(crate) fn effective(&self) -> Self {
        let mut effective = self.clone();
        effective.storage.url = Some(self.database());
        if self.blobs.url.is_none() {
            effective.blobs.url = Some(BlobsUrl::Folder(self.blobs.folder(&self.server.data)));
        }
        let origin = || PublicUrl::of_listener(self.server.listen.0);
        effective.server.public_url = Some(self.server.public_url.clone().unwrap_or_else(origin));
        effective
    }

    /// The JSON schema (2020-12) of `tidings.toml`.
    pub(crate) fn json_schema() -> serde_json::Result<serde_json::Value> {
        let mut schema = serde_json::to_value(<Self as PartialSchema>::schema())?;
        if let Some(schema) = schema.as_object_mut() {
            let dialect = "https://json-schema.org/draft/2020-12/schema";
            schema.insert("$schema".to_owned(), dialect.into());
            schema.insert("title".to_owned(), "tidings.toml".into());
        }
        Ok(schema)
    }
}
