//! One line of mrkdwn: code, bold, italic, struck, and everything that has to be escaped.

use super::escape::{entity_follows, escape, is_followed, link, longest_run, push_destination};
use super::token::Piece;

/// What has to be known of the whole message to write one of its lines: a mark that stands alone in
/// it has no partner, so it needs no escape and the text stays readable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inline {
    lonely_star: bool,
    lonely_underscore: bool,
    lonely_tilde: bool,
}

/// A piece of a line, after code has been found.
enum Span<'a> {
    Char(char),
    Piece(&'a Piece),
    /// Code, as Markdown.
    Code(String),
    /// The begin or the end of bold, italic or struck text, as Markdown.
    Mark(&'static str),
}

impl Inline {
    pub(super) fn new<'a>(pieces: impl Iterator<Item = &'a Piece>) -> Self {
        let (mut stars, mut underscores, mut tildes) = (0, 0, 0);
        for piece in pieces {
            match piece {
                Piece::Char('*') => stars += 1,
                Piece::Char('_') => underscores += 1,
                Piece::Char('~') => tildes += 1,
                _ => {}
            }
        }
        Self {
            lonely_star: stars < 2,
            lonely_underscore: underscores < 2,
            lonely_tilde: tildes < 2,
        }
    }

    const fn is_lonely(self, mark: char) -> bool {
        match mark {
            '*' => self.lonely_star,
            '_' => self.lonely_underscore,
            _ => self.lonely_tilde,
        }
    }

    /// Writes a line without its end.
    pub(super) fn write_line(self, line: &[Piece], out: &mut String) {
        let indent =
            line.iter().take_while(|it| matches!(it, Piece::Char(c) if c.is_whitespace())).count();
        let (space, line) = line.split_at_checked(indent).unwrap_or((line, &[]));
        if line.is_empty() {
            return;
        }
        push_indent(space, out);
        let mut spans = find_code(line);
        mark_emphasis(&mut spans);
        let escape_first = is_line_mark(&spans);
        let mut at = 0;
        while let Some(span) = spans.get(at) {
            match span {
                Span::Char(c) => {
                    if (at == 0 && escape_first) || self.needs_escape(&spans, at, *c) {
                        out.push('\\');
                    }
                    out.push(*c);
                }
                Span::Piece(Piece::Link { url, label }) => {
                    push_link(url, label.as_deref(), &spans, at, out);
                }
                Span::Piece(Piece::Name { markdown, .. }) => out.push_str(markdown),
                Span::Piece(Piece::Char(c)) => out.push(*c),
                Span::Code(code) => out.push_str(code),
                Span::Mark(mark) => out.push_str(mark),
            }
            at += 1;
        }
    }

    fn needs_escape(self, spans: &[Span<'_>], at: usize, c: char) -> bool {
        let before = before(spans, at);
        let after = char_at(spans, at + 1);
        match c {
            // A reader sees a backslash only where it escapes nothing; at a line's end it is a
            // hard break.
            '\\' => match spans.get(at + 1) {
                Some(Span::Char(next)) => next.is_ascii_punctuation(),
                _ => true,
            },
            '`' => true,
            '*' | '_' | '~' => !self.is_lonely(c) && is_active(spans, at, c),
            '<' => {
                let named = matches!(before, Some('@' | '#'));
                let second = char_at(spans, at + 2);
                let opens = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
                named
                    || opens(after)
                    || matches!(after, Some('?' | '@' | '#'))
                    || (after == Some('/') && opens(second))
                    || (after == Some('!') && (opens(second) || matches!(second, Some('-' | '['))))
            }
            '&' => {
                let tail: Vec<char> =
                    (at + 1..at + 36).map_while(|index| char_at(spans, index)).collect();
                entity_follows(&tail)
            }
            '(' => before == Some(']'),
            '{' => matches!(before, Some('@' | '#')) && is_reference(spans, at),
            '!' => matches!(spans.get(at + 1), Some(Span::Piece(Piece::Link { .. }))),
            _ => false,
        }
    }
}

/// Four columns of white space would make a code block of a line, so deep indents are written with
/// spaces that Markdown does not count.
fn push_indent(space: &[Piece], out: &mut String) {
    let tab = |it: &Piece| if *it == Piece::Char('\t') { 4 } else { 1 };
    let width: usize = space.iter().map(tab).sum();
    let blank = if width >= 4 { '\u{a0}' } else { ' ' };
    out.extend(std::iter::repeat_n(blank, width));
}

fn char_at(spans: &[Span<'_>], at: usize) -> Option<char> {
    match spans.get(at)? {
        Span::Char(c) => Some(*c),
        _ => None,
    }
}

fn before(spans: &[Span<'_>], at: usize) -> Option<char> {
    at.checked_sub(1).and_then(|at| char_at(spans, at))
}

/// Whether `{` begins what an import reads as a reference.
fn is_reference(spans: &[Span<'_>], at: usize) -> bool {
    let tail: String = (at + 1..at + 9).map_while(|index| char_at(spans, index)).collect();
    ["user:", "channel:", "channel}", "here}"].iter().any(|word| tail.starts_with(word))
}

fn find_code(line: &[Piece]) -> Vec<Span<'_>> {
    let mut spans = Vec::with_capacity(line.len());
    let mut at = 0;
    while let Some(piece) = line.get(at) {
        let tick = Piece::Char('`');
        if *piece == tick
            && let Some(length) =
                line.get(at + 1..).and_then(|tail| tail.iter().position(|it| *it == tick))
            && length > 0
            && let Some(code) = line.get(at + 1..at + 1 + length)
        {
            spans.push(Span::Code(write_code(code)));
            at += length + 2;
            continue;
        }
        spans.push(match piece {
            Piece::Char(c) => Span::Char(*c),
            other => Span::Piece(other),
        });
        at += 1;
    }
    spans
}

fn write_code(code: &[Piece]) -> String {
    if let [Piece::Link { url, label: Some(label) }] = code
        && is_followed(url)
        && !url.contains(label.as_str())
    {
        let mut out = format!("[{}](", code_span(label));
        push_destination(url, &mut out);
        out.push(')');
        return out;
    }
    let mut text = String::new();
    for piece in code {
        match piece {
            Piece::Char(c) => text.push(*c),
            Piece::Name { plain, .. } => text.push_str(plain),
            Piece::Link { url, label } => text.push_str(label.as_deref().unwrap_or(url)),
        }
    }
    code_span(&text)
}

/// A code span that shows exactly `text` (`CommonMark`, section 6.1).
pub(crate) fn code_span(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text, '`') + 1);
    let blank = text.chars().all(|c| c == ' ');
    let padded = text.starts_with('`')
        || text.ends_with('`')
        || (text.starts_with(' ') && text.ends_with(' ') && !blank);
    let pad = if padded { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Replaces the marks of Slack by those of Markdown, where Slack would see a pair.
fn mark_emphasis(spans: &mut [Span<'_>]) {
    let mut pairs = Vec::new();
    for mark in ['*', '_', '~'] {
        let mut at = 0;
        while at < spans.len() {
            if char_at(spans, at) == Some(mark) && opens(spans, at, mark) {
                let Some(end) = (at + 2..spans.len())
                    .find(|&end| char_at(spans, end) == Some(mark) && closes(spans, end, mark))
                else {
                    // No mark after this one closes, so none that opens later has a partner.
                    break;
                };
                pairs.push((at, end, mark));
                at = end;
            }
            at += 1;
        }
    }
    pairs.sort_unstable();
    let mut open: Vec<usize> = Vec::new();
    for (start, end, mark) in pairs {
        while open.last().is_some_and(|&last| last < start) {
            open.pop();
        }
        if open.last().is_some_and(|&last| last < end) {
            continue;
        }
        open.push(end);
        let markdown = match mark {
            '*' => "**",
            '_' => "_",
            _ => "~~",
        };
        for at in [start, end] {
            if let Some(span) = spans.get_mut(at) {
                *span = Span::Mark(markdown);
            }
        }
    }
}

fn opens(spans: &[Span<'_>], at: usize, mark: char) -> bool {
    let outside = before(spans, at).is_none_or(|c| !c.is_alphanumeric() && c != mark);
    let inside = match spans.get(at + 1) {
        Some(Span::Char(c)) => !c.is_whitespace() && *c != mark,
        Some(_) => true,
        None => false,
    };
    outside && inside
}

fn closes(spans: &[Span<'_>], at: usize, mark: char) -> bool {
    let inside = before(spans, at).is_none_or(|c| !c.is_whitespace() && c != mark);
    let outside = char_at(spans, at + 1).is_none_or(|c| !c.is_alphanumeric() && c != mark);
    inside && outside
}

/// How far the ends of a run of marks are looked for. Beyond that it counts as active, which costs
/// some backslashes; looking further would take quadratic time on a text of marks alone.
const RUN_MAX: usize = 64;

/// Whether Markdown could take the run of marks around `at` for a begin or an end (`CommonMark`,
/// section 6.2).
fn is_active(spans: &[Span<'_>], at: usize, mark: char) -> bool {
    let mut start = at;
    while before(spans, start) == Some(mark) && at - start < RUN_MAX {
        start -= 1;
    }
    let mut end = at + 1;
    while char_at(spans, end) == Some(mark) && end - at < RUN_MAX {
        end += 1;
    }
    let outer = |at: Option<usize>| at.and_then(|at| spans.get(at));
    let (left, right) = (outer(start.checked_sub(1)), outer(Some(end)));
    let blank = |span: Option<&Span<'_>>| match span {
        Some(Span::Char(c)) => c.is_whitespace(),
        Some(_) => false,
        None => true,
    };
    let word = |span: Option<&Span<'_>>| matches!(span, Some(Span::Char(c)) if c.is_alphanumeric());
    let apart = blank(left) && blank(right);
    let within = mark == '_' && word(left) && word(right);
    !apart && !within
}

/// Whether the line's first character would make a heading, a quote, a rule, a table or a
/// definition of the line, or of the one above it.
fn is_line_mark(spans: &[Span<'_>]) -> bool {
    let blank = |at: usize| match spans.get(at) {
        Some(Span::Char(c)) => c.is_whitespace(),
        Some(_) => false,
        None => true,
    };
    let all = |allowed: &str| {
        spans.iter().all(|span| matches!(span, Span::Char(c) if allowed.contains(*c)))
    };
    match char_at(spans, 0) {
        Some('#') => {
            let run = (0..spans.len()).take_while(|&at| char_at(spans, at) == Some('#')).count();
            run <= 6 && blank(run)
        }
        Some('>') => true,
        // Three tildes fence code as backticks do.
        Some('~') => (1..3).all(|at| char_at(spans, at) == Some('~')),
        Some('+') => blank(1),
        Some('=') => all("= \t"),
        Some('-' | '|' | ':') => all("-|: \t"),
        // The marks themselves are escaped when there are several; in a lone `* *` they are not.
        Some('*') => all("* \t"),
        Some('_') => all("_ \t"),
        // The label of a definition may run over the end of the line.
        Some('[') => (1..spans.len())
            .find(|&at| char_at(spans, at) == Some(']'))
            .is_none_or(|at| char_at(spans, at + 1) == Some(':')),
        _ => false,
    }
}

fn push_link(url: &str, label: Option<&str>, spans: &[Span<'_>], at: usize, out: &mut String) {
    if let Some(label) = label.filter(|label| *label != url) {
        out.push_str(&link(label, url));
    } else if let Some(address) = url.strip_prefix("mailto:") {
        out.push_str(&link(label.unwrap_or(address), url));
    } else if !is_followed(url) {
        out.push_str(&escape(url));
    } else if stands_alone(spans, at) && reads_literally(url) {
        out.push_str(url);
    } else {
        out.push_str(&link(url, url));
    }
}

/// Whether an address here is seen as one without marks around it.
fn stands_alone(spans: &[Span<'_>], at: usize) -> bool {
    let left = match at.checked_sub(1).and_then(|at| spans.get(at)) {
        Some(Span::Char(c)) => c.is_whitespace() || "(\"'".contains(*c),
        Some(_) => false,
        None => true,
    };
    let right = match spans.get(at + 1) {
        Some(Span::Char(c)) => c.is_whitespace() || ".,;:!?)\"'".contains(*c),
        Some(_) => false,
        None => true,
    };
    left && right
}

/// Whether our Markdown takes the whole of it for one address: marks inside of an address are not
/// markup, but brackets and quotes may end it.
fn reads_literally(url: &str) -> bool {
    let ends_well = url.ends_with(|c: char| c.is_alphanumeric() || "/=#-".contains(c));
    let ends_it = |c: char| c.is_whitespace() || "`[]()<>\\{}\"'|".contains(c);
    let chars: Vec<char> = url.chars().collect();
    ends_well
        && !url.contains(ends_it)
        && !chars
            .iter()
            .enumerate()
            .any(|(at, c)| *c == '&' && entity_follows(chars.get(at + 1..).unwrap_or_default()))
}
