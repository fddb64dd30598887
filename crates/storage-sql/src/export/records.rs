//! The rows that are about one person, found by the names of columns, so that a table that a later
//! version adds is not forgotten.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Map, Value as Json, json};
use tidings_domain::UserId;
use tidings_storage::StorageError;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::backup::{is_plain, tables};
use crate::conn::{Conn, corrupt, params, postgres, sqlite};

/// A row that is about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its table.
    pub table: String,
    /// Its columns that hold no secret, by name.
    pub row: Map<String, Json>,
}

/// Tables that say again what the log says.
const DERIVED: [&str; 2] = ["entries", "messages"];
/// Columns that name the person whom a row is about: the first of them that a table has counts, and
/// where that is no `user_id`, those after it too.
const PERSON: [&str; 7] =
    ["user_id", "author", "uploader", "created_by", "actor", "target", "reporter"];
/// Words in the names of columns that are secret, or lead to one.
const SECRET: [&str; 8] =
    ["secret", "token", "hash", "digest", "password", "sealed", "private_key", "verifier"];
/// Names of columns that are secret.
const SECRETS: [&str; 4] = ["auth", "code", "claims", "state"];
/// Columns whose bytes are no id and no secret.
const READABLE: [&str; 2] = ["identity", "envelope"];

fn is_secret(column: &str) -> bool {
    SECRETS.contains(&column) || SECRET.iter().any(|word| column.contains(word))
}

/// The condition under which a row of a table with these columns is about a person.
fn condition(table: &str, columns: &[(String, String)]) -> Option<String> {
    if DERIVED.contains(&table) {
        return None;
    }
    match table {
        "users" => return Some("id = ?1".to_owned()),
        "chains" => {
            return Some("identity = (SELECT identity FROM users WHERE id = ?1)".to_owned());
        }
        _ => {}
    }
    let has = |name: &&&str| {
        let is_id = |kind: &str| ["uuid", "blob"].contains(&kind);
        columns.iter().any(|(column, kind)| column == **name && is_id(kind))
    };
    let mut found = PERSON.iter().filter(has);
    let first = found.next()?;
    let mut condition = format!("\"{first}\" = ?1");
    if *first != "user_id" {
        for other in found {
            condition.extend([" OR \"", other, "\" = ?1"]);
        }
    }
    Some(condition)
}

pub(super) async fn of(conn: &mut Conn, user: UserId) -> Result<Vec<Found>, StorageError> {
    let mut logs = HashMap::new();
    let mut found = Vec::new();
    for table in tables(conn).await? {
        let columns = columns(conn, &table).await?;
        let Some(condition) = condition(&table, &columns) else { continue };
        let kept: Vec<_> = columns
            .into_iter()
            .map(|(name, _)| name)
            .filter(|it| is_plain(it) && !is_secret(it))
            .collect();
        let sql = format!(
            "SELECT \"{}\" FROM \"{table}\" WHERE {condition} ORDER BY 1",
            kept.join("\", \"")
        );
        let rows = match conn {
            Conn::Sqlite(conn) => sqlite_rows(conn, &sql, user, &kept)?,
            Conn::Postgres(conn) => conn
                .rows(&sql, params![user])
                .await?
                .iter()
                .map(|row| {
                    let value = |(at, name): (usize, &String)| {
                        Ok(postgres_value(row, at, name)?.map(|value| (name.clone(), value)))
                    };
                    kept.iter().enumerate().map(value).filter_map(Result::transpose).collect()
                })
                .collect::<Result<Vec<Map<_, _>>, StorageError>>()?,
        };
        for mut row in rows {
            // Inside, a log is a number that means nothing outside.
            if let Some(number) = row.get("log").and_then(Json::as_i64) {
                let name = match logs.entry(number) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => unknown.insert(log_name(conn, number).await?),
                };
                row.insert("log".to_owned(), json!(name));
            }
            found.push(Found { table: table.clone(), row });
        }
    }
    Ok(found)
}

/// The columns of a table with their types.
async fn columns(conn: &mut Conn, table: &str) -> Result<Vec<(String, String)>, StorageError> {
    let sql = if conn.is_postgres() {
        "SELECT column_name::text, data_type::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name::text = ?1 ORDER BY ordinal_position"
    } else {
        "SELECT name, type FROM pragma_table_info(?1) ORDER BY cid"
    };
    conn.query(sql, params![table], |row| Ok((row.text(0)?, row.text(1)?.to_lowercase()))).await
}

async fn log_name(conn: &mut Conn, number: i64) -> Result<Option<String>, StorageError> {
    conn.query_first("SELECT kind, owner FROM logs WHERE id = ?1", params![number], |row| {
        Ok(format!("{}:{}", row.text(0)?, row.id(1)?))
    })
    .await
}

fn sqlite_rows(
    conn: &crate::conn::SqliteConn,
    sql: &str,
    user: UserId,
    columns: &[String],
) -> Result<Vec<Map<String, Json>>, StorageError> {
    let failed = |e: rusqlite::Error| sqlite::error(&e);
    let mut statement = conn.connection().prepare(sql).map_err(failed)?;
    let mut rows = statement.query([user.0.as_bytes()]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let mut values = Map::new();
        for (at, name) in columns.iter().enumerate() {
            let value = match row.get_ref(at).map_err(failed)? {
                rusqlite::types::ValueRef::Null => Some(Json::Null),
                rusqlite::types::ValueRef::Integer(value) => Some(json!(value)),
                rusqlite::types::ValueRef::Blob(value) => match Uuid::from_slice(value) {
                    Ok(id) => Some(json!(id)),
                    Err(_) => readable(name, value),
                },
                value @ rusqlite::types::ValueRef::Text(_) => {
                    Some(json!(value.as_str().map_err(|e| corrupt("a text", &e))?))
                }
                value @ rusqlite::types::ValueRef::Real(_) => {
                    return Err(corrupt("a column", &value));
                }
            };
            values.extend(value.map(|value| (name.clone(), value)));
        }
        found.push(values);
    }
    Ok(found)
}

fn postgres_value(
    row: &tokio_postgres::Row,
    at: usize,
    name: &str,
) -> Result<Option<Json>, StorageError> {
    let Some(kind) = row.columns().get(at).map(tokio_postgres::Column::type_) else {
        return Err(corrupt("a column", &at));
    };
    macro_rules! get {
        ($type:ty) => {
            row.try_get::<_, Option<$type>>(at).map_err(|e| postgres::error(&e))?
        };
    }
    Ok(match *kind {
        Type::INT8 => Some(json!(get!(i64))),
        Type::INT4 => Some(json!(get!(i32))),
        // As SQLite has them, so that both databases have one export.
        Type::BOOL => Some(json!(get!(bool).map(i64::from))),
        Type::TEXT => Some(json!(get!(String))),
        Type::UUID => Some(json!(get!(Uuid))),
        Type::BYTEA => get!(&[u8]).map_or(Some(Json::Null), |value| readable(name, value)),
        _ => return Err(corrupt("a column's type", kind)),
    })
}

/// Bytes that are no id are left out: they are hashes of secrets, or what nobody can read; but for
/// the keys and the chain of an identity, which are public.
fn readable(column: &str, value: &[u8]) -> Option<Json> {
    if !READABLE.contains(&column) {
        return None;
    }
    if let Ok(key) = <[u8; 32]>::try_from(value) {
        return Some(json!(tidings_domain::IdentityKey(key).to_string()));
    }
    serde_json::from_slice(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(table: &str, columns: &[&str]) -> Option<String> {
        let columns: Vec<_> =
            columns.iter().map(|&name| (name.to_owned(), "blob".to_owned())).collect();
        condition(table, &columns)
    }

    #[test]
    fn a_row_is_about_whom_it_names() {
        assert_eq!(about("sessions", &["id", "user_id"]).as_deref(), Some("\"user_id\" = ?1"));
        // Who blocked somebody is nobody's business but their own.
        assert_eq!(
            about("blocks", &["blocked_id", "user_id", "actor"]).as_deref(),
            Some("\"user_id\" = ?1")
        );
        let audit = about("audit", &["target", "actor"]);
        assert_eq!(audit.as_deref(), Some("\"actor\" = ?1 OR \"target\" = ?1"));
        assert_eq!(about("entries", &["actor"]), None);
        assert_eq!(about("communities", &["id"]), None);
        let text = [("target".to_owned(), "text".to_owned())];
        assert_eq!(condition("addresses", &text), None);
    }

    #[test]
    fn what_lets_somebody_in_stays_inside() {
        for name in ["token_hash", "code", "digest", "secret", "sealed_secret", "auth"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["id", "author", "device_name", "expires_at", "scopes"] {
            assert!(!is_secret(name), "{name}");
        }
        assert_eq!(readable("request", &[7; 32]), None);
        let key = readable("identity", &[7; 32]).unwrap();
        assert_eq!(key, json!(format!("ed25519:{}", "07".repeat(32))));
    }
}
