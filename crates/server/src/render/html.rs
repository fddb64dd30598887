//! Writing HTML, in exactly the form in which the sanitizer prints it.
//!
//! Two things are bounded here because the sanitizer's tree is slow when they are not: how deep
//! elements stand in each other, and how many there are. Past the bound the text goes on and the
//! tags stop.

use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{Alignment, CodeBlockKind, Event, Tag};
use tidings_domain::Mention;
use tidings_domain::reference::Written;

use super::Resolve;
use super::markdown::{self, Node};
use super::source;
use super::text::{self, Piece};

/// How deep elements may stand in each other. People quote a quote of a quote; nobody reads the
/// twentieth. Far below the 512 at which browsers flatten.
const DEPTH_MAX: usize = 24;
/// How many elements one body may have: every line of the longest body can have one or two.
const ELEMENTS_MAX: usize = 10_000;
/// What every link that leaves the page carries.
const LINK_END: &str = "\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">";

/// Draws a body in which Markdown means nothing.
pub(super) fn plain(body: &str, names: &dyn Resolve) -> (String, Vec<Mention>) {
    let mut writer = Writer::new(body, names);
    let mut start = 0;
    let mut in_paragraph = false;
    for line in body.split('\n') {
        let run = start..start + line.len();
        start = run.end + 1;
        if !run.is_empty() {
            writer.out.push_str(if in_paragraph { "<br>" } else { "<p>" });
            writer.run(run, true);
        } else if in_paragraph {
            writer.out.push_str("</p>");
        }
        in_paragraph = !line.is_empty();
    }
    if in_paragraph {
        writer.out.push_str("</p>");
    }
    (writer.out, writer.mentions)
}

/// Draws a body through the Markdown parser.
pub(super) fn rich(body: &str, names: &dyn Resolve) -> (String, Vec<Mention>) {
    let mut writer = Writer::new(body, names);
    markdown::nodes(&source::mask(body), |node| writer.node(node));
    (writer.out, writer.mentions)
}

struct Writer<'a> {
    body: &'a str,
    names: &'a dyn Resolve,
    out: String,
    mentions: Vec<Mention>,
    mentioned: HashSet<Mention>,
    open: Vec<Open>,
    /// Links among the open elements, which may not contain links.
    links: usize,
    elements: usize,
    columns: Vec<Alignment>,
    column: usize,
    in_head: bool,
}

/// An element that has begun.
struct Open {
    /// What ends it.
    close: &'static str,
    /// Whether its tag was written: cells and items follow their table and list.
    written: bool,
    /// For a link: what to show if it turns out to be empty, and where its content began.
    link: Option<(String, usize)>,
}

impl<'a> Writer<'a> {
    fn new(body: &'a str, names: &'a dyn Resolve) -> Self {
        Self {
            body,
            names,
            out: String::with_capacity(body.len() + body.len() / 2 + 32),
            mentions: Vec::new(),
            mentioned: HashSet::new(),
            open: Vec::new(),
            links: 0,
            elements: 0,
            columns: Vec::new(),
            column: 0,
            in_head: false,
        }
    }

    fn node(&mut self, node: Node<'_>) {
        match node {
            Node::Run(run) => self.run(run, self.elements < ELEMENTS_MAX),
            Node::Decoded(text) => text::escape(&mut self.out, &text),
            Node::Code(text) => text::escape_code(&mut self.out, &source::unmask(&text)),
            Node::Event(event, range) => match event {
                Event::Start(tag) => self.start(tag, &range),
                Event::End(_) => self.end(),
                Event::Code(code) => {
                    let room = self.room(0);
                    self.out.push_str(if room { "<code>" } else { "" });
                    text::escape_code(&mut self.out, &source::unmask(&code));
                    self.out.push_str(if room { "</code>" } else { "" });
                }
                Event::SoftBreak | Event::HardBreak => self.empty("<br>"),
                Event::Rule => self.empty("<hr>"),
                Event::TaskListMarker(true) => {
                    self.empty("<input type=\"checkbox\" disabled=\"\" checked=\"\">");
                    self.out.push(' ');
                }
                Event::TaskListMarker(false) => {
                    self.empty("<input type=\"checkbox\" disabled=\"\">");
                    self.out.push(' ');
                }
                Event::Text(_)
                | Event::Html(_)
                | Event::InlineHtml(_)
                | Event::InlineMath(_)
                | Event::DisplayMath(_)
                | Event::FootnoteReference(_) => {}
            },
        }
    }

    /// Whether there is room for an element with `inner` levels below it; counts it if so.
    fn room(&mut self, inner: usize) -> bool {
        let room = self.open.len() + inner < DEPTH_MAX && self.elements < ELEMENTS_MAX;
        self.elements += usize::from(room);
        room
    }

    fn empty(&mut self, tag: &str) {
        let room = self.room(0);
        self.out.push_str(if room { tag } else { "\n" });
    }

    fn start(&mut self, tag: Tag<'_>, range: &Range<usize>) {
        match tag {
            Tag::Paragraph => self.block("<p>", "</p>"),
            Tag::Heading { level, .. } => {
                let (open, close) = HEADINGS[(level as usize).clamp(1, 6) - 1];
                self.block(open, close);
            }
            Tag::BlockQuote(_) => self.block("<blockquote>", "</blockquote>"),
            Tag::CodeBlock(kind) => self.code_block(&kind),
            Tag::List(first) => self.list(first),
            Tag::Item => self.part("<li>", "</li>"),
            Tag::Table(columns) => self.table(columns, range),
            Tag::TableHead => {
                self.column = 0;
                self.in_head = true;
                self.part("<thead><tr>", "</tr></thead><tbody>");
            }
            Tag::TableRow => {
                self.column = 0;
                self.in_head = false;
                self.part("<tr>", "</tr>");
            }
            Tag::TableCell => self.cell(),
            Tag::Emphasis => self.inline("<em>", "</em>"),
            Tag::Strong => self.inline("<strong>", "</strong>"),
            Tag::Strikethrough => self.inline("<del>", "</del>"),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.link(&source::unmask(&dest_url));
            }
            // The rest belongs to extensions that are off.
            _ => self.push("", false),
        }
    }

    fn push(&mut self, close: &'static str, written: bool) {
        self.open.push(Open { close, written, link: None });
    }

    fn block(&mut self, open: &str, close: &'static str) {
        let room = self.room(0);
        self.out.push_str(if room { open } else { "" });
        // Without tags the words of two blocks would run together.
        self.push(if room { close } else { "\n" }, room);
    }

    fn inline(&mut self, open: &str, close: &'static str) {
        let room = self.room(0);
        self.out.push_str(if room { open } else { "" });
        self.push(if room { close } else { "" }, room);
    }

    /// A part of a list or table, which has a tag whenever the whole has.
    fn part(&mut self, open: &str, close: &'static str) {
        let room = self.open.last().is_some_and(|whole| whole.written);
        self.elements += usize::from(room);
        self.out.push_str(if room { open } else { "" });
        self.push(if room { close } else { "\n" }, room);
    }

    fn code_block(&mut self, kind: &CodeBlockKind<'_>) {
        let room = self.room(1);
        if room {
            self.elements += 1;
            let language = match kind {
                CodeBlockKind::Fenced(info) => language(info),
                CodeBlockKind::Indented => None,
            };
            match language {
                Some(language) => {
                    self.out.push_str("<pre><code class=\"language-");
                    self.out.push_str(language);
                    self.out.push_str("\">");
                }
                None => self.out.push_str("<pre><code>"),
            }
        }
        self.push(if room { "</code></pre>" } else { "\n" }, room);
    }

    fn list(&mut self, first: Option<u64>) {
        let room = self.room(1);
        let close = match first {
            _ if !room => "\n",
            None => "</ul>",
            Some(_) => "</ol>",
        };
        match first {
            _ if !room => {}
            None => self.out.push_str("<ul>"),
            Some(1) => self.out.push_str("<ol>"),
            Some(first) => {
                self.out.push_str("<ol start=\"");
                self.out.push_str(&first.to_string());
                self.out.push_str("\">");
            }
        }
        self.push(close, room);
    }

    fn table(&mut self, columns: Vec<Alignment>, range: &Range<usize>) {
        // The parser fills short rows up, so a narrow source can be a table of any size.
        let rows = self.body.get(range.clone()).unwrap_or_default().matches('\n').count() + 1;
        let fits = self.elements + rows.saturating_mul(columns.len() + 1) < ELEMENTS_MAX;
        let room = fits && self.room(3);
        self.columns = columns;
        self.out.push_str(if room { "<table>" } else { "" });
        self.push(if room { "</tbody></table>" } else { "\n" }, room);
    }

    fn cell(&mut self) {
        let align = self.columns.get(self.column).copied().unwrap_or(Alignment::None);
        self.column += 1;
        let head = self.in_head;
        let open = match (head, align) {
            (true, Alignment::None) => "<th>",
            (true, Alignment::Left) => "<th class=\"align-left\">",
            (true, Alignment::Center) => "<th class=\"align-center\">",
            (true, Alignment::Right) => "<th class=\"align-right\">",
            (false, Alignment::None) => "<td>",
            (false, Alignment::Left) => "<td class=\"align-left\">",
            (false, Alignment::Center) => "<td class=\"align-center\">",
            (false, Alignment::Right) => "<td class=\"align-right\">",
        };
        self.part(open, if head { "</th>" } else { "</td>" });
    }

    /// A link or a picture: pictures of other servers would tell them who reads, so a picture is a
    /// link to it. A target that we do not allow leaves only what would have been clicked.
    fn link(&mut self, target: &str) {
        let href = if self.links == 0 { text::href(target) } else { None };
        let written = href.is_some() && self.room(0);
        if let (Some(href), true) = (&href, written) {
            self.links += 1;
            self.out.push_str("<a href=\"");
            text::escape_attribute(&mut self.out, href);
            self.out.push_str(LINK_END);
        }
        let link = Some((href.unwrap_or_else(|| target.to_owned()), self.out.len()));
        self.open.push(Open { close: if written { "</a>" } else { "" }, written, link });
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        if let Some((shown, start)) = &open.link {
            if self.out.len() == *start {
                text::escape(&mut self.out, shown);
            }
            self.links -= usize::from(open.written);
        }
        self.out.push_str(open.close);
    }

    /// Writes a stretch of text; `room` says whether addresses may still become links.
    fn run(&mut self, run: Range<usize>, room: bool) {
        let body = self.body;
        let deep = self.open.len() >= DEPTH_MAX;
        text::each_piece(body, run, |piece| match piece {
            Piece::Text(text) => text::escape(&mut self.out, text),
            Piece::Address(shown, href) if room && !deep && self.links == 0 => {
                self.elements += 1;
                self.out.push_str("<a href=\"");
                text::escape_attribute(&mut self.out, &href);
                self.out.push_str(LINK_END);
                text::escape(&mut self.out, shown);
                self.out.push_str("</a>");
            }
            Piece::Address(shown, _) => text::escape(&mut self.out, shown),
            Piece::Reference(range, written) => {
                if !self.reference(&written) {
                    text::escape(&mut self.out, body.get(range).unwrap_or_default());
                }
            }
        });
    }

    /// Draws a stored reference that is known, and says whether it did. `@name` in a stored body is
    /// what was not resolved when it was sent.
    fn reference(&mut self, written: &Written<'_>) -> bool {
        let Written::Stored(mention) = *written else { return false };
        let (open, name, close) = match mention {
            Mention::User(id) => {
                let Some(name) = self.names.user(id) else { return false };
                (format!("<span class=\"mention\" data-user=\"{id}\">@"), name, "</span>")
            }
            Mention::Channel(id) => {
                let Some(name) = self.names.channel(id) else { return false };
                // A link may not contain a link.
                if self.links == 0 {
                    (format!("<a class=\"mention\" data-channel=\"{id}\">#"), name, "</a>")
                } else {
                    (format!("<span class=\"mention\" data-channel=\"{id}\">#"), name, "</span>")
                }
            }
            Mention::Here => (EVERYBODY.to_owned(), "here".to_owned(), "</span>"),
            Mention::Everyone => (EVERYBODY.to_owned(), "channel".to_owned(), "</span>"),
        };
        self.elements += 1;
        self.out.push_str(&open);
        text::escape(&mut self.out, &name);
        self.out.push_str(close);
        if self.mentioned.insert(mention) {
            self.mentions.push(mention);
        }
        true
    }
}

const EVERYBODY: &str = "<span class=\"mention mention-all\">@";

const HEADINGS: [(&str, &str); 6] = [
    ("<h1>", "</h1>"),
    ("<h2>", "</h2>"),
    ("<h3>", "</h3>"),
    ("<h4>", "</h4>"),
    ("<h5>", "</h5>"),
    ("<h6>", "</h6>"),
];

/// The language of a fenced block: the first word of its info string, if it could be one.
fn language(info: &str) -> Option<&str> {
    let word = info.split_ascii_whitespace().next()?;
    is_language(word).then_some(word)
}

/// Whether this is 1 to 32 of `[A-Za-z0-9_+#.-]`, which is enough for `c++`, `c#` and `asp.net`.
pub(super) fn is_language(word: &str) -> bool {
    (1..=32).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+#.-".contains(&byte))
}
