//! GitHub's webhooks, and those of Gitea and Forgejo, which send the same shapes.

// Writing to a string cannot fail, so the results of `write!` are dropped.
use std::fmt::Write as _;

use serde_json::Value;

use super::forge::{Commit, Push, Topic, maybe_link, quoted};
use super::payload::{is_true, list, number, text};
use super::{Post, State, line};
use tidings_markup::mrkdwn::escape;

/// What an event says; `None` for events and actions that would only be noise.
pub fn post(event: &str, payload: &Value) -> Option<Post> {
    match event {
        "ping" => Some(ping(payload)),
        "push" => push(payload),
        "pull_request" => pull_request(payload),
        "issues" => issue(payload),
        "issue_comment" | "pull_request_comment" => issue_comment(payload),
        "pull_request_review" | "pull_request_approved" | "pull_request_rejected" => {
            review(event, payload)
        }
        "pull_request_review_comment" => review_comment(payload),
        "release" => release(payload),
        "workflow_run" => workflow_run(payload),
        _ => None,
    }
}

fn who(payload: &Value) -> &str {
    text(payload, "/sender/login")
        .or_else(|| text(payload, "/sender/username"))
        .or_else(|| text(payload, "/pusher/name"))
        .unwrap_or("somebody")
}

fn repo(payload: &Value) -> &str {
    text(payload, "/repository/full_name")
        .or_else(|| text(payload, "/repository/name"))
        .or_else(|| text(payload, "/organization/login"))
        .unwrap_or("a repository")
}

fn ping(payload: &Value) -> Post {
    let place = maybe_link(repo(payload), text(payload, "/repository/html_url"));
    let zen = text(payload, "/zen").map(|zen| format!("\n> {}", line(zen, 200)));
    Post::quoting(format!("{place} is connected.{}", zen.unwrap_or_default()))
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
                author: text(commit, "/author/username").or_else(|| text(commit, "/author/name")),
            })
        })
        .collect();
    let total = payload.pointer("/total_commits").and_then(Value::as_u64);
    let total = total.and_then(|total| usize::try_from(total).ok()).unwrap_or(0);
    let push = Push {
        repo: repo(payload),
        who: who(payload),
        reference: text(payload, "/ref")?,
        compare: text(payload, "/compare").or_else(|| text(payload, "/compare_url")),
        created: is_true(payload, "/created") || zero("/before"),
        deleted: is_true(payload, "/deleted") || zero("/after"),
        forced: is_true(payload, "/forced"),
        total: total.max(commits.len()),
        commits,
    };
    let moved = push.total > 0 || push.created || push.deleted || push.forced;
    moved.then(|| push.post())
}

/// The issue or pull request at a pointer.
fn topic<'a>(payload: &'a Value, at: &str) -> Option<Topic<'a>> {
    Some(Topic {
        repo: repo(payload),
        number: format!("#{}", number(payload, &format!("{at}/number"))?),
        title: text(payload, &format!("{at}/title")),
        url: text(payload, &format!("{at}/html_url")),
    })
}

fn pull_request(payload: &Value) -> Option<Post> {
    let topic = topic(payload, "/pull_request")?;
    let who = who(payload);
    let draft = is_true(payload, "/pull_request/draft");
    let deed = match text(payload, "/action")? {
        "opened" if draft => "opened a draft".to_owned(),
        "opened" => "opened it".to_owned(),
        "closed" if is_true(payload, "/pull_request/merged") => "merged it".to_owned(),
        "closed" => "closed it".to_owned(),
        "reopened" => "reopened it".to_owned(),
        "ready_for_review" => "says that it is ready for review".to_owned(),
        "converted_to_draft" => "made it a draft again".to_owned(),
        "review_requested" => {
            let of = text(payload, "/requested_reviewer/login")
                .or_else(|| text(payload, "/requested_team/name"))
                .unwrap_or("somebody");
            format!("asks {} for a review", escape(of))
        }
        _ => return None,
    };
    let opened = matches!(text(payload, "/action"), Some("opened"));
    let quote = text(payload, "/pull_request/body").filter(|_| opened);
    let ended = matches!(text(payload, "/action"), Some("closed" | "reopened"));
    Some(Post { broadcast: ended, ..topic.post(who, &deed, quote) })
}

fn issue(payload: &Value) -> Option<Post> {
    let topic = topic(payload, "/issue")?;
    let action = text(payload, "/action")?;
    let deed = match action {
        "opened" => "opened it".to_owned(),
        "closed" => match text(payload, "/issue/state_reason") {
            Some("not_planned") => "closed it as not planned".to_owned(),
            Some("duplicate") => "closed it as a duplicate".to_owned(),
            _ => "closed it".to_owned(),
        },
        "reopened" => "reopened it".to_owned(),
        "assigned" => {
            let to = text(payload, "/assignee/login").unwrap_or("somebody");
            format!("assigned it to {}", escape(to))
        }
        _ => return None,
    };
    let quote = text(payload, "/issue/body").filter(|_| action == "opened");
    let ended = matches!(action, "closed" | "reopened");
    Some(Post { broadcast: ended, ..topic.post(who(payload), &deed, quote) })
}

fn issue_comment(payload: &Value) -> Option<Post> {
    if text(payload, "/action")? != "created" {
        return None;
    }
    let topic = topic(payload, "/issue").or_else(|| topic(payload, "/pull_request"))?;
    let deed = maybe_link("commented", text(payload, "/comment/html_url"));
    Some(topic.post(who(payload), &deed, text(payload, "/comment/body")))
}

fn review(event: &str, payload: &Value) -> Option<Post> {
    let topic = topic(payload, "/pull_request")?;
    let state = match event {
        "pull_request_approved" => "approved",
        "pull_request_rejected" => "changes_requested",
        _ if text(payload, "/action")? == "submitted" => text(payload, "/review/state")?,
        _ => return None,
    };
    let body = text(payload, "/review/body").or_else(|| text(payload, "/review/content"));
    let label = match state.to_ascii_lowercase().as_str() {
        "approved" => "approved it",
        "changes_requested" => "asks for changes",
        // The comments of the review come as events of their own.
        "commented" if body.is_some() => "reviewed it",
        _ => return None,
    };
    let deed = maybe_link(label, text(payload, "/review/html_url"));
    Some(topic.post(who(payload), &deed, body))
}

fn review_comment(payload: &Value) -> Option<Post> {
    if text(payload, "/action")? != "created" {
        return None;
    }
    let topic = topic(payload, "/pull_request")?;
    let mut deed = maybe_link("commented", text(payload, "/comment/html_url"));
    if let Some(path) = text(payload, "/comment/path") {
        deed = format!("{deed} on {}", line(path, 200));
    }
    Some(topic.post(who(payload), &deed, text(payload, "/comment/body")))
}

fn release(payload: &Value) -> Option<Post> {
    if text(payload, "/action")? != "published" {
        return None;
    }
    let tag = text(payload, "/release/tag_name")?;
    let name = text(payload, "/release/name").unwrap_or(tag);
    let place = maybe_link(name, text(payload, "/release/html_url"));
    let early = if is_true(payload, "/release/prerelease") { " (a pre-release)" } else { "" };
    let (repo, who) = (escape(repo(payload)), escape(who(payload)));
    let mut body = format!("**{repo}**: {who} released {place}{early}");
    if let Some(notes) = text(payload, "/release/body") {
        body.push('\n');
        body.push_str(&quoted(notes.trim()));
    }
    Some(Post::quoting(body))
}

fn workflow_run(payload: &Value) -> Option<Post> {
    if text(payload, "/action")? != "completed" {
        return None;
    }
    let (value, verb) = match text(payload, "/workflow_run/conclusion")? {
        "success" => ("success", "passes again"),
        "failure" | "timed_out" | "startup_failure" => ("failure", "fails"),
        // Cancelled, skipped and the like say nothing about whether it works.
        _ => return None,
    };
    let name = text(payload, "/workflow_run/name").or_else(|| text(payload, "/workflow/name"));
    let name = name.unwrap_or("A workflow");
    let branch = text(payload, "/workflow_run/head_branch").unwrap_or_default();
    let (repo, url) = (repo(payload), text(payload, "/workflow_run/html_url"));
    let mark = if value == "success" { "✅" } else { "❌" };
    let mut body = format!("{mark} **{}**: {} {verb}", escape(repo), maybe_link(name, url));
    if !branch.is_empty() {
        let _ = write!(body, " on {}", line(branch, 200));
    }
    if let Some(message) = text(payload, "/workflow_run/head_commit/message") {
        let _ = write!(body, "\n> {}", line(message, 200));
    }
    let state =
        State { key: format!("run:{repo}/{name}@{branch}"), value, expected: value == "success" };
    Some(Post { state: Some(state), ..Post::quoting(body) })
}
