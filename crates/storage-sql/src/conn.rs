//! One face for a connection to either database.
//!
//! Statements use `?1`, `?2`, … (`$1`, … when they go to PostgreSQL); parameters are [`Value`]s; rows are read by column number through
//! [`Row`]. On SQLite nothing here ever waits: every future is ready at its first poll. On
//! PostgreSQL the `_each` methods send all their statements at once and then read the answers.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::borrow::Cow;

use bytes::Bytes;
use tidings_storage::StorageError;
use uuid::Uuid;

pub(crate) use postgres::PostgresConn;
pub(crate) use sqlite::SqliteConn;

/// A parameter.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Bool(bool),
    Text(Cow<'static, str>),
    Bytes(Bytes),
    Hash([u8; 32]),
    Id(Uuid),
}

macro_rules! value_from {
    ($($from:ty, $value:ident => $make:expr;)+) => {
        $(impl From<$from> for Value { fn from($value: $from) -> Self { $make } })+
    };
}

value_from! {
    i64, v => Self::Int(v);
    u32, v => Self::Int(i64::from(v));
    // Places and counts stay far below 2^63; a larger one could only come from a defect.
    u64, v => Self::Int(i64::try_from(v).unwrap_or(i64::MAX));
    usize, v => Self::Int(i64::try_from(v).unwrap_or(i64::MAX));
    bool, v => Self::Bool(v);
    &str, v => Self::Text(Cow::Owned(v.to_owned()));
    String, v => Self::Text(Cow::Owned(v));
    &String, v => Self::Text(Cow::Owned(v.clone()));
    Cow<'static, str>, v => Self::Text(v);
    Bytes, v => Self::Bytes(v);
    Vec<u8>, v => Self::Bytes(Bytes::from(v));
    [u8; 32], v => Self::Hash(v);
    &[u8; 32], v => Self::Hash(*v);
    Uuid, v => Self::Id(v);
    tidings_domain::UserId, v => Self::Id(v.0);
    tidings_domain::DeviceId, v => Self::Id(v.0);
    tidings_domain::CommunityId, v => Self::Id(v.0);
    tidings_domain::ChannelId, v => Self::Id(v.0);
    tidings_domain::MessageId, v => Self::Id(v.0);
    tidings_domain::MediaId, v => Self::Id(v.0);
    tidings_domain::NotificationId, v => Self::Id(v.0);
    tidings_domain::SessionId, v => Self::Id(v.0);
    tidings_domain::TokenId, v => Self::Id(v.0);
    tidings_domain::WebhookId, v => Self::Id(v.0);
    tidings_domain::ReportId, v => Self::Id(v.0);
    tidings_domain::JobId, v => Self::Id(v.0);
    tidings_domain::Seq, v => Self::from(v.0);
    tidings_domain::Position, v => Self::from(v.0);
    tidings_domain::Timestamp, v => Self::Int(v.0);
    tidings_domain::IdentityKey, v => Self::Hash(v.0);
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The parameters of one run of a statement.
pub(crate) type Params = Vec<Value>;

/// `params![a, b]` makes [`Params`] of anything that becomes a [`Value`].
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::conn::Value::from($value)),*] };
}
pub(crate) use params;

/// A row while it is looked at.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $type:ty;)+) => {
        $($(#[$doc])* pub(crate) fn $name(&self, column: usize) -> Result<$type, StorageError> {
            match self {
                Self::Sqlite(row) => row.get(column).map_err(|e| sqlite::error(&e)),
                Self::Postgres(row) => row.try_get(column).map_err(|e| postgres::error(&e)),
            }
        })+
    };
}

impl Row<'_> {
    getters! {
        int -> i64;
        bool -> bool;
        text -> String;
        bytes -> Vec<u8>;
        opt_int -> Option<i64>;
        opt_bytes -> Option<Vec<u8>>;
    }

    /// A count or place, which is never negative.
    pub(crate) fn count(&self, column: usize) -> Result<u64, StorageError> {
        let value = self.int(column)?;
        u64::try_from(value).map_err(|_| corrupt("a count", &value))
    }

    /// A small count.
    pub(crate) fn count32(&self, column: usize) -> Result<u32, StorageError> {
        let value = self.int(column)?;
        u32::try_from(value).map_err(|_| corrupt("a count", &value))
    }

    /// A UUID: 16 bytes on SQLite, `uuid` on PostgreSQL.
    pub(crate) fn id(&self, column: usize) -> Result<Uuid, StorageError> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(column).map_err(|e| sqlite::error(&e))?;
                let bytes = value.as_blob().map_err(|e| corrupt("an id", &e))?;
                Uuid::from_slice(bytes).map_err(|e| corrupt("an id", &e))
            }
            Self::Postgres(row) => row.try_get(column).map_err(|e| postgres::error(&e)),
        }
    }

    /// A UUID, or none where the column is null.
    pub(crate) fn opt_id(&self, column: usize) -> Result<Option<Uuid>, StorageError> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(column).map_err(|e| sqlite::error(&e))?;
                if value == rusqlite::types::ValueRef::Null {
                    Ok(None)
                } else {
                    self.id(column).map(Some)
                }
            }
            Self::Postgres(row) => row.try_get(column).map_err(|e| postgres::error(&e)),
        }
    }

    /// 32 bytes: a hash, a key, a salt.
    pub(crate) fn hash(&self, column: usize) -> Result<[u8; 32], StorageError> {
        let bytes = self.bytes(column)?;
        bytes.try_into().map_err(|bytes: Vec<u8>| corrupt("a hash", &bytes.len()))
    }

    /// 32 bytes, or none where the column is null.
    pub(crate) fn opt_hash(&self, column: usize) -> Result<Option<[u8; 32]>, StorageError> {
        let Some(bytes) = self.opt_bytes(column)? else { return Ok(None) };
        bytes.try_into().map(Some).map_err(|bytes: Vec<u8>| corrupt("a hash", &bytes.len()))
    }
}

/// A value that this version does not write.
pub(crate) fn corrupt(place: &'static str, detail: &dyn std::fmt::Debug) -> StorageError {
    StorageError::Corrupt { place, detail: format!("{detail:?}") }
}

/// A connection to either database.
pub(crate) enum Conn {
    Sqlite(SqliteConn),
    Postgres(PostgresConn),
}

impl Conn {
    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Runs a statement that changes rows; how many were changed.
    pub(crate) async fn execute(
        &mut self,
        sql: &'static str,
        params: Params,
    ) -> Result<u64, StorageError> {
        match self {
            Self::Sqlite(conn) => conn.execute(sql, &params),
            Self::Postgres(conn) => conn.execute(sql, params).await,
        }
    }

    /// Runs one statement for each of many parameters.
    pub(crate) async fn execute_each(
        &mut self,
        sql: &'static str,
        rows: Vec<Params>,
    ) -> Result<(), StorageError> {
        match self {
            Self::Sqlite(conn) => conn.execute_each(sql, &rows),
            Self::Postgres(conn) => conn.execute_each(sql, rows).await,
        }
    }

    /// All rows of a query.
    pub(crate) async fn query<T>(
        &mut self,
        sql: &'static str,
        params: Params,
        mut map: impl FnMut(&Row<'_>) -> Result<T, StorageError> + Send,
    ) -> Result<Vec<T>, StorageError> {
        match self {
            Self::Sqlite(conn) => conn.query(sql, &params, &mut map),
            Self::Postgres(conn) => {
                conn.rows(sql, params).await?.iter().map(|row| map(&Row::Postgres(row))).collect()
            }
        }
    }

    /// The first row of a query.
    pub(crate) async fn query_first<T>(
        &mut self,
        sql: &'static str,
        params: Params,
        map: impl FnMut(&Row<'_>) -> Result<T, StorageError> + Send,
    ) -> Result<Option<T>, StorageError> {
        Ok(self.query(sql, params, map).await?.into_iter().next())
    }

    /// One query for each of many parameters; the first row of each, in order.
    pub(crate) async fn query_each<T>(
        &mut self,
        sql: &'static str,
        rows: Vec<Params>,
        mut map: impl FnMut(&Row<'_>) -> Result<T, StorageError> + Send,
    ) -> Result<Vec<Option<T>>, StorageError> {
        match self {
            Self::Sqlite(conn) => conn.query_each(sql, &rows, &mut map),
            Self::Postgres(conn) => {
                let answers = conn.rows_each(sql, rows).await?;
                answers
                    .iter()
                    .map(|rows| rows.first().map(|row| map(&Row::Postgres(row))).transpose())
                    .collect()
            }
        }
    }

    /// One query for each of many parameters; all rows of all, in order.
    pub(crate) async fn query_all_each<T>(
        &mut self,
        sql: &'static str,
        rows: Vec<Params>,
        mut map: impl FnMut(&Row<'_>) -> Result<T, StorageError> + Send,
    ) -> Result<Vec<T>, StorageError> {
        let mut found = Vec::new();
        match self {
            Self::Sqlite(conn) => {
                for row in &rows {
                    found.append(&mut conn.query(sql, row, &mut map)?);
                }
            }
            Self::Postgres(conn) => {
                for rows in conn.rows_each(sql, rows).await? {
                    for row in &rows {
                        found.push(map(&Row::Postgres(row))?);
                    }
                }
            }
        }
        Ok(found)
    }

    /// Runs statements without parameters, such as those that begin and end transactions.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), StorageError> {
        match self {
            Self::Sqlite(conn) => conn.batch(sql),
            Self::Postgres(conn) => conn.batch(sql).await,
        }
    }
}
