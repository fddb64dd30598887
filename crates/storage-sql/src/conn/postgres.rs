//! PostgreSQL through tokio-postgres: prepared statements are cached, many are sent at once.

use std::error::Error as _;

use bytes::BytesMut;
use deadpool_postgres::Object;
use futures_util::future::try_join_all;
use tidings_storage::StorageError;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::{Params, Value};

/// A connection out of the pool.
pub(crate) struct PostgresConn {
    client: Object,
}

impl PostgresConn {
    pub(crate) const fn new(client: Object) -> Self {
        Self { client }
    }

    // Our statements number their parameters as SQLite does, and have no other question marks.
    async fn prepare(&self, sql: &str) -> Result<Statement, StorageError> {
        self.client.prepare_cached(&sql.replace('?', "$")).await.map_err(|e| error(&e))
    }

    pub(super) async fn execute(&self, sql: &str, params: Params) -> Result<u64, StorageError> {
        let statement = self.prepare(sql).await?;
        self.client.execute_raw(&statement, params).await.map_err(|e| error(&e))
    }

    pub(crate) async fn execute_each(
        &self,
        sql: &str,
        rows: Vec<Params>,
    ) -> Result<(), StorageError> {
        if rows.is_empty() {
            return Ok(());
        }
        let statement = self.prepare(sql).await?;
        let sent = rows.into_iter().map(|row| self.client.execute_raw(&statement, row));
        try_join_all(sent).await.map(drop).map_err(|e| error(&e))
    }

    pub(crate) async fn rows(
        &self,
        sql: &str,
        params: Params,
    ) -> Result<Vec<tokio_postgres::Row>, StorageError> {
        let statement = self.prepare(sql).await?;
        self.client.query(&statement, &references(&params)).await.map_err(|e| error(&e))
    }

    pub(super) async fn rows_each(
        &self,
        sql: &str,
        rows: Vec<Params>,
    ) -> Result<Vec<Vec<tokio_postgres::Row>>, StorageError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let statement = self.prepare(sql).await?;
        let sent = rows.into_iter().map(|row| {
            let statement = &statement;
            async move { self.client.query(statement, &references(&row)).await }
        });
        try_join_all(sent).await.map_err(|e| error(&e))
    }

    pub(crate) async fn batch(&self, sql: &str) -> Result<(), StorageError> {
        self.client.batch_execute(sql).await.map_err(|e| error(&e))
    }
}

fn references(params: &Params) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql_checked(ty, out),
            Self::Bool(value) => value.to_sql_checked(ty, out),
            Self::Text(value) => value.as_ref().to_sql_checked(ty, out),
            Self::Bytes(value) => (&**value).to_sql_checked(ty, out),
            Self::Hash(value) => value.as_slice().to_sql_checked(ty, out),
            Self::Id(value) => value.to_sql_checked(ty, out),
        }
    }

    // Each variant checks the column's type itself.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Sorts a PostgreSQL error into what callers can act on.
pub(crate) fn error(error: &tokio_postgres::Error) -> StorageError {
    let detail =
        error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    let Some(code) = error.code() else { return StorageError::Unavailable { detail } };
    // Class 58 is trouble of the system below, class XX of PostgreSQL itself.
    let passing = matches!(
        *code,
        SqlState::LOCK_NOT_AVAILABLE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::TOO_MANY_CONNECTIONS
    ) || ["XX", "58", "08"].iter().any(|class| code.code().starts_with(class));
    match *code {
        SqlState::DISK_FULL => StorageError::Full,
        _ if passing => StorageError::Unavailable { detail },
        _ => StorageError::Internal { detail },
    }
}
