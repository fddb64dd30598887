//! The allow-list that everything passes that came out of the Markdown parser.
//!
//! The writer makes nothing that this would remove; it stands here for the day when the writer has
//! a mistake.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use tidings_domain::UserId;

use super::html::is_language;
use super::text::SCHEMES;

/// Elements that a body may have. No `img`: a picture of another server tells it who reads.
const ELEMENTS: [&str; 28] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "input",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let aligned = || HashSet::from(["align-left", "align-center", "align-right"]);
    let mentions = || HashSet::from(["mention", "mention-all"]);
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(ELEMENTS))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "data-channel"])),
            ("span", HashSet::from(["data-user", "data-channel"])),
            ("ol", HashSet::from(["start"])),
            ("code", HashSet::from(["class"])),
        ]))
        .tag_attribute_values(HashMap::from([
            (
                "a",
                HashMap::from([
                    ("target", HashSet::from(["_blank"])),
                    ("rel", HashSet::from(["noopener noreferrer nofollow"])),
                ]),
            ),
            (
                "input",
                HashMap::from([
                    ("type", HashSet::from(["checkbox"])),
                    ("disabled", HashSet::from([""])),
                    ("checked", HashSet::from([""])),
                ]),
            ),
        ]))
        .allowed_classes(HashMap::from([
            ("a", mentions()),
            ("span", mentions()),
            ("th", aligned()),
            ("td", aligned()),
        ]))
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Deny)
        .link_rel(None)
        .attribute_filter(|element, attribute, value| {
            let fine = match (element, attribute) {
                ("code", "class") => value.strip_prefix("language-").is_some_and(is_language),
                ("ol", "start") => value.len() <= 9 && value.bytes().all(|b| b.is_ascii_digit()),
                (_, "data-user" | "data-channel") => value.parse::<UserId>().is_ok(),
                _ => true,
            };
            fine.then_some(Cow::Borrowed(value))
        });
    builder
});

/// What the allow-list leaves of `html`; the same string when nothing was wrong with it.
pub(super) fn clean(html: &str) -> String {
    CLEANER.clean(html).to_string()
}
