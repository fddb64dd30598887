//! Records: rows that are no part of any log.

mod outward;
mod signin;

use tidings_domain::{ChannelId, CommunityId, MessageId, Timestamp, UserId};
use tidings_storage::command::StoredCommand;
use tidings_storage::media::StoredMedia;
use tidings_storage::{Record, StorageError};

use crate::conn::{Conn, Params, params};

/// Writes one record.
#[expect(clippy::too_many_lines, reason = "a table: one row for each kind")]
pub(super) async fn write(conn: &mut Conn, record: &Record) -> Result<(), StorageError> {
    let (sql, params): (&'static str, Params) = match record {
        Record::CreateUser(user) => (
            "INSERT INTO users (id, username, display_name, identity, server_role, bot,
               discoverable, status, disabled, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                user.id,
                &user.username,
                &user.display_name,
                user.identity,
                user.server_role.as_str(),
                user.bot,
                user.discoverable,
                &user.status,
                user.disabled,
                user.created_at
            ],
        ),
        Record::UpdateUser(user) => (
            "UPDATE users SET display_name = ?2, identity = ?3, server_role = ?4, bot = ?5,
               discoverable = ?6, status = ?7, disabled = ?8 WHERE id = ?1",
            params![
                user.id,
                &user.display_name,
                user.identity,
                user.server_role.as_str(),
                user.bot,
                user.discoverable,
                &user.status,
                user.disabled
            ],
        ),
        Record::RenameUser(user, name) => {
            ("UPDATE users SET username = ?2 WHERE id = ?1", params![*user, name])
        }
        Record::AppendChain { identity, first, envelopes } => {
            let rows = envelopes.iter().zip(*first..);
            let rows = rows.map(|(bytes, seq)| params![*identity, seq, bytes.clone()]).collect();
            let sql = "INSERT INTO chains (identity, seq, envelope) VALUES (?1, ?2, ?3)";
            return conn.execute_each(sql, rows).await;
        }
        Record::UseChallenge(digest, until) => (
            "INSERT INTO used_challenges (digest, expires_at) VALUES (?1, ?2)",
            params![digest, *until],
        ),
        Record::CreateReset(digest, user, until) => (
            "INSERT INTO resets (digest, user_id, expires_at) VALUES (?1, ?2, ?3)",
            params![digest, *user, *until],
        ),
        Record::UseReset(digest) => ("DELETE FROM resets WHERE digest = ?1", params![digest]),
        Record::CreateSession(session) => (
            "INSERT INTO sessions (id, user_id, device_id, device_name, token_hash, created_at,
               last_used_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                session.id,
                session.user_id,
                session.device_id,
                &session.device_name,
                session.token_hash,
                session.created_at,
                session.last_used_at,
                session.expires_at
            ],
        ),
        Record::TouchSession(session, used, until) => (
            "UPDATE sessions SET last_used_at = ?2, expires_at = ?3 WHERE id = ?1",
            params![*session, *used, *until],
        ),
        Record::DeleteSession(session) => ("DELETE FROM sessions WHERE id = ?1", params![*session]),
        Record::DeleteSessions(user, None) => {
            ("DELETE FROM sessions WHERE user_id = ?1", params![*user])
        }
        Record::DeleteSessions(user, Some(device)) => {
            ("DELETE FROM sessions WHERE user_id = ?1 AND device_id = ?2", params![*user, *device])
        }
        Record::CreateBot(bot) => (
            "INSERT INTO bots (user_id, community_id, scopes, created_by, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                bot.user_id,
                bot.community_id,
                bot.scopes.to_string(),
                bot.created_by,
                bot.created_at
            ],
        ),
        Record::DeleteBot(user) => {
            conn.execute("DELETE FROM bot_commands WHERE bot_id = ?1", params![*user]).await?;
            ("DELETE FROM bots WHERE user_id = ?1", params![*user])
        }
        Record::CreateToken(token) => (
            "INSERT INTO tokens (id, user_id, name, scopes, token_hash, created_by, created_at,
               last_used_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                token.id,
                token.user_id,
                &token.name,
                token.scopes.to_string(),
                token.token_hash,
                token.created_by,
                token.created_at,
                token.last_used_at,
                token.expires_at
            ],
        ),
        Record::TouchToken(token, used) => {
            ("UPDATE tokens SET last_used_at = ?2 WHERE id = ?1", params![*token, *used])
        }
        Record::DeleteToken(token) => ("DELETE FROM tokens WHERE id = ?1", params![*token]),
        Record::DeleteTokens(user) => ("DELETE FROM tokens WHERE user_id = ?1", params![*user]),
        Record::Seen(user, at) => (
            "INSERT INTO last_seen (user_id, at) VALUES (?1, ?2)
             ON CONFLICT (user_id) DO UPDATE SET at = excluded.at",
            params![*user, *at],
        ),
        Record::Block(block) => (
            "INSERT INTO blocks (user_id, blocked_id, created_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (user_id, blocked_id) DO NOTHING",
            params![block.user_id, block.blocked, block.created_at],
        ),
        Record::Unblock(user, blocked) => {
            ("DELETE FROM blocks WHERE user_id = ?1 AND blocked_id = ?2", params![*user, *blocked])
        }
        Record::SetCommands(bot, commands) => return set_commands(conn, *bot, commands).await,
        Record::CreateInvocation(row) => (
            "INSERT INTO invocations (id, bot_id, user_id, channel_id, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![row.id, row.bot_id, row.user_id, row.channel_id, row.expires_at],
        ),
        Record::PutReminder(row) => (
            "INSERT INTO reminders (id, user_id, channel_id, due_at, text)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, text = excluded.text",
            params![row.id, row.user_id, row.channel_id, row.due_at, &row.text],
        ),
        Record::DeleteReminder(id) => ("DELETE FROM reminders WHERE id = ?1", params![*id]),
        Record::PutDraft(draft) => (
            "INSERT INTO drafts (user_id, channel_id, parent_id, body, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (user_id, channel_id, parent_id) DO UPDATE
               SET body = excluded.body, updated_at = excluded.updated_at",
            params![
                draft.user_id,
                draft.channel_id,
                draft.parent_id.unwrap_or(MessageId::NIL),
                &draft.body,
                draft.updated_at
            ],
        ),
        Record::DeleteDraft(user, channel, parent) => (
            "DELETE FROM drafts WHERE user_id = ?1 AND channel_id = ?2 AND parent_id = ?3",
            params![*user, *channel, parent.unwrap_or(MessageId::NIL)],
        ),
        Record::Report(report) => (
            "INSERT INTO reports (id, community_id, channel_id, message_id, reporter, reason,
               created_at, resolved_by, resolved_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (message_id, reporter) DO NOTHING",
            params![
                report.id,
                report.community_id.unwrap_or(CommunityId::NIL),
                report.channel_id,
                report.message_id,
                report.reporter,
                &report.reason,
                report.created_at,
                report.resolved.map_or(UserId::NIL, |(user, _)| user),
                report.resolved.map_or(Timestamp(0), |(_, at)| at)
            ],
        ),
        Record::ResolveReport(id, user, at) => (
            "UPDATE reports SET resolved_by = ?2, resolved_at = ?3
             WHERE id = ?1 AND resolved_at = 0",
            params![*id, *user, *at],
        ),
        Record::CreateWebhook(webhook) => (
            "INSERT INTO webhooks (id, channel_id, name, token_hash, signed, created_by, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                webhook.id,
                webhook.channel_id,
                &webhook.name,
                webhook.token_hash,
                webhook.signed,
                webhook.created_by,
                webhook.created_at
            ],
        ),
        Record::DeleteWebhook(id) => {
            let sql = "DELETE FROM webhook_notes WHERE webhook_id = ?1";
            conn.execute(sql, params![*id]).await?;
            ("DELETE FROM webhooks WHERE id = ?1", params![*id])
        }
        Record::PutWebhookNote(id, key, value) => (
            "INSERT INTO webhook_notes (webhook_id, key, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (webhook_id, key) DO UPDATE SET value = excluded.value",
            params![*id, key, value],
        ),
        Record::CreateJob(_)
        | Record::BeginJob(..)
        | Record::RenewJob(..)
        | Record::PutOffJob(..)
        | Record::DeleteJob(_)
        | Record::SetPreviews(..)
        | Record::CreateOutgoing(_)
        | Record::UpdateOutgoing(_)
        | Record::MoveOutgoing(..)
        | Record::AcceptOutgoing(..)
        | Record::DisableOutgoing(..)
        | Record::PutAttempt(_)
        | Record::DeleteOutgoing(_) => return outward::write(conn, record).await,
        Record::CreateCommunity(community) => (
            "INSERT INTO communities (id, name, slug, created_at, approval) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                community.id,
                &community.name,
                &community.slug,
                community.created_at,
                community.approval
            ],
        ),
        Record::UpdateCommunity(community) => (
            "UPDATE communities SET name = ?2, slug = ?3, approval = ?4 WHERE id = ?1",
            params![community.id, &community.name, &community.slug, community.approval],
        ),
        Record::CreateInvite(invite) => (
            "INSERT INTO invites (code_hash, code, community_id, created_by, created_at, max_uses,
               uses, expires_at, role, claims, approval)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                invite.code_hash,
                &invite.code.0,
                invite.community_id,
                invite.created_by,
                invite.created_at,
                invite.max_uses,
                invite.uses,
                invite.expires_at,
                invite.role.as_str(),
                invite.claims,
                invite.approval
            ],
        ),
        Record::UseInvite(code) => {
            ("UPDATE invites SET uses = uses + 1 WHERE code_hash = ?1", params![code])
        }
        Record::DeleteInvite(code) => ("DELETE FROM invites WHERE code_hash = ?1", params![code]),
        Record::PutJoinRequest(request) => (
            "INSERT INTO join_requests (community_id, user_id, invited_by, role, created_at,
               refused_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (community_id, user_id) DO UPDATE SET invited_by = excluded.invited_by,
               role = excluded.role, created_at = excluded.created_at,
               refused_until = excluded.refused_until",
            params![
                request.community_id,
                request.user_id,
                request.invited_by,
                request.role.as_str(),
                request.created_at,
                request.refused_until
            ],
        ),
        Record::DeleteJoinRequest(community, user) => (
            "DELETE FROM join_requests WHERE community_id = ?1 AND user_id = ?2",
            params![*community, *user],
        ),
        Record::PutProvider(_)
        | Record::DeleteProvider(_)
        | Record::PutLink(_)
        | Record::DeleteLinks(..)
        | Record::PutGrant(_)
        | Record::DeleteGrant(_) => return signin::write(conn, record).await,
        Record::BindSource { source, target } => {
            ("INSERT INTO sources (source, target) VALUES (?1, ?2)", params![source, *target])
        }
        Record::CreateMedia(media, blob) => return create_media(conn, media, blob).await,
        Record::UseMedia(id) => ("UPDATE media SET used = TRUE WHERE id = ?1", params![*id]),
        Record::DeleteMedia(id) => ("DELETE FROM media WHERE id = ?1", params![*id]),
        Record::DeleteBlob(sha256) => ("DELETE FROM blobs WHERE sha256 = ?1", params![sha256]),
        Record::PutRestriction(row) => (
            "INSERT INTO restrictions (community_id, kind, user_id, ends_at, reason, actor, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (community_id, kind, user_id) DO UPDATE SET ends_at = excluded.ends_at,
               reason = excluded.reason, actor = excluded.actor, at = excluded.at",
            params![
                row.community,
                row.kind.as_str(),
                row.user,
                row.until,
                &row.reason,
                row.actor,
                row.at
            ],
        ),
        Record::DeleteRestriction(kind, community, user) => (
            "DELETE FROM restrictions WHERE community_id = ?1 AND kind = ?2 AND user_id = ?3",
            params![*community, kind.as_str(), *user],
        ),
        Record::Audit(act) => (
            "INSERT INTO audit (community_id, id, private, actor, at, action, target_kind, target,
               target_name, detail, address)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                act.community,
                act.id,
                act.private,
                act.actor,
                act.at,
                &act.action,
                &act.target_kind,
                act.target,
                &act.target_name,
                &act.detail,
                &act.address
            ],
        ),
        Record::PutResponse(response) => (
            "INSERT INTO responses (user_id, key, request, status, body, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (user_id, key) DO NOTHING",
            params![
                response.user_id,
                response.key,
                response.request,
                u32::from(response.status),
                response.body.clone(),
                response.expires_at
            ],
        ),
        Record::PutSetting(name, value) => (
            "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            params![*name, value.clone()],
        ),
        Record::Prune(now) => return prune(conn, *now).await,
        other => {
            return Err(StorageError::Internal { detail: format!("no statement for {other:?}") });
        }
    };
    conn.execute(sql, params).await.map(drop)
}

async fn set_commands(
    conn: &mut Conn,
    bot: UserId,
    commands: &[StoredCommand],
) -> Result<(), StorageError> {
    conn.execute("DELETE FROM bot_commands WHERE bot_id = ?1", params![bot]).await?;
    for command in commands {
        conn.execute(
            "INSERT INTO bot_commands (community_id, name, bot_id, summary, args)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![command.community_id, &command.name, bot, &command.summary, &command.args],
        )
        .await?;
    }
    Ok(())
}

async fn create_media(
    conn: &mut Conn,
    stored: &StoredMedia,
    blob: &str,
) -> Result<(), StorageError> {
    let StoredMedia { media, uploader, channel, created_at, used } = stored;
    conn.execute(
        "INSERT INTO blobs (sha256, name) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING",
        params![media.sha256, blob],
    )
    .await?;
    let (width, height) = media.dimensions.unwrap_or((0, 0));
    conn.execute(
        "INSERT INTO media (id, uploader, channel_id, filename, content_type, size, sha256, width,
           height, used, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            media.id,
            *uploader,
            channel.unwrap_or(ChannelId::NIL),
            &media.filename,
            &media.content_type,
            media.size,
            media.sha256,
            width,
            height,
            *used,
            *created_at
        ],
    )
    .await
    .map(drop)
}

async fn prune(conn: &mut Conn, now: Timestamp) -> Result<(), StorageError> {
    conn.execute("DELETE FROM used_challenges WHERE expires_at < ?1", params![now]).await?;
    conn.execute("DELETE FROM responses WHERE expires_at < ?1", params![now]).await?;
    conn.execute("DELETE FROM resets WHERE expires_at < ?1", params![now]).await?;
    conn.execute("DELETE FROM sessions WHERE expires_at < ?1", params![now]).await?;
    conn.execute("DELETE FROM tokens WHERE expires_at < ?1", params![now]).await?;
    conn.execute("DELETE FROM restrictions WHERE ends_at < ?1", params![now]).await?;
    conn.execute("DELETE FROM grants WHERE expires_at < ?1", params![now]).await?;
    conn.execute("DELETE FROM join_requests WHERE refused_until < ?1", params![now]).await?;
    conn.execute("DELETE FROM invocations WHERE expires_at < ?1", params![now]).await?;
    Ok(())
}
