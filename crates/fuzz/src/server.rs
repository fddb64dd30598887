//! What a server reads before and beside the JSON of a body.

use axum::extract::Query;
use axum::response::IntoResponse as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use serde::de::DeserializeOwned;
use tidings_domain::search::SearchQuery;
use tidings_domain::{ChannelId, IdentityKey, Mention, Timestamp, UserId};
use tidings_server::Settings;
use tidings_server::app::previews::page as pages;
use tidings_server::auth::{challenge, cookie, origin};
use tidings_server::hook::{self, Source};
use tidings_server::http::extract::bearer;
use tidings_server::http::listing::Listing;
use tidings_server::http::{idempotency, trace};
use tidings_server::realtime::cursor::Cursor;
use tidings_server::realtime::{handshake, resume};
use tidings_server::render::{self, Names};
use tidings_wire::account::Secret;
use tidings_wire::{List, query};

use crate::{first_line, html, text};

const SECRET: [u8; 32] = [7; 32];
const SESSION: [u8; 32] = [9; 32];
const IDENTITY: IdentityKey = IdentityKey([5; 32]);
/// 2026-01-01T00:00:00Z.
const NOW: Timestamp = Timestamp(1_767_225_600_000);

/// What a page says is short text without what hides or reorders it, and its picture an address.
pub(crate) fn page(data: &[u8]) {
    let html = String::from_utf8_lossy(data);
    let found = pages::read(&html, "https://example.org/a/b");
    for (text, most) in [(&found.title, 200), (&found.description, 500), (&found.site, 100)] {
        assert!(text.chars().count() <= most, "{text}");
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
    if let Some(image) = found.image {
        assert!(image.contains(':') && !image.contains(['\n', '<', '"']), "{image}");
    }
    assert!(pages::links(&html, 5).iter().all(|link| link.starts_with("http")));
}

/// The first line names whose webhook it is and the event; the rest is what was sent. Whatever that
/// is, a word comes of it, or a post that is fit to be one.
pub(crate) fn webhook(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (line, body) = first_line(text);
    let (source, event) = line.split_once(' ').unwrap_or((line, ""));
    let Ok(source) = source.parse::<Source>() else { return };
    let mut headers = HeaderMap::new();
    if let Ok(event) = HeaderValue::from_str(event) {
        for name in ["x-github-event", "x-gitea-event", "x-gitlab-event"] {
            headers.insert(name, event.clone());
        }
    }
    match hook::read(source, &headers, body.as_bytes()) {
        Ok(Some(post)) => {
            assert!(!post.body.trim().is_empty(), "{post:?}");
            assert!(post.body.chars().count() <= 16_000);
            // It is drawn like every other body.
            let drawn = render::prepare(&post.body, &Names::default());
            html::check(&post.body, &drawn.body_html);
        }
        Ok(None) => {}
        Err(refusal) => assert!((400..500).contains(&refusal.status())),
    }
}

pub(crate) fn cursor(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), text);
        // What a server sends, a client must accept.
        assert!(text.parse::<tidings_client::Cursor>().is_ok(), "{text}");
    }
}

/// Nobody makes a token, whatever they know of another.
pub(crate) fn resume_token(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let until = NOW.plus_seconds(60);
    let token = Secret(text.to_owned());
    if resume::check(&SECRET, &token, NOW).is_some() {
        assert_eq!(text, resume::issue(&SECRET, &SESSION, until).0);
        assert_eq!(resume::check(&SECRET, &token, NOW), Some(SESSION));
        assert_eq!(resume::check(&SECRET, &token, until), None);
        assert_eq!(resume::check(&[8; 32], &token, NOW), None);
    }
}

/// As for tokens; and one challenge has one text, because its use is remembered by its text.
pub(crate) fn challenge(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let expires_at = NOW.plus_seconds(60);
    if challenge::check(&SECRET, IDENTITY, text, NOW).is_some() {
        assert_eq!(text, challenge::issue(&SECRET, IDENTITY, expires_at, [3; 16]));
        assert_eq!(challenge::check(&SECRET, IdentityKey([6; 32]), text, NOW), None);
        assert_eq!(challenge::check(&SECRET, IDENTITY, text, expires_at), None);
    }
}

/// One header on each line, `name: value`.
pub(crate) fn request_headers(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else { continue };
        let name = HeaderName::from_bytes(name.trim_ascii());
        let value = HeaderValue::from_bytes(value.trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    if let Ok(accept) = handshake::accept_key(&headers) {
        assert!(HeaderValue::from_str(&accept).is_ok_and(|value| value.len() == 28), "{accept}");
        assert!(headers.contains_key(header::UPGRADE));
    }
    if let Ok(Some(key)) = idempotency::key(&headers) {
        assert!((1..=255).contains(&key.len()) && key.is_ascii(), "{key:?}");
    }
    if let Some(token) = bearer(&headers) {
        assert_eq!(token, token.trim());
    }
    for secure in [true, false] {
        assert_ne!(cookie::read(&headers, secure), Some(""));
    }
    if let Some(id) = trace::traceparent(&headers) {
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    }
    let settings = Settings::new("https://chat.example");
    if origin::check(&Method::POST, &headers, &settings).is_ok() {
        // A request that counts as ours says so itself.
        let says = |name: HeaderName| headers.contains_key(name);
        assert!(says(header::ORIGIN) || says(HeaderName::from_static("sec-fetch-site")));
        if let Some(origin) = headers.get(header::ORIGIN) {
            assert!(origin.to_str().is_ok_and(|it| origin::accepted(it, &settings)));
        }
        assert!(origin::check_cookie_wish(&headers, &settings).is_ok());
    }
    let _ = origin::check_upgrade(&headers, &settings);
}

/// A path with its query, as it stands in the first line of a request.
pub(crate) fn query_string(data: &[u8]) {
    fn read<T: DeserializeOwned>(uri: &Uri) {
        let _ = Query::<T>::try_from_uri(uri);
    }
    let Ok(uri) = Uri::try_from(data) else { return };
    read::<query::PageQuery>(&uri);
    read::<query::MessagesQuery>(&uri);
    read::<query::SeqQuery>(&uri);
    read::<query::HandleQuery>(&uri);
    if let Ok(Query(search)) = Query::<query::SearchParams>::try_from_uri(&uri) {
        let _ = search.q.parse::<SearchQuery>();
    }
    // The links of a list repeat the query; nothing in it can become another header.
    let list = List { items: vec![1], next: Some("5".to_owned()), prev: Some("3".to_owned()) };
    let response = Listing::new(&uri, list).into_response();
    if let Some(link) = response.headers().get(header::LINK) {
        assert!(!link.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n')), "{link:?}");
    }
}

fn names() -> Names {
    let mut names = Names::default();
    let user = UserId::NIL;
    names.insert_user(user, "ana");
    if let Ok(id) = "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01".parse() {
        names.insert_user(id, "bo.b");
    }
    names.insert_channel(ChannelId::NIL, "ops");
    names
}

/// A body of a message, from Markdown to HTML.
pub(crate) fn render(data: &[u8]) {
    let Some(body) = text(data) else { return };
    let names = names();
    let prepared = render::prepare(body, &names);
    html::check(body, &prepared.body_html);
    assert!(prepared.body_html.len() <= 60 * body.len() + 1_000, "{body:?} grew too much");
    assert!(prepared.body.len() <= 24 * body.len() + 64, "{body:?} grew too much");
    for (at, mention) in prepared.mentions.iter().enumerate() {
        assert!(!prepared.mentions.iter().skip(at + 1).any(|other| other == mention), "{body:?}");
        assert!(prepared.body.contains(&mention.to_string()), "{body:?}");
        if let Mention::User(id) = mention {
            assert!(prepared.body_html.contains(&format!("data-user=\"{id}\"")), "{body:?}");
        }
    }
    let candidates = render::candidates(body);
    if candidates.is_empty() {
        return;
    }
    // Drawn again, by a server that knows the same names and by one that knows none.
    assert_eq!(render::render(&prepared.body, &names), prepared.body_html, "{body:?}");
    html::check(body, &render::render(&prepared.body, &Names::default()));
}

/// The first line is a search, the rest a body that it has found.
pub(crate) fn highlight(data: &[u8]) {
    let Some((query, body)) = text(data).map(first_line) else { return };
    let Ok(query) = query.parse::<SearchQuery>() else { return };
    let prepared = render::prepare(body, &names());
    let marked = render::highlight(&prepared.body_html, &query.terms);
    html::check(body, &marked);
    let unmarked = marked.replace("<mark>", "").replace("</mark>", "");
    assert_eq!(unmarked, prepared.body_html, "{query} in {body:?}");
}
