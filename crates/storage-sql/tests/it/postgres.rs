//! The conformance suite on PostgreSQL.

use std::sync::Arc;

use tidings_storage::Store;

use crate::databases;

async fn make() -> (Arc<dyn Store>, ()) {
    (Arc::new(databases::open(&databases::postgres_url().await).await), ())
}

tidings_storage::conformance_suite!(make);
