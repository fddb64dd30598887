//! A right server in two hundred lines, without I/O: the other end of the simulation.
//!
//! It speaks the frames of the public API, keeps one log in memory (which a restart does not
//! touch) and remembers of each connection only how far it has been served.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::record::{ChannelNumber, ClientNumber};

/// One connection to the model; never used again after it closed.
pub type Connection = u64;

/// A durable entry.
#[derive(Debug, Clone)]
struct Entry {
    channel: ChannelNumber,
    /// Encoded once, as a real server does.
    event: String,
    /// Who may see it though they are not members (any more).
    also: Option<ClientNumber>,
}

/// The server's durable state and its connections.
#[derive(Debug, Default)]
pub struct Model {
    entries: Vec<Entry>,
    heads: BTreeMap<ChannelNumber, u64>,
    members: BTreeSet<(ChannelNumber, ClientNumber)>,
    /// Places of acknowledged client ids.
    known: BTreeMap<(ChannelNumber, ClientNumber, String), u64>,
    sessions: BTreeMap<Connection, Session>,
}

#[derive(Debug)]
struct Session {
    client: ClientNumber,
    /// Entries before this have been served.
    position: usize,
}

/// The id of a channel, as clients know it.
pub fn channel_id(channel: ChannelNumber) -> String {
    format!("channel-{channel}")
}

/// The token of a client.
pub fn token(client: ClientNumber) -> String {
    format!("token-{client}")
}

impl Model {
    /// The last `seq` of `channel`.
    pub fn head(&self, channel: ChannelNumber) -> u64 {
        self.heads.get(&channel).copied().unwrap_or(0)
    }

    /// Puts `client` into `channel`.
    pub fn join(&mut self, client: ClientNumber, channel: ChannelNumber) {
        if self.members.insert((channel, client)) {
            let user = json!({ "user": { "id": token(client) } });
            self.append(channel, client, "member.joined", &user, None);
        }
    }

    /// Takes `client` out of `channel`; it still sees its own departure.
    pub fn leave(&mut self, client: ClientNumber, channel: ChannelNumber) {
        if self.members.remove(&(channel, client)) {
            let user = json!({ "user": { "id": token(client) } });
            self.append(channel, client, "member.left", &user, Some(client));
        }
    }

    /// The connection is gone.
    pub fn close(&mut self, connection: Connection) {
        self.sessions.remove(&connection);
    }

    /// Takes a frame of a client and returns the direct answers.
    pub fn frame(&mut self, connection: Connection, text: &str) -> Vec<String> {
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        let field = |name: &str| frame.get("body").and_then(|body| body.get(name)?.as_str());
        match frame.get("t").and_then(Value::as_str) {
            Some("session.start") => {
                let client = field("token").and_then(|token| token.strip_prefix("token-"));
                let Some(client) = client.and_then(|number| number.parse().ok()) else {
                    return Vec::new();
                };
                let position = field("since").and_then(|since| since.parse().ok());
                let position = position.unwrap_or(self.entries.len());
                self.sessions.insert(connection, Session { client, position });
                let body = json!({ "user_id": token(client), "next": position.to_string() });
                vec![json!({ "v": 1, "t": "session.ready", "body": body }).to_string()]
            }
            Some("conv.send") => {
                let (channel, client_id) = (field("channel_id"), field("client_id"));
                let text = field("body").unwrap_or_default();
                self.send(connection, channel, client_id, text).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn send(
        &mut self,
        connection: Connection,
        channel_text: Option<&str>,
        client_id: Option<&str>,
        body: &str,
    ) -> Option<String> {
        let client = self.sessions.get(&connection)?.client;
        let channel = channel_text?.strip_prefix("channel-")?.parse().ok()?;
        let key = (channel, client, client_id?.to_owned());
        let seq = if let Some(seq) = self.known.get(&key) {
            *seq
        } else {
            let data = json!({ "client_id": client_id, "body": body });
            let seq = self.append(channel, client, "message.created", &data, None);
            self.known.insert(key, seq);
            seq
        };
        let body = json!({ "channel_id": channel_text, "client_id": client_id, "seq": seq });
        Some(json!({ "v": 1, "t": "conv.acked", "body": body }).to_string())
    }

    /// The next event for `connection`, when it has not been served everything.
    pub fn next_event(&mut self, connection: Connection) -> Option<String> {
        let session = self.sessions.get_mut(&connection)?;
        loop {
            let entry = self.entries.get(session.position)?;
            session.position += 1;
            let member = self.members.contains(&(entry.channel, session.client));
            if member || entry.also == Some(session.client) {
                let (next, event) = (session.position, &entry.event);
                return Some(format!(
                    r#"{{"v":1,"t":"event","body":{{"next":"{next}","event":{event}}}}}"#
                ));
            }
        }
    }

    fn append(
        &mut self,
        channel: ChannelNumber,
        actor: ClientNumber,
        kind: &str,
        data: &Value,
        also: Option<ClientNumber>,
    ) -> u64 {
        let head = self.heads.entry(channel).or_default();
        *head += 1;
        let id = channel_id(channel);
        let event = json!({
            "type": kind, "log": format!("c:{id}"), "seq": *head, "channel_id": id,
            "actor_id": token(actor), "data": data,
        })
        .to_string();
        self.entries.push(Entry { channel, event, also });
        *head
    }
}
