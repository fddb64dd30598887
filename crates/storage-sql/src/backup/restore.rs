//! Putting a copy back.

use base64::Engine as _;
use serde_json::Value as Json;
use tidings_storage::StorageError;
use uuid::Uuid;

use super::{BASE64, is_copied, is_plain};
use crate::conn::{Conn, Params, SqliteConn, Value, corrupt, params, postgres};
use crate::schema;
use crate::store::{self, OpenError, Options};

/// Rows that are sent to PostgreSQL at once.
const BATCH: usize = 1_000;

/// Why a copy cannot be put back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The database has tables already; whatever is in them is not touched.
    #[error("the database is not empty")]
    NotEmpty,
    /// A newer version has written the copy.
    #[error("the copy has tables of version {found}, and this program knows {known}")]
    Newer {
        /// What the copy says.
        found: u64,
        /// The newest that this program knows.
        known: u64,
    },
    /// A row or a table is none that this program writes.
    #[error("the copy cannot be read at {place}: {detail}")]
    Malformed {
        /// The table.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database cannot be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What is different after a copy was put back.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The log's new generation, never used before: every cursor of the old one has expired.
    pub generation: u64,
    /// Whether sessions and API tokens go on, and with them those that were ended after the copy
    /// was made.
    pub keep_sessions: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Bool,
    Text,
    Bytes,
    Id,
}

struct Table {
    name: String,
    insert: String,
    kinds: Vec<Kind>,
}

/// A copy that is being put back: one transaction, which dropping this takes back.
pub struct Restoring {
    conn: Conn,
    table: Option<Table>,
    waiting: Vec<Params>,
}

impl std::fmt::Debug for Restoring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Restoring").finish_non_exhaustive()
    }
}

impl Restoring {
    /// Makes the tables of version `schema` in a database that has none.
    pub async fn begin(options: &Options, schema: u64) -> Result<Self, RestoreError> {
        if schema > schema::VERSION {
            return Err(RestoreError::Newer { found: schema, known: schema::VERSION });
        }
        let mut conn = if let Some(path) = options.sqlite_file() {
            Conn::Sqlite(SqliteConn::writer(&path)?)
        } else {
            store::postgres_conn(&store::postgres_pool(options)?).await?
        };
        let (tables, begin) = if conn.is_postgres() {
            ("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()", "BEGIN")
        } else {
            // A file that did not come to its end is removed by whoever made it; so there is
            // nothing that a journal or an fsync in between could save.
            let fast = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN IMMEDIATE";
            ("SELECT count(*) FROM sqlite_schema", fast)
        };
        if conn.query_first(tables, params![], |row| row.count(0)).await? != Some(0) {
            return Err(RestoreError::NotEmpty);
        }
        conn.batch(begin).await?;
        schema::make(&mut conn, schema).await?;
        Ok(Self { conn, table: None, waiting: Vec::new() })
    }

    /// The rows that follow are of this table.
    pub async fn table(&mut self, name: &str, columns: &[String]) -> Result<(), RestoreError> {
        self.flush().await?;
        let malformed = |detail: &str| RestoreError::Malformed {
            place: name.to_owned(),
            detail: detail.to_owned(),
        };
        if !is_plain(name) || !is_copied(name) || !columns.iter().all(|it| is_plain(it)) {
            return Err(malformed("not a name of ours"));
        }
        let sql = if self.conn.is_postgres() {
            "SELECT column_name::text, data_type::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name::text = ?1"
        } else {
            "SELECT name, type FROM pragma_table_info(?1)"
        };
        let known = self
            .conn
            .query(sql, params![name], |row| Ok((row.text(0)?, row.text(1)?.to_lowercase())))
            .await?;
        let mut kinds = Vec::new();
        for column in columns {
            let kind = known.iter().find(|(name, _)| name == column).map(|(_, kind)| &**kind);
            kinds.push(match kind {
                Some("bigint" | "integer") => Kind::Int,
                Some("boolean") => Kind::Bool,
                Some("text") => Kind::Text,
                Some("blob" | "bytea") => Kind::Bytes,
                Some("uuid") => Kind::Id,
                Some(_) | None => return Err(malformed(&format!("no column {column}"))),
            });
        }
        // What the tables are born with.
        self.conn.batch(&format!("DELETE FROM \"{name}\"")).await?;
        let places: Vec<_> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
        let overriding = if self.conn.is_postgres() { " OVERRIDING SYSTEM VALUE" } else { "" };
        let insert = format!(
            "INSERT INTO \"{name}\" (\"{}\"){overriding} VALUES ({})",
            columns.join("\", \""),
            places.join(", ")
        );
        self.table = Some(Table { name: name.to_owned(), insert, kinds });
        Ok(())
    }

    /// One row, as the copy has it.
    pub async fn row(&mut self, line: &[u8]) -> Result<(), RestoreError> {
        let Some(table) = &self.table else {
            let (place, detail) = (String::new(), "a row before any table".to_owned());
            return Err(RestoreError::Malformed { place, detail });
        };
        let malformed =
            |detail: String| RestoreError::Malformed { place: table.name.clone(), detail };
        let values: Vec<Json> =
            serde_json::from_slice(line).map_err(|e| malformed(e.to_string()))?;
        if values.len() != table.kinds.len() {
            return Err(malformed(format!("{} values in a row", values.len())));
        }
        let row = values.into_iter().zip(&table.kinds).map(|(value, kind)| {
            read(value, *kind).ok_or_else(|| malformed(format!("not of type {kind:?}")))
        });
        let row = row.collect::<Result<Params, _>>()?;
        self.waiting.push(row);
        if self.waiting.len() >= BATCH {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), StorageError> {
        let rows = std::mem::take(&mut self.waiting);
        let Some(table) = &self.table else { return Ok(()) };
        match &mut self.conn {
            Conn::Sqlite(conn) => conn.execute_each(&table.insert, &rows),
            Conn::Postgres(conn) => conn.execute_each(&table.insert, rows).await,
        }
    }

    /// Begins the new generation and commits.
    pub async fn finish(mut self, target: Target) -> Result<(), RestoreError> {
        self.flush().await?;
        let generation = target.generation.to_be_bytes().to_vec();
        self.conn.execute("DELETE FROM settings WHERE name = 'log_generation'", params![]).await?;
        self.conn
            .execute(
                "INSERT INTO settings (name, value) VALUES ('log_generation', ?1)",
                params![generation],
            )
            .await?;
        if !target.keep_sessions {
            self.conn.execute("DELETE FROM sessions", params![]).await?;
            self.conn.execute("DELETE FROM tokens", params![]).await?;
            self.conn.execute("DELETE FROM resets", params![]).await?;
        }
        if let Conn::Postgres(conn) = &mut self.conn {
            next_identities(conn).await?;
        }
        self.conn.batch("COMMIT").await?;
        Ok(())
    }
}

/// Sequences go on behind the rows that were put in.
async fn next_identities(conn: &crate::conn::PostgresConn) -> Result<(), StorageError> {
    let found = conn
        .rows(
            "SELECT table_name::text, column_name::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND is_identity = 'YES'",
            params![],
        )
        .await?;
    for row in &found {
        let get = |column| row.try_get::<_, String>(column).map_err(|e| postgres::error(&e));
        let (table, column) = (get(0)?, get(1)?);
        if !is_plain(&table) || !is_plain(&column) {
            return Err(corrupt("a table's name", &table));
        }
        conn.batch(&format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), \
             (SELECT coalesce(max(\"{column}\"), 0) + 1 FROM \"{table}\"), false)"
        ))
        .await?;
    }
    Ok(())
}

fn read(value: Json, kind: Kind) -> Option<Value> {
    Some(match (kind, value) {
        (_, Json::Null) => Value::Null,
        (Kind::Int, Json::Number(number)) => Value::Int(number.as_i64()?),
        (Kind::Int, Json::Bool(value)) => Value::Int(i64::from(value)),
        (Kind::Bool, Json::Bool(value)) => Value::Bool(value),
        (Kind::Bool, Json::Number(number)) => Value::Bool(number.as_i64()? != 0),
        (Kind::Text, Json::String(text)) => Value::from(text),
        (Kind::Bytes, value) => Value::from(bytes(value)?),
        (Kind::Id, value) => Value::Id(Uuid::from_slice(&bytes(value)?).ok()?),
        _ => return None,
    })
}

fn bytes(value: Json) -> Option<Vec<u8>> {
    let Json::Object(mut object) = value else { return None };
    match (object.remove("u"), object.remove("b")) {
        (Some(Json::String(text)), None) => Some(text.into_bytes()),
        (None, Some(Json::String(text))) => BASE64.decode(text).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_come_back_as_they_were() {
        for value in [&b"{\"a\":1}"[..], &[0xFF, 0, 1], b"", "✓".as_bytes()] {
            assert_eq!(bytes(super::super::bytes(value)).unwrap(), value);
        }
        for bad in [json!("x"), json!({}), json!({"u": "a", "b": "YQ=="}), json!({"b": "?"})] {
            assert_eq!(bytes(bad), None);
        }
    }

    #[test]
    fn either_database_reads_what_the_other_wrote() {
        assert!(matches!(read(json!(1), Kind::Bool), Some(Value::Bool(true))));
        assert!(matches!(read(json!(true), Kind::Int), Some(Value::Int(1))));
        let id = Uuid::from_u128(0x9f << 120);
        let written = super::super::bytes(id.as_bytes());
        assert!(matches!(read(written, Kind::Id), Some(Value::Id(read)) if read == id));
        assert!(read(json!("1"), Kind::Int).is_none());
    }
}
