//! Copies of a whole database: every row of one state, read while a server writes, and put back
//! into an empty database of either kind.
//!
//! A row is a JSON array in the order of the table's columns: null, a number, `true`, a string;
//! bytes are `{"u":"…"}` when they are UTF-8 and `{"b":"base64"}` when they are not. Ids are bytes.
//! The search index is not copied: it is made anew from the log. See docs/schema/backup.md.

mod restore;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};
use tidings_storage::StorageError;
use tokio_postgres::types::Type;

use crate::conn::{Conn, PostgresConn, SqliteConn, corrupt, params, postgres, sqlite};
use crate::store::{self, OpenError, Options};

pub use restore::{RestoreError, Restoring, Target};

/// Rows that PostgreSQL is asked for at once.
const PIECE: usize = 2_000;

/// What a copy is made of, in the order in which it comes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Piece<'a> {
    /// A table begins.
    Table {
        /// Its name.
        name: &'a str,
        /// The names of its columns, in the order of each row.
        columns: &'a [String],
    },
    /// A row of the table that began last: JSON without a line break.
    Row(&'a [u8]),
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dumped {
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// The version of the tables.
    pub schema: u64,
    /// The position of the newest entry.
    pub head: u64,
}

/// Why a copy cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What was read cannot be kept.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Reads one state of the whole database and hands it over piece by piece. Nobody who reads or
/// writes meanwhile waits for it. `total` is told how many rows there will be.
///
/// # Errors
/// When the database cannot be read, holds a type that this version does not write, or `take`
/// fails.
pub async fn dump(
    options: &Options,
    total: impl FnOnce(u64) + Send,
    mut take: impl FnMut(Piece<'_>) -> std::io::Result<()> + Send,
) -> Result<Dumped, DumpError> {
    let mut conn = if let Some(path) = options.sqlite_file() {
        Conn::Sqlite(SqliteConn::reader(&path)?)
    } else {
        store::postgres_conn(&store::postgres_pool(options)?).await?
    };
    conn.batch(if conn.is_postgres() {
        "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    } else {
        "BEGIN"
    })
    .await?;
    let schema = number(&mut conn, "SELECT version FROM schema_version").await?;
    let head = number(&mut conn, "SELECT position FROM log_position").await?;
    let tables = tables(&mut conn).await?;
    let mut rows = 0;
    for table in &tables {
        rows += count(&mut conn, table).await?;
    }
    total(rows);
    for table in &tables {
        match &mut conn {
            Conn::Sqlite(conn) => sqlite_table(conn, table, &mut take)?,
            Conn::Postgres(conn) => postgres_table(conn, table, &mut take).await?,
        }
    }
    conn.batch("COMMIT").await?;
    let database = if conn.is_postgres() { "postgres" } else { "sqlite" };
    Ok(Dumped { database, schema, head })
}

pub(crate) async fn number(conn: &mut Conn, sql: &'static str) -> Result<u64, StorageError> {
    let found = conn.query_first(sql, params![], |row| row.count(0)).await?;
    found.ok_or_else(|| corrupt("a table of one row", &sql))
}

/// All tables but those of the search index, by name.
pub(crate) async fn tables(conn: &mut Conn) -> Result<Vec<String>, StorageError> {
    let sql = if conn.is_postgres() {
        "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1"
    };
    let names = conn.query(sql, params![], |row| row.text(0)).await?;
    Ok(names.into_iter().filter(|name| is_copied(name)).collect())
}

fn is_copied(table: &str) -> bool {
    !table.starts_with("sqlite_") && table != "search" && !table.starts_with("search_")
}

/// Whether the name can stand in a statement: names come from files too.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 60
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

async fn count(conn: &mut Conn, table: &str) -> Result<u64, StorageError> {
    let sql = format!("SELECT count(*) FROM \"{table}\"");
    match conn {
        Conn::Sqlite(conn) => conn
            .connection()
            .query_row(&sql, [], |row| row.get::<_, i64>(0))
            .map(|rows| u64::try_from(rows).unwrap_or(0))
            .map_err(|e| sqlite::error(&e)),
        Conn::Postgres(conn) => {
            let rows = conn.rows(&sql, params![]).await?;
            let count = rows.first().map_or(Ok(0), |row| row.try_get::<_, i64>(0));
            Ok(u64::try_from(count.map_err(|e| postgres::error(&e))?).unwrap_or(0))
        }
    }
}

fn sqlite_table(
    conn: &SqliteConn,
    table: &str,
    take: &mut impl FnMut(Piece<'_>) -> std::io::Result<()>,
) -> Result<(), DumpError> {
    let failed = |e: rusqlite::Error| DumpError::Storage(sqlite::error(&e));
    let mut statement =
        conn.connection().prepare(&format!("SELECT * FROM \"{table}\"")).map_err(failed)?;
    let columns: Vec<String> =
        statement.column_names().into_iter().map(ToOwned::to_owned).collect();
    take(Piece::Table { name: table, columns: &columns })?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut line = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let values = (0..columns.len()).map(|column| {
            Ok::<_, DumpError>(match row.get_ref(column).map_err(failed)? {
                rusqlite::types::ValueRef::Null => Json::Null,
                rusqlite::types::ValueRef::Integer(value) => json!(value),
                rusqlite::types::ValueRef::Blob(value) => bytes(value),
                value @ rusqlite::types::ValueRef::Text(_) => {
                    json!(value.as_str().map_err(|e| corrupt("a text", &e))?)
                }
                value @ rusqlite::types::ValueRef::Real(_) => {
                    return Err(corrupt("a column", &value).into());
                }
            })
        });
        write(&mut line, values.collect::<Result<_, _>>()?)?;
        take(Piece::Row(&line))?;
    }
    Ok(())
}

async fn postgres_table(
    conn: &PostgresConn,
    table: &str,
    take: &mut (impl FnMut(Piece<'_>) -> std::io::Result<()> + Send),
) -> Result<(), DumpError> {
    // Each table has a cursor of its own name, because statements are prepared by their text.
    let open = format!("DECLARE \"copy_{table}\" NO SCROLL CURSOR FOR SELECT * FROM \"{table}\"");
    conn.batch(&open).await?;
    let columns: Vec<String> = conn
        .rows(
            "SELECT column_name::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name::text = ?1 ORDER BY ordinal_position",
            params![table],
        )
        .await?
        .iter()
        .map(|row| row.try_get(0).map_err(|e| postgres::error(&e)))
        .collect::<Result<_, _>>()?;
    take(Piece::Table { name: table, columns: &columns })?;
    let mut line = Vec::new();
    loop {
        let rows = conn.rows(&format!("FETCH {PIECE} FROM \"copy_{table}\""), params![]).await?;
        for row in &rows {
            let values = (0..row.len()).map(|column| postgres_value(row, column));
            write(&mut line, values.collect::<Result<_, _>>()?)?;
            take(Piece::Row(&line))?;
        }
        if rows.len() < PIECE {
            return Ok(conn.batch(&format!("CLOSE \"copy_{table}\"")).await?);
        }
    }
}

fn postgres_value(row: &tokio_postgres::Row, column: usize) -> Result<Json, StorageError> {
    let Some(kind) = row.columns().get(column).map(tokio_postgres::Column::type_) else {
        return Err(corrupt("a column", &column));
    };
    macro_rules! get {
        ($type:ty) => {
            row.try_get::<_, Option<$type>>(column).map_err(|e| postgres::error(&e))?
        };
    }
    Ok(match *kind {
        Type::INT8 => json!(get!(i64)),
        Type::INT4 => json!(get!(i32)),
        Type::BOOL => json!(get!(bool)),
        Type::TEXT => json!(get!(String)),
        Type::BYTEA => get!(&[u8]).map_or(Json::Null, bytes),
        Type::UUID => get!(uuid::Uuid).map_or(Json::Null, |id| bytes(id.as_bytes())),
        _ => return Err(corrupt("a column's type", kind)),
    })
}

fn bytes(value: &[u8]) -> Json {
    match std::str::from_utf8(value) {
        Ok(text) => json!({ "u": text }),
        Err(_) => json!({ "b": BASE64.encode(value) }),
    }
}

fn write(line: &mut Vec<u8>, values: Vec<Json>) -> std::io::Result<()> {
    line.clear();
    Ok(serde_json::to_writer(line, &Json::Array(values))?)
}
