//! Twelve bugs that a server might have, planted between right servers and right clients.
//!
//! A machine without I/O over the frames of the public API: `torture r0` runs it in a proxy, the
//! unit tests in a simulation. Each bug is rare, as real ones are.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// The bugs of R0, in the order of 70-quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// One event in 10,000 never reaches one of its receivers.
    Drop,
    /// An event comes twice.
    Double,
    /// Two messages of a channel come under each other's `seq`.
    Swap,
    /// A `seq` is left out, for everybody.
    SkipSeq,
    /// A message is acknowledged and then forgotten, as by a crash before the commit.
    AckBeforeCommit,
    /// After a restart the counter of a channel starts a little too low.
    ReuseSeq,
    /// A message reaches someone who is not in the channel.
    WrongRecipient,
    /// After a reconnect the last events come again.
    Replay,
    /// After a reconnect the first event is skipped.
    CursorPlusOne,
    /// Leaving one channel loses an event of another.
    LoseOnLeave,
    /// Two events of a channel come in the wrong order.
    Reorder,
    /// A message has a content that nobody wrote.
    Phantom,
}

impl Bug {
    /// All twelve.
    pub const ALL: [Self; 12] = [
        Self::Drop,
        Self::Double,
        Self::Swap,
        Self::SkipSeq,
        Self::AckBeforeCommit,
        Self::ReuseSeq,
        Self::WrongRecipient,
        Self::Replay,
        Self::CursorPlusOne,
        Self::LoseOnLeave,
        Self::Reorder,
        Self::Phantom,
    ];
}

/// One connection through the mangler; never used again after it closed.
pub type Connection = u64;

/// A frame to pass on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// To the server, on the connection it came by.
    ToServer(String),
    /// To the client of a connection.
    ToClient(Connection, String),
}

/// How many events are kept per client for a replay.
const KEPT: usize = 3;

/// Events that a connection must have seen before a channel it has not seen counts as not its own.
const SETTLED: usize = 50;

#[derive(Debug, Default)]
struct Link {
    /// The token it started with: the same for all connections of a client.
    token: String,
    user_id: String,
    /// It started with a cursor and the skip or replay of its first event is still due.
    resumed: bool,
    /// Its client left a channel and an event of another is to be lost.
    owed_loss: Option<String>,
    held: Option<(Value, String)>,
}

#[derive(Debug, Default)]
struct Person {
    recent: Vec<String>,
    channels: BTreeSet<String>,
    events: usize,
}

/// The state of the one bug that is planted.
#[derive(Debug)]
pub struct Mangler {
    bug: Option<Bug>,
    random: ChaCha8Rng,
    links: BTreeMap<Connection, Link>,
    people: BTreeMap<String, Person>,
    /// Highest right `seq` seen by channel.
    heads: BTreeMap<String, u64>,
    /// Channel, first `seq` concerned and how far it is moved, for the bugs that renumber.
    shift: Option<(String, u64, i64)>,
    planted: usize,
}

impl Mangler {
    /// A mangler that plants `bug`, or passes everything on when there is none.
    pub fn new(bug: Option<Bug>, random: ChaCha8Rng) -> Self {
        Self {
            bug,
            random,
            links: BTreeMap::new(),
            people: BTreeMap::new(),
            heads: BTreeMap::new(),
            shift: None,
            planted: 0,
        }
    }

    /// How often the bug has struck.
    pub fn planted(&self) -> usize {
        self.planted
    }

    /// The server has been restarted.
    pub fn restarted(&mut self) {
        if self.bug == Some(Bug::ReuseSeq) && self.shift.is_none() {
            let busiest = self.heads.iter().max_by_key(|(_, head)| **head);
            self.shift = busiest.map(|(channel, head)| (channel.clone(), head + 1, -3));
        }
    }

    /// The connection is gone.
    pub fn close(&mut self, connection: Connection) {
        self.links.remove(&connection);
    }

    /// A frame of a client.
    pub fn from_client(&mut self, connection: Connection, text: String) -> Vec<Output> {
        if self.bug.is_none() {
            return vec![Output::ToServer(text)];
        }
        let frame: Value = serde_json::from_str(&text).unwrap_or_default();
        let body = frame.get("body").unwrap_or(&Value::Null);
        match frame.get("t").and_then(Value::as_str) {
            Some("session.start") => {
                let token = string(body, "token");
                let resumed = body.get("since").is_some();
                self.people.entry(token.clone()).or_default();
                self.links.insert(connection, Link { token, resumed, ..Link::default() });
            }
            Some("conv.send") if self.strikes(Bug::AckBeforeCommit, 300) => {
                let channel = string(body, "channel_id");
                let seq = self.heads.get(&channel).copied().unwrap_or(0) + 1;
                let body = json!({
                    "channel_id": channel, "client_id": string(body, "client_id"), "seq": seq,
                });
                let ack = json!({ "v": 1, "t": "conv.acked", "id": frame.get("id"), "body": body });
                return vec![Output::ToClient(connection, ack.to_string())];
            }
            _ => {}
        }
        vec![Output::ToServer(text)]
    }

    /// A frame of the server for `connection`.
    pub fn from_server(&mut self, connection: Connection, text: String) -> Vec<Output> {
        if self.bug.is_none() {
            return vec![Output::ToClient(connection, text)];
        }
        let mut frame: Value = serde_json::from_str(&text).unwrap_or_default();
        match frame.get("t").and_then(Value::as_str) {
            Some("session.ready") => self.ready(connection, &frame, text),
            Some("conv.acked") => {
                let body = frame.get("body").unwrap_or(&Value::Null);
                let channel = string(body, "channel_id");
                let seq = body.get("seq").and_then(Value::as_u64).unwrap_or(0);
                let moved = self.renumber(&channel, seq);
                if let (true, Some(place)) = (moved != seq, frame.pointer_mut("/body/seq")) {
                    *place = json!(moved);
                    return vec![Output::ToClient(connection, frame.to_string())];
                }
                vec![Output::ToClient(connection, text)]
            }
            Some("event") => self.event(connection, frame, text),
            _ => vec![Output::ToClient(connection, text)],
        }
    }

    fn ready(&mut self, connection: Connection, frame: &Value, text: String) -> Vec<Output> {
        let mut out = vec![Output::ToClient(connection, text)];
        let Some(link) = self.links.get_mut(&connection) else { return out };
        if let Some(body) = frame.get("body") {
            link.user_id = string(body, "user_id");
        }
        if self.bug == Some(Bug::Replay) && link.resumed {
            link.resumed = false;
            let person = self.people.get(&link.token);
            let recent = person.map(|person| person.recent.clone()).unwrap_or_default();
            self.planted += usize::from(!recent.is_empty());
            out.extend(recent.into_iter().map(|text| Output::ToClient(connection, text)));
        }
        out
    }

    fn event(&mut self, connection: Connection, mut frame: Value, text: String) -> Vec<Output> {
        let event = frame.pointer("/body/event").unwrap_or(&Value::Null);
        let channel = string(event, "channel_id");
        let kind = string(event, "type");
        let in_log = string(event, "log").starts_with("c:");
        let (true, Some(seq)) = (in_log, event.get("seq").and_then(Value::as_u64)) else {
            return vec![Output::ToClient(connection, text)];
        };
        let departed = event.pointer("/data/user/id").and_then(Value::as_str).map(str::to_owned);
        let head = self.heads.entry(channel.clone()).or_default();
        *head = seq.max(*head);
        let moved = self.renumber(&channel, seq);
        if let (true, Some(place)) = (moved != seq, frame.pointer_mut("/body/event/seq")) {
            *place = json!(moved);
            self.planted += 1;
        }
        let Some(link) = self.links.get_mut(&connection) else { return Vec::new() };
        if self.bug == Some(Bug::LoseOnLeave)
            && kind == "member.left"
            && departed.is_some_and(|user| user == link.user_id)
        {
            link.owed_loss = Some(channel.clone());
        }
        if let Some(person) = self.people.get_mut(&link.token) {
            person.channels.insert(channel.clone());
            person.events += 1;
            if self.bug == Some(Bug::Replay) {
                person.recent.push(frame.to_string());
                let surplus = person.recent.len().saturating_sub(KEPT);
                person.recent.drain(..surplus);
            }
        }
        if kind != "message.created" {
            return self.release(connection, &channel, frame);
        }
        self.message(connection, channel, frame)
    }

    /// Lets the bugs that concern one message strike.
    fn message(
        &mut self,
        connection: Connection,
        channel: String,
        mut frame: Value,
    ) -> Vec<Output> {
        if self.strikes(Bug::Drop, 10_000) || self.skips_after_resume(connection) {
            return Vec::new();
        }
        if self.loses_after_leave(connection, &channel) {
            return Vec::new();
        }
        if self.bug == Some(Bug::SkipSeq)
            && self.shift.is_none()
            && self.random.random_ratio(1, 2_000)
        {
            // Strikes with the first event that is moved.
            let next = self.heads.get(&channel).copied().unwrap_or(0) + 1;
            self.shift = Some((channel.clone(), next, 1));
        }
        if self.strikes(Bug::Phantom, 2_000)
            && let Some(body) = frame.pointer_mut("/body/event/data/body")
        {
            *body = json!("w-0-999999999 never written");
        }
        let mut out = Vec::new();
        if self.strikes(Bug::Double, 2_000) {
            out.push(Output::ToClient(connection, frame.to_string()));
        }
        if self.strikes(Bug::WrongRecipient, 1_000) {
            match self.outsider(&channel) {
                Some(other) => out.push(Output::ToClient(other, frame.to_string())),
                None => self.planted -= 1,
            }
        }
        let idle = self.links.get(&connection).is_some_and(|link| link.held.is_none());
        if idle && (self.strikes(Bug::Swap, 2_000) || self.strikes(Bug::Reorder, 2_000)) {
            // Strikes with the one that it changes places with.
            self.planted -= 1;
            if let Some(link) = self.links.get_mut(&connection) {
                link.held = Some((frame, channel));
            }
            return out;
        }
        out.extend(self.release(connection, &channel, frame));
        out
    }

    /// Passes `frame` on, together with one that was held back for it.
    fn release(&mut self, connection: Connection, channel: &str, mut frame: Value) -> Vec<Output> {
        let link = self.links.get_mut(&connection);
        let mut before = None;
        let mut after = None;
        if let Some(link) = link
            && link.held.as_ref().is_some_and(|(_, held)| held == channel)
            && let Some((mut held, _)) = link.held.take()
        {
            self.planted += 1;
            if self.bug == Some(Bug::Swap) {
                swap_at(&mut held, &mut frame, "/body/event/data");
            }
            match self.bug {
                Some(Bug::Reorder) => after = Some(held),
                _ => before = Some(held),
            }
        }
        before
            .into_iter()
            .chain([frame])
            .chain(after)
            .map(|frame| Output::ToClient(connection, frame.to_string()))
            .collect()
    }

    /// Whether the bug strikes now, once in about `one_in` chances.
    fn strikes(&mut self, bug: Bug, one_in: u32) -> bool {
        let strikes = self.bug == Some(bug) && self.random.random_ratio(1, one_in);
        self.planted += usize::from(strikes);
        strikes
    }

    fn skips_after_resume(&mut self, connection: Connection) -> bool {
        let Some(link) = self.links.get_mut(&connection) else { return false };
        let skips = self.bug == Some(Bug::CursorPlusOne) && link.resumed;
        link.resumed &= !skips;
        self.planted += usize::from(skips);
        skips
    }

    fn loses_after_leave(&mut self, connection: Connection, channel: &str) -> bool {
        let Some(link) = self.links.get_mut(&connection) else { return false };
        let loses = link.owed_loss.as_ref().is_some_and(|left| left != channel);
        if loses {
            link.owed_loss = None;
        }
        self.planted += usize::from(loses);
        loses
    }

    /// A connection that has seen much, but nothing of `channel`.
    fn outsider(&self, channel: &str) -> Option<Connection> {
        let person = |link: &Link| self.people.get(&link.token);
        self.links.iter().find_map(|(connection, link)| {
            let person = person(link)?;
            let foreign = person.events > SETTLED && !person.channels.contains(channel);
            foreign.then_some(*connection)
        })
    }

    fn renumber(&self, channel: &str, seq: u64) -> u64 {
        match &self.shift {
            Some((shifted, from, by)) if shifted == channel && seq >= *from => {
                seq.saturating_add_signed(*by)
            }
            _ => seq,
        }
    }
}

fn swap_at(first: &mut Value, second: &mut Value, pointer: &str) {
    if let (Some(first), Some(second)) = (first.pointer_mut(pointer), second.pointer_mut(pointer)) {
        std::mem::swap(first, second);
    }
}

fn string(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}
