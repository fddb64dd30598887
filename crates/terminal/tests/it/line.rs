//! The line between a person and a server: it can be cut, and hears how WebSockets begin.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// How long to wait for a connection: only a client that does not come back waits that long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A port that hands everything on to a server.
pub(crate) struct Line {
    url: String,
    shared: Arc<Shared>,
    first_frames: Receiver<String>,
}

struct Shared {
    server: String,
    open: Mutex<Vec<TcpStream>>,
    lose_answer: AtomicBool,
    heard: Sender<String>,
}

impl Line {
    pub(crate) fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (heard, first_frames) = channel();
        let shared = Arc::new(Shared {
            server: server.strip_prefix("http://").expect("an address").to_owned(),
            open: Mutex::default(),
            lose_answer: AtomicBool::new(false),
            heard,
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&serving);
                // A connection that breaks is what this is for.
                thread::spawn(move || drop(shared.carry(near)));
            }
        });
        Self { url, shared, first_frames }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The first frame of the next WebSocket.
    pub(crate) fn first_frame(&self) -> Value {
        let text = self.first_frames.recv_timeout(PATIENCE).expect("a WebSocket");
        serde_json::from_str(&text).expect("a frame")
    }

    /// Breaks every connection that is open now.
    pub(crate) fn cut(&self) {
        for stream in self.shared.open.lock().expect("no panic").drain(..) {
            // It may be gone already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets the next WebSocket break once the server has answered its first frame, so that the
    /// answer never arrives.
    pub(crate) fn lose_next_answer(&self) {
        self.shared.lose_answer.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn carry(&self, mut near: TcpStream) -> io::Result<()> {
        let mut far = TcpStream::connect(&self.server)?;
        self.open.lock().expect("no panic").extend([near.try_clone()?, far.try_clone()?]);
        let head = read_head(&mut near)?;
        far.write_all(&head)?;
        if String::from_utf8_lossy(&head).to_lowercase().contains("upgrade: websocket") {
            let answer = read_head(&mut far)?;
            near.write_all(&answer)?;
            let (bytes, text) = read_frame(&mut near)?;
            let lose = self.lose_answer.swap(false, Ordering::SeqCst);
            far.write_all(&bytes)?;
            if lose {
                far.read_exact(&mut [0])?;
                near.shutdown(Shutdown::Both)?;
                far.shutdown(Shutdown::Both)?;
            }
            // The test may have ended.
            let _ = self.heard.send(text);
        }
        let (mut from, mut to) = (far.try_clone()?, near.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
        let copied = io::copy(&mut near, &mut far);
        far.shutdown(Shutdown::Both)?;
        copied.map(drop)
    }
}

/// The head of a request or answer, with the empty line after it.
fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(head)
}

/// A frame of a client, as bytes and as the text in it (RFC 6455, section 5.2).
fn read_frame(stream: &mut TcpStream) -> io::Result<(Vec<u8>, String)> {
    let mut bytes = vec![0; 2];
    stream.read_exact(&mut bytes)?;
    let mut length = usize::from(bytes[1] & 0x7f);
    assert!(length < 127, "a first frame is short");
    if length == 126 {
        let mut long = [0; 2];
        stream.read_exact(&mut long)?;
        bytes.extend(long);
        length = usize::from(u16::from_be_bytes(long));
    }
    let mut mask = [0; 4];
    stream.read_exact(&mut mask)?;
    bytes.extend(mask);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    bytes.extend(&body);
    let plain = body.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Ok((bytes, String::from_utf8(plain).expect("text")))
}
