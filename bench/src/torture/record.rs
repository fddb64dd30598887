//! What torture clients write down; the checker knows nothing else.

use std::io::Write;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A client of the workload, counted from 0.
pub type ClientNumber = u32;

/// A channel of the workload, counted from 0; [`UNKNOWN_CHANNEL`] for one it never made.
pub type ChannelNumber = u32;

/// A channel id that no client of the workload was told.
pub const UNKNOWN_CHANNEL: ChannelNumber = u32::MAX;

/// The unique content of one message: `w-<client>-<number>`, also its client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Payload {
    /// Who sends it.
    pub client: ClientNumber,
    /// Counted from 1 for each client.
    pub number: u64,
}

impl std::fmt::Display for Payload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "w-{}-{}", self.client, self.number)
    }
}

/// A text that is no payload of the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPayload;

impl FromStr for Payload {
    type Err = NoPayload;

    /// Reads the first word of a message body.
    fn from_str(text: &str) -> Result<Self, NoPayload> {
        let word = text.split(' ').next().unwrap_or_default();
        let mut parts = word.splitn(3, '-');
        let (Some("w"), Some(client), Some(number)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NoPayload);
        };
        match (client.parse(), number.parse()) {
            (Ok(client), Ok(number)) => Ok(Self { client, number }),
            _ => Err(NoPayload),
        }
    }
}

/// Something that a client did or saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Act {
    /// It is about to join.
    Joining {
        /// Where.
        channel: ChannelNumber,
    },
    /// It has joined: everything that is invoked from now on must reach it.
    Joined {
        /// Where.
        channel: ChannelNumber,
        /// The last `seq` before its first receipt, when that is certain.
        head: Option<u64>,
    },
    /// It is about to leave: what is sent from now on may or may not reach it.
    Leaving {
        /// Where.
        channel: ChannelNumber,
    },
    /// It saw its own departure at `seq`: nothing after it may reach it.
    Left {
        /// Where.
        channel: ChannelNumber,
        /// The entry of the departure.
        seq: u64,
    },
    /// It sent a message for the first time (repeats are not noted).
    Invoke {
        /// Where.
        channel: ChannelNumber,
        /// What.
        payload: Payload,
    },
    /// The server said that the message is durable.
    Ack {
        /// Where.
        channel: ChannelNumber,
        /// What.
        payload: Payload,
        /// Its place.
        seq: u64,
    },
    /// The server refused the message for good: it may not appear.
    Refused {
        /// What.
        payload: Payload,
    },
    /// An event of a conversation log arrived.
    Receive {
        /// Whose log.
        channel: ChannelNumber,
        /// Its place.
        seq: u64,
        /// For a message: its content, `Err` text when it is none of the workload's.
        content: Content,
    },
    /// The session stands (first frame of the server).
    Ready,
    /// The connection is gone.
    Dropped,
    /// It has the last message of every channel it is in: the run may end.
    Whole,
    /// The operator killed or stopped the server.
    Down,
    /// The operator started the server again.
    Starting,
    /// The server said that it is ready.
    Up,
}

/// What an entry of a log holds for the checker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A message of the workload.
    Message(Payload),
    /// A message that nobody of the workload writes.
    Foreign(String),
    /// A join, a leave, an edit and so on: it only takes a `seq`.
    Other,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Monotonic nanoseconds, comparable over all clients of a run.
    pub at: u64,
    /// Whose log it is; [`OPERATOR`] for what was done to the server.
    pub client: ClientNumber,
    /// What happened.
    pub act: Act,
}

/// The client number under which faults are noted.
pub const OPERATOR: ClientNumber = u32::MAX;

/// Writes records as lines of JSON, so that a run can be checked again later.
pub fn write_lines(records: &[Record], mut out: impl Write) -> anyhow::Result<()> {
    for record in records {
        serde_json::to_writer(&mut out, record)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Reads what [`write_lines`] wrote.
pub fn read_lines(text: &str) -> anyhow::Result<Vec<Record>> {
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read_from_the_first_word_of_a_body() {
        let payload = Payload { client: 3, number: 17 };
        assert_eq!(format!("{payload} some more words").parse(), Ok(payload));
        for text in ["", "w-1", "w-1-x", "x-1-2", "w-1-2-3", "-1-2"] {
            assert_eq!(text.parse::<Payload>(), Err(NoPayload), "{text:?}");
        }
    }

    #[test]
    fn records_survive_their_file() {
        let payload = Payload { client: 1, number: 2 };
        let acts = [
            Act::Joined { channel: 1, head: Some(4) },
            Act::Receive { channel: 1, seq: 5, content: Content::Message(payload) },
            Act::Receive { channel: 1, seq: 6, content: Content::Other },
            Act::Down,
        ];
        let records: Vec<Record> =
            acts.into_iter().map(|act| Record { at: 9, client: 1, act }).collect();
        let mut file = Vec::new();
        write_lines(&records, &mut file).unwrap();
        assert_eq!(read_lines(&String::from_utf8(file).unwrap()).unwrap(), records);
    }
}
