//! The broadcaster: what B1, B1b, B1c and B2 are measured against.
//!
//! A connection to `/room/<n>` is a member of that room. A text frame is a message: it is written
//! to `SQLite` (WAL, `synchronous=FULL`, one commit for all that wait), and only then acknowledged to
//! its sender (`a` + the first 36 bytes) and delivered to every member (`e<seq> ` + the message,
//! padded with spaces to the length of a Tidings event). All frames of a commit leave in one write
//! per connection. One thread does the network, one the disk.

use std::collections::{BTreeMap, VecDeque};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context as _, bail};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::store::{Append, Writer};
use crate::frame;

const LISTENER: Token = Token(usize::MAX);
const COMMITTED: Token = Token(usize::MAX - 1);

/// Bytes of a message that come back in its acknowledgement: enough for a UUID or our number.
const ECHO: usize = 36;

/// Bytes that may wait for a member that does not read before it is cut off.
const LARGEST_BACKLOG: usize = 64 << 20;

/// How to run the broadcaster.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address to listen on; port 0 for any.
    pub listen: SocketAddr,
    /// An existing folder for the database.
    pub data: PathBuf,
    /// Payload length of every delivered frame, in bytes.
    pub pad: usize,
}

/// Serves until the process is killed; says `listening on ADDRESS` first.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(options.listen)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let writer = Writer::start(&options.data, Waker::new(poll.registry(), COMMITTED)?)?;
    crate::report::say(&format!("listening on {}", listener.local_addr()?));
    let mut hub = Hub {
        members: Vec::new(),
        rooms: BTreeMap::new(),
        writer,
        pad: options.pad,
        scratch: vec![0; 256 << 10],
    };
    let mut events = Events::with_capacity(1024);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            match event.token() {
                LISTENER => hub.accept(&listener, &poll)?,
                COMMITTED => hub.deliver()?,
                Token(index) => hub.serve(index, event.is_readable(), event.is_writable())?,
            }
        }
    }
}

/// One connection.
struct Member {
    stream: TcpStream,
    /// `None` until the upgrade.
    room: Option<u32>,
    /// What was read and is not yet a whole frame (or a whole request head).
    carry: Vec<u8>,
    /// What could not be written yet: shared buffers and how much of each has gone.
    backlog: VecDeque<(Rc<Vec<u8>>, usize)>,
}

struct Hub {
    members: Vec<Option<Member>>,
    rooms: BTreeMap<u32, Vec<usize>>,
    writer: Writer,
    pad: usize,
    scratch: Vec<u8>,
}

impl Hub {
    fn accept(&mut self, listener: &TcpListener, poll: &Poll) -> anyhow::Result<()> {
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("accept"),
            };
            stream.set_nodelay(true)?;
            let token = Token(self.members.len());
            poll.registry().register(
                &mut stream,
                token,
                Interest::READABLE | Interest::WRITABLE,
            )?;
            let member = Member { stream, room: None, carry: Vec::new(), backlog: VecDeque::new() };
            self.members.push(Some(member));
        }
    }

    /// Reads and writes what `index` is ready for; a connection that fails is dropped alone.
    fn serve(&mut self, index: usize, readable: bool, writable: bool) -> anyhow::Result<()> {
        let Some(Some(member)) = self.members.get_mut(index) else { return Ok(()) };
        let mut alive = !writable || flush(member);
        if alive && readable {
            alive = read(member, &mut self.scratch);
            if member.room.is_none() {
                match admit(member) {
                    Ok(Some(room)) => self.rooms.entry(room).or_default().push(index),
                    Ok(None) => {}
                    Err(_) => alive = false,
                }
            }
            alive = self.take_frames(index)? && alive;
        }
        if !alive {
            self.drop_member(index);
        }
        Ok(())
    }

    /// Hands every whole frame to the writer; false when the connection is to be dropped.
    fn take_frames(&mut self, index: usize) -> anyhow::Result<bool> {
        let Some(Some(member)) = self.members.get_mut(index) else { return Ok(false) };
        let Some(room) = member.room else { return Ok(true) };
        let mut at = 0;
        while let Some(rest) = member.carry.get(at..) {
            let Ok(found) = frame::scan(rest) else { return Ok(false) };
            let Some(found) = found else { break };
            let mut payload = rest.get(found.payload.clone()).unwrap_or_default().to_vec();
            let (Some(mask), frame::TEXT) = (found.mask, found.opcode) else { return Ok(false) };
            frame::apply_mask(&mut payload, mask);
            self.writer.append(Append { room, sender: index, payload, seq: 0 })?;
            at += found.end();
        }
        member.carry.drain(..at);
        Ok(true)
    }

    /// Acknowledges and delivers every committed batch, one write per connection and batch.
    fn deliver(&mut self) -> anyhow::Result<()> {
        while let Some(batch) = self.writer.committed() {
            let mut joined: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
            let mut acks: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
            for append in &batch {
                let echo = append.payload.get(..ECHO).unwrap_or(&append.payload);
                let ack = acks.entry(append.sender).or_default();
                frame::put_server_header(ack, echo.len() + 1);
                ack.push(b'a');
                ack.extend_from_slice(echo);
                put_event(joined.entry(append.room).or_default(), append, self.pad)?;
            }
            for (room, events) in joined {
                let events = Rc::new(events);
                for index in self.rooms.get(&room).cloned().unwrap_or_default() {
                    let bytes = match acks.remove(&index) {
                        Some(mut own) => {
                            own.extend_from_slice(&events);
                            Rc::new(own)
                        }
                        None => Rc::clone(&events),
                    };
                    self.push(index, bytes);
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, index: usize, bytes: Rc<Vec<u8>>) {
        let Some(Some(member)) = self.members.get_mut(index) else { return };
        member.backlog.push_back((bytes, 0));
        let waiting: usize = member.backlog.iter().map(|(bytes, sent)| bytes.len() - sent).sum();
        // While older bytes wait, the socket is full: its next writable event flushes all of them.
        let alive = member.backlog.len() > 1 || flush(member);
        if !alive || waiting > LARGEST_BACKLOG {
            self.drop_member(index);
        }
    }

    fn drop_member(&mut self, index: usize) {
        let Some(member) = self.members.get_mut(index).and_then(Option::take) else { return };
        if let Some(members) = member.room.and_then(|room| self.rooms.get_mut(&room)) {
            members.retain(|other| *other != index);
        }
    }
}

/// `e<seq> <message>` padded with spaces to `pad` bytes of payload.
fn put_event(out: &mut Vec<u8>, append: &Append, pad: usize) -> anyhow::Result<()> {
    let number = append.seq.to_string();
    let length = (number.len() + 2 + append.payload.len()).max(pad);
    frame::put_server_header(out, length);
    let end = out.len() + length;
    write!(out, "e{number} ")?;
    out.extend_from_slice(&append.payload);
    out.resize(end, b' ');
    Ok(())
}

/// Reads until the socket is empty; false when it has ended.
fn read(member: &mut Member, scratch: &mut [u8]) -> bool {
    loop {
        match member.stream.read(scratch) {
            Ok(0) => return false,
            Ok(count) => {
                member.carry.extend_from_slice(scratch.get(..count).unwrap_or_default());
                // A short read emptied the socket; epoll reports what comes after it (epoll(7)).
                if count < scratch.len() {
                    return true;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}

/// Writes the backlog until it is empty or the socket full; false when the socket has ended.
fn flush(member: &mut Member) -> bool {
    while let Some((bytes, sent)) = member.backlog.front_mut() {
        match member.stream.write(bytes.get(*sent..).unwrap_or_default()) {
            Ok(0) => return false,
            Ok(count) => {
                *sent += count;
                if *sent == bytes.len() {
                    member.backlog.pop_front();
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}

/// Answers the upgrade once its head is complete, and says which room it asked for.
fn admit(member: &mut Member) -> anyhow::Result<Option<u32>> {
    let Some(end) = memchr::memmem::find(&member.carry, b"\r\n\r\n") else { return Ok(None) };
    let rest = member.carry.split_off(end + 4);
    let head = String::from_utf8(std::mem::replace(&mut member.carry, rest))?;
    let room = head
        .strip_prefix("GET /room/")
        .and_then(|rest| rest.split_once(' '))
        .context("no room in the request")?
        .0
        .parse()?;
    let Some((_, key)) = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
    else {
        bail!("no Sec-WebSocket-Key");
    };
    let accept = derive_accept_key(key.trim().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    member.backlog.push_back((Rc::new(answer.into_bytes()), 0));
    member.room = Some(room);
    if !flush(member) {
        bail!("the connection closed during the upgrade");
    }
    Ok(Some(room))
}
