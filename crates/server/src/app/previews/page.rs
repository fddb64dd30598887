//! What a page says of itself, read from the beginning of its HTML.
//!
//! Pages are strangers': whatever is in them is text here, cut to a length that people read, without
//! characters that hide or reorder others. Nothing of their markup survives.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{RawKind, Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use reqwest::Url;

/// Most characters of a title.
const TITLE_MAX: usize = 200;
/// Most characters of a description.
const DESCRIPTION_MAX: usize = 500;
/// Most characters of a site's name.
const SITE_MAX: usize = 100;

/// What a page says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// What it is called, at most 200 characters; may be empty.
    pub title: String,
    /// What it says of itself, at most 500 characters; may be empty.
    pub description: String,
    /// What the site is called, at most 100 characters; may be empty.
    pub site: String,
    /// Where its picture is, as a whole address.
    pub image: Option<String>,
}

/// Reads a page as far as it is there. Looks at no more than its head. Its picture is looked for from
/// where the page is.
pub fn read(html: &str, address: &str) -> Page {
    let found = Found::default();
    run(html, &found);
    let Found(found) = found;
    let Said { title, meta, .. } = found.into_inner();
    let first = |names: &[&str]| {
        let of = |name: &&str| meta.iter().find(|(key, value)| key == name && !value.is_empty());
        names.iter().find_map(of).map(|(_, value)| value.clone())
    };
    let heading = first(&["og:title", "twitter:title"]).unwrap_or(title);
    let description = first(&["og:description", "twitter:description", "description"]);
    let site = first(&["og:site_name", "application-name"]);
    let image = first(&["og:image:secure_url", "og:image", "og:image:url", "twitter:image"]);
    Page {
        title: plain(&heading, TITLE_MAX),
        description: plain(&description.unwrap_or_default(), DESCRIPTION_MAX),
        site: plain(&site.unwrap_or_default(), SITE_MAX),
        image: image
            .and_then(|image| Url::parse(address).ok()?.join(image.trim()).ok())
            .filter(|image| matches!(image.scheme(), "http" | "https"))
            .map(String::from),
    }
}

/// The addresses of the web that a message's HTML links to, each once, in order, at most `max`.
pub fn links(html: &str, max: usize) -> Vec<String> {
    // Most messages have none, and are not taken apart.
    if !html.contains("<a href=\"http") {
        return Vec::new();
    }
    let found = Links::default();
    run(html, &found);
    let mut links: Vec<String> = Vec::new();
    for link in found.0.into_inner() {
        let web = link.starts_with("http://") || link.starts_with("https://");
        if web && !links.contains(&link) && links.len() < max {
            links.push(link);
        }
    }
    links
}

/// Text on one line, without what is not seen, at most `max` characters.
pub(super) fn plain(text: &str, max: usize) -> String {
    let seen = |c: char| {
        !matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
    };
    let text: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| seen(*c)).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.char_indices().nth(max).is_none() {
        return text;
    }
    let end = text.char_indices().nth(max - 1).map_or(0, |(at, _)| at);
    format!("{}…", text.get(..end).unwrap_or_default().trim_end())
}

fn run(html: &str, sink: impl TokenSink) {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    // It stops for scripts and declared encodings; neither means anything here.
    while !matches!(tokenizer.feed(&input), html5ever::TokenizerResult::Done) {}
    tokenizer.end();
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    tag.attrs.iter().find(|attr| *attr.name.local == *name).map(|attr| attr.value.to_string())
}

#[derive(Debug, Default)]
struct Links(RefCell<Vec<String>>);

impl TokenSink for &Links {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token
            && &*tag.name == "a"
            && let Some(href) = attribute(&tag, "href")
        {
            self.0.borrow_mut().push(href);
        }
        TokenSinkResult::Continue
    }
}

#[derive(Debug, Default)]
struct Said {
    title: String,
    in_title: bool,
    /// The head is over; nothing that comes later is the page's word on itself.
    over: bool,
    meta: Vec<(String, String)>,
}

/// Most `meta` elements that are kept: real pages have some dozens.
const META_MAX: usize = 200;

#[derive(Debug, Default)]
struct Found(RefCell<Said>);

impl TokenSink for &Found {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut said = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) if said.in_title && said.title.len() < 4096 => {
                said.title.push_str(&text);
            }
            Token::TagToken(tag) => {
                let start = tag.kind == TagKind::StartTag;
                match &*tag.name {
                    "title" if !said.over => {
                        // Only the first one counts: pictures in SVG have titles of their own.
                        said.in_title = start && said.title.is_empty();
                        if start {
                            return raw(Rcdata);
                        }
                    }
                    "script" if start => return raw(ScriptData),
                    "style" | "noscript" | "iframe" | "xmp" | "noembed" | "noframes" if start => {
                        return raw(Rawtext);
                    }
                    "textarea" if start => return raw(Rcdata),
                    "body" if start => said.over = true,
                    "head" if !start => said.over = true,
                    "meta" if start && !said.over && said.meta.len() < META_MAX => {
                        let key = attribute(&tag, "property").or_else(|| attribute(&tag, "name"));
                        if let (Some(key), Some(value)) = (key, attribute(&tag, "content")) {
                            said.meta.push((key.trim().to_ascii_lowercase(), value));
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

const fn raw(kind: RawKind) -> TokenSinkResult<()> {
    TokenSinkResult::RawData(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        read(html, "https://example.org/a/b?c")
    }

    #[test]
    fn what_a_page_says_for_previews_comes_before_its_title() {
        let found = page(
            "<!doctype html><html><head><title> A \n title &amp; more </title>
             <meta name=Description content='plain words'>
             <meta property=og:title content='For &lt;others&gt;'><meta property='og:title' content=second>
             <meta property='og:site_name' content='Example &#x1f600;'>
             <meta property='og:image' content='/pictures/1.png?a=1&amp;b=2'></head>
             <body><meta property='og:description' content='too late'></body>",
        );
        assert_eq!(found.title, "For <others>");
        assert_eq!(found.description, "plain words");
        assert_eq!(found.site, "Example 😀");
        assert_eq!(found.image.as_deref(), Some("https://example.org/pictures/1.png?a=1&b=2"));
        assert_eq!(page("<title>\n A  title </title>").title, "A title");
    }

    #[test]
    fn whatever_a_page_is_it_becomes_text() {
        for (html, title) in [
            ("", ""),
            ("<title>", ""),
            ("<title>cut", "cut"),
            ("<title><b>x</b></title>", "<b>x</b>"),
            ("<script>'<title>no</title>'</script><title>yes</title>", "yes"),
            ("<style><title>no</title></style><title>yes</title>", "yes"),
            ("<title>one</title><title>two</title>", "one"),
            ("<title>a\u{202e}b\u{0}\u{200b}c</title>", "ab\u{fffd}c"),
            ("<!-- <title>no</title> --><title>yes</title>", "yes"),
            ("<body><title>late</title>", ""),
            ("<meta property=og:title content=''><title>yes</title>", "yes"),
        ] {
            assert_eq!(page(html).title, title, "{html}");
        }
        let long = page(&format!("<title>{}</title>", "é".repeat(5000)));
        assert!(long.title.chars().count() == TITLE_MAX && long.title.ends_with('…'));
        let image = |to: &str| page(&format!("<meta property=og:image content='{to}'>")).image;
        assert_eq!(image("//cdn.example.org/x.png").unwrap(), "https://cdn.example.org/x.png");
        assert_eq!(image("http://["), None);
        assert_eq!(image("javascript:alert(1)"), None);
    }

    #[test]
    fn links_are_those_that_people_can_click() {
        let html = "<p><a href=\"https://a.example/?x=1&amp;y=2\" rel=\"nofollow\">a</a> \
                    <code>https://b.example/</code> <a href=\"mailto:x@y.example\">m</a> \
                    <a href=\"https://a.example/?x=1&amp;y=2\">again</a> <a href=\"http://c.example/\">c</a></p>";
        assert_eq!(links(html, 5), ["https://a.example/?x=1&y=2", "http://c.example/"]);
        assert_eq!(links(html, 1).len(), 1);
        assert!(links("<p>https://a.example/</p>", 5).is_empty());
    }
}
