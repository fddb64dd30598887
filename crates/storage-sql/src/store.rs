//! The store: one writer, a few readers, the same for both databases.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tidings_storage::{CommittedBatch, StorageError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_postgres::NoTls;

use crate::conn::{Conn, PostgresConn, SqliteConn, postgres};
use crate::schema;
use crate::writer::{self, TailSlot, WriterHandle};

/// How many connections read a SQLite file at once. Reads take tens of microseconds, so a few
/// suffice for two cores; each costs a thread and 4 MB of cache.
const SQLITE_READERS: usize = 3;
/// Reads that wait for a SQLite reader before callers have to wait to hand theirs over.
const READ_QUEUE: usize = 1024;
/// Connections to PostgreSQL; one of them belongs to the writer.
const POSTGRES_POOL: usize = 16;
/// How long a caller waits for a connection of the pool.
const POOL_TIMEOUT: Duration = Duration::from_secs(5);
/// Batches between the writer and the consumer of the tail; past it the writer waits.
const TAIL: usize = 256;

/// Where the store is and how to open it.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite:PATH`, or `postgres://user@host/database[?sslmode=require]`.
    pub url: String,
    /// The generation of the log if the database is new: random, never used before.
    pub generation: u64,
}

impl Options {
    /// The file, when it is SQLite.
    pub(crate) fn sqlite_file(&self) -> Option<PathBuf> {
        self.url.strip_prefix("sqlite:").map(sqlite_path)
    }
}

fn sqlite_path(path: &str) -> PathBuf {
    PathBuf::from(path.strip_prefix("//").unwrap_or(path))
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address names no database that this program knows.
    #[error("the storage address must begin with sqlite: or postgres://, not {scheme:?}")]
    Scheme {
        /// What it begins with.
        scheme: String,
    },
    /// The address of a PostgreSQL cannot be read.
    #[error("the address of the PostgreSQL database cannot be read: {detail}")]
    Address {
        /// What is wrong with it; never the address itself, which may hold a password.
        detail: String,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A read that runs on a connection of the pool.
type ReadJob = Box<dyn FnOnce(&mut Conn) + Send>;

enum Readers {
    Sqlite(std::sync::mpsc::SyncSender<ReadJob>),
    Postgres(Pool),
}

/// SQLite or PostgreSQL behind the traits of `tidings-storage`.
pub struct SqlStore {
    readers: Readers,
    pub(crate) writer: WriterHandle,
    tail: TailSlot,
    tail_taken: AtomicBool,
    pub(crate) indexed: watch::Receiver<u64>,
    pub(crate) head: Arc<AtomicU64>,
    pub(crate) generation: u64,
}

impl std::fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.readers {
            Readers::Sqlite(_) => "sqlite",
            Readers::Postgres(_) => "postgres",
        };
        f.debug_struct("SqlStore").field("kind", &kind).finish_non_exhaustive()
    }
}

impl SqlStore {
    /// Opens the store, brings its tables up to date, and starts its writer.
    ///
    /// # Errors
    /// When the address is not understood, the database does not answer, or a newer version of
    /// this program has written it.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        match options.url.split_once(':') {
            Some(("sqlite", path)) => {
                Self::open_sqlite(&sqlite_path(path), options.generation).await
            }
            Some(("postgres" | "postgresql", _)) => Self::open_postgres(options).await,
            scheme => Err(OpenError::Scheme {
                scheme: scheme.map_or(&*options.url, |(scheme, _)| scheme).to_owned(),
            }),
        }
    }

    async fn open_sqlite(path: &Path, generation: u64) -> Result<Self, OpenError> {
        let mut writer = Conn::Sqlite(SqliteConn::writer(path)?);
        schema::migrate(&mut writer).await?;
        let start = Start::read(&mut writer, generation).await?;
        let (jobs, inbox) = std::sync::mpsc::sync_channel::<ReadJob>(READ_QUEUE);
        let inbox = Arc::new(Mutex::new(inbox));
        for number in 0..SQLITE_READERS {
            let mut conn = Conn::Sqlite(SqliteConn::reader(path)?);
            let inbox = Arc::clone(&inbox);
            std::thread::Builder::new()
                .name(format!("db-reader-{number}"))
                .spawn(move || {
                    loop {
                        let job = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        // The store is gone: so is this thread.
                        let Ok(job) = job else { return };
                        job(&mut conn);
                    }
                })
                .map_err(|e| StorageError::Unavailable { detail: e.to_string() })?;
        }
        let tail = TailSlot::default();
        let (writer, indexed) = writer::spawn_sqlite(writer, &start, Arc::clone(&tail))?;
        Ok(Self::new(Readers::Sqlite(jobs), writer, tail, indexed, start))
    }

    async fn open_postgres(options: &Options) -> Result<Self, OpenError> {
        let pool = postgres_pool(options)?;
        let mut conn = postgres_conn(&pool).await?;
        schema::migrate(&mut conn).await?;
        let start = Start::read(&mut conn, options.generation).await?;
        drop(conn);
        let tail = TailSlot::default();
        let (writer, indexed) = writer::spawn_postgres(pool.clone(), &start, Arc::clone(&tail));
        Ok(Self::new(Readers::Postgres(pool), writer, tail, indexed, start))
    }

    fn new(
        readers: Readers,
        writer: WriterHandle,
        tail: TailSlot,
        indexed: watch::Receiver<u64>,
        start: Start,
    ) -> Self {
        Self {
            readers,
            writer,
            tail,
            tail_taken: AtomicBool::new(false),
            indexed,
            head: start.head,
            generation: start.generation,
        }
    }

    /// The receiving end of what is committed from now on; once.
    pub(crate) fn tail(&self) -> Option<mpsc::Receiver<Arc<CommittedBatch>>> {
        if self.tail_taken.swap(true, Ordering::AcqRel) {
            return None;
        }
        let (sink, tail) = mpsc::channel(TAIL);
        *self.tail.lock().unwrap_or_else(PoisonError::into_inner) = Some(sink);
        Some(tail)
    }

    /// The newest position when this process is the only one that writes.
    pub(crate) fn own_head(&self) -> Option<u64> {
        match self.readers {
            Readers::Sqlite(_) => Some(self.head.load(Ordering::Acquire)),
            Readers::Postgres(_) => None,
        }
    }

    /// Runs a read on a connection of its own. The read sees one state on SQLite; on PostgreSQL
    /// each of its statements does.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StorageError>> + Send + 'static,
    {
        match &self.readers {
            Readers::Sqlite(jobs) => {
                let (answer, answered) = oneshot::channel();
                let job: ReadJob = Box::new(move |conn| {
                    // The caller may have gone away; then nobody wants the answer.
                    let _ = answer.send(read_now(conn, read));
                });
                if let Err(error) = jobs.try_send(job) {
                    match error {
                        std::sync::mpsc::TrySendError::Full(job) => {
                            let jobs = jobs.clone();
                            // A full queue of reads is rare; waiting for it must not hold up the
                            // runtime's threads.
                            let sent = tokio::task::spawn_blocking(move || jobs.send(job)).await;
                            if !matches!(sent, Ok(Ok(()))) {
                                return Err(stopped());
                            }
                        }
                        std::sync::mpsc::TrySendError::Disconnected(_) => return Err(stopped()),
                    }
                }
                answered.await.map_err(|_| stopped())?
            }
            Readers::Postgres(pool) => {
                let mut conn = postgres_conn(pool).await?;
                read(&mut conn).await
            }
        }
    }
}

fn stopped() -> StorageError {
    StorageError::Unavailable { detail: "the readers of the database have stopped".to_owned() }
}

// SQLite never waits inside of a future, so its reads are done after one poll.
fn read_now<T, F>(conn: &mut Conn, read: F) -> Result<T, StorageError>
where
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StorageError>>,
{
    let begun = conn.batch("BEGIN").now_or_never();
    begun.unwrap_or_else(|| Err(stopped()))?;
    let answer = read(conn).now_or_never().unwrap_or_else(|| Err(stopped()));
    let ended = conn.batch("COMMIT").now_or_never().unwrap_or_else(|| Err(stopped()));
    let answer = answer?;
    ended.map(|()| answer)
}

/// Connections to the PostgreSQL that the options name; none is made yet.
pub(crate) fn postgres_pool(options: &Options) -> Result<Pool, OpenError> {
    let config = tokio_postgres::Config::from_str(&options.url)
        .map_err(|e| OpenError::Address { detail: e.to_string() })?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if config.get_ssl_mode() == tokio_postgres::config::SslMode::Disable
        || config.get_hosts().iter().all(is_local)
    {
        Manager::from_config(config, NoTls, recycling)
    } else {
        Manager::from_config(config, tls()?, recycling)
    };
    Pool::builder(manager)
        .max_size(POSTGRES_POOL)
        .wait_timeout(Some(POOL_TIMEOUT))
        .create_timeout(Some(POOL_TIMEOUT))
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .build()
        .map_err(|e| StorageError::Unavailable { detail: e.to_string() }.into())
}

/// A connection out of the pool.
pub(crate) async fn postgres_conn(pool: &Pool) -> Result<Conn, StorageError> {
    match pool.get().await {
        Ok(client) => Ok(Conn::Postgres(PostgresConn::new(client))),
        Err(deadpool_postgres::PoolError::Backend(e)) => Err(postgres::error(&e)),
        Err(e) => Err(StorageError::Unavailable { detail: e.to_string() }),
    }
}

fn is_local(host: &tokio_postgres::config::Host) -> bool {
    match host {
        tokio_postgres::config::Host::Unix(_) => true,
        tokio_postgres::config::Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn tls() -> Result<tokio_postgres_rustls::MakeRustlsConnect, OpenError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| OpenError::Address { detail: e.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tokio_postgres_rustls::MakeRustlsConnect::new(config))
}

/// What the writer starts from.
pub(crate) struct Start {
    pub(crate) head: Arc<AtomicU64>,
    pub(crate) indexed: u64,
    pub(crate) generation: u64,
}

impl Start {
    async fn read(conn: &mut Conn, fresh: u64) -> Result<Self, StorageError> {
        use crate::conn::params;
        // The first process of several that start on one new database decides.
        conn.execute(
            "INSERT INTO settings (name, value) VALUES ('log_generation', ?1) ON CONFLICT (name) DO NOTHING",
            params![fresh.to_be_bytes().to_vec()],
        )
        .await?;
        let generation = conn
            .query_first(
                "SELECT value FROM settings WHERE name = 'log_generation'",
                params![],
                |row| {
                    let bytes = row.bytes(0)?;
                    <[u8; 8]>::try_from(&*bytes)
                        .map(u64::from_be_bytes)
                        .map_err(|_| crate::conn::corrupt("settings.log_generation", &bytes.len()))
                },
            )
            .await?
            .unwrap_or(fresh);
        let head = conn
            .query_first("SELECT position FROM log_position", params![], |row| row.count(0))
            .await?
            .unwrap_or(0);
        let indexed = conn
            .query_first("SELECT position FROM search_position", params![], |row| row.count(0))
            .await?
            .unwrap_or(0);
        Ok(Self { head: Arc::new(AtomicU64::new(head)), indexed, generation })
    }

    pub(crate) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }
}
