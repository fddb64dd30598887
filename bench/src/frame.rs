//! WebSocket frames (RFC 6455, section 5) read in place and written without a library.
//!
//! A generator that holds a thousand receiving connections on the cores of the server it measures
//! must not copy or parse what it only counts. So frames are found by their length headers in the
//! buffer that `read` filled; the payload is looked at only by who wants to.

use std::io::{Read, Write};
use std::ops::Range;

use anyhow::{Context as _, bail};

/// Opcode of a frame that continues a fragmented message.
pub const CONTINUATION: u8 = 0x0;
/// Opcode of a UTF-8 message.
pub const TEXT: u8 = 0x1;
/// Opcode of a close frame.
pub const CLOSE: u8 = 0x8;
/// Opcode of a ping.
pub const PING: u8 = 0x9;
/// Opcode of a pong.
pub const PONG: u8 = 0xA;

/// The mask of every frame that a bench sends. Masks protect proxies from web pages (RFC 6455,
/// section 10.3); unmasking costs the server the same whatever they are.
pub const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// Longest payload that is accepted: the limit of a Tidings frame, 1 MiB, and a little for headers.
pub const LARGEST: usize = (1 << 20) + 64;

/// Length byte that says: the length follows in 16 bits.
const SHORT: u8 = 0x7E;
/// Length byte that says: the length follows in 64 bits.
const LONG: u8 = 0x7F;

/// Longest head of an HTTP upgrade answer that is read before giving up.
const LARGEST_HEAD: usize = 16 * 1024;

/// Where one frame lies in a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Whether the message ends with this frame.
    pub fin: bool,
    /// One of the opcodes of this module.
    pub opcode: u8,
    /// The key, when the payload is masked (client to server).
    pub mask: Option<[u8; 4]>,
    /// Where the payload lies, counted from the start of the buffer.
    pub payload: Range<usize>,
}

impl Frame {
    /// Bytes of header and payload together: where the next frame begins.
    pub fn end(&self) -> usize {
        self.payload.end
    }
}

/// The frame at the start of `buffer`, or `None` while it is incomplete; fails on a frame that is
/// longer than [`LARGEST`].
pub fn scan(buffer: &[u8]) -> anyhow::Result<Option<Frame>> {
    let [first, second, rest @ ..] = buffer else { return Ok(None) };
    let (length, header) = match second & 0x7F {
        SHORT => match rest {
            [a, b, ..] => (usize::from(u16::from_be_bytes([*a, *b])), 4),
            _ => return Ok(None),
        },
        LONG => match rest.first_chunk::<8>() {
            Some(bytes) => (usize::try_from(u64::from_be_bytes(*bytes)).unwrap_or(usize::MAX), 10),
            None => return Ok(None),
        },
        short => (usize::from(short), 2),
    };
    if length > LARGEST {
        bail!("a frame of {length} bytes, more than the {LARGEST} that are allowed");
    }
    let mut start = header;
    let mut mask = None;
    if second & 0x80 != 0 {
        let Some(key) = buffer.get(header..).and_then(<[u8]>::first_chunk::<4>) else {
            return Ok(None);
        };
        mask = Some(*key);
        start += 4;
    }
    if buffer.len() < start + length {
        return Ok(None);
    }
    let frame = Frame {
        fin: first & 0x80 != 0,
        opcode: first & 0x0F,
        mask,
        payload: start..start + length,
    };
    Ok(Some(frame))
}

/// Appends one whole unmasked frame, as a server sends it.
pub fn put_server(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    put_header(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

/// Appends one whole frame masked with `mask`, as a client sends it.
pub fn put_client(out: &mut Vec<u8>, opcode: u8, payload: &[u8], mask: [u8; 4]) {
    put_header(out, opcode, payload.len(), 0x80);
    out.extend_from_slice(&mask);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(tail) = out.get_mut(start..) {
        apply_mask(tail, mask);
    }
}

/// Appends the header of an unmasked text frame whose payload of `length` bytes follows.
pub fn put_server_header(out: &mut Vec<u8>, length: usize) {
    put_header(out, TEXT, length, 0);
}

fn put_header(out: &mut Vec<u8>, opcode: u8, length: usize, mask_bit: u8) {
    out.push(0x80 | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => out.push(mask_bit | short),
        (_, Ok(medium)) => {
            out.push(mask_bit | SHORT);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(mask_bit | LONG);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// Masks or unmasks in place (the operation is its own inverse).
pub fn apply_mask(payload: &mut [u8], mask: [u8; 4]) {
    for chunk in payload.chunks_mut(4) {
        for (byte, key) in chunk.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
}

/// The opening handshake of a client (RFC 6455, section 4.1), without I/O.
#[derive(Debug)]
pub struct Upgrade {
    request: String,
    key: String,
}

impl Upgrade {
    /// A handshake for `path` at `host`.
    pub fn new(host: &str, path: &str, nonce: [u8; 16]) -> Self {
        let key = encode_key(nonce);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        Self { request, key }
    }

    /// What to send.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// Where the first frame begins in what the server sent, or `None` while its answer is
    /// incomplete; fails when the answer is not `101` with the right key.
    pub fn accept(&self, received: &[u8]) -> anyhow::Result<Option<usize>> {
        let Some(end) = memchr::memmem::find(received, b"\r\n\r\n") else {
            if received.len() > LARGEST_HEAD {
                bail!("the answer to the upgrade has no end");
            }
            return Ok(None);
        };
        check_answer(received.get(..end).unwrap_or_default(), &self.key)?;
        Ok(Some(end + 4))
    }
}

/// Asks `stream` to become a WebSocket and returns what the server sent behind its answer; blocks.
pub fn upgrade(
    stream: &mut (impl Read + Write),
    host: &str,
    path: &str,
    nonce: [u8; 16],
) -> anyhow::Result<Vec<u8>> {
    let upgrade = Upgrade::new(host, path, nonce);
    stream.write_all(upgrade.request().as_bytes()).context("send the upgrade")?;
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = upgrade.accept(&received)? {
            return Ok(received.split_off(end));
        }
        let count = stream.read(&mut chunk).context("read the answer to the upgrade")?;
        if count == 0 {
            bail!("the connection closed during the upgrade");
        }
        received.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
}

/// The key of an upgrade request: 16 bytes in base64 (RFC 6455, section 4.1).
fn encode_key(nonce: [u8; 16]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(24);
    for chunk in nonce.chunks(3) {
        let mut word = 0_u32;
        for index in 0..3 {
            word = word << 8 | u32::from(chunk.get(index).copied().unwrap_or(0));
        }
        for index in 0..4_usize {
            let letter = ALPHABET.get((word >> (18 - 6 * index)) as usize & 63).copied();
            text.push(if index <= chunk.len() { char::from(letter.unwrap_or(b'A')) } else { '=' });
        }
    }
    text
}

fn check_answer(head: &[u8], key: &str) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy(head);
    if !text.starts_with("HTTP/1.1 101") {
        bail!("the server refused the upgrade: {text}");
    }
    let expected = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
    let accepted = text.lines().filter_map(|line| line.split_once(':')).any(|(name, value)| {
        name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == expected
    });
    if !accepted {
        bail!("the answer to the upgrade has the wrong Sec-WebSocket-Accept");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_form_are_read_back() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let payload: Vec<u8> = (0..=250).cycle().take(length).collect();
            let mut wire = Vec::new();
            put_client(&mut wire, TEXT, &payload, [1, 2, 3, 4]);
            for cut in [1, 2, 5, 9, 13].into_iter().filter(|cut| *cut < wire.len()) {
                assert_eq!(scan(&wire[..cut]).unwrap(), None);
            }
            let frame = scan(&wire).unwrap().unwrap();
            assert_eq!(frame.end(), wire.len());
            let mut back = wire[frame.payload.clone()].to_vec();
            apply_mask(&mut back, frame.mask.unwrap());
            assert_eq!(back, payload);
        }
    }

    #[test]
    fn a_frame_beyond_the_limit_is_refused_from_its_header() {
        let mut wire = vec![0x81, 127];
        wire.extend_from_slice(&u64::MAX.to_be_bytes());
        assert!(scan(&wire).is_err());
    }

    #[test]
    fn the_upgrade_key_is_base64_of_its_nonce() {
        // The example of RFC 6455, section 1.3: the sixteen bytes of "the sample nonce".
        assert_eq!(encode_key(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
    }
}
