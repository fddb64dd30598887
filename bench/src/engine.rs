//! The load generator's sockets: one thread, one epoll loop, frames counted where they were read.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use tidings_wire::account::Secret;
use tidings_wire::frame::SessionStart;

use crate::frame;

/// Bytes that one `read` may bring: a burst of a few hundred events.
const SCRATCH: usize = 256 << 10;

/// How long set-up waits for one answer of the server before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A WebSocket that is still read and written by blocking calls, for its first frames.
#[derive(Debug)]
pub struct Greeter {
    pub(crate) stream: std::net::TcpStream,
    pub(crate) carry: Vec<u8>,
}

impl Greeter {
    /// Connects and upgrades; blocks at most twenty seconds per step.
    pub fn connect(server: SocketAddr, path: &str) -> anyhow::Result<Self> {
        let mut stream = std::net::TcpStream::connect_timeout(&server, PATIENCE)
            .with_context(|| format!("connect to {server}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let carry = frame::upgrade(&mut stream, &server.to_string(), path, *b"the sample nonce")?;
        Ok(Self { stream, carry })
    }

    /// Opens a session with `token` at the cursor `since`, or at the head, and waits until it stands.
    pub fn session(server: SocketAddr, token: &str, since: Option<&str>) -> anyhow::Result<Self> {
        let mut greeter = Self::connect(server, "/v1/ws")?;
        let body = SessionStart {
            token: Some(Secret(token.to_owned())),
            device_id: None,
            since: since.map(ToOwned::to_owned),
        };
        let body = serde_json::to_string(&body)?;
        greeter.send(&format!(r#"{{"v":1,"t":"session.start","body":{body}}}"#))?;
        let answer = greeter.receive()?;
        if !answer.contains("\"session.ready\"") {
            bail!("no session: {answer}");
        }
        Ok(greeter)
    }

    /// Sends one text frame.
    pub fn send(&mut self, text: &str) -> anyhow::Result<()> {
        let mut out = Vec::with_capacity(text.len() + 14);
        frame::put_client(&mut out, frame::TEXT, text.as_bytes(), frame::MASK);
        self.stream.write_all(&out).context("send a frame")
    }

    /// The next text frame; blocks.
    pub fn receive(&mut self) -> anyhow::Result<String> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(found) = frame::scan(&self.carry)? {
                let rest = self.carry.split_off(found.end());
                let whole = std::mem::replace(&mut self.carry, rest);
                let payload = whole.get(found.payload).unwrap_or_default();
                match found.opcode {
                    frame::TEXT => return Ok(String::from_utf8(payload.to_vec())?),
                    frame::CLOSE => bail!("closed: {}", String::from_utf8_lossy(payload)),
                    _ => continue,
                }
            }
            let count = self.stream.read(&mut chunk).context("wait for a frame")?;
            if count == 0 {
                bail!("the connection ended");
            }
            self.carry.extend_from_slice(chunk.get(..count).unwrap_or_default());
        }
    }
}

/// One connection in the loop.
#[derive(Debug)]
struct Peer {
    stream: TcpStream,
    carry: Vec<u8>,
    out: Vec<u8>,
    /// How much of `out` has been written.
    written: usize,
}

/// A set of connections and the loop over them.
#[derive(Debug)]
pub struct Engine {
    poll: Poll,
    events: Events,
    peers: BTreeMap<usize, Peer>,
    next: usize,
    scratch: Vec<u8>,
}

impl Engine {
    /// An engine without connections.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            peers: BTreeMap::new(),
            next: 0,
            scratch: vec![0; SCRATCH],
        })
    }

    /// Takes over a greeted connection and returns its number.
    pub fn adopt(&mut self, greeter: Greeter) -> anyhow::Result<usize> {
        let Greeter { stream, carry } = greeter;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let number = self.next;
        self.next += 1;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(number), interest)?;
        self.peers.insert(number, Peer { stream, carry, out: Vec::new(), written: 0 });
        Ok(number)
    }

    /// Closes connection `number`.
    pub fn close(&mut self, number: usize) {
        self.peers.remove(&number);
    }

    /// How many connections are open.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether no connection is open.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// Puts one text frame behind what `number` has to send; [`Engine::flush`] sends it.
    pub fn queue(&mut self, number: usize, payload: &[u8]) -> anyhow::Result<()> {
        let peer = self.peers.get_mut(&number).context("send on a closed connection")?;
        frame::put_client(&mut peer.out, frame::TEXT, payload, frame::MASK);
        Ok(())
    }

    /// Writes what `number` has to send; what does not fit follows when the socket has room.
    pub fn flush(&mut self, number: usize) -> anyhow::Result<()> {
        self.peers.get_mut(&number).map_or(Ok(()), write_out)
    }

    /// Waits at most `limit` for traffic and hands every text frame to `on_frame` with the number
    /// of its connection. Fails when a connection ends or is closed by the server.
    pub fn turn(
        &mut self,
        limit: Duration,
        mut on_frame: impl FnMut(usize, &[u8]),
    ) -> anyhow::Result<()> {
        match self.poll.poll(&mut self.events, Some(limit)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let number = event.token().0;
            let Some(peer) = self.peers.get_mut(&number) else { continue };
            if event.is_writable() {
                write_out(peer)?;
            }
            if event.is_readable() {
                read_in(peer, &mut self.scratch, |text| on_frame(number, text))
                    .with_context(|| format!("connection {number}"))?;
            }
        }
        Ok(())
    }
}

fn write_out(peer: &mut Peer) -> anyhow::Result<()> {
    while let Some(rest) = peer.out.get(peer.written..).filter(|rest| !rest.is_empty()) {
        match peer.stream.write(rest) {
            Ok(0) => bail!("the server stopped reading"),
            Ok(count) => peer.written += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("write"),
        }
    }
    peer.out.clear();
    peer.written = 0;
    Ok(())
}

fn read_in(
    peer: &mut Peer,
    scratch: &mut [u8],
    mut on_text: impl FnMut(&[u8]),
) -> anyhow::Result<()> {
    loop {
        let count = match peer.stream.read(scratch) {
            Ok(0) => bail!("the server ended the connection"),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("read"),
        };
        let fresh = scratch.get(..count).unwrap_or_default();
        let mut replies = Vec::new();
        if peer.carry.is_empty() {
            let used = split(fresh, &mut replies, &mut on_text)?;
            peer.carry.extend_from_slice(fresh.get(used..).unwrap_or_default());
        } else {
            peer.carry.extend_from_slice(fresh);
            let used = split(&peer.carry, &mut replies, &mut on_text)?;
            peer.carry.drain(..used);
        }
        if !replies.is_empty() {
            peer.out.extend_from_slice(&replies);
            write_out(peer)?;
        }
        // A short read emptied the socket; epoll reports what comes after it (epoll(7)).
        if count < scratch.len() {
            return Ok(());
        }
    }
}

/// Hands out the whole frames in `buffer`, answers pings, and returns how many bytes were used.
fn split(
    buffer: &[u8],
    replies: &mut Vec<u8>,
    on_text: &mut impl FnMut(&[u8]),
) -> anyhow::Result<usize> {
    let mut at = 0;
    while let Some(rest) = buffer.get(at..) {
        let Some(found) = frame::scan(rest)? else { break };
        let payload = rest.get(found.payload.clone()).unwrap_or_default();
        match found.opcode {
            frame::TEXT if found.fin => on_text(payload),
            frame::PING => frame::put_client(replies, frame::PONG, payload, frame::MASK),
            frame::PONG => {}
            frame::CLOSE => bail!("the server closed: {}", String::from_utf8_lossy(payload)),
            other => bail!("an unexpected frame with opcode {other}, fin {}", found.fin),
        }
        at += found.end();
    }
    Ok(at)
}
