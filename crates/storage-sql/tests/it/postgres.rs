//! The conformance suite on PostgreSQL.

use std::sync::Arc;

use tidings_storage::Store;
use tidings_testkit::postgres_database;

use crate::databases;

async fn make() -> (Arc<dyn Store>, ()) {
    (Arc::new(databases::open(&postgres_database().await).await), ())
}

tidings_storage::conformance_suite!(make);
