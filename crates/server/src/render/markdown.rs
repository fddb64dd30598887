//! The parser's events, put in a shape that the writer and the resolver share.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};
use tidings_domain::reference::Written;

use super::source;
use super::text::{self, Piece};

/// One event of a body.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// A stretch of the body, as long as possible, that is text.
    Run(Range<usize>),
    /// Text that is not written in the body as it reads: an entity.
    Decoded(CowStr<'a>),
    /// Text in a code block; still masked.
    Code(CowStr<'a>),
    /// Everything else, and the bytes of the body that it covers.
    Event(Event<'a>, Range<usize>),
}

/// Strikethrough, tables and task lists: what people know from other chats.
const OPTIONS: Options =
    Options::ENABLE_STRIKETHROUGH.union(Options::ENABLE_TABLES).union(Options::ENABLE_TASKLISTS);

/// Parses `masked`, the copy of a body that [`source::mask`] makes.
///
/// The parser ends text at every character that could have been markup; what touches is put
/// together again, so that `@a_b` is one piece.
pub(super) fn nodes(masked: &str, mut take: impl FnMut(Node<'_>)) {
    let mut run: Option<Range<usize>> = None;
    let mut code = false;
    for (event, range) in Parser::new_ext(masked, OPTIONS).into_offset_iter() {
        match event {
            Event::Text(text) if code => take(Node::Code(text)),
            // Raw HTML cannot occur without angle brackets; if it did, it would be text.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                let verbatim = masked.get(range.clone()) == Some(&*text);
                match &mut run {
                    Some(run) if verbatim && run.end == range.start => run.end = range.end,
                    _ => {
                        if let Some(run) = run.take() {
                            take(Node::Run(run));
                        }
                        if verbatim {
                            run = Some(range);
                        } else {
                            take(Node::Decoded(text));
                        }
                    }
                }
            }
            event => {
                if let Some(run) = run.take() {
                    take(Node::Run(run));
                }
                match event {
                    Event::Start(Tag::CodeBlock(_)) => code = true,
                    Event::End(TagEnd::CodeBlock) => code = false,
                    _ => {}
                }
                take(Node::Event(event, range));
            }
        }
    }
    if let Some(run) = run {
        take(Node::Run(run));
    }
}

/// Every stretch of `body` that is text, not code, in order.
pub(super) fn each_prose(body: &str, mut take: impl FnMut(Range<usize>)) {
    nodes(&source::mask(body), |node| {
        if let Node::Run(run) = node {
            take(run);
        }
    });
}

/// Everything in `body` outside of code and addresses that may be a reference, in order.
pub(super) fn each_reference<'a>(body: &'a str, mut take: impl FnMut(Range<usize>, Written<'a>)) {
    if !body.contains(['@', '#']) {
        return;
    }
    let mut in_run = |run| {
        text::each_piece(body, run, |piece| {
            if let Piece::Reference(range, written) = piece {
                take(range, written);
            }
        });
    };
    if source::is_plain(body) {
        let mut start = 0;
        for line in body.split('\n') {
            in_run(start..start + line.len());
            start += line.len() + 1;
        }
    } else {
        nodes(&source::mask(body), |node| {
            if let Node::Run(run) = node {
                in_run(run);
            }
        });
    }
}
