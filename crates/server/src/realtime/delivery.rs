//! What is delivered: events that were encoded once, shared by every connection.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tidings_domain::Position;

use super::cursor::Cursor;

/// One event on its way.
#[derive(Debug, Clone)]
pub struct LiveEvent {
    /// Its position; none for ephemeral events, which no cursor passes.
    pub position: Option<Position>,
    /// Its type.
    pub kind: Arc<str>,
    /// The event as JSON.
    pub event: Bytes,
}

/// Events of one log that were committed together, in order of positions and with no other log's
/// events between them. Each transport's bytes are made when the first connection wants them.
#[derive(Debug)]
pub struct Delivery {
    generation: u64,
    events: Vec<LiveEvent>,
    websocket: OnceLock<Bytes>,
    sse: OnceLock<Bytes>,
}

impl Delivery {
    /// Events to deliver together; at least one.
    pub fn new(generation: u64, events: Vec<LiveEvent>) -> Self {
        Self { generation, events, websocket: OnceLock::new(), sse: OnceLock::new() }
    }

    /// The events.
    pub fn events(&self) -> &[LiveEvent] {
        &self.events
    }

    /// The newest position; none when all events are ephemeral.
    pub fn last(&self) -> Option<Position> {
        self.events.iter().rev().find_map(|event| event.position)
    }

    /// The oldest position; none when all events are ephemeral.
    pub fn first(&self) -> Option<Position> {
        self.events.iter().find_map(|event| event.position)
    }

    /// About how much memory the events hold, in bytes.
    pub fn size(&self) -> usize {
        self.events.iter().map(|event| event.event.len() + 128).sum()
    }

    /// All events as WebSocket frames, one after another.
    pub fn websocket(&self) -> Bytes {
        self.websocket
            .get_or_init(|| {
                let mut out = Vec::with_capacity(self.size());
                for event in &self.events {
                    websocket_event(&mut out, self.generation, event.position, &event.event);
                }
                Bytes::from(out)
            })
            .clone()
    }

    /// All events as server-sent events, one after another.
    pub fn sse(&self) -> Bytes {
        self.sse
            .get_or_init(|| {
                let mut out = Vec::with_capacity(self.size());
                for event in &self.events {
                    sse_event(&mut out, self.generation, event);
                }
                Bytes::from(out)
            })
            .clone()
    }
}

/// Appends one `event` frame.
pub fn websocket_event(
    out: &mut Vec<u8>,
    generation: u64,
    position: Option<Position>,
    event: &[u8],
) {
    let mut head = String::with_capacity(80);
    match position {
        Some(position) => {
            let next = Cursor { generation, position };
            // Writing to a string cannot fail.
            let _ = write!(head, r#"{{"v":1,"t":"event","body":{{"next":"{next}","event":"#);
        }
        None => head.push_str(r#"{"v":1,"t":"event","body":{"event":"#),
    }
    text_header(out, head.len() + event.len() + 2);
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(event);
    out.extend_from_slice(b"}}");
}

/// Appends one text frame (RFC 6455, section 5.2): final, unmasked, as servers send them.
pub fn websocket_text(out: &mut Vec<u8>, payload: &[u8]) {
    text_header(out, payload.len());
    out.extend_from_slice(payload);
}

fn text_header(out: &mut Vec<u8>, length: usize) {
    const FINAL_TEXT: u8 = 0x81;
    out.push(FINAL_TEXT);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..126), _) => out.push(short),
        (_, Ok(medium)) => {
            out.push(126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// Appends one server-sent event (WHATWG HTML, section 9.2). JSON has no raw line breaks, so one
/// `data` line holds it.
pub fn sse_event(out: &mut Vec<u8>, generation: u64, event: &LiveEvent) {
    if let Some(position) = event.position {
        let next = Cursor { generation, position };
        out.extend_from_slice(format!("id: {next}\n").as_bytes());
    }
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(event.kind.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(&event.event);
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(position: Option<u64>, length: usize) -> LiveEvent {
        LiveEvent {
            position: position.map(Position),
            kind: Arc::from("message.created"),
            event: Bytes::from(format!("\"{}\"", "x".repeat(length))),
        }
    }

    #[test]
    fn frames_have_the_length_that_their_header_says() {
        for length in [0, 10, 40, 125, 126, 1000, 65_500, 70_000] {
            let delivery = Delivery::new(255, vec![event(Some(7), length), event(None, length)]);
            let bytes = delivery.websocket();
            let mut rest = &bytes[..];
            let mut frames = 0;
            while !rest.is_empty() {
                assert_eq!(rest[0], 0x81);
                let (size, from) = match rest[1] {
                    126 => (usize::from(u16::from_be_bytes([rest[2], rest[3]])), 4),
                    127 => {
                        let size = u64::from_be_bytes(rest[2..10].try_into().unwrap());
                        (usize::try_from(size).unwrap(), 10)
                    }
                    short => (usize::from(short), 2),
                };
                let payload = &rest[from..from + size];
                let value: serde_json::Value = serde_json::from_slice(payload).unwrap();
                assert_eq!(value["t"], "event");
                assert_eq!(value["body"].get("next").is_some(), frames == 0);
                rest = &rest[from + size..];
                frames += 1;
            }
            assert_eq!(frames, 2);
        }
    }

    #[test]
    fn server_sent_events_carry_the_cursor_only_when_durable() {
        let delivery = Delivery::new(255, vec![event(Some(7), 1), event(None, 1)]);
        assert_eq!(
            delivery.sse(),
            "id: 00000000000000ff-7\nevent: message.created\ndata: \"x\"\n\n\
             event: message.created\ndata: \"x\"\n\n"
        );
        assert_eq!((delivery.first(), delivery.last()), (Some(Position(7)), Some(Position(7))));
    }
}
