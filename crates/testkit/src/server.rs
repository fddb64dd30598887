//! Real servers, in this process, on free ports of loopback.

use std::sync::Arc;

use tempfile::TempDir;
use tidings_client::Client;
use tidings_server::app::SetupCode;
use tidings_server::blobs::Folder;
use tidings_server::realtime::hub::Ended;
use tidings_server::settings::accepted_origins;
use tidings_server::signin::SealKey;
use tidings_server::{App, Parts, Realtime, Registration, Settings};
use tidings_storage::{MemoryStore, Store};
use tidings_storage_sql::{Options, SqlStore};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::clock::TestClock;
use crate::entropy::TestEntropy;
use crate::postgres::postgres_database;

/// Where a server keeps things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// In memory.
    Memory,
    /// In a SQLite file in a directory of its own.
    Sqlite,
    /// In a new database of the PostgreSQL for tests.
    Postgres,
}

/// The code with which the first account registers on every test server.
const SETUP_CODE: &str = "TEST-SETUP-CODE";

/// What is there before a server and stays after it.
#[derive(Debug)]
struct Ground {
    backend: Backend,
    /// The address of a SQL store.
    url: String,
    settings: Settings,
    /// Files, and the database when it is one.
    folder: TempDir,
}

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct TestServer {
    ground: Ground,
    app: App,
    store: Arc<dyn Store>,
    origin: String,
    stop: DropGuard,
    serving: JoinHandle<()>,
}

impl TestServer {
    /// Starts a server with open registration and without limits, unless `change` says otherwise.
    pub async fn start(
        backend: Backend,
        clock: Arc<TestClock>,
        entropy: Arc<TestEntropy>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::new("");
        settings.registration = Registration::Open;
        settings.limits.enabled = false;
        change(&mut settings);
        let folder = tempfile::tempdir().expect("a directory for files and the database");
        let url = match backend {
            Backend::Memory => String::new(),
            Backend::Sqlite => format!("sqlite:{}", folder.path().join("tidings.db").display()),
            Backend::Postgres => postgres_database().await,
        };
        let ground = Ground { backend, url, settings, folder };
        ground.serve(clock, entropy).await
    }

    /// Stops, and starts another server on the same SQL store.
    #[must_use]
    pub async fn restart(self, clock: Arc<TestClock>, entropy: Arc<TestEntropy>) -> Self {
        assert_ne!(self.ground.backend, Backend::Memory, "a store in memory ends with its server");
        self.finish().await.serve(clock, entropy).await
    }

    /// Stops the server and waits until everything is written and every connection is closed.
    pub async fn stop(self) {
        self.finish().await;
    }

    async fn finish(self) -> Ground {
        let Self { ground, store, stop, serving, .. } = self;
        drop(stop);
        serving.await.expect("the server stops without a panic");
        store.close().await;
        ground
    }

    /// The server's use cases, for tests that look behind the API.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// The store under the server.
    pub const fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Where the server is, `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The code with which the first account registers.
    pub const fn setup_code(&self) -> &str {
        SETUP_CODE
    }

    /// A client that is not logged in.
    pub fn client(&self) -> Client {
        let server = self.origin.parse().expect("our own origin is an address");
        Client::new(server).expect("a client for loopback needs nothing")
    }
}

impl Ground {
    async fn serve(self, clock: Arc<TestClock>, entropy: Arc<TestEntropy>) -> TestServer {
        let generation = u64::from_be_bytes(entropy.draw());
        let backend = self.backend;
        let store: Arc<dyn Store> = if backend == Backend::Memory {
            Arc::new(MemoryStore::new(generation))
        } else {
            let opened = SqlStore::open(&Options { url: self.url.clone(), generation }).await;
            Arc::new(opened.unwrap_or_else(|error| panic!("cannot open {backend:?}: {error}")))
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port of loopback");
        let address = listener.local_addr().expect("a listener has an address");
        let origin = format!("http://{address}");
        let settings = Settings {
            origins: accepted_origins(&origin, &[address]),
            public_url: origin.clone(),
            ..self.settings.clone()
        };
        let blobs = Folder::open(self.folder.path().join("blobs")).expect("a folder for files");
        let app = App::open(Parts {
            store: Arc::clone(&store),
            blobs: Arc::new(blobs),
            clock,
            entropy,
            settings,
            setup_code: Some(SetupCode(SETUP_CODE.to_owned())),
            seal_key: SealKey::new([7; 32]),
            metrics: None,
        })
        .await
        .unwrap_or_else(|error| panic!("the server cannot start: {error}"));
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (realtime, hub) = Realtime::start(app.clone(), stop.clone())
            .await
            .unwrap_or_else(|error| panic!("the server cannot follow its log: {error}"));
        let hub = tasks.spawn(hub);
        tasks.spawn({
            let (app, stop) = (app.clone(), stop.clone());
            async move { app.work(&stop).await }
        });
        let serving = tasks.spawn({
            let (app, stop) = (app.clone(), stop.clone());
            async move {
                let served = tidings_server::serve(listener, app, realtime, stop).await;
                served.expect("the listener works until it is stopped");
                assert_eq!(hub.await.expect("the hub ends without a panic"), Ended::Stopped);
            }
        });
        TestServer { ground: self, app, store, origin, stop: stop.drop_guard(), serving }
    }
}
