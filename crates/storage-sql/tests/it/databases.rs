//! Fresh databases for tests.

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
