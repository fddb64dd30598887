//! Leases: who is there, by the devices that said so.

use std::collections::HashMap;
use std::time::Duration;

use tidings_domain::{DeviceId, UserId};

/// What a device shows of its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// There.
    Online,
    /// There, but not looking.
    Away,
    /// There, and not to be seen.
    Invisible,
}

/// What others see of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A device shows them as there.
    Online,
    /// Every device that shows them at all says away.
    Away,
    /// No device shows them.
    Offline,
}

impl State {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }
}

/// What a sign of life says; what is absent stays as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sign {
    /// What to show.
    pub shown: Option<Shown>,
    /// How long the lease lasts from now on without another sign.
    pub ttl: Option<Duration>,
}

/// How long a lease lasts when nobody says otherwise: four ticks of an open connection.
const TTL: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy)]
struct Lease {
    shown: Shown,
    ttl: Duration,
    until: Duration,
}

/// All leases. Times are those of a clock that never goes back.
#[derive(Debug, Default)]
pub struct Leases {
    of: HashMap<UserId, HashMap<DeviceId, Lease>>,
}

impl Leases {
    /// Makes or renews a device's lease.
    pub fn renew(&mut self, user: UserId, device: DeviceId, sign: Sign, now: Duration) {
        let devices = self.of.entry(user).or_default();
        let live = devices.get(&device).filter(|lease| lease.until > now);
        let shown = sign.shown.or(live.map(|lease| lease.shown)).unwrap_or(Shown::Online);
        let ttl = sign.ttl.or(live.map(|lease| lease.ttl)).unwrap_or(TTL);
        devices.insert(device, Lease { shown, ttl, until: now + ttl });
    }

    /// What others see of the user.
    pub fn state(&self, user: UserId, now: Duration) -> State {
        let devices = self.of.get(&user).into_iter().flat_map(HashMap::values);
        let mut state = State::Offline;
        for lease in devices.filter(|lease| lease.until > now) {
            match lease.shown {
                Shown::Online => return State::Online,
                Shown::Away => state = State::Away,
                Shown::Invisible => {}
            }
        }
        state
    }

    /// Forgets leases that ended; returns whose.
    pub fn expire(&mut self, now: Duration) -> Vec<UserId> {
        let mut ended = Vec::new();
        self.of.retain(|user, devices| {
            let before = devices.len();
            devices.retain(|_, lease| lease.until > now);
            if devices.len() < before {
                ended.push(*user);
            }
            !devices.is_empty()
        });
        ended
    }

    /// Those whom somebody may see now.
    pub fn visible(&self, now: Duration) -> impl Iterator<Item = UserId> {
        self.of.keys().copied().filter(move |user| self.state(*user, now) != State::Offline)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Duration = Duration::from_secs(1000);
    const SECOND: Duration = Duration::from_secs(1);
    const USER: UserId = UserId::NIL;

    fn device(n: u128) -> DeviceId {
        DeviceId(Uuid::from_u128(n))
    }

    fn sign(shown: Shown, seconds: u64) -> Sign {
        Sign { shown: Some(shown), ttl: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn a_lease_ends_when_it_said() {
        let mut leases = Leases::default();
        leases.renew(USER, device(1), sign(Shown::Online, 15), NOW);
        assert_eq!(leases.state(USER, NOW + 14 * SECOND), State::Online);
        assert_eq!(leases.state(USER, NOW + 15 * SECOND), State::Offline);
        assert_eq!(leases.expire(NOW + 14 * SECOND), []);
        assert_eq!(leases.expire(NOW + 15 * SECOND), [USER]);
        assert!(leases.of.is_empty());
    }

    #[test]
    fn a_bare_renewal_changes_nothing_but_the_end() {
        let mut leases = Leases::default();
        leases.renew(USER, device(1), sign(Shown::Invisible, 20), NOW);
        leases.renew(USER, device(1), Sign::default(), NOW + 10 * SECOND);
        assert_eq!(leases.state(USER, NOW + 29 * SECOND), State::Offline);
        assert_eq!(leases.expire(NOW + 29 * SECOND), []);
        assert_eq!(leases.expire(NOW + 30 * SECOND), [USER]);
    }

    #[test]
    fn the_most_present_visible_device_counts() {
        let mut leases = Leases::default();
        leases.renew(USER, device(1), sign(Shown::Invisible, 60), NOW);
        assert_eq!(leases.state(USER, NOW), State::Offline);
        assert_eq!(leases.visible(NOW).count(), 0);
        leases.renew(USER, device(2), sign(Shown::Away, 60), NOW);
        assert_eq!(leases.state(USER, NOW), State::Away);
        leases.renew(USER, device(3), sign(Shown::Online, 30), NOW);
        assert_eq!(leases.state(USER, NOW), State::Online);
        assert_eq!(leases.state(USER, NOW + 30 * SECOND), State::Away);
    }
}
