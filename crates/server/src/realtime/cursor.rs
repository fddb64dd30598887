//! The cursor: log generation and position in commit order, opaque to clients.

use std::fmt;
use std::str::FromStr;

use tidings_domain::Position;

/// "Everything committed before this point has been seen by me." Written as the generation in 16
/// hexadecimal digits, `-`, and the position; clients must not read anything into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The random id of this order of commits; another one after a restore.
    pub generation: u64,
    /// The newest position that has been seen.
    pub position: Position,
}

/// The text is no cursor of any Tidings server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: pass `next` of an earlier answer as it was")]
pub struct InvalidCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.generation, self.position.0)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (generation, position) = text.split_once('-').ok_or(InvalidCursor)?;
        let hex = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
        let plain = position.len() <= 19
            && position.bytes().all(|b| b.is_ascii_digit())
            && (position == "0" || !position.starts_with('0'));
        if generation.len() != 16 || !generation.bytes().all(hex) || !plain {
            return Err(InvalidCursor);
        }
        Ok(Self {
            generation: u64::from_str_radix(generation, 16).map_err(|_| InvalidCursor)?,
            position: Position(position.parse().map_err(|_| InvalidCursor)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cursors_round_trip(generation: u64, position in 0_u64..1 << 62) {
            let cursor = Cursor { generation, position: Position(position) };
            let text = cursor.to_string();
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
            prop_assert_eq!(text.parse(), Ok(cursor));
        }

        #[test]
        fn whatever_parses_prints_as_it_was(text in "[0-9a-f]{15,17}-?[0-9]{0,21}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }

    #[test]
    fn other_text_is_refused() {
        for bad in [
            "",
            "-",
            "0",
            "00000000000000ff",
            "00000000000000FF-1",
            "00000000000000ff-01",
            "00000000000000ff--1",
            "00000000000000ff-1 ",
            "00000000000000ff-99999999999999999999",
        ] {
            assert_eq!(bad.parse::<Cursor>(), Err(InvalidCursor), "{bad}");
        }
    }
}
