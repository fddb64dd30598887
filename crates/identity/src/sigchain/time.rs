//! Times as the chain writes them: RFC 3339 in UTC with `Z`, milliseconds when we write.

use tidings_domain::Timestamp;

/// Reads `YYYY-MM-DDTHH:MM:SS[.fraction]Z`, and nothing else that a lenient parser would take;
/// what is finer than a millisecond is cut off.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let (date_time, fraction) = text.strip_suffix('Z')?.split_at_checked(19)?;
    let shape = date_time.bytes().zip(b"dddd-dd-ddTdd:dd:dd").all(|(byte, &wanted)| match wanted {
        b'd' => byte.is_ascii_digit(),
        _ => byte == wanted,
    });
    let digits = fraction.strip_prefix('.').unwrap_or("0");
    let fine =
        !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit());
    if !(shape && fine && (fraction.is_empty() || fraction.starts_with('.'))) {
        return None;
    }
    text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()))
}

/// Writes with milliseconds, or `None` outside the years 0 to 9999, which RFC 3339 cannot name.
pub(super) fn format(time: Timestamp) -> Option<String> {
    let text = format!("{:.3}", jiff::Timestamp::from_millisecond(time.0).ok()?);
    parse(&text).map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_to_the_millisecond() {
        for ms in [0, 1, 1_767_225_600_123, -62_135_596_800_000, 253_402_200_000_999] {
            let text = format(Timestamp(ms)).unwrap_or_else(|| panic!("{ms} is in range"));
            assert_eq!(parse(&text), Some(Timestamp(ms)), "{text}");
        }
        assert_eq!(
            format(Timestamp(1_767_225_600_120)).as_deref(),
            Some("2026-01-01T00:00:00.120Z")
        );
        assert_eq!(parse("2026-01-01T00:00:00Z"), Some(Timestamp(1_767_225_600_000)));
        assert_eq!(parse("2026-01-01T00:00:00.1239Z"), Some(Timestamp(1_767_225_600_123)));
    }

    #[test]
    fn other_ways_to_write_a_time_are_refused() {
        for bad in [
            "",
            "Z",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00+00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00,5Z",
            "2026-01-01T00:00:000Z",
            "2026-01-01T00:00:00.0000000000Z",
            "2026-02-30T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "+002026-01-01T00:00:00Z",
            "2026-01-01T00:00:0é",
            "2026-01-01T00:00:00Z[UTC]",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(format(Timestamp(i64::MAX)), None);
        assert_eq!(format(Timestamp(-62_200_000_000_000)), None);
    }
}
