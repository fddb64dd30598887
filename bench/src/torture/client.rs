//! One client of the workload as a machine: frames and wishes in, frames and records out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::record::{Act, ChannelNumber, ClientNumber, Content, Payload, Record, UNKNOWN_CHANNEL};

/// Numbers of the workload's channels by their ids.
pub type ChannelNumbers = Arc<HashMap<String, ChannelNumber>>;

/// Padding of bodies: real messages are about this long.
const FILLER: &str = "the tide comes in and the tide goes out and nobody is ever asked about it";

/// The last message of a channel has this number or a higher one; see [`Client::finish`].
pub const LAST: u64 = 1 << 40;

/// A client's state and its log.
#[derive(Debug)]
pub struct Client {
    number: ClientNumber,
    token: String,
    ids: BTreeMap<ChannelNumber, String>,
    numbers: ChannelNumbers,
    user_id: String,
    /// Cursor after the last event that was taken.
    cursor: Option<String>,
    /// Whether the first frame of the server has come on this connection.
    ready: bool,
    next_payload: u64,
    /// Sent and not acknowledged, in the order of sending.
    pending: BTreeMap<u64, ChannelNumber>,
    /// Those of them that the server asked to send again later.
    postponed: BTreeSet<u64>,
    /// Channels that it is in.
    channels: BTreeSet<ChannelNumber>,
    /// Channels whose last message has come.
    ended: BTreeSet<ChannelNumber>,
    whole: bool,
    records: Vec<Record>,
}

/// A frame whose body is parsed once its type is known.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    t: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    body: &'a RawValue,
}

#[derive(Deserialize)]
struct EventBody {
    /// Absent for ephemeral events.
    next: Option<String>,
    event: LogEvent,
}

#[derive(Deserialize)]
struct ReadyBody {
    user_id: String,
    next: String,
}

#[derive(Deserialize)]
struct AckedBody {
    channel_id: String,
    client_id: String,
    seq: u64,
}

#[derive(Deserialize)]
struct ErrorBody {
    code: String,
    retry_after_s: Option<u64>,
}

/// The parts of an event that the workload reads, the same on every transport.
#[derive(Debug, Deserialize)]
pub struct LogEvent {
    #[serde(rename = "type")]
    kind: String,
    log: Option<String>,
    seq: Option<u64>,
    channel_id: Option<String>,
    data: Option<EventData>,
}

#[derive(Debug, Deserialize)]
struct EventData {
    body: Option<String>,
    user: Option<Value>,
}

impl Client {
    /// A client that authenticates with `token`; `channels` are all ids of the workload by number.
    pub fn new(
        number: ClientNumber,
        token: &str,
        channels: &[String],
        numbers: ChannelNumbers,
    ) -> Self {
        Self {
            number,
            token: token.to_owned(),
            ids: (0..).zip(channels.iter().cloned()).collect(),
            numbers,
            user_id: String::new(),
            cursor: None,
            ready: false,
            next_payload: 1,
            pending: BTreeMap::new(),
            postponed: BTreeSet::new(),
            channels: BTreeSet::new(),
            ended: BTreeSet::new(),
            whole: false,
            records: Vec::new(),
        }
    }

    /// Its number.
    pub fn number(&self) -> ClientNumber {
        self.number
    }

    /// Its log, in the order of writing.
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }

    /// How many records there are.
    pub fn log_length(&self) -> usize {
        self.records.len()
    }

    /// Whether the session stands.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Whether the last message of each of its channels has come.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Messages that are not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.pending.len()
    }

    /// The channels it is in.
    pub fn channels(&self) -> impl Iterator<Item = ChannelNumber> + '_ {
        self.channels.iter().copied()
    }

    /// Starts from `cursor` instead of from the head.
    pub fn start_from(&mut self, cursor: String) {
        self.cursor = Some(cursor);
    }

    /// The connection stands: the frame that opens the session at the client's cursor.
    pub fn connected(&mut self) -> String {
        self.ready = false;
        let mut body = json!({ "token": self.token });
        if let (Some(cursor), Some(body)) = (&self.cursor, body.as_object_mut()) {
            body.insert("since".to_owned(), json!(cursor));
        }
        json!({ "v": 1, "t": "session.start", "body": body }).to_string()
    }

    /// The connection is gone.
    pub fn dropped(&mut self, at: u64) {
        self.ready = false;
        self.note(at, Act::Dropped);
    }

    /// Sends a new message; the frame goes out at once when the session stands, else later.
    pub fn invoke(&mut self, at: u64, channel: ChannelNumber) -> Option<String> {
        let number = self.next_payload;
        self.next_payload += 1;
        self.invoke_numbered(at, channel, number)
    }

    /// Sends the last message of `channel`, behind which no client will send there.
    pub fn finish(&mut self, at: u64, channel: ChannelNumber) -> Option<String> {
        self.invoke_numbered(at, channel, LAST + u64::from(channel))
    }

    fn invoke_numbered(&mut self, at: u64, channel: ChannelNumber, number: u64) -> Option<String> {
        let payload = Payload { client: self.number, number };
        self.note(at, Act::Invoke { channel, payload });
        self.pending.insert(number, channel);
        self.ready.then(|| self.send_frame(channel, number))
    }

    /// Sends again what the server could not take before; to be called now and then.
    pub fn retry(&mut self) -> Vec<String> {
        if !self.ready {
            return Vec::new();
        }
        let postponed = std::mem::take(&mut self.postponed);
        let due = postponed.into_iter().filter_map(|number| self.pending.get_key_value(&number));
        due.map(|(number, channel)| self.send_frame(*channel, *number)).collect()
    }

    /// About to join `channel`.
    pub fn joining(&mut self, at: u64, channel: ChannelNumber) {
        self.channels.insert(channel);
        self.note(at, Act::Joining { channel });
    }

    /// Joined `channel`, whose log stood at `head` when that is known for certain.
    pub fn joined(&mut self, at: u64, channel: ChannelNumber, head: Option<u64>) {
        self.note(at, Act::Joined { channel, head });
    }

    /// About to leave `channel`; it is out when its own departure comes back as an event.
    pub fn leaving(&mut self, at: u64, channel: ChannelNumber) {
        self.note(at, Act::Leaving { channel });
    }

    /// Takes one frame of the server and returns what to answer.
    pub fn frame(&mut self, at: u64, text: &str) -> Vec<String> {
        self.take(at, text).unwrap_or_else(|error| {
            self.note(at, phantom(&format!("{error}: {text}")));
            Vec::new()
        })
    }

    fn take(&mut self, at: u64, text: &str) -> Result<Vec<String>, serde_json::Error> {
        let frame: Frame<'_> = serde_json::from_str(text)?;
        let body = frame.body.get();
        match frame.t.as_ref() {
            "event" => {
                let EventBody { next, event } = serde_json::from_str(body)?;
                // The cursor moves with the event: a crash between the two cannot be seen outside.
                self.cursor = next.or(self.cursor.take());
                self.log_event(at, &event);
            }
            "session.ready" => return Ok(self.session_ready(at, serde_json::from_str(body)?)),
            "conv.acked" => self.acked(at, &serde_json::from_str(body)?),
            "error" => {
                let number = frame.id.and_then(|id| id.parse().ok());
                self.refused(at, number, &serde_json::from_str(body)?);
            }
            "ping" => return Ok(vec![r#"{"v":1,"t":"pong","body":{}}"#.to_owned()]),
            _ => {}
        }
        Ok(Vec::new())
    }

    /// The session stands: everything unacknowledged goes out again, in the old order.
    fn session_ready(&mut self, at: u64, ready: ReadyBody) -> Vec<String> {
        self.ready = true;
        // Everything goes out again at once, these too.
        self.postponed.clear();
        self.note(at, Act::Ready);
        self.user_id = ready.user_id;
        self.cursor.get_or_insert(ready.next);
        self.pending.iter().map(|(number, channel)| self.send_frame(*channel, *number)).collect()
    }

    /// Notes one event of a conversation log; others are ignored.
    pub fn log_event(&mut self, at: u64, event: &LogEvent) {
        let in_conversation = event.log.as_ref().is_some_and(|log| log.starts_with("c:"));
        let (true, Some(seq)) = (in_conversation, event.seq) else { return };
        let channel = self.channel_number(event.channel_id.as_deref().unwrap_or_default());
        let data = event.data.as_ref();
        let content = if event.kind == "message.created" {
            let body = data.and_then(|data| data.body.as_deref()).unwrap_or_default();
            body.parse().map_or_else(|_| Content::Foreign(body.to_owned()), Content::Message)
        } else {
            Content::Other
        };
        let last = matches!(content, Content::Message(payload) if payload.number >= LAST);
        self.note(at, Act::Receive { channel, seq, content });
        let who = data.and_then(|data| data.user.as_ref()?.get("id")?.as_str());
        if event.kind == "member.left" && who == Some(&self.user_id) {
            self.channels.remove(&channel);
            self.ended.remove(&channel);
            self.note(at, Act::Left { channel, seq });
        }
        if last {
            self.ended.insert(channel);
        }
        if last && !self.whole && self.channels.iter().all(|channel| self.ended.contains(channel)) {
            self.whole = true;
            self.note(at, Act::Whole);
        }
    }

    fn acked(&mut self, at: u64, acked: &AckedBody) {
        let Ok(payload) = acked.client_id.parse::<Payload>() else {
            return self.note(at, phantom(&acked.client_id));
        };
        let channel = self.channel_number(&acked.channel_id);
        self.pending.remove(&payload.number);
        self.note(at, Act::Ack { channel, payload, seq: acked.seq });
    }

    /// An error frame with the id of a send refuses it; one that says to come back later does not.
    fn refused(&mut self, at: u64, number: Option<u64>, error: &ErrorBody) {
        let transient = error.retry_after_s.is_some()
            || ["unavailable", "internal", "storage_full", "rate_limited"]
                .contains(&error.code.as_str());
        let Some(number) = number else { return };
        if transient {
            self.postponed.insert(number);
        } else if self.pending.remove(&number).is_some() {
            let payload = Payload { client: self.number, number };
            self.note(at, Act::Refused { payload });
        }
    }

    fn channel_number(&self, id: &str) -> ChannelNumber {
        self.numbers.get(id).copied().unwrap_or(UNKNOWN_CHANNEL)
    }

    fn send_frame(&self, channel: ChannelNumber, number: u64) -> String {
        let payload = Payload { client: self.number, number };
        let body = json!({
            "channel_id": self.ids.get(&channel),
            "client_id": payload.to_string(),
            "body": format!("{payload} {FILLER}"),
        });
        json!({ "v": 1, "t": "conv.send", "id": number.to_string(), "body": body }).to_string()
    }

    fn note(&mut self, at: u64, act: Act) {
        self.records.push(Record { at, client: self.number, act });
    }
}

/// Something arrived that is no frame of the protocol.
fn phantom(text: &str) -> Act {
    Act::Receive { channel: UNKNOWN_CHANNEL, seq: 0, content: Content::Foreign(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        let numbers = [("channel-0".to_owned(), 0)].into_iter().collect();
        Client::new(0, "token", &["channel-0".to_owned()], Arc::new(numbers))
    }

    #[test]
    fn frames_of_no_interest_leave_no_record() {
        let mut client = client();
        let pong =
            r#"{"v":1,"t":"pong","id":"7","ts":"2026-01-01T00:00:00.000Z","body":{"a":[1]}}"#;
        let typing = r#"{"v":1,"t":"event","body":{"next":"c1","event":{"type":"typing.started",
            "log":null,"seq":null,"data":{"channel_id":"channel-0"}}}}"#;
        assert!(client.frame(1, pong).is_empty());
        assert!(client.frame(2, typing).is_empty());
        assert_eq!(client.frame(3, r#"{"v":1,"t":"ping","body":{}}"#).len(), 1);
        assert_eq!(client.into_records(), []);
    }

    #[test]
    fn unacknowledged_messages_go_out_again_in_order_after_a_reconnect() {
        let mut client = client();
        client.joining(1, 0);
        assert_eq!(client.invoke(2, 0), None);
        client.connected();
        let ready = r#"{"v":1,"t":"session.ready","body":{"user_id":"u","next":"c0"}}"#;
        assert_eq!(client.frame(3, ready).len(), 1);
        assert!(client.invoke(4, 0).is_some());
        client.dropped(5);
        assert!(client.connected().contains(r#""since":"c0""#));
        let again = client.frame(6, ready);
        assert!(again[0].contains("w-0-1") && again[1].contains("w-0-2"), "{again:?}");
        let ack = r#"{"v":1,"t":"conv.acked","id":"1","body":{"channel_id":"channel-0",
            "client_id":"w-0-1","message_id":"m","seq":4}}"#;
        client.frame(7, ack);
        assert_eq!(client.unacknowledged(), 1);
    }

    #[test]
    fn only_a_final_refusal_gives_a_message_up() {
        let mut client = client();
        client.joining(1, 0);
        client.invoke(2, 0);
        let error = |code| format!(r#"{{"v":1,"t":"error","id":"1","body":{{"code":"{code}"}}}}"#);
        client.connected();
        client.frame(2, r#"{"v":1,"t":"session.ready","body":{"user_id":"u","next":"c0"}}"#);
        client.frame(3, &error("storage_full"));
        assert_eq!(client.unacknowledged(), 1);
        assert_eq!(client.retry().len(), 1);
        assert_eq!(client.retry().len(), 0);
        client.frame(4, &error("forbidden"));
        assert_eq!(client.unacknowledged(), 0);
    }
}
