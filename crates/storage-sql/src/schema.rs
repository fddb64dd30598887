//! Tables: numbered migrations for each database, applied in order and once.

use tidings_storage::StorageError;

use crate::conn::{Conn, params};

/// A step of the schema. Steps that were released never change; new ones are added at the end, to
/// both databases in one commit.
struct Migration {
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    sqlite: include_str!("../migrations/sqlite/0001_base.sql"),
    postgres: include_str!("../migrations/postgres/0001_base.sql"),
}];

/// The version that this program writes.
pub(crate) const VERSION: u64 = MIGRATIONS.len() as u64;

/// Serializes the start of several processes on one PostgreSQL; any constant of our own will do.
const ADVISORY_LOCK: &str = "SELECT pg_advisory_xact_lock(7526411)";

/// Brings the tables up to date; the versions before and after.
pub(crate) async fn migrate(conn: &mut Conn) -> Result<(u64, u64), StorageError> {
    conn.batch(if conn.is_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" }).await?;
    match apply(conn).await {
        Ok(versions) => {
            conn.batch("COMMIT").await?;
            Ok(versions)
        }
        Err(error) => {
            // The first error is the one to report; the connection is dropped with it.
            let _ = conn.batch("ROLLBACK").await;
            Err(error)
        }
    }
}

/// Makes the tables of an older version, or of this one, inside of the caller's transaction.
pub(crate) async fn make(conn: &mut Conn, version: u64) -> Result<(), StorageError> {
    conn.batch("CREATE TABLE schema_version (version BIGINT NOT NULL)").await?;
    steps(conn, 0, version).await
}

async fn steps(conn: &mut Conn, before: u64, after: u64) -> Result<(), StorageError> {
    let index = |version| usize::try_from(version).unwrap_or(usize::MAX);
    for migration in MIGRATIONS.iter().take(index(after)).skip(index(before)) {
        conn.batch(if conn.is_postgres() { migration.postgres } else { migration.sqlite }).await?;
    }
    Ok(())
}

async fn apply(conn: &mut Conn) -> Result<(u64, u64), StorageError> {
    if conn.is_postgres() {
        conn.batch(ADVISORY_LOCK).await?;
    }
    conn.batch("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)").await?;
    let found = conn
        .query_first("SELECT version FROM schema_version", params![], |row| row.count(0))
        .await?;
    let before = found.unwrap_or(0);
    if before > VERSION {
        return Err(StorageError::Corrupt {
            place: "schema_version",
            detail: format!(
                "the database was written by a newer version (schema {before}, this program knows \
                 {VERSION}); run that version, or restore a backup from before the upgrade"
            ),
        });
    }
    steps(conn, before, VERSION).await?;
    if found.is_none() {
        conn.execute("INSERT INTO schema_version (version) VALUES (?1)", params![VERSION]).await?;
    } else if before < VERSION {
        conn.execute("UPDATE schema_version SET version = ?1", params![VERSION]).await?;
    }
    Ok((before, VERSION))
}
