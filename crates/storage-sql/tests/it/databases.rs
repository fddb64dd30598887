//! Fresh databases for tests.

use std::sync::atomic::{AtomicU32, Ordering};

use tidings_storage_sql::{Options, SqlStore};

/// A SQLite store in a directory that goes away with the second value.
pub(crate) async fn sqlite() -> (SqlStore, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("tidings.db").display());
    (open(&url).await, dir)
}

/// Opens a store.
pub(crate) async fn open(url: &str) -> SqlStore {
    SqlStore::open(&Options { url: url.to_owned(), generation: 7 }).await.unwrap()
}

/// The address of an empty database on the PostgreSQL server that the test command started.
pub(crate) async fn postgres_url() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = std::env::var("TIDINGS_TEST_POSTGRES_URL")
        .expect("a PostgreSQL server: run `cargo xtask test`, which starts one and names it here");
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("sql_{}_{number}", std::process::id());
    let (client, connection) =
        tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    drop(client);
    driver.await.unwrap().unwrap();
    let (before, _) = server.rsplit_once('/').unwrap();
    format!("{before}/{name}")
}
