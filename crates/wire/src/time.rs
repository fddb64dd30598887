//! Times on the wire: RFC 3339, UTC, milliseconds.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use tidings_domain::Timestamp;

/// An instant, written like `2026-11-20T09:28:53.123Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-20T09:28:53.123Z")]
pub struct Time(pub Timestamp);

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl From<Time> for Timestamp {
    fn from(time: Time) -> Self {
        time.0
    }
}

impl fmt::Display for Time {
    /// Times outside of the years −9999 to 9999 are shown as the nearest of these.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The range of milliseconds ends with whole seconds, the range of timestamps just behind.
        let first = jiff::Timestamp::MIN.as_second() * 1000;
        let last = jiff::Timestamp::MAX.as_second() * 1000;
        let clamped = self.0.0.clamp(first, last);
        let at = jiff::Timestamp::from_millisecond(clamped).unwrap_or_default();
        write!(f, "{at:.3}")
    }
}

impl FromStr for Time {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse::<jiff::Timestamp>().map(|at| Self(Timestamp(at.as_millisecond())))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_carry_exactly_three_digits() {
        assert_eq!(Time(Timestamp(1_763_630_933_100)).to_string(), "2025-11-20T09:28:53.100Z");
        assert_eq!(Time(Timestamp(0)).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!("1970-01-01T01:00:00.5+01:00".parse::<Time>().ok(), Some(Time(Timestamp(500))));
        assert!("yesterday".parse::<Time>().is_err());
        assert!(Time(Timestamp(i64::MAX)).to_string().starts_with("9999-"));
        assert!(Time(Timestamp(i64::MIN)).to_string().starts_with("-009999-"));
    }
}
