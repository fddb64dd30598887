//! Times that people type.

use std::str::FromStr;

use tidings_domain::Timestamp;
use tidings_wire::Time;

/// A time to come: in a while, such as `90m` or `2 days`, or a moment such as
/// `2027-01-01T08:00:00Z`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    In(jiff::SignedDuration),
    At(jiff::Timestamp),
}

impl FromStr for When {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        // Days are 24 hours here, wherever the person lives.
        let span: Result<jiff::Span, _> = text.parse();
        let length =
            span.and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()));
        match length {
            Ok(length) if length.is_positive() => Ok(Self::In(length)),
            _ => Err("name a while such as 90m, 8h or 2d, or a time such as \
                      2027-01-01T08:00:00Z"
                .to_owned()),
        }
    }
}

impl When {
    /// The moment, seen from now.
    pub(crate) fn from(self, now: Timestamp) -> Time {
        let millis = match self {
            Self::In(length) => {
                now.0.saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
            }
            Self::At(at) => at.as_millisecond(),
        };
        Time(Timestamp(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiles_and_moments_are_understood() {
        let now = Timestamp(1_000_000);
        let read = |text: &str| text.parse::<When>().map(|when| when.from(now).0.0);
        assert_eq!(read("90m"), Ok(1_000_000 + 90 * 60_000));
        assert_eq!(read("2 days"), Ok(1_000_000 + 2 * 86_400_000));
        assert_eq!(read("1970-01-01T00:00:05Z"), Ok(5_000));
        for bad in ["", "soon", "-2h", "0s", "1mo"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
