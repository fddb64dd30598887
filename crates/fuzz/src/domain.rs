//! Names, ids, references and searches.

use tidings_domain::reference::{self, Written};
use tidings_domain::search::{QUERY_MAX, SearchQuery, TERMS_MAX, Term};
use tidings_domain::{ChannelId, Emoji, IdentityKey, InviteCode, LogId, Mention, UserId, name};

use crate::{first_line, text};

pub(crate) fn names(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if let Ok(username) = name::username(text) {
        assert!((1..=name::USERNAME_MAX).contains(&username.len()));
        assert!(username.chars().all(|c| plain(c) || "._-".contains(c)));
        // Whoever has the name can be named: the grammar of references finds all of it.
        let written = format!("@{username}");
        let found = reference::at(&written, 0).map(|(_, end)| end);
        assert_eq!(found, Some(written.len()), "{written}");
    }
    if let Ok(slug) = name::slug(text) {
        assert!(slug.len() <= name::CHANNEL_NAME_MAX && name::slug(slug) == Ok(slug));
        assert!(slug.chars().all(|c| plain(c) || c == '-'));
    }
    if let Ok(channel) = name::channel(text) {
        assert!((1..=name::CHANNEL_NAME_MAX).contains(&channel.chars().count()));
        assert!(!channel.contains(|c: char| c.is_whitespace() || c.is_control()), "{channel:?}");
    }
    if let Ok(shown) = name::display(text, name::DISPLAY_NAME_MAX) {
        assert!((1..=name::DISPLAY_NAME_MAX).contains(&shown.chars().count()));
        assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown:?}");
        assert_eq!(name::display(shown, name::DISPLAY_NAME_MAX), Ok(shown));
    }
}

pub(crate) fn references(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut before = 0;
    for (range, written) in reference::scan(text) {
        assert!(range.start >= before && range.start < range.end, "{text:?} at {range:?}");
        before = range.end;
        let found = text.get(range.clone());
        assert!(found.is_some(), "{text:?} is cut inside of a character at {range:?}");
        let found = found.unwrap_or_default();
        assert_eq!(reference::at(text, range.start), Some((written.clone(), range.end)));
        match written {
            Written::Stored(mention) => assert_eq!(found, mention.to_string()),
            Written::Here => assert!(found.eq_ignore_ascii_case("@here"), "{found:?}"),
            Written::Everyone => assert!(found.eq_ignore_ascii_case("@channel"), "{found:?}"),
            Written::User(user) => {
                assert_eq!(name::username(&user), Ok(&*user));
                assert_eq!(found.strip_prefix('@').map(str::to_lowercase), Some(user.into_owned()));
            }
            Written::Channel(_) => assert!(found.starts_with('#'), "{found:?}"),
        }
    }
    if let Some((mention, length)) = reference::parse(text) {
        assert_eq!(text.get(..length), Some(&*mention.to_string()));
    }
    for at in 0..text.len().min(64) {
        // Any byte may be asked for, one inside of a character too.
        let _ = reference::at(text, at);
    }
    for mention in [Mention::User(UserId::NIL), Mention::Channel(ChannelId::NIL), Mention::Here] {
        let written = mention.to_string();
        let follow = format!("{written}{text}");
        assert_eq!(reference::parse(&follow), Some((mention, written.len())));
    }
}

pub(crate) fn emoji(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(emoji) = text.parse::<Emoji>() {
        assert!((1..=64).contains(&emoji.as_str().len()));
        assert_eq!(emoji.as_str(), text);
        let bad = |c: char| c.is_whitespace() || c.is_control() || "<>&\"'".contains(c);
        assert!(!text.contains(bad), "{text:?}");
    }
}

pub(crate) fn ids(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(id) = text.parse::<UserId>() {
        assert_eq!(id.to_string(), text.to_lowercase());
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(key) = text.parse::<IdentityKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(log) = text.parse::<LogId>() {
        assert_eq!(log.to_string().parse(), Ok(log));
    }
    assert!(!format!("{:?}", InviteCode(text.to_owned())).contains(text) || text.len() < 22);
}

pub(crate) fn search_query(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (query, body) = first_line(text);
    if let Ok(query) = query.parse::<SearchQuery>() {
        let terms = query.terms.iter().chain(&query.excluded);
        for token in terms.flat_map(Term::tokens) {
            assert!(!token.is_empty());
            // What reaches an index is letters and digits, never its syntax.
            assert!(!token.contains(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()));
        }
        assert!(query.terms.len() + query.excluded.len() <= TERMS_MAX);
        let shown = query.to_string();
        if shown.chars().count() <= QUERY_MAX {
            assert_eq!(shown.parse(), Ok(query), "{shown}");
        }
    }
    let mut end = 0;
    for token in tidings_domain::search::token::tokens(body) {
        assert!(token.range.start >= end && token.range.start < token.range.end);
        assert!(body.get(token.range.clone()).is_some() && !token.folded.is_empty());
        end = token.range.end;
    }
}
