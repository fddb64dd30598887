//! The load of B1, B1b, B1c and B2, the same for a ceiling and for Tidings.

use std::time::Duration;

use anyhow::{Context as _, bail};
use memchr::memmem::Finder;

use crate::clock::{self, Stopwatch};
use crate::engine::Engine;
use crate::process::Process;
use crate::stats::{Latencies, count};

/// How long the last deliveries may take once nothing more is sent.
const PATIENCE: Duration = Duration::from_secs(20);

/// Length of a message body, as 70-quality fixes it.
pub const BODY: usize = 200;

/// Words that bodies are made of: short and long, none of them Markdown.
const WORDS: [&str; 32] = [
    "alpha", "boat", "candle", "delta", "ember", "forest", "garden", "harbor", "island", "jungle",
    "kettle", "lantern", "meadow", "north", "orchard", "pebble", "quarry", "river", "summer",
    "timber", "umbrella", "valley", "window", "yellow", "zephyr", "bridge", "cloud", "evening",
    "morning", "signal", "tide", "water",
];

/// Marks the number of a message, in bodies and in client ids.
const MARK: &str = "tdgn";
/// Digits behind the mark.
const DIGITS: usize = 10;

/// How messages go in and come back.
#[derive(Debug, Clone)]
pub enum Dialect {
    /// The ceiling's: the room is the connection's.
    Ceiling,
    /// `conv.send`, `conv.acked` and `event` of the public API; a channel id for each room.
    Tidings {
        /// Channel ids by room number.
        channels: Vec<String>,
        /// Makes client ids of this run different from those of earlier runs.
        run: String,
    },
}

/// What a frame is to the generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ack,
    Delivery,
    Ping,
    Failure,
    Other,
}

impl Dialect {
    fn send(&self, engine: &mut Engine, sender: &Sender, number: u64) -> anyhow::Result<()> {
        let body = body(number);
        match self {
            Self::Ceiling => engine.queue(sender.connection, body.as_bytes()),
            Self::Tidings { channels, run } => {
                let channel = channels.get(sender.room).context("a room without channel")?;
                let text = format!(
                    r#"{{"v":1,"t":"conv.send","id":"{number}","body":{{"channel_id":"{channel}","client_id":"{MARK}{number:010}-{run}","body":"{body}"}}}}"#
                );
                engine.queue(sender.connection, text.as_bytes())
            }
        }
    }
}

/// Finds what matters in a frame without parsing it.
#[derive(Debug)]
struct Reader {
    tidings: bool,
    acked: Finder<'static>,
    created: Finder<'static>,
    ping: Finder<'static>,
    error: Finder<'static>,
    mark: Finder<'static>,
}

impl Reader {
    fn new(dialect: &Dialect) -> Self {
        Self {
            tidings: matches!(dialect, Dialect::Tidings { .. }),
            acked: Finder::new("\"conv.acked\""),
            created: Finder::new("\"message.created\""),
            ping: Finder::new("\"ping\""),
            error: Finder::new("\"error\""),
            mark: Finder::new(MARK),
        }
    }

    fn kind(&self, frame: &[u8]) -> Kind {
        if !self.tidings {
            return match frame.first() {
                Some(b'a') => Kind::Ack,
                Some(b'e') => Kind::Delivery,
                _ => Kind::Other,
            };
        }
        // The type of a frame stands before any text that a person wrote, that of an event behind:
        // events are canonical JSON, whose fields are sorted.
        let head = frame.get(..frame.len().min(64)).unwrap_or_default();
        let tail = frame.get(frame.len().saturating_sub(64)..).unwrap_or_default();
        if self.created.find(tail).is_some() {
            Kind::Delivery
        } else if self.acked.find(head).is_some() {
            Kind::Ack
        } else if self.error.find(head).is_some() {
            Kind::Failure
        } else if self.ping.find(head).is_some() {
            Kind::Ping
        } else {
            Kind::Other
        }
    }

    /// The number of the message that a frame carries.
    fn number(&self, frame: &[u8]) -> Option<u64> {
        let at = self.mark.find(frame)? + MARK.len();
        std::str::from_utf8(frame.get(at..at + DIGITS)?).ok()?.parse().ok()
    }
}

/// A body of [`BODY`] bytes that begins with `number`.
pub fn body(number: u64) -> String {
    let mut text = format!("{MARK}{number:010}");
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while text.len() < BODY {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push(' ');
        text.push_str(WORDS.get((state >> 32) as usize % WORDS.len()).unwrap_or(&"tide"));
    }
    text.truncate(BODY);
    // A space at the end would be trimmed away by whoever normalizes bodies.
    if text.ends_with(' ') {
        text.pop();
        text.push('.');
    }
    text
}

/// A connection that sends, and the room it sends to.
#[derive(Debug, Clone, Copy)]
pub struct Sender {
    /// Number in the engine.
    pub connection: usize,
    /// Index of the room.
    pub room: usize,
}

/// What to send and how fast.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Who sends.
    pub senders: Vec<Sender>,
    /// Connections that receive each message, the sender's own included.
    pub members: usize,
    /// Messages of one sender that may be unacknowledged.
    pub window: usize,
    /// Messages per second over all senders; `None` for as fast as acknowledged.
    pub rate: Option<f64>,
    /// How long to send.
    pub length: Duration,
    /// How many messages to send at most; `None` for as many as there is time for.
    pub limit: Option<usize>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Messages acknowledged (all that were sent).
    pub acked: usize,
    /// Frames received that carry a message.
    pub deliveries: usize,
    /// From the first send to the last delivery.
    pub seconds: f64,
    /// Processor seconds of the server in that time.
    pub cpu: f64,
    /// From send to acknowledgement.
    pub ack_latency: Latencies,
    /// From send to each delivery (only with a rate).
    pub delivery_latency: Latencies,
    /// Payload length of the delivered frames, the middle one.
    pub frame_length: usize,
}

impl Outcome {
    /// Deliveries per second.
    pub fn deliveries_per_second(&self) -> f64 {
        count(self.deliveries) / self.seconds
    }

    /// Acknowledged messages per second.
    pub fn acks_per_second(&self) -> f64 {
        count(self.acked) / self.seconds
    }

    /// Processor seconds of the server per 100,000 deliveries.
    pub fn cpu_per_100k_deliveries(&self) -> f64 {
        self.cpu * 100_000.0 / count(self.deliveries)
    }

    /// Processor seconds of the server per 100,000 acknowledged messages.
    pub fn cpu_per_100k_acks(&self) -> f64 {
        self.cpu * 100_000.0 / count(self.acked)
    }
}

/// Sends by `plan`, waits until every member has everything, and measures `server` meanwhile.
///
/// Fails when a frame is missing or there is one too many: a figure with losses is no figure.
pub fn drive(
    engine: &mut Engine,
    dialect: &Dialect,
    plan: &Plan,
    server: &Process,
    first_number: u64,
) -> anyhow::Result<Outcome> {
    let reader = Reader::new(dialect);
    let mut run = Run {
        engine,
        dialect,
        plan,
        sent_at: Vec::new(),
        inflight: vec![0; plan.senders.len()],
        sender_of: Vec::new(),
        first_number,
    };
    let cpu = server.cpu_seconds()?;
    let watch = Stopwatch::start();
    let mut outcome = Outcome::default();
    let mut lengths = Vec::new();
    let mut finished: Option<Stopwatch> = None;
    loop {
        let enough = plan.limit.is_some_and(|limit| run.sent_at.len() >= limit);
        if finished.is_none() && (enough || watch.elapsed() >= plan.length) {
            finished = Some(Stopwatch::start());
        }
        match finished {
            None => run.send_due(watch)?,
            Some(_) if run.complete(&outcome) => break,
            Some(since) if since.elapsed() > PATIENCE => {
                let (sent, members) = (run.sent_at.len(), plan.members);
                let Outcome { acked, deliveries, .. } = outcome;
                bail!("{sent} sent to {members}: only {acked} acknowledged, {deliveries} received");
            }
            Some(_) => {}
        }
        let pause = if plan.rate.is_some() { 1 } else { 100 };
        let mut failure = None;
        let mut pings = Vec::new();
        let paced = plan.rate.is_some();
        let (sent_at, inflight, sender_of) = (&run.sent_at, &mut run.inflight, &run.sender_of);
        let now = clock::nanos();
        run.engine.turn(Duration::from_millis(pause), |connection, text| {
            match reader.kind(text) {
                Kind::Delivery => {
                    outcome.deliveries += 1;
                    if lengths.len() < 1_000 {
                        lengths.push(text.len());
                    }
                    if paced {
                        let at =
                            reader.number(text).and_then(|number| number.checked_sub(first_number));
                        let sent = at.and_then(|index| sent_at.get(usize::try_from(index).ok()?));
                        // A frame that was not sent in this run belongs to an earlier one.
                        if let Some(sent) = sent {
                            outcome.delivery_latency.push(clock::nanos().saturating_sub(*sent));
                        }
                    }
                }
                Kind::Ack => {
                    let index = reader
                        .number(text)
                        .and_then(|number| number.checked_sub(first_number))
                        .and_then(|index| usize::try_from(index).ok());
                    if let Some((sent, sender)) =
                        index.and_then(|index| sent_at.get(index).zip(sender_of.get(index)))
                    {
                        outcome.acked += 1;
                        outcome.ack_latency.push(clock::nanos().max(now).saturating_sub(*sent));
                        if let Some(inflight) = inflight.get_mut(*sender) {
                            *inflight = usize::saturating_sub(*inflight, 1);
                        }
                    }
                }
                Kind::Ping => pings.push(connection),
                Kind::Failure => {
                    failure.get_or_insert_with(|| String::from_utf8_lossy(text).into_owned());
                }
                Kind::Other => {}
            }
        })?;
        if let Some(text) = failure {
            bail!("the server answered {text}");
        }
        for connection in pings {
            run.engine.queue(connection, br#"{"v":1,"t":"pong","body":{}}"#)?;
            run.engine.flush(connection)?;
        }
    }
    outcome.seconds = watch.seconds();
    outcome.cpu = server.cpu_seconds()? - cpu;
    lengths.sort_unstable();
    outcome.frame_length = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    let expected = run.sent_at.len() * plan.members;
    if outcome.deliveries != expected {
        bail!("{} deliveries where {expected} were due", outcome.deliveries);
    }
    Ok(outcome)
}

/// The sending half of [`drive`].
struct Run<'a> {
    engine: &'a mut Engine,
    dialect: &'a Dialect,
    plan: &'a Plan,
    /// When each message was sent, by its number less `first_number`.
    sent_at: Vec<u64>,
    sender_of: Vec<usize>,
    inflight: Vec<usize>,
    first_number: u64,
}

impl Run<'_> {
    fn complete(&self, outcome: &Outcome) -> bool {
        let sent = self.sent_at.len();
        outcome.acked == sent && outcome.deliveries >= sent * self.plan.members
    }

    fn send_due(&mut self, watch: Stopwatch) -> anyhow::Result<()> {
        for (index, sender) in self.plan.senders.iter().enumerate() {
            let mut queued = false;
            while self.may_send(index, watch) {
                let number = self.first_number + self.sent_at.len() as u64;
                self.dialect.send(self.engine, sender, number)?;
                self.sent_at.push(clock::nanos());
                self.sender_of.push(index);
                if let Some(inflight) = self.inflight.get_mut(index) {
                    *inflight += 1;
                }
                queued = true;
            }
            if queued {
                self.engine.flush(sender.connection)?;
            }
        }
        Ok(())
    }

    fn may_send(&self, index: usize, watch: Stopwatch) -> bool {
        if self.plan.limit.is_some_and(|limit| self.sent_at.len() >= limit) {
            return false;
        }
        match self.plan.rate {
            // An open loop sends when it is time, whatever is still unanswered.
            Some(rate) => {
                count(self.sent_at.len()) < rate * watch.seconds()
                    && self.sent_at.len() % self.plan.senders.len() == index
            }
            None => self.inflight.get(index).is_some_and(|inflight| *inflight < self.plan.window),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_two_hundred_bytes_and_carry_their_number() {
        let reader = Reader::new(&Dialect::Ceiling);
        for number in [0, 1, 77, 4_000_000_000] {
            let text = body(number);
            assert_eq!(text.len(), BODY);
            assert_eq!(text.trim(), text);
            assert_eq!(reader.number(text.as_bytes()), Some(number));
        }
        assert_ne!(body(1)[14..], body(2)[14..]);
    }

    #[test]
    fn frames_are_told_apart_by_their_type() {
        let dialect = Dialect::Tidings { channels: Vec::new(), run: String::new() };
        let reader = Reader::new(&dialect);
        let event =
            br#"{"v":1,"t":"event","body":{"next":"x","event":{"data":{"body":"error"},"type":"message.created"}}}"#;
        assert_eq!(reader.kind(event), Kind::Delivery);
        assert_eq!(reader.kind(br#"{"v":1,"t":"conv.acked","body":{}}"#), Kind::Ack);
        assert_eq!(reader.kind(br#"{"v":1,"t":"error","body":{}}"#), Kind::Failure);
        assert_eq!(reader.kind(br#"{"v":1,"t":"ping","body":{}}"#), Kind::Ping);
        assert_eq!(reader.kind(br#"{"v":1,"t":"pong","body":{}}"#), Kind::Other);
    }
}
