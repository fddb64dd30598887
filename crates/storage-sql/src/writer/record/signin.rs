//! Records of sign-in: providers, links, wishes of terminals.

use tidings_storage::{Record, StorageError};

use crate::conn::{Conn, Params, params};
use crate::read::signin::grant_state;

/// Writes one of them; others are a defect of the caller.
pub(super) async fn write(conn: &mut Conn, record: &Record) -> Result<(), StorageError> {
    let (sql, params): (&'static str, Params) = match record {
        Record::PutProvider(provider) => (
            "INSERT INTO providers (id, kind, name, url, client_id, sealed_secret, options,
               created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name,
               url = excluded.url, client_id = excluded.client_id,
               sealed_secret = excluded.sealed_secret, options = excluded.options",
            params![
                &provider.id,
                &provider.kind,
                &provider.name,
                &provider.url,
                &provider.client_id,
                provider.sealed_secret.clone(),
                &provider.options,
                provider.created_at
            ],
        ),
        Record::DeleteProvider(id) => {
            conn.execute("DELETE FROM links WHERE provider = ?1", params![id]).await?;
            ("DELETE FROM providers WHERE id = ?1", params![id])
        }
        Record::PutLink(link) => (
            "INSERT INTO links (provider, subject, user_id, label, granted, created_at,
               last_used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (provider, subject) DO UPDATE SET user_id = excluded.user_id,
               label = excluded.label, granted = excluded.granted,
               created_at = excluded.created_at, last_used_at = excluded.last_used_at",
            params![
                &link.provider,
                &link.subject,
                link.user_id,
                &link.label,
                &link.granted,
                link.created_at,
                link.last_used_at
            ],
        ),
        Record::DeleteLinks(user, None) => ("DELETE FROM links WHERE user_id = ?1", params![*user]),
        Record::DeleteLinks(user, Some(provider)) => {
            ("DELETE FROM links WHERE user_id = ?1 AND provider = ?2", params![*user, provider])
        }
        Record::PutGrant(grant) => {
            let (state, user) = grant_state(grant.state);
            let sql = "INSERT INTO grants (device_hash, user_code, device_name, created_at,
                         expires_at, interval_s, state, user_id)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                       ON CONFLICT (device_hash) DO UPDATE SET interval_s = excluded.interval_s,
                         state = excluded.state, user_id = excluded.user_id";
            let params = params![
                grant.device_hash,
                &grant.user_code,
                &grant.device_name,
                grant.created_at,
                grant.expires_at,
                grant.interval_s,
                state,
                user
            ];
            (sql, params)
        }
        Record::DeleteGrant(hash) => ("DELETE FROM grants WHERE device_hash = ?1", params![hash]),
        other => {
            return Err(StorageError::Internal { detail: format!("no statement for {other:?}") });
        }
    };
    conn.execute(sql, params).await.map(drop)
}
