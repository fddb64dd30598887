//! Preconditions as queries: each finds a row exactly when it holds.

use std::collections::HashMap;

use tidings_domain::{ChannelId, Role, UserId};
use tidings_storage::{Precondition, StorageError};

use crate::conn::{Conn, Params, params};
use crate::read::media::carried;
use crate::read::signin::grant_state;

/// The users of a DM as one text: sorted ids joined by commas.
pub(crate) fn dm_users(users: &[UserId]) -> String {
    let mut users: Vec<_> = users.iter().map(ToString::to_string).collect();
    users.sort_unstable();
    users.join(",")
}

const fn rank(role: Role) -> i64 {
    match role {
        Role::Member => 1,
        Role::Admin => 2,
        Role::Owner => 3,
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one row for each kind")]
fn query(precondition: &Precondition) -> Result<(&'static str, Params), StorageError> {
    use Precondition as P;
    Ok(match precondition {
        P::NoAccounts => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM users WHERE identity IS NOT NULL)",
            params![],
        ),
        P::UserActive(user) => {
            ("SELECT 1 FROM users WHERE id = ?1 AND NOT disabled", params![*user])
        }
        P::UsernameFree(name) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM users WHERE username = ?1)",
            params![name],
        ),
        P::UserIs(user) => (
            "SELECT 1 FROM users WHERE id = ?1 AND username = ?10 AND display_name = ?2
               AND server_role = ?3 AND bot = ?4 AND discoverable = ?5 AND status = ?6 AND disabled = ?7
               AND COALESCE(identity, ?8) = ?8 AND (identity IS NULL) = ?9",
            params![
                user.id,
                &user.display_name,
                user.server_role.as_str(),
                user.bot,
                user.discoverable,
                &user.status,
                user.disabled,
                user.identity.map_or([0; 32], |key| key.0),
                user.identity.is_none(),
                &user.username
            ],
        ),
        P::IdentityFree(key) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM users WHERE identity = ?1)",
            params![*key],
        ),
        P::ChainLength(key, length) => (
            "SELECT 1 WHERE (SELECT COUNT(*) FROM chains WHERE identity = ?1) = ?2",
            params![*key, *length],
        ),
        P::ChallengeUnused(digest) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM used_challenges WHERE digest = ?1)",
            params![digest],
        ),
        P::ResetUsable(digest, user, now) => (
            "SELECT 1 FROM resets WHERE digest = ?1 AND user_id = ?2 AND expires_at > ?3",
            params![digest, *user, *now],
        ),
        P::UserUnclaimed(user) => (
            "SELECT 1 FROM users WHERE id = ?1 AND identity IS NULL AND NOT bot",
            params![*user],
        ),
        P::SlugFree(slug, except) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM communities WHERE slug = ?1 AND id <> ?2)",
            params![slug, *except],
        ),
        P::CommunityRole(community, user, role) => (
            "SELECT 1 FROM logs l JOIN memberships m ON m.log = l.id
             WHERE l.owner = ?1 AND l.kind = 'g' AND m.user_id = ?2 AND m.left_position = 0
               AND CASE m.role WHEN 'owner' THEN 3 WHEN 'admin' THEN 2 ELSE 1 END
                   >= CAST(?3 AS BIGINT)",
            params![*community, *user, rank(*role)],
        ),
        P::CommunityIs(community) => (
            "SELECT 1 FROM communities WHERE id = ?1 AND name = ?2 AND slug = ?3 AND approval = ?4",
            params![community.id, &community.name, &community.slug, community.approval],
        ),
        P::RoleIs(community, user, role) => (
            "SELECT 1 FROM logs l JOIN memberships m ON m.log = l.id
             WHERE l.owner = ?1 AND l.kind = 'g' AND m.user_id = ?2 AND m.left_position = 0
               AND m.role = ?3",
            params![*community, *user, role.as_str()],
        ),
        P::NotInCommunity(community, user) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM logs l JOIN memberships m ON m.log = l.id
             WHERE l.owner = ?1 AND l.kind = 'g' AND m.user_id = ?2 AND m.left_position = 0)",
            params![*community, *user],
        ),
        P::OtherOwner(community, user) => (
            "SELECT 1 FROM logs l JOIN memberships m ON m.log = l.id
             WHERE l.owner = ?1 AND l.kind = 'g' AND m.user_id <> ?2 AND m.left_position = 0
               AND m.role = 'owner' LIMIT 1",
            params![*community, *user],
        ),
        P::InviteUsable(code, now) => (
            "SELECT 1 FROM invites WHERE code_hash = ?1 AND (max_uses IS NULL OR uses < max_uses)
               AND (expires_at IS NULL OR expires_at > ?2)",
            params![code, *now],
        ),
        P::ChannelNameFree(community, name, except) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM channels
             WHERE community_id = ?1 AND name = ?2 AND name <> '' AND id <> ?3 AND NOT archived)",
            params![*community, name, *except],
        ),
        P::DmFree(users) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM channels WHERE dm_users = ?1 AND dm_users <> '')",
            params![dm_users(users)],
        ),
        P::ChannelIs(channel) => (
            "SELECT 1 FROM channels WHERE id = ?1 AND name = ?2 AND visibility = ?3 AND topic = ?4
               AND category = ?5 AND archived = ?6 AND is_default = ?7 AND retention_s = ?8",
            params![
                channel.id,
                channel.name.as_deref().unwrap_or_default(),
                channel.visibility.as_str(),
                &channel.topic,
                channel.category.as_deref().unwrap_or_default(),
                channel.archived,
                channel.default,
                channel.retention_s.unwrap_or(0)
            ],
        ),
        P::ChannelOpen(channel) => {
            ("SELECT 1 FROM channels WHERE id = ?1 AND NOT archived", params![*channel])
        }
        P::InChannel(channel, user) => (
            "SELECT 1 FROM channels c JOIN memberships m ON m.log = c.log
             WHERE c.id = ?1 AND m.user_id = ?2 AND m.left_position = 0",
            params![*channel, *user],
        ),
        P::NotInChannel(channel, user) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM channels c JOIN memberships m ON m.log = c.log
             WHERE c.id = ?1 AND m.user_id = ?2 AND m.left_position = 0)",
            params![*channel, *user],
        ),
        P::MessageLive(channel, message) => (
            "SELECT 1 FROM messages m JOIN channels c ON c.log = m.log
             WHERE m.id = ?2 AND c.id = ?1 AND NOT m.deleted",
            params![*channel, *message],
        ),
        P::MessageTopLevel(channel, message) => (
            "SELECT 1 FROM messages m JOIN channels c ON c.log = m.log
             WHERE m.id = ?2 AND c.id = ?1 AND NOT m.reply",
            params![*channel, *message],
        ),
        P::ReactionAddable(message, user, emoji, most) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM reactions
               WHERE message_id = ?1 AND emoji = ?3 AND user_id = ?2)
             AND (EXISTS (SELECT 1 FROM reactions WHERE message_id = ?1 AND emoji = ?3)
               OR (SELECT COUNT(DISTINCT emoji) FROM reactions WHERE message_id = ?1) < ?4)",
            params![*message, *user, emoji.as_str(), *most],
        ),
        P::ReactionThere(message, user, emoji) => (
            "SELECT 1 FROM reactions WHERE message_id = ?1 AND emoji = ?3 AND user_id = ?2",
            params![*message, *user, emoji.as_str()],
        ),
        P::ReadBefore(channel, user, seq) => (
            "SELECT 1 FROM channels c JOIN memberships m ON m.log = c.log
             WHERE c.id = ?1 AND m.user_id = ?2 AND m.left_position = 0 AND m.read_seq < ?3",
            params![*channel, *user, *seq],
        ),
        P::ThreadReadBefore(root, user, seq) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM thread_markers
             WHERE root = ?1 AND user_id = ?2 AND read_seq >= ?3)",
            params![*root, *user, *seq],
        ),
        P::NotBlocked(one, other) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM blocks
             WHERE (user_id = ?1 AND blocked_id = ?2) OR (user_id = ?2 AND blocked_id = ?1))",
            params![*one, *other],
        ),
        P::Pinnable(channel, message, most) => (
            "SELECT 1 FROM messages m WHERE m.id = ?2 AND m.pinned = 0
             AND (SELECT COUNT(*) FROM messages o JOIN channels c ON c.log = o.log
               WHERE c.id = ?1 AND o.pinned > 0) < ?3",
            params![*channel, *message, *most],
        ),
        P::Pinned(message) => {
            ("SELECT 1 FROM messages WHERE id = ?1 AND pinned > 0", params![*message])
        }
        P::Saved(user, message, true) => {
            ("SELECT 1 FROM saved WHERE user_id = ?1 AND message = ?2", params![*user, *message])
        }
        P::Saved(user, message, false) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM saved WHERE user_id = ?1 AND message = ?2)",
            params![*user, *message],
        ),
        P::Unreported(message, user) => (
            "SELECT 1 WHERE NOT EXISTS
               (SELECT 1 FROM reports WHERE message_id = ?1 AND reporter = ?2)",
            params![*message, *user],
        ),
        P::SourceFree(source) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM sources WHERE source = ?1)",
            params![source],
        ),
        P::StorageLeft(user, more, most) => (
            "SELECT 1 WHERE (SELECT COALESCE(SUM(size), 0) FROM media WHERE uploader = ?1)
               + CAST(?2 AS BIGINT) <= CAST(?3 AS BIGINT)",
            params![*user, *more, *most],
        ),
        P::MediaUsable(media, user, channel) => (
            concat!(
                "SELECT 1 FROM media m WHERE m.id = ?1 AND m.uploader = ?2
                   AND (m.channel_id = ?4 OR m.channel_id = ?3) AND (NOT m.used OR ",
                carried!(),
                ")"
            ),
            params![*media, *user, channel.unwrap_or(ChannelId::NIL), ChannelId::NIL],
        ),
        P::MediaOrphaned(media, before) => (
            concat!(
                "SELECT 1 FROM media m WHERE m.id = ?1 AND (m.used OR m.created_at < ?2) AND NOT ",
                carried!()
            ),
            params![*media, *before],
        ),
        P::BlobUnused(sha256) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM media WHERE sha256 = ?1)",
            params![sha256],
        ),
        P::JoinRequestIs(community, user, None) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM join_requests
             WHERE community_id = ?1 AND user_id = ?2)",
            params![*community, *user],
        ),
        P::JoinRequestIs(community, user, Some(refused)) => (
            "SELECT 1 FROM join_requests
             WHERE community_id = ?1 AND user_id = ?2 AND (refused_until IS NOT NULL) = ?3",
            params![*community, *user, *refused],
        ),
        P::CommandFree(community, bot, name) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM bot_commands
             WHERE community_id = ?1 AND name = ?3 AND bot_id <> ?2)",
            params![*community, *bot, name],
        ),
        P::ReminderThere(id) => ("SELECT 1 FROM reminders WHERE id = ?1", params![*id]),
        P::ProviderThere(id) => ("SELECT 1 FROM providers WHERE id = ?1", params![id]),
        P::LinkFree(provider, subject, user) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM links
             WHERE provider = ?1 AND (subject = ?2 OR user_id = ?3))",
            params![provider, subject, *user],
        ),
        P::UserCodeFree(code, most) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM grants WHERE user_code = ?1)
               AND (SELECT COUNT(*) FROM grants) < ?2",
            params![code, *most],
        ),
        P::GrantIs(grant) => {
            let (state, user) = grant_state(grant.state);
            let sql = "SELECT 1 FROM grants WHERE device_hash = ?1 AND user_code = ?2
                         AND device_name = ?3 AND created_at = ?4 AND expires_at = ?5
                         AND interval_s = ?6 AND state = ?7 AND user_id = ?8";
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
        P::SettingIs(name, Some(value)) => {
            ("SELECT 1 FROM settings WHERE name = ?1 AND value = ?2", params![*name, value.clone()])
        }
        P::SettingIs(name, None) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM settings WHERE name = ?1)",
            params![*name],
        ),
        P::WebhookThere(id) => ("SELECT 1 FROM webhooks WHERE id = ?1", params![*id]),
        P::WebhookNote(id, key, Some(value)) => (
            "SELECT 1 FROM webhook_notes WHERE webhook_id = ?1 AND key = ?2 AND value = ?3",
            params![*id, key, value],
        ),
        P::JobIs(id, attempts, due) => (
            "SELECT 1 FROM jobs WHERE id = ?1 AND attempts = ?2 AND due = ?3",
            params![*id, *attempts, *due],
        ),
        P::OutgoingIs(id, revision) => (
            "SELECT 1 FROM outgoing WHERE id = ?1 AND revision = ?2",
            params![*id, *revision],
        ),
        P::OutgoingAt(id, position) => (
            "SELECT 1 FROM outgoing WHERE id = ?1 AND position = ?2",
            params![*id, *position],
        ),
        P::WebhookNote(id, key, None) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM webhook_notes
             WHERE webhook_id = ?1 AND key = ?2)",
            params![*id, key],
        ),
        P::NotRestricted(kind, community, user, now) => (
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM restrictions
             WHERE community_id = ?1 AND kind = ?2 AND user_id = ?3
               AND (ends_at IS NULL OR ends_at > ?4))",
            params![*community, kind.as_str(), *user, *now],
        ),
        P::Retains(channel, seconds) => (
            "SELECT 1 FROM channels WHERE id = ?1 AND retention_s = ?2",
            params![*channel, *seconds],
        ),
        other => {
            return Err(StorageError::Internal { detail: format!("no query for {other:?}") });
        }
    })
}

/// Which preconditions hold now, in one round for each kind of them.
pub(super) async fn holds_each(
    conn: &mut Conn,
    preconditions: impl Iterator<Item = &Precondition>,
    known: &mut HashMap<Precondition, bool>,
) -> Result<(), StorageError> {
    let mut by_sql: HashMap<&'static str, (Vec<Precondition>, Vec<Params>)> = HashMap::new();
    for precondition in preconditions {
        if !known.contains_key(precondition) {
            // Asked for once, even when many changes of a batch demand it.
            known.insert(precondition.clone(), false);
            let (sql, params) = query(precondition)?;
            let group = by_sql.entry(sql).or_default();
            group.0.push(precondition.clone());
            group.1.push(params);
        }
    }
    for (sql, (asked, params)) in by_sql {
        let found = conn.query_each(sql, params, |_| Ok(())).await?;
        for (precondition, row) in asked.into_iter().zip(found) {
            known.insert(precondition, row.is_some());
        }
    }
    Ok(())
}
