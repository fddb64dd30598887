//! `Range` (RFC 9110, section 14).

use std::ops::Range;

/// What a `Range` header asks of so many bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// Everything: there is no header, or it is one that a server may ignore (another unit, a form
    /// that is none, or several ranges, whose answer nobody here wants).
    All,
    /// One part, at least one byte long.
    Part(Range<u64>),
    /// Nothing that is there.
    Nothing,
}

pub(super) fn asked(header: &str, length: u64) -> Asked {
    let Some((unit, set)) = header.split_once('=') else { return Asked::All };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Asked::All;
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Asked::All };
    let part = match (number(first), number(last)) {
        (Number::Is(first), Number::Is(last)) if last >= first => {
            first..last.saturating_add(1).min(length)
        }
        (Number::Is(first), Number::Absent) => first..length,
        (Number::Absent, Number::Is(suffix)) => length.saturating_sub(suffix)..length,
        _ => return Asked::All,
    };
    if part.start < part.end { Asked::Part(part) } else { Asked::Nothing }
}

enum Number {
    Absent,
    /// One that is too large is as large as can be.
    Is(u64),
    Invalid,
}

fn number(text: &str) -> Number {
    let text = text.trim();
    if text.is_empty() {
        Number::Absent
    } else if text.bytes().all(|b| b.is_ascii_digit()) {
        Number::Is(text.parse().unwrap_or(u64::MAX))
    } else {
        Number::Invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_range_is_answered() {
        for (header, expected) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=2-4", Asked::Part(2..5)),
            ("bytes=2-", Asked::Part(2..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-99", Asked::Part(0..10)),
            ("bytes=0-99", Asked::Part(0..10)),
            ("Bytes = 9-18446744073709551616", Asked::Part(9..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=10-20", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=99999999999999999999999-", Asked::Nothing),
            ("bytes=4-2", Asked::All),
            ("bytes=-", Asked::All),
            ("bytes=", Asked::All),
            ("bytes=a-b", Asked::All),
            ("bytes=+1-2", Asked::All),
            ("bytes=0-1,3-4", Asked::All),
            ("bytes=0-0,-1", Asked::All),
            ("items=0-1", Asked::All),
            ("", Asked::All),
        ] {
            assert_eq!(asked(header, 10), expected, "{header}");
        }
    }
}
