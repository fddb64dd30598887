//! `[limits]`

use std::num::{NonZeroU32, NonZeroU64};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How much one caller may do. Each is a number for one minute, all of which may come at once;
/// who has used it up gets 429 and is told when to come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// Whether there are limits per minute. Off for benchmarks and for importing through the API.
    #[schema(default = true)]
    pub(crate) enabled: bool,
    /// Messages of one person in one channel, per minute.
    #[schema(value_type = u32, minimum = 1, default = 120)]
    pub(crate) sends_per_channel: NonZeroU32,
    /// Messages of one person, per minute.
    #[schema(value_type = u32, minimum = 1, default = 600)]
    pub(crate) sends: NonZeroU32,
    /// Reactions, edits, deletions, read markers and other changes of one person, per minute.
    #[schema(value_type = u32, minimum = 1, default = 1200)]
    pub(crate) writes: NonZeroU32,
    /// Slash commands of one person, per minute.
    #[schema(value_type = u32, minimum = 1, default = 60)]
    pub(crate) commands: NonZeroU32,
    /// Direct conversations that one person opens, per minute.
    #[schema(value_type = u32, minimum = 1, default = 30)]
    pub(crate) dms: NonZeroU32,
    /// Invites that one person makes, per minute.
    #[schema(value_type = u32, minimum = 1, default = 60)]
    pub(crate) invites: NonZeroU32,
    /// Files that one person uploads, per minute.
    #[schema(value_type = u32, minimum = 1, default = 60)]
    pub(crate) uploads: NonZeroU32,
    /// Searches of one person, per minute.
    #[schema(value_type = u32, minimum = 1, default = 60)]
    pub(crate) searches: NonZeroU32,
    /// Failed logins and wrong codes of one address, and of one identity, per minute.
    #[schema(value_type = u32, minimum = 1, default = 10)]
    pub(crate) failures: NonZeroU32,
    /// Challenges, logins and registrations of one address, per minute.
    #[schema(value_type = u32, minimum = 1, default = 300)]
    pub(crate) logins: NonZeroU32,
    /// Changes of identities' chains from one address, per minute.
    #[schema(value_type = u32, minimum = 1, default = 60)]
    pub(crate) chains: NonZeroU32,
    /// Bytes of one uploaded file. At double, twice as much room is needed while one comes in. Not
    /// turned off by `enabled`.
    #[schema(value_type = u64, minimum = 1, default = 104_857_600)]
    pub(crate) attachment_bytes: NonZeroU64,
    /// Bytes of all files of one person; who has used them up gets 507 until they delete some. Not
    /// turned off by `enabled`.
    #[schema(default = 10_737_418_240_u64)]
    pub(crate) storage_per_user: u64,
    /// Requests to one incoming webhook, per minute.
    #[schema(value_type = u32, minimum = 1, default = 60)]
    pub(crate) webhooks: NonZeroU32,
    /// Connections of all callers at a time; more wait until one ends. Not a limit per minute, and
    /// not turned off by `enabled`.
    #[schema(value_type = u32, minimum = 1, default = 10000)]
    pub(crate) connections: NonZeroU32,
}

/// A number that is not zero; one when it is.
const fn count(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Default for Limits {
    fn default() -> Self {
        // The numbers are the server's own; this section only lets operators change them.
        let tidings_server::settings::Limits {
            enabled,
            sends_per_channel,
            sends,
            writes,
            commands,
            dms,
            invites,
            uploads,
            searches,
            failures,
            logins,
            chains,
            webhooks,
        } = tidings_server::settings::Limits::default();
        Self {
            enabled,
            sends_per_channel: count(sends_per_channel),
            sends: count(sends),
            writes: count(writes),
            commands: count(commands),
            dms: count(dms),
            invites: count(invites),
            uploads: count(uploads),
            searches: count(searches),
            failures: count(failures),
            logins: count(logins),
            chains: count(chains),
            attachment_bytes: NonZeroU64::MIN.saturating_add((100 << 20) - 1),
            storage_per_user: 10 << 30,
            webhooks: count(webhooks),
            connections: count(10_000),
        }
    }
}

impl From<&Limits> for tidings_server::settings::Limits {
    fn from(limits: &Limits) -> Self {
        Self {
            enabled: limits.enabled,
            sends_per_channel: limits.sends_per_channel.get(),
            sends: limits.sends.get(),
            writes: limits.writes.get(),
            commands: limits.commands.get(),
            dms: limits.dms.get(),
            invites: limits.invites.get(),
            uploads: limits.uploads.get(),
            searches: limits.searches.get(),
            failures: limits.failures.get(),
            logins: limits.logins.get(),
            chains: limits.chains.get(),
            webhooks: limits.webhooks.get(),
        }
    }
}
