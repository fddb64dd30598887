//! Server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;
use std::time::Duration;

use tidings_wire::Event;

use super::{Cursor, Driver, End, Update};

/// Largest event, in bytes: a frame of a WebSocket may have 1 MiB, and a page's limits are alike.
const EVENT_MAX: usize = 4 << 20;

/// How long the head of the answer may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

impl Driver {
    pub(super) async fn sse(&mut self, cursor: Cursor) -> Result<Infallible, End> {
        let request = self
            .client
            .get(&["v1", "stream"])
            .query("since", cursor.as_str())
            .header(http::header::ACCEPT, "text/event-stream")
            .timeout(HEAD_TIMEOUT);
        let mut response = request.stream().await?;
        self.tell(Update::Connected).await?;
        let mut parser = Parser::default();
        loop {
            let chunk = tokio::time::timeout(self.silence, response.chunk())
                .await
                .map_err(|_| self.silent())?
                .map_err(|error| self.lost(error.to_string()))?
                .ok_or_else(|| self.lost("the server ended the stream"))?;
            parser.push(&chunk);
            while let Some(block) = parser.next().map_err(|TooLarge| {
                self.nonsense(format!("an event has more than {EVENT_MAX} bytes"))
            })? {
                self.take(block).await?;
            }
        }
    }

    async fn take(&mut self, block: Block) -> Result<(), End> {
        let next = block.id.as_deref().map(|id| self.cursor_from(id)).transpose()?;
        match (block.data, next) {
            (Some(data), next) => {
                let event: Event = serde_json::from_str(&data)
                    .map_err(|error| self.nonsense(format!("an event cannot be read ({error})")))?;
                self.deliver(event, next).await
            }
            (None, Some(next)) => self.advance(next).await,
            (None, None) => Ok(()),
        }
    }
}

/// What stood between two empty lines.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Block {
    id: Option<String>,
    data: Option<String>,
}

/// An event grew past [`EVENT_MAX`].
#[derive(Debug, PartialEq, Eq)]
struct TooLarge;

/// Cuts a stream of bytes into blocks, wherever the network cut it.
#[derive(Debug, Default)]
struct Parser {
    /// Bytes that are not yet a whole line.
    bytes: Vec<u8>,
    /// How many of them are known to hold no end of a line.
    searched: usize,
    /// How many of them were taken as lines.
    taken: usize,
    block: Block,
    /// Whether the last line ended in CR, so that an LF right after it belongs to it.
    after_cr: bool,
    begun: bool,
}

impl Parser {
    fn push(&mut self, chunk: &[u8]) {
        self.bytes.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        self.bytes.extend_from_slice(chunk);
    }

    /// The next whole block, or `None` until more bytes come.
    fn next(&mut self) -> Result<Option<Block>, TooLarge> {
        while let Some(line) = self.line() {
            if line.is_empty() {
                let block = std::mem::take(&mut self.block);
                if block != Block::default() {
                    return Ok(Some(block));
                }
                continue;
            }
            self.field(&line)?;
        }
        if self.bytes.len() - self.taken > EVENT_MAX { Err(TooLarge) } else { Ok(None) }
    }

    fn field(&mut self, line: &str) -> Result<(), TooLarge> {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                let data = match &mut self.block.data {
                    Some(data) => {
                        data.push('\n');
                        data
                    }
                    none => none.insert(String::new()),
                };
                data.push_str(value);
                if data.len() > EVENT_MAX {
                    return Err(TooLarge);
                }
            }
            "id" if !value.contains('\0') => self.block.id = Some(value.to_owned()),
            // Comments, the type (which the data repeats) and the wish for a retry (ours is
            // longer and has jitter) change nothing.
            _ => {}
        }
        Ok(())
    }

    fn line(&mut self) -> Option<String> {
        if self.after_cr {
            match self.bytes.get(self.taken) {
                Some(b'\n') => self.taken += 1,
                Some(_) => {}
                None => return None,
            }
            self.after_cr = false;
            self.searched = self.searched.max(self.taken);
        }
        let rest = self.bytes.get(self.searched..)?;
        let Some(length) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            self.searched = self.bytes.len();
            return None;
        };
        let end = self.searched + length;
        let line = self.bytes.get(self.taken..end)?;
        let mut line = String::from_utf8_lossy(line).into_owned();
        if !std::mem::replace(&mut self.begun, true)
            && let Some(rest) = line.strip_prefix('\u{feff}')
        {
            line = rest.to_owned();
        }
        self.after_cr = self.bytes.get(end) == Some(&b'\r');
        self.taken = end + 1;
        self.searched = self.taken;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(chunks: &[&[u8]]) -> Vec<Block> {
        let mut parser = Parser::default();
        let mut blocks = Vec::new();
        for chunk in chunks {
            parser.push(chunk);
            while let Some(block) = parser.next().unwrap() {
                blocks.push(block);
            }
        }
        blocks
    }

    fn block(id: Option<&str>, data: Option<&str>) -> Block {
        Block { id: id.map(str::to_owned), data: data.map(str::to_owned) }
    }

    const STREAM: &str = "\u{feff}retry: 2000\n\n: hello\n\nid: c1\nevent: message.created\ndata: {\"a\":\n\
        data: 1}\n\nid:c2\r\ndata:x\r\n\r\n: beat\nid: c3\n\ndata\n\nid: bad\0id\n\nevent: only\n\n\
        id: é\rdata: two  \r\rdata: unfinished";

    fn expected() -> Vec<Block> {
        vec![
            block(Some("c1"), Some("{\"a\":\n1}")),
            block(Some("c2"), Some("x")),
            block(Some("c3"), None),
            block(None, Some("")),
            block(Some("é"), Some("two  ")),
        ]
    }

    #[test]
    fn blocks_are_read_as_the_standard_says() {
        assert_eq!(parse(&[STREAM.as_bytes()]), expected());
    }

    #[test]
    fn every_single_byte_may_come_alone() {
        let chunks: Vec<&[u8]> = STREAM.as_bytes().chunks(1).collect();
        assert_eq!(parse(&chunks), expected());
    }

    #[test]
    fn a_line_without_end_is_stopped() {
        let mut parser = Parser::default();
        parser.push(&vec![b'x'; EVENT_MAX + 1]);
        assert_eq!(parser.next(), Err(TooLarge));
        let mut parser = Parser::default();
        let line = format!("data: {}\n", "x".repeat(EVENT_MAX / 2));
        parser.push(line.repeat(3).as_bytes());
        assert_eq!(parser.next(), Err(TooLarge));
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(cuts in proptest::collection::vec(0..STREAM.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts {
                chunks.push(&STREAM.as_bytes()[from..cut]);
                from = cut;
            }
            chunks.push(&STREAM.as_bytes()[from..]);
            prop_assert_eq!(parse(&chunks), expected());
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            parse(&[&bytes]);
        }
    }
}
