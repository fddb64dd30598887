//! Replays nine days of a real community through the public API, as its authors.
//!
//! Every author has an account, every channel its lane of steps. Three followers (long poll, SSE,
//! WebSocket) rebuild all channels from events alone; in the end they, the REST API and the export
//! of the same days must agree.

mod actor;
mod compare;
mod follower;
mod script;
mod slack;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::Context as _;
use serde_json::json;

pub use actor::Speed;

use self::actor::Stage;
use self::compare::Differences;
use self::follower::{Heads, Transport, View, follow};
use crate::api::{self, Account, Api, Community};
use crate::process::Process;
use crate::subject::Launch;

/// What to replay, and where.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The server.
    pub tidingsd: PathBuf,
    /// A folder on a real disk for everything that is written.
    pub scratch: PathBuf,
    /// Events, one JSON object a line; `.gz` is unpacked.
    pub events: PathBuf,
    /// The export of the same days.
    pub export: PathBuf,
    /// How fast.
    pub speed: Speed,
    /// Decides keys.
    pub seed: u64,
}

/// How it went, and what differs.
#[derive(Debug)]
pub struct Outcome {
    /// In Markdown.
    pub report: String,
    /// How many differences there are.
    pub differences: usize,
}

/// Starts a server, replays, follows and compares.
pub fn run(setting: &Setting) -> anyhow::Result<Outcome> {
    let script = script::write(&slack::read_events(&setting.events)?);
    let export = slack::read_export(&setting.export)?;
    let folder = tempfile::Builder::new()
        .prefix("tidings-replay-")
        .tempdir_in(&setting.scratch)
        .context("make a folder")?;
    let subject = Launch::new(&setting.tidingsd, &folder.path().join("data"))?.start()?;
    let api = Api::new(subject.address(), setting.seed);
    let community = api.found(&subject.setup_code()?)?;
    let stage = set_stage(&api, &community, &script, &export)?;
    let mut http = api.connect();
    let reader = api.register(&mut http, "follower", None, Some(&community.invite))?;
    for channel in stage.channels.values().chain([&stage.end]) {
        api::join(&mut http, &reader.token, channel)?;
    }
    // Nothing happens yet: the heads are those at the cursor.
    let mut start = read_heads(&api, &stage, &reader)?;
    let end = api::head_seq(&mut http, &reader.token, &stage.end)?;
    start.insert(stage.end.clone(), end);
    let since = api::cursor(&mut http, &reader.token)?;

    let (heads, server) = (OnceLock::new(), subject.address());
    let (performance, views) = std::thread::scope(|scope| {
        let followers: Vec<_> = [Transport::LongPoll, Transport::Sse, Transport::WebSocket]
            .into_iter()
            .map(|transport| {
                let (token, since, heads) = (&reader.token, &since, &heads);
                let (start, heads) = (&start, move || heads.get().cloned());
                scope.spawn(move || follow(transport, server, token, (since, start), heads))
            })
            .collect();
        let performance = actor::perform(&api, &stage, &script, setting.speed);
        // Whatever happened, the followers must learn where to stop.
        let found = read_heads(&api, &stage, &reader).unwrap_or_default();
        let _ = heads.set(found);
        let woken = wake(&api, &stage);
        let views: Vec<_> =
            followers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        woken?;
        let views = views
            .into_iter()
            .map(|view| view.ok().context("a follower panicked")?)
            .collect::<anyhow::Result<Vec<View>>>()?;
        anyhow::Ok((performance?, views))
    })?;

    let rest = compare::read_rest(&mut http, &reader.token, stage.channels.values().cloned())?;
    let mut differences = Differences::default();
    for (name, view) in ["long poll", "SSE", "WebSocket"].into_iter().zip(&views) {
        compare::view_with_rest(name, view, &rest, &mut differences);
    }
    compare::rest_with_export(&rest, &export, &script, &stage, &mut differences);
    let report =
        describe(setting, &script, &performance, &views, &rest, &differences, subject.process());
    Ok(Outcome { report: report?, differences: differences.count() })
}

/// Accounts for all authors and a channel for each lane.
fn set_stage(
    api: &Api,
    community: &Community,
    script: &script::Script,
    export: &slack::Export,
) -> anyhow::Result<Stage> {
    let authors: Vec<String> = script.authors.iter().cloned().collect();
    let accounts = api.in_parallel(&authors, |http, username| {
        api.register(http, username, None, Some(&community.invite))
            .with_context(|| format!("register {username}"))
    })?;
    let lanes: Vec<String> = script.lanes.keys().cloned().collect();
    let channels = lanes
        .iter()
        .map(|slack| {
            let name = export.names.get(slack).map_or(slack.as_str(), String::as_str);
            // Every community has a `#general` of its own.
            let name = if name == "general" { "general-2" } else { name };
            let id = api.create_channel(community, &name.to_lowercase())?;
            Ok((slack.clone(), id))
        })
        .collect::<anyhow::Result<BTreeMap<_, _>>>()?;
    Ok(Stage {
        accounts: authors.into_iter().zip(accounts).collect(),
        channels,
        end: api.create_channel(community, "the-end-of-the-replay")?,
        owner_token: community.owner.token.clone(),
    })
}

fn read_heads(api: &Api, stage: &Stage, reader: &Account) -> anyhow::Result<Heads> {
    let mut http = api.connect();
    let channels = stage.channels.values();
    channels.map(|id| Ok((id.clone(), api::head_seq(&mut http, &reader.token, id)?))).collect()
}

/// One more message, where nothing is compared: followers that wait look up and find that they are
/// done.
fn wake(api: &Api, stage: &Stage) -> anyhow::Result<()> {
    let path = format!("/v1/channels/{}/messages", stage.end);
    let body = json!({ "client_id": "end", "body": "The end." }).to_string();
    let token = Some(stage.owner_token.as_str());
    api.connect().request("POST", &path, token, Some(&body))?.success()
}

fn describe(
    setting: &Setting,
    script: &script::Script,
    performance: &actor::Performance,
    views: &[View],
    rest: &compare::Rooms,
    differences: &Differences,
    server: &Process,
) -> anyhow::Result<String> {
    use std::fmt::Write as _;
    let mut text = String::from("### Replay\n\n| events | count |\n|---|---|\n");
    for (kind, count) in &script.kinds {
        writeln!(text, "| {kind} | {count} |")?;
    }
    let messages: usize = rest.values().map(BTreeMap::len).sum();
    let events: Vec<usize> = views.iter().map(|view| view.events).collect();
    let actor::Performance { requests, seconds, rejoined } = performance;
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let rate = *requests as f64 / seconds;
    writeln!(text)?;
    writeln!(
        text,
        "- {} authors in {} channels; {requests} requests in {seconds:.1} s ({rate:.0}/s, {:?})",
        script.authors.len(),
        script.lanes.len(),
        setting.speed
    )?;
    writeln!(
        text,
        "- {} messages were first heard of when they were changed, {} replies had no root, \
         {rejoined} edits and deletions needed their author to join again",
        script.late.len(),
        script.rootless.len()
    )?;
    writeln!(
        text,
        "- followers by long poll, SSE and WebSocket took {events:?} events; REST shows {messages} \
         messages; the server used {:.1} CPU-s and at most {} MiB",
        server.cpu_seconds()?,
        server.peak_bytes()? >> 20
    )?;
    writeln!(text, "- differences: {}", differences.count())?;
    for difference in differences.told() {
        writeln!(text, "  - {difference}")?;
    }
    Ok(text)
}
