//! The judge: reads the logs of all clients and says what went wrong, from nothing else.
//!
//! A message that was never acknowledged may have arrived or not (both are right and counted);
//! everything else is judged by the rules beside [`Violation`].

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use super::record::{Act, ChannelNumber, ClientNumber, Content, OPERATOR, Payload, Record};

/// Ways in which a chat can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Violation {
    /// Acknowledged, and a member of the channel from before its sending to the end never got it.
    Lost,
    /// The same entry twice at one client, or one message under two `seq`.
    Duplicate,
    /// A client saw an entry whose predecessor it had not seen.
    Gap,
    /// A client saw an entry after a later one; or a message that was sent after another's
    /// acknowledgement stands before it.
    Order,
    /// A message that nobody sent there, or that was not sent yet, or that was refused for good.
    Phantom,
    /// An entry of a channel that the client is not in.
    WrongRecipient,
    /// Two clients, or an acknowledgement and a client, disagree on what stands at a `seq`.
    Disagreement,
    /// A client did not get to the end in time.
    Stuck,
}

/// How many examples of each violation are kept.
const EXAMPLES: usize = 5;

/// What the checker found.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// How often each violation occurred; none is listed with zero.
    pub violations: BTreeMap<Violation, usize>,
    /// The first few of each, told so that the logs can be searched for them.
    pub examples: BTreeMap<Violation, Vec<String>>,
    /// Messages sent.
    pub invoked: usize,
    /// Messages acknowledged.
    pub acked: usize,
    /// Messages that arrived somewhere though never acknowledged.
    pub unacked_delivered: usize,
    /// Entries received over all clients.
    pub received: usize,
    /// Clients that wrote logs.
    pub clients: usize,
}

impl Verdict {
    /// Whether nothing went wrong.
    pub fn clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// How often `violation` occurred.
    pub fn count(&self, violation: Violation) -> usize {
        self.violations.get(&violation).copied().unwrap_or(0)
    }

    /// One line of counts, and a line for each example.
    pub fn describe(&self) -> String {
        let mut text = format!(
            "{} clients: {} sent, {} acknowledged ({} more arrived unacknowledged), {} received; ",
            self.clients, self.invoked, self.acked, self.unacked_delivered, self.received
        );
        if self.clean() {
            text.push_str("nothing wrong");
        }
        let mut separator = "";
        for (violation, count) in &self.violations {
            // Writing to a string cannot fail.
            let _ = write!(text, "{separator}{count} {violation:?}");
            separator = ", ";
        }
        for example in self.examples.values().flatten() {
            text.push_str("\n  ");
            text.push_str(example);
        }
        text
    }

    fn blame(&mut self, violation: Violation, example: impl FnOnce() -> String) {
        *self.violations.entry(violation).or_default() += 1;
        let examples = self.examples.entry(violation).or_default();
        if examples.len() < EXAMPLES {
            examples.push(format!("{violation:?}: {}", example()));
        }
    }
}

/// Judges `records`: each client's in the order in which it wrote them, clients in any order.
pub fn check(records: &[Record]) -> Verdict {
    let facts = Facts::gather(records);
    let mut verdict = Verdict {
        invoked: facts.invoked.len(),
        acked: facts.acked.len(),
        clients: facts.logs.len(),
        ..Verdict::default()
    };
    let mut places = Places::default();
    for (payload, ack) in &facts.acked {
        places.note(&mut verdict, ack.channel, ack.seq, Some(*payload), || {
            format!("the acknowledgement of {payload}")
        });
        match facts.invoked.get(payload) {
            Some(invoke) if invoke.channel == ack.channel => {}
            _ => verdict.blame(Violation::Phantom, || {
                format!("{payload} acknowledged in channel {} but not sent there", ack.channel)
            }),
        }
    }
    let mut arrived: HashSet<Payload> = HashSet::new();
    for (client, log) in &facts.logs {
        let mut reader = Reader::new(*client, &facts);
        for record in log {
            reader.read(record, &mut verdict, &mut places);
        }
        reader.finish(&mut verdict);
        arrived.extend(reader.seen.keys().copied());
    }
    verdict.unacked_delivered =
        arrived.iter().filter(|payload| !facts.acked.contains_key(payload)).count();
    check_real_time(&facts, &mut verdict);
    verdict
}

/// When and where a message was sent or acknowledged.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: u64,
    channel: ChannelNumber,
    seq: u64,
}

/// What all logs together say about each message.
struct Facts<'a> {
    logs: BTreeMap<ClientNumber, Vec<&'a Record>>,
    invoked: HashMap<Payload, Moment>,
    acked: HashMap<Payload, Moment>,
    refused: HashSet<Payload>,
    /// Acknowledged messages by channel.
    by_channel: HashMap<ChannelNumber, Vec<Payload>>,
}

impl<'a> Facts<'a> {
    fn gather(records: &'a [Record]) -> Self {
        let mut facts = Self {
            logs: BTreeMap::new(),
            invoked: HashMap::new(),
            acked: HashMap::new(),
            refused: HashSet::new(),
            by_channel: HashMap::new(),
        };
        for record in records.iter().filter(|record| record.client != OPERATOR) {
            facts.logs.entry(record.client).or_default().push(record);
            let at = record.at;
            match record.act {
                Act::Invoke { channel, payload } => {
                    facts.invoked.entry(payload).or_insert(Moment { at, channel, seq: 0 });
                }
                Act::Ack { channel, payload, seq } => {
                    facts.acknowledge(payload, Moment { at, channel, seq });
                }
                Act::Refused { payload } => {
                    facts.refused.insert(payload);
                }
                _ => {}
            }
        }
        facts
    }

    /// A repeated acknowledgement (after a resend) counts from the first time.
    fn acknowledge(&mut self, payload: Payload, moment: Moment) {
        if let Entry::Vacant(first) = self.acked.entry(payload) {
            first.insert(moment);
            self.by_channel.entry(moment.channel).or_default().push(payload);
        }
    }
}

/// What stands at each place of each channel, as the first one to speak of it said.
#[derive(Default)]
struct Places {
    content: HashMap<(ChannelNumber, u64), Option<Payload>>,
    place: HashMap<Payload, (ChannelNumber, u64)>,
}

impl Places {
    fn note(
        &mut self,
        verdict: &mut Verdict,
        channel: ChannelNumber,
        seq: u64,
        payload: Option<Payload>,
        witness: impl Fn() -> String,
    ) {
        let first = *self.content.entry((channel, seq)).or_insert(payload);
        if first != payload {
            verdict.blame(Violation::Disagreement, || {
                let (first, second) = (tell(first), tell(payload));
                format!("channel {channel} seq {seq}: {first}, but {second} says {}", witness())
            });
        }
        let Some(payload) = payload else { return };
        let place = *self.place.entry(payload).or_insert((channel, seq));
        if place != (channel, seq) {
            verdict.blame(Violation::Duplicate, || {
                format!(
                    "{payload} stands at {place:?} and, by {}, at {:?}",
                    witness(),
                    (channel, seq)
                )
            });
        }
    }
}

fn tell(payload: Option<Payload>) -> String {
    payload.map_or_else(|| "no message".to_owned(), |payload| payload.to_string())
}

/// A client's standing in one channel.
#[derive(Debug, Default)]
struct Membership {
    /// It asked to join and has not seen its own departure since.
    inside: bool,
    /// Everything invoked after this must arrive, unless it began to leave.
    entitled_since: Option<u64>,
    left_at: Option<u64>,
    /// It began to leave: what came before its departure may be cut short.
    leaving: bool,
    last: Option<u64>,
    seqs: BTreeSet<u64>,
}

/// Goes through one client's log in its own order.
struct Reader<'a> {
    client: ClientNumber,
    facts: &'a Facts<'a>,
    memberships: BTreeMap<ChannelNumber, Membership>,
    seen: HashMap<Payload, u64>,
    whole: bool,
}

impl<'a> Reader<'a> {
    fn new(client: ClientNumber, facts: &'a Facts<'a>) -> Self {
        Self { client, facts, memberships: BTreeMap::new(), seen: HashMap::new(), whole: false }
    }

    fn read(&mut self, record: &Record, verdict: &mut Verdict, places: &mut Places) {
        match &record.act {
            Act::Joining { channel } => {
                let membership = self.memberships.entry(*channel).or_default();
                membership.inside = true;
                membership.left_at = None;
                membership.leaving = false;
                membership.last = None;
            }
            Act::Joined { channel, head } => {
                let membership = self.memberships.entry(*channel).or_default();
                membership.entitled_since = Some(record.at);
                membership.last = membership.last.or(*head);
            }
            Act::Leaving { channel } => {
                let membership = self.memberships.entry(*channel).or_default();
                membership.entitled_since = None;
                membership.leaving = true;
            }
            Act::Left { channel, seq } => {
                let membership = self.memberships.entry(*channel).or_default();
                membership.inside = false;
                membership.left_at = Some(*seq);
            }
            Act::Receive { channel, seq, content } => {
                verdict.received += 1;
                self.place(*channel, *seq, verdict);
                self.content(record.at, *channel, *seq, content, verdict, places);
            }
            Act::Whole => self.whole = true,
            _ => {}
        }
    }

    /// Judges that an entry came, whatever it holds.
    fn place(&mut self, channel: ChannelNumber, seq: u64, verdict: &mut Verdict) {
        let client = self.client;
        let membership = self.memberships.entry(channel).or_default();
        let belongs = membership.inside || membership.left_at.is_some_and(|left| seq <= left);
        if !belongs {
            verdict.blame(Violation::WrongRecipient, || {
                format!("client {client} got channel {channel} seq {seq} without being in it")
            });
            return;
        }
        if !membership.seqs.insert(seq) {
            verdict.blame(Violation::Duplicate, || {
                format!("client {client} got channel {channel} seq {seq} again")
            });
        } else if let Some(last) = membership.last {
            if seq > last + 1 && !membership.leaving {
                verdict.blame(Violation::Gap, || {
                    format!("client {client} got channel {channel} seq {seq} after {last}")
                });
            } else if seq <= last {
                verdict.blame(Violation::Order, || {
                    format!("client {client} got channel {channel} seq {seq} after {last}")
                });
            }
        }
        membership.last = membership.last.max(Some(seq));
    }

    /// Judges what an entry holds.
    fn content(
        &mut self,
        at: u64,
        channel: ChannelNumber,
        seq: u64,
        content: &Content,
        verdict: &mut Verdict,
        places: &mut Places,
    ) {
        let client = self.client;
        let payload = match content {
            Content::Message(payload) => *payload,
            Content::Foreign(text) => {
                return verdict.blame(Violation::Phantom, || {
                    format!("client {client} got {text:?} in channel {channel}, which nobody wrote")
                });
            }
            Content::Other => {
                return places
                    .note(verdict, channel, seq, None, || format!("a receipt of client {client}"));
            }
        };
        self.seen.entry(payload).or_insert(at);
        let invoke = self.facts.invoked.get(&payload);
        let sent_here = invoke.is_some_and(|invoke| invoke.channel == channel && invoke.at <= at);
        if !sent_here || self.facts.refused.contains(&payload) {
            verdict.blame(Violation::Phantom, || {
                format!("client {client} got {payload} in channel {channel}: not sent there")
            });
        }
        places
            .note(verdict, channel, seq, Some(payload), || format!("a receipt of client {client}"));
    }

    /// Judges what never came.
    fn finish(&self, verdict: &mut Verdict) {
        let client = self.client;
        if !self.whole {
            verdict.blame(Violation::Stuck, || format!("client {client} did not reach the end"));
        }
        for (channel, membership) in &self.memberships {
            let Some(since) = membership.entitled_since else { continue };
            for payload in self.facts.by_channel.get(channel).into_iter().flatten() {
                let Some(invoke) = self.facts.invoked.get(payload) else { continue };
                if invoke.at > since && !self.seen.contains_key(payload) {
                    verdict.blame(Violation::Lost, || {
                        format!("client {client} never got {payload} of channel {channel}")
                    });
                }
            }
        }
    }
}

/// What was sent after an acknowledgement in the same channel must stand behind it.
fn check_real_time(facts: &Facts<'_>, verdict: &mut Verdict) {
    for (channel, payloads) in &facts.by_channel {
        let mut placed: Vec<(u64, u64, u64, Payload)> = payloads
            .iter()
            .filter_map(|payload| {
                let ack = facts.acked.get(payload)?;
                Some((ack.seq, facts.invoked.get(payload)?.at, ack.at, *payload))
            })
            .collect();
        placed.sort_unstable();
        let mut earliest_ack_behind = (u64::MAX, None);
        for (seq, invoked, acked, payload) in placed.into_iter().rev() {
            if let (behind, Some(other)) = earliest_ack_behind
                && invoked > behind
            {
                verdict.blame(Violation::Order, || {
                    format!(
                        "channel {channel}: {payload} was sent after the acknowledgement of \
                         {other} and stands before it at seq {seq}"
                    )
                });
            }
            if acked < earliest_ack_behind.0 {
                earliest_ack_behind = (acked, Some(payload));
            }
        }
    }
}

#[cfg(test)]
#[path = "checker_tests.rs"]
mod tests;
