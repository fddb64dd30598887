//! Limits per caller: token buckets whose capacity is the full minute's quota.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidings_domain::{ChannelId, IdentityKey, UserId, WebhookId};

use crate::error::ApiError;

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// Messages of a user in one channel.
    Channel(UserId, ChannelId),
    /// Messages of a user.
    Sends(UserId),
    /// Reactions, edits and everything else that a user appends.
    Writes(UserId),
    /// Slash commands of a user.
    Commands(UserId),
    /// DMs that a user opens.
    Dms(UserId),
    /// Invites that a user makes.
    Invites(UserId),
    /// Files that a user uploads.
    Uploads(UserId),
    /// Searches of a user.
    Searches(UserId),
    /// Failed logins and codes from an address.
    FailedAddress(Option<IpAddr>),
    /// Failed logins of an identity.
    FailedIdentity(IdentityKey),
    /// Challenges, logins and registrations from an address, whatever became of them.
    Logins(Option<IpAddr>),
    /// Codes of terminals that a user has typed and that were none.
    FailedCodes(UserId),
    /// Polls of a terminal, by the hash of its code and the interval that it was told.
    DevicePoll([u8; 32], u32),
    /// Envelopes that come from an address.
    Chains(Option<IpAddr>),
    /// Requests to a webhook.
    Webhook(WebhookId),
    /// Answers about the presence of a user, to all who ask.
    Presence(UserId),
    /// Notices that a user begins (or stops) to type in a channel.
    Typing(UserId, ChannelId, bool),
}

/// How many buckets are kept before full ones are dropped; about 6 MB.
const BUCKETS_MAX: usize = 65_536;

/// All buckets. A bucket is one number: the time at which it will be full again (GCRA).
#[derive(Debug, Default)]
pub(crate) struct Limits {
    full_at: Mutex<HashMap<Key, Duration>>,
}

const MINUTE: Duration = Duration::from_mins(1);

impl Limits {
    /// Takes one from the bucket.
    ///
    /// # Errors
    /// `rate_limited` when it is empty.
    pub(crate) fn take(&self, key: Key, per_minute: u32, now: Duration) -> Result<(), ApiError> {
        self.check(key, per_minute, now, true)
    }

    /// Whether there is one to take, without taking it.
    ///
    /// # Errors
    /// `rate_limited` when the bucket is empty.
    pub(crate) fn peek(&self, key: Key, per_minute: u32, now: Duration) -> Result<(), ApiError> {
        self.check(key, per_minute, now, false)
    }

    /// Whether `gap` has passed since this was last true.
    pub(crate) fn spaced(&self, key: Key, gap: Duration, now: Duration) -> bool {
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.get(&key).is_some_and(|full_at| now < *full_at) {
            return false;
        }
        keep(&mut buckets, key, now + gap, now);
        true
    }

    fn check(&self, key: Key, per_minute: u32, now: Duration, take: bool) -> Result<(), ApiError> {
        let step = MINUTE / per_minute.max(1);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.get(&key).copied().unwrap_or_default().max(now) + step;
        if let Some(wait) = full_at.checked_sub(now + MINUTE).filter(|wait| !wait.is_zero()) {
            // Rounded up: who waits exactly this long succeeds.
            return Err(ApiError::rate_limited(
                u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX),
            ));
        }
        if take {
            keep(&mut buckets, key, full_at, now);
        }
        Ok(())
    }
}

fn keep(buckets: &mut HashMap<Key, Duration>, key: Key, full_at: Duration, now: Duration) {
    if buckets.len() >= BUCKETS_MAX {
        buckets.retain(|_, full_at| *full_at > now);
        // Everybody at once can only be an attack on memory; forgetting is the lesser evil.
        if buckets.len() >= BUCKETS_MAX {
            buckets.clear();
        }
    }
    buckets.insert(key, full_at);
}

#[cfg(test)]
mod tests {
    use tidings_wire::Code;

    use super::*;

    #[test]
    fn a_minutes_quota_may_come_at_once_and_then_refills_evenly() {
        let limits = Limits::default();
        let key = Key::Sends(UserId::NIL);
        let start = Duration::from_secs(1000);
        for _ in 0..120 {
            limits.take(key, 120, start).unwrap();
        }
        let refused = limits.take(key, 120, start).unwrap_err();
        assert_eq!((refused.code(), refused.retry_after_s()), (Code::RateLimited, Some(1)));
        limits.peek(key, 120, start).unwrap_err();
        let later = start + Duration::from_millis(500);
        limits.take(key, 120, later).unwrap();
        limits.take(key, 120, later).unwrap_err();
        limits.take(Key::Sends(UserId(uuid::Uuid::max())), 120, later).unwrap();
        for _ in 0..120 {
            limits.take(key, 120, later + MINUTE).unwrap();
        }
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let limits = Limits::default();
        for n in 0..BUCKETS_MAX as u64 + 10 {
            let key = Key::Sends(UserId(uuid::Uuid::from_u128(n.into())));
            limits.take(key, 600, Duration::from_secs(n)).unwrap();
        }
        assert!(limits.full_at.lock().unwrap().len() <= BUCKETS_MAX);
    }
}
