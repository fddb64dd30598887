//! The characters and tokens of mrkdwn.

use tidings_domain::Timestamp;
use tidings_wire::time::Time;

use super::Names;

/// The smallest thing of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A character, already decoded.
    Char(char),
    /// Somebody or something named.
    Name {
        /// How it reads in Markdown.
        markdown: String,
        /// How it reads in code.
        plain: String,
    },
    /// A link.
    Link {
        /// Where to, decoded.
        url: String,
        /// What is shown, decoded, where that is not the address itself.
        label: Option<String>,
    },
}

/// Decodes the three escapes and the tokens.
pub(super) fn lex(text: &str, names: &dyn Names) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '<'
            && let Some((inner, after)) = bracketed(tail)
            && parse(inner, names, &mut pieces)
        {
            rest = after;
        } else if c == '&'
            && let Some((decoded, after)) = entity(tail)
        {
            pieces.push(Piece::Char(decoded));
            rest = after;
        } else {
            pieces.push(Piece::Char(c));
            rest = tail;
        }
    }
    pieces
}

/// The text without markup.
pub(super) fn plain(text: &str, names: &dyn Names) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in lex(text, names) {
        match piece {
            Piece::Char(c) => out.push(c),
            Piece::Name { plain, .. } => out.push_str(&plain),
            Piece::Link { url, label } => out.push_str(label.as_deref().unwrap_or(&url)),
        }
    }
    out
}

/// Longest token that is looked for, in bytes. Slack cuts messages at 40,000 characters; addresses
/// in real exports stay below 3,000. Without a bound a text of `<` alone would take quadratic time.
const TOKEN_MAX: usize = 8_192;

/// The inside of `<…>` and what follows; the inside has no other bracket.
fn bracketed(tail: &str) -> Option<(&str, &str)> {
    let window = tail.get(..tail.floor_char_boundary(TOKEN_MAX)).unwrap_or(tail);
    let end = window.find(['<', '>'])?;
    let inner = tail.get(..end)?;
    let after = tail.get(end..)?.strip_prefix('>')?;
    // Only a label may run over a line.
    let target = inner.split('|').next().unwrap_or_default();
    (!target.is_empty() && !target.contains(char::is_whitespace)).then_some((inner, after))
}

fn entity(tail: &str) -> Option<(char, &str)> {
    [("amp;", '&'), ("lt;", '<'), ("gt;", '>')]
        .into_iter()
        .find_map(|(name, c)| tail.strip_prefix(name).map(|after| (c, after)))
}

fn decode(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Pushes what `<inner>` stands for; `false` when it is no token.
fn parse(inner: &str, names: &dyn Names, pieces: &mut Vec<Piece>) -> bool {
    let (target, label) = match inner.split_once('|') {
        Some((target, label)) => {
            let label = decode(label).replace('\n', " ");
            (target, Some(label.trim().to_owned()).filter(|it| !it.is_empty()))
        }
        None => (inner, None),
    };
    let text = |pieces: &mut Vec<Piece>, text: &str| {
        pieces.extend(text.chars().map(Piece::Char));
        true
    };
    if let Some(id) = target.strip_prefix('@').filter(|id| is_id(id)) {
        let name = names.user_name(id).map(str::to_owned).or(label);
        let plain = format!("@{}", name.as_deref().unwrap_or(id).trim_start_matches('@'));
        match names.user(id) {
            Some(markdown) => pieces.push(Piece::Name { markdown, plain }),
            None => return text(pieces, &plain),
        }
    } else if let Some(id) = target.strip_prefix('#').filter(|id| is_id(id)) {
        let name = names.channel_name(id).map(str::to_owned).or(label);
        let plain = format!("#{}", name.as_deref().unwrap_or(id).trim_start_matches('#'));
        match names.channel(id) {
            Some(markdown) => pieces.push(Piece::Name { markdown, plain }),
            None => return text(pieces, &plain),
        }
    } else if let Some(command) = target.strip_prefix('!') {
        let name = |markdown: &str, plain: &str| Piece::Name {
            markdown: markdown.to_owned(),
            plain: plain.to_owned(),
        };
        match command {
            "here" => pieces.push(name(names.here(), "@here")),
            "channel" | "group" | "everyone" => pieces.push(name(names.everyone(), "@channel")),
            _ => return text(pieces, &special(command, label)),
        }
    } else if is_address(target) {
        pieces.push(Piece::Link { url: decode(target), label });
    } else {
        return false;
    }
    true
}

/// `<!subteam^…>`, `<!date^…>` and whatever Slack may add, as text.
fn special(command: &str, label: Option<String>) -> String {
    let mut parts = command.split('^');
    let kind = parts.next().unwrap_or_default();
    if let Some(label) = label {
        return label;
    }
    match (kind, parts.next()) {
        ("subteam", _) => "@group".to_owned(),
        ("date", Some(seconds)) => seconds.parse::<i64>().map_or_else(
            |_| seconds.to_owned(),
            |seconds| Time(Timestamp(0).plus_seconds(seconds)).to_string(),
        ),
        _ => format!("@{kind}"),
    }
}

/// Ids of users, bots and channels: `U051MTYAB`, `USLACKBOT`.
fn is_id(text: &str) -> bool {
    (2..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether it begins with a scheme (RFC 3986, section 3.1) and has something after it.
fn is_address(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.len() >= 2
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
    })
}
