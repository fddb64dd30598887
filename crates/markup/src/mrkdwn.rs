//! Slack's mrkdwn, turned into our Markdown.
//!
//! Slack's text has three layers: three escaped characters (`&amp;`, `&lt;`, `&gt;`), tokens in
//! angle brackets (`<@U…>`, `<#C…|name>`, `<!here>`, `<url|label>`), and light marks around words
//! (`*bold*`, `_italic_`, `~struck~`, code, quotes). What is a mark in Markdown but not in mrkdwn
//! (headings, `[a](b)`, HTML, `\`) is escaped, so that it reads as it did in Slack. List markers
//! stay as they are: people who typed them meant lists.

mod escape;
mod inline;
mod token;

pub(crate) use escape::longest_run;
pub use escape::{escape, link};
pub(crate) use inline::code_span;

use inline::Inline;
use token::Piece;

/// What the ids in a text stand for. Markdown goes where Markdown may stand, plain names go into
/// code and labels.
pub trait Names {
    /// The Markdown that names this user, or `None` when nobody knows the id.
    fn user(&self, id: &str) -> Option<String>;
    /// The Markdown that names this channel, or `None` when nobody knows the id.
    fn channel(&self, id: &str) -> Option<String>;
    /// The username behind the id.
    fn user_name(&self, id: &str) -> Option<&str>;
    /// The channel's name behind the id.
    fn channel_name(&self, id: &str) -> Option<&str>;
    /// The Markdown for everyone who is online.
    fn here(&self) -> &str;
    /// The Markdown for everyone.
    fn everyone(&self) -> &str;
}

/// Knows no ids: for texts from programs, whose ids are another workspace's. `@here` and
/// `@channel` are written as a person would write them.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNames;

impl Names for NoNames {
    fn user(&self, _: &str) -> Option<String> {
        None
    }
    fn channel(&self, _: &str) -> Option<String> {
        None
    }
    fn user_name(&self, _: &str) -> Option<&str> {
        None
    }
    fn channel_name(&self, _: &str) -> Option<&str> {
        None
    }
    fn here(&self) -> &'static str {
        "@here"
    }
    fn everyone(&self) -> &'static str {
        "@channel"
    }
}

/// Turns mrkdwn into Markdown. Never fails: what is no markup is text.
pub fn to_markdown(text: &str, names: &dyn Names) -> String {
    let text = clean(text);
    let segments = split_blocks(&text);
    let prose: Vec<_> = segments
        .iter()
        .map(|segment| match segment {
            Segment::Prose(prose) => token::lex(prose, names),
            Segment::Block(_) => Vec::new(),
        })
        .collect();
    let inline = Inline::new(prose.iter().flatten());
    let mut writer = Writer { out: String::with_capacity(text.len() + 32), quote_rest: false };
    for (segment, pieces) in segments.iter().zip(&prose) {
        match segment {
            Segment::Prose(_) => writer.prose(pieces, inline),
            Segment::Block(code) => writer.block(&token::plain(code, names)),
        }
    }
    writer.out
}

/// Turns mrkdwn into text without any markup: tokens become names, labels or addresses. Marks such
/// as `*` stay as they were typed.
pub fn to_plain(text: &str, names: &dyn Names) -> String {
    token::plain(&clean(text), names)
}

/// Drops what no reader can see and what would confuse line by line work.
fn clean(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter(|c| *c == '\n' || *c == '\t' || !c.is_control())
        .collect()
}

enum Segment<'a> {
    Prose(&'a str),
    Block(&'a str),
}

const FENCE: &str = "```";

/// Cuts the text at its code blocks; a fence without its other half, or with nothing between, is
/// text as it is in Slack.
fn split_blocks(text: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(open) = rest.get(from..).and_then(|tail| tail.find(FENCE)).map(|at| at + from) {
        let inside = open + FENCE.len();
        let Some(length) = rest.get(inside..).and_then(|tail| tail.find(FENCE)) else { break };
        let (Some(before), Some(code), Some(after)) = (
            rest.get(..open),
            rest.get(inside..inside + length),
            rest.get(inside + length + FENCE.len()..),
        ) else {
            break;
        };
        if code.trim().is_empty() {
            from = inside + length + FENCE.len();
            continue;
        }
        // A mark that is left over around a block (`_` before, `_` after) would reach across it.
        segments.push(Segment::Prose(before));
        segments.push(Segment::Block(code));
        rest = after;
        from = 0;
    }
    segments.push(Segment::Prose(rest));
    segments
}

struct Writer {
    out: String,
    /// After `>>>` everything is quoted.
    quote_rest: bool,
}

impl Writer {
    fn prose(&mut self, pieces: &[Piece], inline: Inline) {
        let after_block = !self.out.is_empty();
        let mut pieces = pieces;
        if after_block {
            // The fence already ended its line: one line break, or the spaces before more text on
            // the same line, are spent.
            let spaces = pieces.iter().take_while(|it| **it == Piece::Char(' ')).count();
            pieces = pieces.get(spaces..).unwrap_or_default();
            if let Some((Piece::Char('\n'), rest)) = pieces.split_first() {
                pieces = rest;
            }
        }
        if pieces.is_empty() {
            return;
        }
        if after_block {
            self.out.push('\n');
        }
        let mut after_quote = false;
        for (index, line) in pieces.split(|it| *it == Piece::Char('\n')).enumerate() {
            if index > 0 {
                self.out.push('\n');
            }
            let (line, quoted) = self.unquote(line);
            if quoted {
                self.out.push_str(if line.is_empty() { ">" } else { "> " });
            } else if after_quote && !line.is_empty() {
                // Without an empty line Markdown takes this line for a part of the quote.
                self.out.push('\n');
            }
            inline.write_line(line, &mut self.out);
            after_quote = quoted;
        }
    }

    fn unquote<'a>(&mut self, line: &'a [Piece]) -> (&'a [Piece], bool) {
        let marks = line.iter().take_while(|it| **it == Piece::Char('>')).count();
        let skip = if marks >= 3 && !self.quote_rest {
            self.quote_rest = true;
            3
        } else {
            usize::from(marks > 0 && !self.quote_rest)
        };
        let line = line.get(skip..).unwrap_or_default();
        let quoted = self.quote_rest || skip > 0;
        match line.split_first() {
            Some((Piece::Char(' '), rest)) if skip > 0 => (rest, quoted),
            _ => (line, quoted),
        }
    }

    fn block(&mut self, code: &str) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        let code = code.strip_prefix('\n').unwrap_or(code);
        let code = code.strip_suffix('\n').unwrap_or(code);
        // A label inside a token may hold backticks although the block itself cannot.
        let fence = "`".repeat(longest_run(code, '`').max(2) + 1);
        let prefix = if self.quote_rest { "> " } else { "" };
        for line in std::iter::once(fence.as_str()).chain(code.split('\n')) {
            self.out.push_str(prefix);
            self.out.push_str(line);
            self.out.push('\n');
        }
        self.out.push_str(prefix);
        self.out.push_str(&fence);
    }
}

#[cfg(test)]
mod tests;
