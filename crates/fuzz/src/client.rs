//! What a client reads: addresses that people type and streams that servers send.

use tidings_client::sync::event_stream::{Block, EventStream};
use tidings_client::{ChannelRef, Cursor, PersonRef, ServerUrl};
use tidings_wire::Event;

use crate::text;

/// The first byte says where the network cuts.
pub(crate) fn event_stream(data: &[u8]) {
    let [cut, data @ ..] = data else { return };
    let whole = blocks(std::iter::once(data));
    let pieces = blocks(data.chunks(usize::from(*cut).max(1)));
    assert_eq!(whole, pieces, "where the network cuts makes a difference");
    let bytes: usize = whole
        .iter()
        .map(|block| {
            let part = |text: &Option<String>| text.as_ref().map_or(0, String::len);
            part(&block.id) + part(&block.data)
        })
        .sum();
    // A byte that is not UTF-8 becomes a character of three.
    assert!(bytes <= 3 * data.len());
    for block in whole {
        assert_ne!(block, Block::default(), "a block says something");
        let _ = block.id.as_deref().map(str::parse::<Cursor>);
        let _ = block.data.as_deref().map(serde_json::from_str::<Event>);
    }
}

fn blocks<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Block> {
    let mut stream = EventStream::default();
    let mut blocks = Vec::new();
    for chunk in chunks {
        stream.push(chunk);
        while let Ok(Some(block)) = stream.next_block() {
            blocks.push(block);
        }
    }
    blocks
}

pub(crate) fn addresses(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(server) = text.parse::<ServerUrl>() {
        // Signatures are bound to this text, so it has one form.
        let origin = server.origin();
        assert_eq!(origin.parse().ok(), Some(server), "{text:?} became {origin}");
        assert!(origin.starts_with("http://") || origin.starts_with("https://"), "{origin}");
        assert!(!origin.contains(char::is_whitespace) && !origin.contains('@'), "{origin}");
    }
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.as_str(), text);
    }
    let _ = text.parse::<ChannelRef>();
    let _ = text.parse::<PersonRef>();
}
