//! The format of server-sent events (WHATWG HTML, section 9.2), read from bytes that may be cut
//! anywhere.

/// Largest event, in bytes: a frame of a WebSocket may have 1 MiB, and a page's limits are alike.
pub const EVENT_MAX: usize = 4 << 20;

/// What stood between two empty lines; never nothing at all.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Block {
    /// The last `id`: a cursor.
    pub id: Option<String>,
    /// All `data` lines, joined by line feeds.
    pub data: Option<String>,
}

/// An event grew past [`EVENT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event has more than {EVENT_MAX} bytes")]
pub struct TooLarge;

/// Cuts a stream of bytes into blocks, wherever the network cut it.
#[derive(Debug, Default)]
pub struct EventStream {
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

impl EventStream {
    /// Adds bytes as they came.
    pub fn push(&mut self, chunk: &[u8]) {
        self.bytes.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        self.bytes.extend_from_slice(chunk);
    }

    /// The next whole block, or `None` until more bytes come.
    ///
    /// # Errors
    /// When an event is too large; the rest of the stream is worth nothing then.
    pub fn next_block(&mut self) -> Result<Option<Block>, TooLarge> {
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
        let mut stream = EventStream::default();
        let mut blocks = Vec::new();
        for chunk in chunks {
            stream.push(chunk);
            while let Some(block) = stream.next_block().unwrap() {
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
        let mut stream = EventStream::default();
        stream.push(&vec![b'x'; EVENT_MAX + 1]);
        assert_eq!(stream.next_block(), Err(TooLarge));
        let mut stream = EventStream::default();
        let line = format!("data: {}\n", "x".repeat(EVENT_MAX / 2));
        stream.push(line.repeat(3).as_bytes());
        assert_eq!(stream.next_block(), Err(TooLarge));
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
