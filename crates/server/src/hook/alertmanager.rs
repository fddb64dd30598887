//! Prometheus Alertmanager's webhooks (version 4), and Grafana's, which have the same shape.

// Writing to a string cannot fail, so the results of `write!` are dropped.
use std::fmt::Write as _;

use serde_json::Value;
use tidings_markup::mrkdwn::escape;

use super::forge::maybe_link;
use super::payload::{list, text};
use super::{Post, line};

/// Most alerts of a group that are listed.
const ALERTS_MAX: usize = 10;

/// What a notification says: the first of a group begins a thread, and that it is over is a reply
/// which the channel shows too. `None` when there is no alert in it.
pub fn post(payload: &Value) -> Option<Post> {
    let alerts = list(payload, "/alerts");
    let first = alerts.first()?;
    let over = text(payload, "/status").or_else(|| text(first, "/status")) == Some("resolved");
    let firing = alerts.iter().filter(|alert| text(alert, "/status") != Some("resolved")).count();
    let name = text(payload, "/commonLabels/alertname")
        .or_else(|| text(payload, "/groupLabels/alertname"))
        .or_else(|| text(first, "/labels/alertname"))
        .or_else(|| text(payload, "/title"))
        .unwrap_or("Alert");
    let head = maybe_link(name, text(payload, "/externalURL"));
    let mut body = if over {
        format!("✅ **{head}** is resolved")
    } else if firing > 1 {
        format!("🔥 **{head}** fires ({firing})")
    } else {
        format!("🔥 **{head}** fires")
    };
    for alert in alerts.iter().take(ALERTS_MAX) {
        body.push_str("\n- ");
        body.push_str(&describe(alert, over));
    }
    if let more @ 1.. = alerts.len().saturating_sub(ALERTS_MAX) {
        let _ = write!(body, "\n- … and {more} more");
    }
    let began = alerts.iter().filter_map(|alert| text(alert, "/startsAt")).min();
    let group = text(payload, "/groupKey").unwrap_or(name);
    Some(Post {
        thread: Some(format!("alert:{group}:{}", began.unwrap_or_default())),
        broadcast: over,
        ..Post::quoting(body)
    })
}

fn describe(alert: &Value, over: bool) -> String {
    let said = text(alert, "/annotations/summary")
        .or_else(|| text(alert, "/annotations/description"))
        .or_else(|| text(alert, "/annotations/message"));
    let labels = || {
        let labels = alert.pointer("/labels").and_then(Value::as_object);
        let labels = labels.into_iter().flatten().filter(|(name, _)| *name != "alertname");
        let pairs = labels.filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
        pairs.take(8).collect::<Vec<_>>().join(" ")
    };
    let mut shown = said.map_or_else(|| line(&labels(), 300), |said| line(said, 300));
    if shown.is_empty() {
        "an alert".clone_into(&mut shown);
    }
    if let Some(severity) = text(alert, "/labels/severity") {
        shown = format!("{shown} ({})", escape(severity));
    }
    if !over && text(alert, "/status") == Some("resolved") {
        shown.push_str(" – resolved");
    }
    match text(alert, "/generatorURL") {
        Some(url) => format!("{shown} {}", maybe_link("source", Some(url))),
        None => shown,
    }
}
