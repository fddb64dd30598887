//! Fresh databases of a real PostgreSQL.

mod cluster;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::NoTls;
use tokio_util::task::TaskTracker;

use cluster::Cluster;

/// The variable in which `cargo xtask test` names its PostgreSQL, by the URL of a superuser.
pub const URL_VARIABLE: &str = "TIDINGS_TEST_POSTGRES_URL";

/// The URL of a new, empty database: in the cluster that `cargo xtask test` has started, or in one
/// that this process starts and takes down with itself.
///
/// # Panics
/// When there is neither: a test that needs PostgreSQL must not pass without.
pub async fn postgres_database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = server_url().await;
    let (client, connection) =
        tokio_postgres::connect(&server, NoTls).await.expect("the PostgreSQL for tests answers");
    let driver = TaskTracker::new().spawn(connection);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("tidings_{}_{number}", std::process::id());
    // Ids of processes come again, and the cluster may outlive many of them.
    for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
        client
            .batch_execute(&format!("{statement} {name}"))
            .await
            .unwrap_or_else(|error| panic!("{statement} {name}: {error}"));
    }
    drop(client);
    driver
        .await
        .expect("the connection ends without a panic")
        .expect("the connection ends without an error");
    with_database(&server, &name)
}

/// The same server, another database.
fn with_database(server: &str, name: &str) -> String {
    let (address, query) = server.split_once('?').map_or((server, None), |(a, b)| (a, Some(b)));
    let (before, _) = address.rsplit_once('/').expect("a URL of PostgreSQL names a database");
    match query {
        Some(query) => format!("{before}/{name}?{query}"),
        None => format!("{before}/{name}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where tests read their environment")]
async fn server_url() -> String {
    static OURS: OnceLock<Cluster> = OnceLock::new();
    if let Ok(url) = std::env::var(URL_VARIABLE)
        && !url.is_empty()
    {
        return url;
    }
    let start = || OURS.get_or_init(Cluster::start).url().to_owned();
    // It takes some seconds; other tests of this process go on.
    tokio::task::spawn_blocking(start).await.expect("the cluster starts without a panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_the_database_changes() {
        assert_eq!(with_database("postgres://a:b@c:1/postgres", "x"), "postgres://a:b@c:1/x");
        assert_eq!(with_database("postgres://a@/postgres?host=/d", "x"), "postgres://a@/x?host=/d");
    }

    #[tokio::test]
    async fn postgres_databases_are_new_and_empty() {
        let (one, two) = (postgres_database().await, postgres_database().await);
        assert_ne!(one, two);
        for url in [one, two] {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            let driver = TaskTracker::new().spawn(connection);
            let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
            let tables: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
            assert_eq!(tables, 0);
            drop(client);
            driver.await.unwrap().unwrap();
        }
    }
}
