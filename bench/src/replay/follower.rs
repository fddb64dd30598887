//! A follower: knows the channels only from the events of one transport.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::BufRead as _;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use tidings_wire::message::Message;

use crate::clock::Stopwatch;
use crate::engine::Greeter;
use crate::http::{self, Http};

/// How long no event may come before a follower gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// The ways to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// `GET /v1/sync` in a loop.
    LongPoll,
    /// `GET /v1/stream`.
    Sse,
    /// `GET /v1/ws`.
    WebSocket,
}

/// Where each followed channel's log ends; known once the replay has ended.
pub(super) type Heads = BTreeMap<String, u64>;

/// What a follower has made of the events.
#[derive(Debug, Default)]
pub(super) struct View {
    /// Messages by channel id and message id.
    pub(super) channels: HashMap<String, BTreeMap<String, Message>>,
    /// The last `seq` of each channel.
    pub(super) heads: Heads,
    /// Events of conversation logs.
    pub(super) events: usize,
    /// The `seq` of messages whose content was erased before the follower came to them, by channel.
    pub(super) erased: HashMap<String, BTreeSet<u64>>,
    /// Deletions of such messages: who knows no content knows no id.
    pub(super) unknown_deletions: usize,
}

/// An event, as far as a follower reads it.
#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    log: Option<String>,
    seq: Option<u64>,
    channel_id: Option<String>,
    /// Null once erased.
    data: Option<Value>,
}

impl View {
    /// Takes one event; fails on a gap, a repeat or something about an unknown message.
    fn take(&mut self, event: Event) -> anyhow::Result<()> {
        let (Some(log), Some(seq), Some(channel)) = (event.log, event.seq, event.channel_id) else {
            return Ok(());
        };
        if !log.starts_with("c:") {
            return Ok(());
        }
        self.events += 1;
        let last = self.heads.insert(channel.clone(), seq);
        let last = last.with_context(|| format!("an event of the unknown channel {channel}"))?;
        ensure!(seq == last + 1, "channel {channel}: seq {seq} after {last}");
        let messages = self.channels.entry(channel.clone()).or_default();
        let Some(data) = event.data else {
            if event.kind == "message.created" {
                self.erased.entry(channel).or_default().insert(seq);
            }
            return Ok(());
        };
        match event.kind.as_str() {
            "message.created" => {
                let message: Message = serde_json::from_value(data)?;
                let id = message.id.to_string();
                ensure!(messages.insert(id, message).is_none(), "a message is created twice");
            }
            "message.edited" => {
                let message: Message = serde_json::from_value(data)?;
                let known = messages.get_mut(&message.id.to_string());
                *known.context("an edit of an unknown message")? = message;
            }
            "message.deleted" => {
                let id = data.get("id").and_then(Value::as_str).unwrap_or_default();
                match messages.get_mut(id) {
                    Some(known) => {
                        known.deleted = true;
                        known.body.clear();
                        known.body_html.clear();
                    }
                    None => self.unknown_deletions += 1,
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the message at `seq` came without its content.
    pub(super) fn has_erased(&self, channel: &str, seq: u64) -> bool {
        self.erased.get(channel).is_some_and(|erased| erased.contains(&seq))
    }

    fn reached(&self, heads: &Heads) -> bool {
        heads.iter().all(|(channel, head)| self.heads.get(channel).is_some_and(|own| own >= head))
    }
}

/// Follows from a cursor, at which every log had a known head, until every log has reached its last.
/// `heads` says where that is, as soon as it is known.
pub(super) fn follow(
    transport: Transport,
    server: SocketAddr,
    token: &str,
    (since, start): (&str, &Heads),
    heads: impl Fn() -> Option<Heads>,
) -> anyhow::Result<View> {
    let mut view = View { heads: start.clone(), ..View::default() };
    let mut quiet = Stopwatch::start();
    let mut known: Option<Heads> = None;
    let mut done = |view: &View, moved: bool| -> anyhow::Result<bool> {
        if moved {
            quiet = Stopwatch::start();
        }
        known = known.take().or_else(&heads);
        if known.as_ref().is_some_and(|heads| view.reached(heads)) {
            return Ok(true);
        }
        if known.is_some() && quiet.elapsed() > PATIENCE {
            let open = known.iter().flatten().find(|(id, head)| view.heads.get(*id) < Some(*head));
            bail!("{transport:?} does not reach all heads; first: {open:?}");
        }
        Ok(false)
    };
    match transport {
        Transport::LongPoll => poll(server, token, since, &mut view, &mut done)?,
        Transport::Sse => stream(server, token, since, &mut view, &mut done)?,
        Transport::WebSocket => socket(server, token, since, &mut view, &mut done)?,
    }
    Ok(view)
}

type Done<'a> = &'a mut dyn FnMut(&View, bool) -> anyhow::Result<bool>;

fn poll(
    server: SocketAddr,
    token: &str,
    since: &str,
    view: &mut View,
    done: Done<'_>,
) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Page {
        next: String,
        events: Vec<Event>,
    }
    let mut http = Http::new(server);
    let mut since = since.to_owned();
    while !done(view, false)? {
        let path = format!("/v1/sync?since={since}&timeout=1&limit=1000");
        let page: Page = http.call("GET", &path, Some(token), None)?;
        since = page.next;
        let moved = !page.events.is_empty();
        for event in page.events {
            view.take(event)?;
        }
        if done(view, moved)? {
            break;
        }
    }
    Ok(())
}

fn stream(
    server: SocketAddr,
    token: &str,
    since: &str,
    view: &mut View,
    done: Done<'_>,
) -> anyhow::Result<()> {
    let mut stream = http::open_stream(server, &format!("/v1/stream?since={since}"), Some(token))?;
    let mut data = String::new();
    let mut line = String::new();
    while !done(view, false)? {
        line.clear();
        ensure!(stream.read_line(&mut line)? > 0, "the stream ended");
        let text = line.trim_end();
        if let Some(more) = text.strip_prefix("data:") {
            data.push_str(more.trim_start());
        } else if text.is_empty() && !data.is_empty() {
            view.take(serde_json::from_str(&data).with_context(|| data.clone())?)?;
            data.clear();
            if done(view, true)? {
                break;
            }
        }
    }
    Ok(())
}

fn socket(
    server: SocketAddr,
    token: &str,
    since: &str,
    view: &mut View,
    done: Done<'_>,
) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Body {
        event: Event,
    }
    #[derive(Deserialize)]
    struct Frame {
        t: String,
        body: Value,
    }
    let mut greeter = Greeter::session(server, token, Some(since))?;
    while !done(view, false)? {
        let text = greeter.receive()?;
        let frame: Frame = serde_json::from_str(&text).with_context(|| text.clone())?;
        match frame.t.as_str() {
            "event" => {
                let body: Body = serde_json::from_value(frame.body)?;
                view.take(body.event)?;
                if done(view, true)? {
                    break;
                }
            }
            "ping" => greeter.send(r#"{"v":1,"t":"pong","body":{}}"#)?,
            "error" => bail!("the server answered {text}"),
            _ => {}
        }
    }
    Ok(())
}
