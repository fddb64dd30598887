//! GitLab's webhooks. What an event is stands in its `object_kind`.

// Writing to a string cannot fail, so the results of `write!` are dropped.
use std::fmt::Write as _;

use serde_json::Value;
use tidings_markup::mrkdwn::escape;

use super::forge::{Commit, Push, Topic, maybe_link};
use super::payload::{list, number, text};
use super::{Post, State, line};

/// What an event says; `None` for events and actions that would only be noise.
pub fn post(payload: &Value) -> Option<Post> {
    match text(payload, "/object_kind").or_else(|| text(payload, "/event_name"))? {
        "push" | "tag_push" => push(payload),
        "merge_request" => merge_request(payload),
        "issue" | "work_item" => issue(payload),
        "note" => note(payload),
        "pipeline" => pipeline(payload),
        "release" => release(payload),
        _ => None,
    }
}

fn who(payload: &Value) -> &str {
    text(payload, "/user/username")
        .or_else(|| text(payload, "/user_username"))
        .or_else(|| text(payload, "/user/name"))
        .or_else(|| text(payload, "/user_name"))
        .unwrap_or("somebody")
}

fn repo(payload: &Value) -> &str {
    text(payload, "/project/path_with_namespace")
        .or_else(|| text(payload, "/project/name"))
        .unwrap_or("a project")
}

fn push(payload: &Value) -> Option<Post> {
    let zero = |pointer: &str| {
        text(payload, pointer).is_some_and(|sha| sha.bytes().all(|byte| byte == b'0'))
    };
    let commits: Vec<Commit<'_>> = list(payload, "/commits")
        .iter()
        .filter_map(|commit| {
            Some(Commit {
                id: text(commit, "/id")?,
                url: text(commit, "/url"),
                message: text(commit, "/message").unwrap_or_default(),
                author: text(commit, "/author/name"),
            })
        })
        .collect();
    let total = payload.pointer("/total_commits_count").and_then(Value::as_u64);
    let total = total.and_then(|total| usize::try_from(total).ok()).unwrap_or(0);
    let push = Push {
        repo: repo(payload),
        who: who(payload),
        reference: text(payload, "/ref")?,
        compare: None,
        created: zero("/before"),
        deleted: zero("/after"),
        forced: false,
        total: total.max(commits.len()),
        commits,
    };
    (push.total > 0 || push.created || push.deleted).then(|| push.post())
}

fn topic<'a>(payload: &'a Value, at: &str, mark: char) -> Option<Topic<'a>> {
    Some(Topic {
        repo: repo(payload),
        number: format!("{mark}{}", number(payload, &format!("{at}/iid"))?),
        title: text(payload, &format!("{at}/title")),
        url: text(payload, &format!("{at}/url")),
    })
}

fn merge_request(payload: &Value) -> Option<Post> {
    let topic = topic(payload, "/object_attributes", '!')?;
    let action = text(payload, "/object_attributes/action")?;
    let deed = match action {
        "open" => "opened it",
        "close" => "closed it",
        "reopen" => "reopened it",
        "merge" => "merged it",
        "approved" | "approval" => "approved it",
        "unapproved" | "unapproval" => "took the approval back",
        _ => return None,
    };
    let quote = text(payload, "/object_attributes/description").filter(|_| action == "open");
    let ended = matches!(action, "close" | "reopen" | "merge");
    Some(Post { broadcast: ended, ..topic.post(who(payload), deed, quote) })
}

fn issue(payload: &Value) -> Option<Post> {
    let topic = topic(payload, "/object_attributes", '#')?;
    let action = text(payload, "/object_attributes/action")?;
    let deed = match action {
        "open" => "opened it",
        "close" => "closed it",
        "reopen" => "reopened it",
        _ => return None,
    };
    let quote = text(payload, "/object_attributes/description").filter(|_| action == "open");
    let ended = matches!(action, "close" | "reopen");
    Some(Post { broadcast: ended, ..topic.post(who(payload), deed, quote) })
}

fn note(payload: &Value) -> Option<Post> {
    let topic = topic(payload, "/merge_request", '!').or_else(|| topic(payload, "/issue", '#'))?;
    let deed = maybe_link("commented", text(payload, "/object_attributes/url"));
    Some(topic.post(who(payload), &deed, text(payload, "/object_attributes/note")))
}

fn release(payload: &Value) -> Option<Post> {
    if text(payload, "/action")? != "create" {
        return None;
    }
    let tag = text(payload, "/tag")?;
    let place = maybe_link(text(payload, "/name").unwrap_or(tag), text(payload, "/url"));
    Some(Post::quoting(format!("**{}**: released {place}", escape(repo(payload)))))
}

fn pipeline(payload: &Value) -> Option<Post> {
    let (value, verb, mark) = match text(payload, "/object_attributes/status")? {
        "success" => ("success", "passes again", "✅"),
        "failed" => ("failure", "fails", "❌"),
        _ => return None,
    };
    let branch = text(payload, "/object_attributes/ref").unwrap_or_default();
    let repo = repo(payload);
    let url = text(payload, "/object_attributes/url");
    let mut body =
        format!("{mark} **{}**: {} {verb}", escape(repo), maybe_link("the pipeline", url));
    if !branch.is_empty() {
        let _ = write!(body, " on {}", line(branch, 200));
    }
    if let Some(message) = text(payload, "/commit/message") {
        let _ = write!(body, "\n> {}", line(message, 200));
    }
    let state = State { key: format!("run:{repo}@{branch}"), value, expected: value == "success" };
    Some(Post { state: Some(state), ..Post::quoting(body) })
}
