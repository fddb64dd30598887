//! Times that the logs of a run tell: acknowledgements, and recovery from each fault.

use std::collections::HashMap;

use super::record::{Act, ClientNumber, Content, OPERATOR, Payload, Record};
use crate::stats::Latencies;

/// What the logs say about time.
#[derive(Debug, Default)]
pub struct Times {
    /// From the first sending to the acknowledgement, over faults and reconnects.
    pub ack: Latencies,
    /// From the start of a server to its readiness.
    pub ready: Latencies,
    /// From a fault until a client is whole again, one for each client and fault: it has a session
    /// and every message that anyone had an acknowledgement for before the fault.
    pub whole: Latencies,
}

/// Reads the times from a run's logs.
pub fn times(records: &[Record]) -> Times {
    let mut times = Times::default();
    let mut faults: Vec<u64> = Vec::new();
    let mut starting = None;
    let mut invoked: HashMap<Payload, u64> = HashMap::new();
    let mut acked: HashMap<Payload, u64> = HashMap::new();
    for record in records {
        match record.act {
            Act::Down => faults.push(record.at),
            Act::Starting => starting = Some(record.at),
            Act::Up => times.ready.extend(starting.take().map(|start| record.at - start)),
            Act::Invoke { payload, .. } => {
                invoked.entry(payload).or_insert(record.at);
            }
            Act::Ack { payload, .. } => {
                acked.entry(payload).or_insert(record.at);
            }
            _ => {}
        }
    }
    faults.sort_unstable();
    let latency = |(payload, at): (&Payload, &u64)| Some(at - invoked.get(payload)?);
    times.ack.extend(acked.iter().filter_map(latency));

    // The last moment by which a client was whole after a fault, by fault and client.
    let mut whole: HashMap<(usize, ClientNumber), u64> = HashMap::new();
    for record in records.iter().filter(|record| record.client != OPERATOR) {
        let since = match &record.act {
            // The first session after a fault; the last fault before it is the one that counts.
            Act::Ready => 0,
            Act::Receive { content: Content::Message(payload), .. } => match acked.get(payload) {
                Some(acked) => *acked,
                None => continue,
            },
            _ => continue,
        };
        let next = faults.partition_point(|fault| *fault <= record.at);
        let Some(last) = next.checked_sub(1) else { continue };
        let owed = faults.get(last).is_some_and(|fault| *fault > since);
        if owed {
            let moment = whole.entry((last, record.client)).or_default();
            *moment = record.at.max(*moment);
        }
    }
    let span = |((fault, _), at): (&(usize, ClientNumber), &u64)| {
        Some(at.saturating_sub(*faults.get(*fault)?))
    };
    times.whole.extend(whole.iter().filter_map(span));
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_whole_with_the_last_message_that_was_acknowledged_before_the_fault() {
        let payload = |number| Payload { client: 0, number };
        let receive = |number| Act::Receive {
            channel: 0,
            seq: number,
            content: Content::Message(payload(number)),
        };
        let acts = [
            (10, 0, Act::Invoke { channel: 0, payload: payload(1) }),
            (20, 0, Act::Ack { channel: 0, payload: payload(1), seq: 1 }),
            (100, OPERATOR, Act::Down),
            (110, OPERATOR, Act::Starting),
            (150, OPERATOR, Act::Up),
            (200, 1, Act::Ready),
            (230, 1, receive(1)),
            (300, 0, Act::Invoke { channel: 0, payload: payload(2) }),
            (310, 0, Act::Ack { channel: 0, payload: payload(2), seq: 2 }),
            (900, 1, receive(2)),
        ];
        let records: Vec<Record> =
            acts.into_iter().map(|(at, client, act)| Record { at, client, act }).collect();
        let times = times(&records);
        assert_eq!(times.whole.p99().as_nanos(), 130);
        assert_eq!(times.ready.p99().as_nanos(), 40);
        assert_eq!((times.ack.len(), times.whole.len()), (2, 1));
    }
}
