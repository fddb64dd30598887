//! The conformance suite on SQLite.

use std::sync::Arc;

use tidings_storage::Store;

use crate::databases;

async fn make() -> (Arc<dyn Store>, tempfile::TempDir) {
    let (store, dir) = databases::sqlite().await;
    (Arc::new(store), dir)
}

tidings_storage::conformance_suite!(make);
