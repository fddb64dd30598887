//! Where an import goes: into the data of a stopped server, to a running one, or nowhere.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tidings_client::{Client, ServerUrl};
use tidings_server::access::Importer;
use tidings_server::app::imports::Line;
use tidings_server::{App, Parts, Settings, SystemClock, SystemEntropy};
use tidings_storage::{EntryRepository as _, OperationRepository as _, SearchRepository as _};
use tidings_storage_sql::SqlStore;
use tidings_wire::Code;
use tidings_wire::import::{ImportResult, Record};

use super::read_token;
use crate::commands::{open_blobs, open_store};
use crate::config::{Config, PublicUrl};
use crate::data::{DataDir, Lock};
use crate::failure::{BUSY, Failure};

/// How often a batch is sent again when the server is away or overloaded: with pauses that double
/// from one second, about two minutes, in which a server restarts many times over.
const TRIES: u32 = 8;

/// Where records go.
#[derive(Debug)]
pub(super) enum Target {
    /// A dry run.
    Nowhere,
    /// A stopped server's data.
    Data { app: App, store: Arc<SqlStore>, _lock: Lock },
    /// A running server.
    Server(Box<Client>),
}

impl Target {
    /// The data of a server that is stopped; made when there is none yet.
    pub(super) async fn data(config: &Config) -> anyhow::Result<Self> {
        let data = DataDir::create(&config.server.data)?;
        if let Some(holder) = data.holder() {
            let what = format!("{holder} is using {}", data.path().display());
            let next = "Stop the server first, or import into it while it runs: `tidingsd import \
                        slack FILE --server URL --token-file FILE`.";
            return Err(Failure::new(what, next).code(BUSY).into());
        }
        let lock = data.lock()?;
        let store = Arc::new(open_store(config).await?);
        let origin = config.server.public_url.clone();
        let origin = origin.unwrap_or_else(|| PublicUrl::of_listener(config.server.listen.0));
        let app = App::open(Parts {
            store: Arc::clone(&store) as Arc<_>,
            blobs: open_blobs(config)?,
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy),
            settings: Settings::new(origin.as_str()),
            setup_code: None,
            seal_key: data.seal_key(&SystemEntropy)?,
            metrics: None,
        })
        .await
        .context("cannot start on this database")?;
        Ok(Self::Data { app, store, _lock: lock })
    }

    /// A running server, as its owner.
    pub(super) fn server(server: ServerUrl, token_file: &Path) -> anyhow::Result<Self> {
        let client = Client::new(server)?.with_token(read_token(token_file)?);
        Ok(Self::Server(Box::new(client)))
    }

    /// Makes what is new of these records.
    pub(super) async fn apply(&self, records: &[Record]) -> anyhow::Result<ImportResult> {
        match self {
            Self::Nowhere => Ok(ImportResult::default()),
            Self::Data { app, .. } => {
                let lines: Vec<Line> = (1..)
                    .zip(records)
                    .map(|(number, record)| Line { number, record: Ok(record.clone()) })
                    .collect();
                app.imports().apply(&Importer::operator(), &lines).await.map_err(|error| {
                    let next = "What was imported stays. When the reason is gone (is the disk \
                                full?), run the same command again: it goes on where it stopped.";
                    Failure::new("the import broke off", next).because(error)
                })
            }
            Self::Server(client) => {
                let mut body = Vec::new();
                for record in records {
                    serde_json::to_writer(&mut body, record).context("cannot write a record")?;
                    body.push(b'\n');
                }
                send(client, body).await
            }
        }
    }

    /// Waits until what was imported can be searched, and lets go.
    pub(super) async fn close(self) {
        if let Self::Data { store, .. } = self {
            if let Ok(head) = store.head().await {
                // A server that starts before the index is complete completes it.
                let _ = store.indexed(head).await;
            }
            store.close().await;
        }
    }
}

async fn send(client: &Client, body: Vec<u8>) -> anyhow::Result<ImportResult> {
    let mut pause = Duration::from_secs(1);
    for _ in 1..TRIES {
        match client.import(body.clone()).await {
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "the server does not take the records; trying again");
                tokio::time::sleep(error.retry_after().unwrap_or(pause)).await;
                pause *= 2;
            }
            other => return other.map_err(|error| refused(client, error)),
        }
    }
    client.import(body).await.map_err(|error| refused(client, error))
}

fn refused(client: &Client, error: tidings_client::ClientError) -> anyhow::Error {
    let what = format!("the import into {} broke off", client.server());
    let next = match error.code() {
        Some(Code::Unauthorized) => {
            "The token is not valid (any more). Log in as the server's owner and write the new \
             token into the file."
        }
        Some(Code::Forbidden | Code::NotFound) => {
            "Only the server's owner may import. Use a token of that account."
        }
        _ => {
            "What was imported stays. When the reason is gone, run the same command again: it \
             goes on where it stopped."
        }
    };
    Failure::new(what, next).because(error)
}
