//! SQLite through rusqlite: prepared statements are cached, nothing waits.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, ffi};
use tidings_storage::StorageError;

use super::{Row, Value};

/// How long a statement waits for another process's lock: an operator's `sqlite3` shell or an
/// import on a stopped server. Our own writer is alone and never waits for itself.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements that are kept for each connection; the code has fewer than this.
const STATEMENTS: usize = 256;

/// A connection to a SQLite file.
pub(crate) struct SqliteConn {
    connection: Connection,
}

impl SqliteConn {
    /// Opens the file for writing and makes it when it is not there.
    pub(crate) fn writer(path: &Path) -> Result<Self, StorageError> {
        let connection = Connection::open(path).map_err(|e| error(&e))?;
        // Erased bodies must not survive in free pages, and an acknowledged append must survive a
        // power cut. 8,000 pages are 32 MiB of WAL: checkpoints of 4 MiB (the default) would come
        // ten times a second under load, each with two fsyncs of its own.
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
                 PRAGMA foreign_keys = OFF; PRAGMA wal_autocheckpoint = 8000;
                 PRAGMA journal_size_limit = 33554432; PRAGMA cache_size = -8000;
                 PRAGMA temp_store = MEMORY;",
            )
            .map_err(|e| error(&e))?;
        Self::prepare(connection)
    }

    /// Opens the file for reading only.
    pub(crate) fn reader(path: &Path) -> Result<Self, StorageError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| error(&e))?;
        // Each of three readers keeps its own pages; behind them stand those of the kernel. Larger
        // caches made every connection that reads the log look expensive (R7).
        connection
            .execute_batch(
                "PRAGMA query_only = ON; PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY;",
            )
            .map_err(|e| error(&e))?;
        Self::prepare(connection)
    }

    fn prepare(connection: Connection) -> Result<Self, StorageError> {
        connection.busy_timeout(BUSY_TIMEOUT).map_err(|e| error(&e))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Self { connection })
    }

    /// What is below, for statements that are not known beforehand.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, StorageError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| error(&e))?;
        let changed = statement.execute(params_of(params)).map_err(|e| error(&e))?;
        Ok(changed as u64)
    }

    /// Looks the statement up once, however many rows there are.
    pub(crate) fn execute_each(&self, sql: &str, rows: &[Vec<Value>]) -> Result<(), StorageError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| error(&e))?;
        rows.iter()
            .try_for_each(|row| statement.execute(params_of(row)).map(drop).map_err(|e| error(&e)))
    }

    /// The first row for each of many parameters.
    pub(super) fn query_each<T>(
        &self,
        sql: &str,
        rows: &[Vec<Value>],
        map: &mut impl FnMut(&Row<'_>) -> Result<T, StorageError>,
    ) -> Result<Vec<Option<T>>, StorageError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| error(&e))?;
        let first = |row: &Vec<Value>| {
            let mut found = statement.query(params_of(row)).map_err(|e| error(&e))?;
            found.next().map_err(|e| error(&e))?.map(|row| map(&Row::Sqlite(row))).transpose()
        };
        rows.iter().map(first).collect()
    }

    pub(super) fn query<T>(
        &self,
        sql: &str,
        params: &[Value],
        map: &mut impl FnMut(&Row<'_>) -> Result<T, StorageError>,
    ) -> Result<Vec<T>, StorageError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| error(&e))?;
        let mut rows = statement.query(params_of(params)).map_err(|e| error(&e))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|e| error(&e))? {
            found.push(map(&Row::Sqlite(row))?);
        }
        Ok(found)
    }

    pub(super) fn batch(&self, sql: &str) -> Result<(), StorageError> {
        self.connection.execute_batch(sql).map_err(|e| error(&e))
    }
}

fn params_of(params: &[Value]) -> impl rusqlite::Params {
    rusqlite::params_from_iter(params)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Bool(value) => ValueRef::Integer(i64::from(*value)),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
            Self::Hash(value) => ValueRef::Blob(value),
            Self::Id(value) => ValueRef::Blob(value.as_bytes()),
        }))
    }
}

/// Sorts a SQLite error into what callers can act on.
pub(crate) fn error(error: &rusqlite::Error) -> StorageError {
    let detail = error.to_string();
    let Some(code) = error.sqlite_error() else {
        return StorageError::Internal { detail };
    };
    match (code.code, code.extended_code) {
        // A write past a quota or a limit on file sizes comes as an I/O error of a write; the
        // transaction is rolled back as cleanly as on a full disk.
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_WRITE) => StorageError::Full,
        (_, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC | ffi::SQLITE_IOERR_TRUNCATE) => {
            StorageError::NotDurable { detail }
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::CannotOpen, _) => {
            StorageError::Unavailable { detail }
        }
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => {
            StorageError::Corrupt { place: "the database file", detail }
        }
        (ErrorCode::SystemIoFailure, _) => StorageError::Unavailable { detail },
        _ => StorageError::Internal { detail },
    }
}
