//! What a token must be made for, route by route. A session needs no scope: it is a person.
//!
//! The check comes before anything is looked up, so a token without the scope learns nothing of what
//! exists. A route that is not in the table is for sessions alone; a test finds those that were
//! forgotten.

use http::Method;
use tidings_domain::Scope;

/// What a route demands of an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Any token will do.
    Nothing,
    /// The scope.
    Scope(Scope),
    /// A session: tokens never do this.
    Session,
}

const fn scope(scope: Scope) -> Need {
    Need::Scope(scope)
}

const READ: Need = scope(Scope::MessagesRead);
const WRITE: Need = scope(Scope::MessagesWrite);
const CHANNELS: Need = scope(Scope::ChannelsRead);
const CHANNELS_WRITE: Need = scope(Scope::ChannelsWrite);
const MEMBERS: Need = scope(Scope::MembersRead);
const MEMBERS_WRITE: Need = scope(Scope::MembersWrite);
const REACT: Need = scope(Scope::ReactionsWrite);
const ADMIN: Need = scope(Scope::Admin);
const COMMANDS: Need = scope(Scope::CommandsRun);

/// Each route with what it demands.
const NEEDS: &[(&str, Need)] = &[
    ("GET /v1/me", Need::Nothing),
    ("PATCH /v1/me", Need::Session),
    ("GET /v1/presence", scope(Scope::PresenceRead)),
    ("POST /v1/heartbeat", Need::Nothing),
    ("GET /v1/me/blocks", Need::Session),
    ("PUT /v1/me/blocks/{user_id}", Need::Session),
    ("DELETE /v1/me/blocks/{user_id}", Need::Session),
    ("PUT /v1/me/status", Need::Session),
    ("GET /v1/sessions", Need::Session),
    // A token that makes tokens would outlive its own end.
    ("POST /v1/auth/token", Need::Session),
    ("GET /v1/auth/device/{user_code}", Need::Session),
    ("POST /v1/auth/device/{user_code}/approve", Need::Session),
    ("POST /v1/auth/device/{user_code}/deny", Need::Session),
    ("POST /device", Need::Session),
    ("GET /v1/me/links", Need::Session),
    ("POST /v1/me/links", Need::Session),
    ("DELETE /v1/me/links/{provider}", Need::Session),
    ("GET /v1/admin/providers", ADMIN),
    ("PUT /v1/admin/providers/{provider}", Need::Session),
    ("DELETE /v1/admin/providers/{provider}", Need::Session),
    ("POST /v1/admin/keys/rotate", Need::Session),
    ("DELETE /v1/sessions/current", Need::Session),
    ("DELETE /v1/sessions/{id}", Need::Session),
    // A token that makes tokens would outlive its own end.
    ("GET /v1/tokens", Need::Session),
    ("POST /v1/tokens", Need::Session),
    ("DELETE /v1/tokens/{id}", Need::Session),
    ("GET /v1/bots/{id}/tokens", Need::Session),
    ("POST /v1/bots/{id}/tokens", Need::Session),
    ("GET /v1/communities/{id}/bots", ADMIN),
    ("POST /v1/communities/{id}/bots", Need::Session),
    ("DELETE /v1/bots/{id}", Need::Session),
    ("GET /v1/users", MEMBERS),
    ("GET /v1/users/{id}", MEMBERS),
    ("GET /v1/users/{id}/devices", MEMBERS),
    ("GET /v1/communities", CHANNELS),
    ("POST /v1/communities", ADMIN),
    ("GET /v1/communities/{id}", CHANNELS),
    ("PATCH /v1/communities/{id}", ADMIN),
    ("GET /v1/communities/{id}/members", MEMBERS),
    ("PATCH /v1/communities/{id}/members/{user_id}", MEMBERS_WRITE),
    ("DELETE /v1/communities/{id}/members/{user_id}", MEMBERS_WRITE),
    ("GET /v1/communities/{id}/bans", MEMBERS_WRITE),
    ("PUT /v1/communities/{id}/bans/{user_id}", MEMBERS_WRITE),
    ("DELETE /v1/communities/{id}/bans/{user_id}", MEMBERS_WRITE),
    ("GET /v1/communities/{id}/mutes", MEMBERS_WRITE),
    ("PUT /v1/communities/{id}/mutes/{user_id}", MEMBERS_WRITE),
    ("DELETE /v1/communities/{id}/mutes/{user_id}", MEMBERS_WRITE),
    ("GET /v1/communities/{id}/audit", ADMIN),
    ("GET /v1/admin/audit", ADMIN),
    ("POST /v1/channels/{id}/purge", ADMIN),
    // Each command also needs what its route would.
    ("GET /v1/communities/{id}/commands", COMMANDS),
    ("POST /v1/channels/{id}/commands", COMMANDS),
    ("GET /v1/bots/{id}/commands", COMMANDS),
    ("PUT /v1/bots/{id}/commands", COMMANDS),
    ("POST /v1/invocations/{id}/reply", COMMANDS),
    ("GET /v1/communities/{id}/invites", MEMBERS_WRITE),
    ("POST /v1/communities/{id}/invites", MEMBERS_WRITE),
    ("DELETE /v1/invites/{code}", MEMBERS_WRITE),
    ("GET /v1/communities/{id}/join-requests", MEMBERS_WRITE),
    ("POST /v1/communities/{id}/join-requests/{user_id}/approve", MEMBERS_WRITE),
    ("POST /v1/communities/{id}/join-requests/{user_id}/refuse", MEMBERS_WRITE),
    ("GET /v1/me/join-requests", Need::Session),
    ("DELETE /v1/me/join-requests/{community_id}", Need::Session),
    ("POST /v1/invites/{code}/accept", ADMIN),
    ("GET /v1/communities/{id}/channels", CHANNELS),
    ("POST /v1/communities/{id}/channels", CHANNELS_WRITE),
    ("GET /v1/channels", CHANNELS),
    ("GET /v1/channels/{id}", CHANNELS),
    ("PATCH /v1/channels/{id}", CHANNELS_WRITE),
    ("DELETE /v1/channels/{id}", CHANNELS_WRITE),
    ("POST /v1/channels/{id}/join", CHANNELS_WRITE),
    ("POST /v1/channels/{id}/leave", CHANNELS_WRITE),
    ("GET /v1/channels/{id}/members", MEMBERS),
    ("POST /v1/channels/{id}/members", MEMBERS_WRITE),
    ("DELETE /v1/channels/{id}/members/{user_id}", MEMBERS_WRITE),
    ("GET /v1/channels/{id}/webhooks", CHANNELS_WRITE),
    ("POST /v1/channels/{id}/webhooks", CHANNELS_WRITE),
    ("DELETE /v1/webhooks/{id}", CHANNELS_WRITE),
    ("GET /v1/channels/{id}/previews", CHANNELS),
    ("PUT /v1/channels/{id}/previews", CHANNELS_WRITE),
    ("GET /v1/me/previews", Need::Session),
    ("PUT /v1/me/previews", Need::Session),
    // What they tell goes to an address that whoever holds the token may choose.
    ("GET /v1/communities/{id}/webhooks/outgoing", ADMIN),
    ("POST /v1/communities/{id}/webhooks/outgoing", ADMIN),
    ("GET /v1/channels/{id}/webhooks/outgoing", ADMIN),
    ("POST /v1/channels/{id}/webhooks/outgoing", ADMIN),
    ("GET /v1/webhooks/outgoing/{id}", ADMIN),
    ("PATCH /v1/webhooks/outgoing/{id}", ADMIN),
    ("DELETE /v1/webhooks/outgoing/{id}", ADMIN),
    ("GET /v1/webhooks/outgoing/{id}/deliveries", ADMIN),
    ("POST /v1/webhooks/outgoing/{id}/test", ADMIN),
    ("POST /v1/webhooks/outgoing/{id}/secret", ADMIN),
    ("POST /v1/dms", WRITE),
    ("GET /v1/channels/{id}/messages", READ),
    ("POST /v1/channels/{id}/messages", WRITE),
    ("GET /v1/channels/{id}/log", READ),
    ("PUT /v1/channels/{id}/read", WRITE),
    ("POST /v1/channels/{id}/typing", WRITE),
    ("GET /v1/messages/{id}", READ),
    ("PATCH /v1/messages/{id}", WRITE),
    ("DELETE /v1/messages/{id}", WRITE),
    ("GET /v1/messages/{id}/history", READ),
    ("PUT /v1/messages/{id}/read", WRITE),
    ("PUT /v1/messages/{id}/reactions/{emoji}", REACT),
    ("DELETE /v1/messages/{id}/reactions/{emoji}", REACT),
    ("POST /v1/media", scope(Scope::MediaWrite)),
    ("GET /v1/media/{id}", READ),
    ("GET /v1/media/{id}/thumb", READ),
    ("GET /v1/threads", READ),
    ("GET /v1/notifications", READ),
    ("POST /v1/notifications/read", READ),
    ("GET /v1/me/attention", Need::Session),
    ("PUT /v1/me/attention", Need::Session),
    ("PUT /v1/channels/{id}/notify", Need::Session),
    ("POST /v1/messages/{id}/report", WRITE),
    ("GET /v1/communities/{id}/reports", ADMIN),
    ("GET /v1/admin/reports", ADMIN),
    ("POST /v1/reports/{id}/resolve", ADMIN),
    ("GET /v1/drafts", Need::Session),
    ("GET /v1/channels/{id}/draft", Need::Session),
    ("PUT /v1/channels/{id}/draft", Need::Session),
    ("PUT /v1/messages/{id}/pin", WRITE),
    ("DELETE /v1/messages/{id}/pin", WRITE),
    ("GET /v1/channels/{id}/pins", READ),
    ("PUT /v1/messages/{id}/save", Need::Session),
    ("DELETE /v1/messages/{id}/save", Need::Session),
    ("GET /v1/saved", Need::Session),
    ("GET /v1/search", READ),
    ("GET /v1/sync", READ),
    ("GET /v1/stream", READ),
    ("GET /v1/ws", READ),
    ("POST /v1/admin/imports", ADMIN),
    ("POST /v1/admin/users/{id}/reset", Need::Session),
];

/// What the route demands of an API token; [`Need::Session`] of one that is not listed.
pub fn need(method: &Method, route: &str) -> Need {
    listed(method, route).unwrap_or(Need::Session)
}

/// As [`need`], or `None` of a route that is not listed.
pub fn listed(method: &Method, route: &str) -> Option<Need> {
    // HEAD asks for what GET does, and gets less.
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    NEEDS.iter().find_map(|(line, need)| {
        let (listed, path) = line.split_once(' ')?;
        (listed == method.as_str() && path == route).then_some(*need)
    })
}
