//! What the forges have in common: pushes, threads for issues, quotes of what people wrote.

// Writing to a string cannot fail, so the results of `write!` are dropped.
use std::fmt::Write as _;

use tidings_markup::mrkdwn::{escape, link};

use super::{Post, cut, line};

/// Most commits of a push that are listed.
pub(super) const COMMITS_MAX: usize = 5;
/// Most characters of what somebody wrote that are quoted.
const QUOTE_MAX: usize = 600;
/// Most characters of a title.
const TITLE_MAX: usize = 200;

/// One commit of a push.
pub(super) struct Commit<'a> {
    pub(super) id: &'a str,
    pub(super) url: Option<&'a str>,
    pub(super) message: &'a str,
    pub(super) author: Option<&'a str>,
}

/// What happened to a branch or tag.
pub(super) struct Push<'a> {
    pub(super) repo: &'a str,
    pub(super) who: &'a str,
    /// `refs/heads/…` or `refs/tags/…`.
    pub(super) reference: &'a str,
    pub(super) compare: Option<&'a str>,
    pub(super) created: bool,
    pub(super) deleted: bool,
    pub(super) forced: bool,
    /// How many commits there were, listed or not.
    pub(super) total: usize,
    pub(super) commits: Vec<Commit<'a>>,
}

impl Push<'_> {
    pub(super) fn post(&self) -> Post {
        let (what, name) = match self.reference.strip_prefix("refs/tags/") {
            Some(tag) => ("tag", tag),
            None => {
                ("branch", self.reference.strip_prefix("refs/heads/").unwrap_or(self.reference))
            }
        };
        let place = maybe_link(&cut(name, TITLE_MAX), self.compare.filter(|_| !self.deleted));
        let (repo, who) = (escape(self.repo), escape(self.who));
        let shown =
            if self.total == 1 { "1 commit".to_owned() } else { format!("{} commits", self.total) };
        let deed = match (self.deleted, self.forced, self.created, self.total) {
            (true, ..) => format!("deleted the {what} {place}"),
            (_, true, _, 0) => format!("force-pushed {place}"),
            (_, true, ..) => format!("force-pushed {shown} to {place}"),
            (_, _, true, 0) => format!("created the {what} {place}"),
            (_, _, true, _) => format!("created the {what} {place} with {shown}"),
            _ => format!("pushed {shown} to {place}"),
        };
        let mut body = format!("**{repo}**: {who} {deed}");
        for commit in self.commits.iter().take(COMMITS_MAX) {
            let short: String = commit.id.chars().take(7).collect();
            let id = maybe_link(&short, commit.url);
            let _ = write!(body, "\n- {id} {}", line(commit.message, TITLE_MAX));
            if let Some(author) = commit.author.filter(|author| *author != self.who) {
                let _ = write!(body, " · {}", line(author, 64));
            }
        }
        let more = self.total.saturating_sub(self.commits.len().min(COMMITS_MAX));
        if more > 0 && !self.commits.is_empty() {
            let _ = write!(body, "\n- … and {more} more");
        }
        Post::quoting(body)
    }
}

/// An issue or a request to merge, and what somebody did about it.
pub(super) struct Topic<'a> {
    pub(super) repo: &'a str,
    /// `#5`, or `!5` for GitLab's merge requests.
    pub(super) number: String,
    pub(super) title: Option<&'a str>,
    pub(super) url: Option<&'a str>,
}

impl Topic<'_> {
    /// A post in the thread of the topic: `who deed`, and a quote of what they wrote.
    pub(super) fn post(&self, who: &str, deed: &str, quote: Option<&str>) -> Post {
        let title = self.title.map(|title| cut(title.trim(), TITLE_MAX)).unwrap_or_default();
        let name = format!("{}{} {title}", self.repo, self.number);
        let mut body = format!("{}: {} {deed}", maybe_link(name.trim(), self.url), escape(who));
        if let Some(text) = quote.map(str::trim).filter(|text| !text.is_empty()) {
            body.push('\n');
            body.push_str(&quoted(text));
        }
        Post { thread: Some(format!("topic:{}{}", self.repo, self.number)), ..Post::quoting(body) }
    }
}

/// Lines of what somebody wrote, as a quote.
pub(super) fn quoted(text: &str) -> String {
    let text = cut(&text.replace('\0', ""), QUOTE_MAX);
    text.lines()
        .map(|line| format!("> {line}").trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// A link where there is an address, or else the words alone.
pub(super) fn maybe_link(label: &str, url: Option<&str>) -> String {
    url.map_or_else(|| escape(label), |url| link(label, url))
}
