//! Which events were handed over already.

use std::collections::HashMap;

use tidings_wire::Event;

/// Most logs that are remembered: far more than anybody is in. Past it everything is forgotten,
/// and an event could come twice right after a reconnect, which the cursor makes unlikely.
const LOGS_MAX: usize = 100_000;

/// The last place handed over in each log. Entries of a log come in the order of their `seq`, so
/// what is not above the last one is a repeat.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<String, u64>);

impl Seen {
    /// Whether the event was not handed over before; remembers that it is now. Ephemeral events
    /// have no place and are always new.
    pub(super) fn is_new(&mut self, event: &Event) -> bool {
        let (Some(log), Some(seq)) = (&event.log, event.seq) else { return true };
        if let Some(last) = self.0.get_mut(log) {
            let new = seq > *last;
            *last = seq.max(*last);
            return new;
        }
        if self.0.len() >= LOGS_MAX {
            self.0.clear();
        }
        self.0.insert(log.clone(), seq);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(log: Option<&str>, seq: Option<u64>) -> Event {
        let mut value = serde_json::json!({
            "data": {}, "timestamp": "2026-01-01T00:00:00.000Z", "type": "x", "log": log
        });
        if let Some(seq) = seq {
            value["seq"] = seq.into();
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_place_in_a_log_is_new_once() {
        let mut seen = Seen::default();
        for (log, seq, new) in [
            ("c:1", 5, true),
            ("c:1", 5, false),
            ("c:2", 5, true),
            ("c:1", 4, false),
            ("c:1", 6, true),
            ("c:1", 9, true),
        ] {
            assert_eq!(seen.is_new(&event(Some(log), Some(seq))), new, "{log} {seq}");
        }
        assert!(seen.is_new(&event(None, None)) && seen.is_new(&event(None, None)));
    }
}
