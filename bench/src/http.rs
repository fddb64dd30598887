//! A small blocking HTTP/1.1 client: one connection, kept alive, so that a measured request costs
//! the generator no more than its two system calls.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;

/// How long an answer may take; a long poll is held for at most 60 s.
const PATIENCE: Duration = Duration::from_secs(75);

/// Longest line of an answer's head.
const LARGEST_LINE: u64 = 16 * 1024;

/// One connection to a server.
#[derive(Debug)]
pub struct Http {
    server: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; fails on a status that is no success, with the body as reason.
    pub fn json<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        self.success()?;
        // An answer without content reads as `null`.
        let body = if self.body.is_empty() { b"null".as_slice() } else { &self.body };
        serde_json::from_slice(body)
            .with_context(|| format!("read {}", String::from_utf8_lossy(body)))
    }

    /// Fails on a status that is no success, with the body as reason.
    pub fn success(&self) -> anyhow::Result<()> {
        if !(200..300).contains(&self.status) {
            bail!("answered {}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        Ok(())
    }
}

impl Http {
    /// A client of `server`; connects with the first request.
    pub fn new(server: SocketAddr) -> Self {
        Self { server, stream: None }
    }

    /// Sends one request and reads its answer. A connection that the server closed since the last
    /// request is opened anew.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> anyhow::Result<Answer> {
        if self.stream.as_ref().is_some_and(|stream| ended(stream.get_ref())) {
            self.stream = None;
        }
        let message = encode(self.server, method, path, token, body);
        let reused = self.stream.is_some();
        match self.exchange(&message) {
            Err(_) if reused && method == "GET" => self.exchange(&message),
            other => other,
        }
        .with_context(|| format!("{method} {path}"))
    }

    /// Sends a request and reads its answer as JSON; fails on a status that is no success.
    pub fn call<T: DeserializeOwned>(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> anyhow::Result<T> {
        let answer = self.request(method, path, token, body)?;
        answer.json().with_context(|| format!("{method} {path}"))
    }

    fn exchange(&mut self, message: &[u8]) -> anyhow::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.server)?,
        };
        stream.get_mut().write_all(message).context("send")?;
        let head = read_head(&mut stream)?;
        let mut body = Vec::new();
        match head.length {
            Length::Known(length) => {
                body.resize(length, 0);
                stream.read_exact(&mut body).context("read the body")?;
            }
            Length::Chunked => {
                Chunked::new(&mut stream).read_to_end(&mut body).context("read the body")?;
            }
        }
        if !head.close {
            self.stream = Some(stream);
        }
        Ok(Answer { status: head.status, body })
    }
}

/// Sends a GET whose answer has no end, such as a stream of events, and returns its body.
pub fn open_stream(
    server: SocketAddr,
    path: &str,
    token: Option<&str>,
) -> anyhow::Result<BufReader<Chunked<BufReader<TcpStream>>>> {
    let mut stream = connect(server)?;
    stream.get_mut().write_all(&encode(server, "GET", path, token, None))?;
    let head = read_head(&mut stream)?;
    if head.status != 200 {
        bail!("GET {path} answered {}", head.status);
    }
    match head.length {
        Length::Chunked => Ok(BufReader::new(Chunked::new(stream))),
        Length::Known(_) => bail!("GET {path} is no stream"),
    }
}

/// Whether the server has closed a connection that nobody is using, as it may after a while.
fn ended(stream: &TcpStream) -> bool {
    let peek = || {
        stream.set_nonblocking(true)?;
        let came = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        came
    };
    !matches!(peek(), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// The bytes of a request.
pub fn encode(
    server: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&str>,
) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {server}\r\n");
    if let Some(token) = token {
        head.extend(["Authorization: Bearer ", token, "\r\n"]);
    }
    let body = body.unwrap_or_default();
    if method != "GET" {
        let length = body.len().to_string();
        head.extend(["Content-Length: ", &length, "\r\n"]);
        if !body.is_empty() {
            head.push_str("Content-Type: application/json\r\n");
        }
    }
    head.push_str("\r\n");
    head.push_str(body);
    head.into_bytes()
}

fn connect(server: SocketAddr) -> anyhow::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(server).with_context(|| format!("connect to {server}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::with_capacity(64 << 10, stream))
}

struct Head {
    status: u16,
    length: Length,
    close: bool,
}

enum Length {
    Known(usize),
    Chunked,
}

fn read_head(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Head> {
    let line = read_line(stream)?;
    let status = line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .with_context(|| format!("no HTTP answer: {line:?}"))?;
    let mut head = Head { status, length: Length::Known(0), close: false };
    loop {
        let line = read_line(stream)?;
        let Some((name, value)) = line.split_once(':') else { break };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            head.length = Length::Known(value.parse().context("read Content-Length")?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            head.length = Length::Chunked;
        } else if name.eq_ignore_ascii_case("connection") {
            head.close = value.eq_ignore_ascii_case("close");
        }
    }
    Ok(head)
}

fn read_line(stream: &mut impl std::io::BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    if stream.take(LARGEST_LINE).read_line(&mut line).context("wait for an answer")? == 0 {
        bail!("the connection ended");
    }
    Ok(line.trim_end().to_owned())
}

/// The content of a chunked body (RFC 9112, section 7.1).
#[derive(Debug)]
pub struct Chunked<R> {
    inner: R,
    /// Bytes left of the chunk that is being read.
    left: usize,
    ended: bool,
}

impl<R: std::io::BufRead> Chunked<R> {
    fn new(inner: R) -> Self {
        Self { inner, left: 0, ended: false }
    }

    fn next_chunk(&mut self) -> std::io::Result<()> {
        let mut line = String::new();
        (&mut self.inner).take(LARGEST_LINE).read_line(&mut line)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        self.left = usize::from_str_radix(size, 16)
            .map_err(|_| std::io::Error::other(format!("no chunk size: {line:?}")))?;
        if self.left == 0 {
            self.ended = true;
            self.skip_line_end()?;
        }
        Ok(())
    }

    fn skip_line_end(&mut self) -> std::io::Result<()> {
        self.inner.read_exact(&mut [0; 2])
    }
}

impl<R: std::io::BufRead> Read for Chunked<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 && !self.ended {
            self.next_chunk()?;
        }
        if self.ended {
            return Ok(0);
        }
        let wanted = out.len().min(self.left);
        let count = self.inner.read(out.get_mut(..wanted).unwrap_or_default())?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count;
        if self.left == 0 {
            self.skip_line_end()?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_their_end_is_found() {
        let wire = b"4\r\nWiki\r\n6;x=1\r\npedia \r\n0\r\n\r\nnext answer";
        let mut rest = wire.as_slice();
        let mut text = String::new();
        Chunked::new(&mut rest).read_to_string(&mut text).unwrap();
        assert_eq!(text, "Wikipedia ");
        assert_eq!(rest, b"next answer");
    }

    #[test]
    fn a_chunk_that_is_cut_off_is_an_error() {
        for wire in ["4\r\nWi", "x\r\n", "", "4\r\nWiki\r\n"] {
            let mut text = String::new();
            assert!(Chunked::new(wire.as_bytes()).read_to_string(&mut text).is_err(), "{wire:?}");
        }
    }
}
