//! The authors: lanes of steps over a few connections, each step as the account that took it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::script::{Deed, Script, Step};
use crate::api::{self, Account, Api};
use crate::clock::Stopwatch;
use crate::http::{Answer, Http};

/// How fast to replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// As fast as it goes.
    Max,
    /// So many times as fast as it was.
    Times(f64),
}

/// The stage: accounts and channels by their Slack names.
pub(super) struct Stage {
    pub(super) accounts: BTreeMap<String, Account>,
    /// Channel ids by Slack's.
    pub(super) channels: BTreeMap<String, String>,
    /// A channel of no lane.
    pub(super) end: String,
    pub(super) owner_token: String,
}

/// What the authors did, beside what was asked of them.
#[derive(Debug, Default)]
pub(super) struct Performance {
    /// Requests that changed something.
    pub(super) requests: usize,
    /// Seconds from the first to the last.
    pub(super) seconds: f64,
    /// Times an author had to join again to edit or delete.
    pub(super) rejoined: usize,
}

/// Plays all lanes; the steps of one channel come in order, channels run side by side.
pub(super) fn perform(
    api: &Api,
    stage: &Stage,
    script: &Script,
    speed: Speed,
) -> anyhow::Result<Performance> {
    let first = script.lanes.values().flatten().map(|step| step.at).fold(f64::INFINITY, f64::min);
    let watch = Stopwatch::start();
    // Long lanes first and dealt out like cards, so that no connection has all of them.
    let mut lanes: Vec<_> = script.lanes.iter().collect();
    lanes.sort_by_key(|(_, steps)| std::cmp::Reverse(steps.len()));
    let hands: Vec<Vec<_>> =
        (0..LANES).map(|hand| lanes.iter().skip(hand).step_by(LANES).copied().collect()).collect();
    let parts = api.in_parallel(&hands, |http, hand| {
        let mut player = Player { http, stage, ids: HashMap::new(), part: Performance::default() };
        match speed {
            Speed::Max => {
                for (channel, steps) in hand {
                    for step in *steps {
                        player.play(channel, step)?;
                    }
                }
            }
            Speed::Times(times) => {
                let mut steps: Vec<_> = hand
                    .iter()
                    .flat_map(|(channel, steps)| steps.iter().map(move |step| (*channel, step)))
                    .collect();
                // A stable sort: within a channel the order stays, whatever its clock says.
                steps.sort_by(|(_, one), (_, other)| one.at.total_cmp(&other.at));
                for (channel, step) in steps {
                    let due = Duration::from_secs_f64(((step.at - first) / times).max(0.0));
                    std::thread::sleep(due.saturating_sub(watch.elapsed()));
                    player.play(channel, step)?;
                }
            }
        }
        Ok(player.part)
    })?;
    let mut whole = Performance { seconds: watch.seconds(), ..Performance::default() };
    for part in parts {
        whole.requests += part.requests;
        whole.rejoined += part.rejoined;
    }
    Ok(whole)
}

/// Connections at once; as many as set-up uses.
const LANES: usize = 16;

struct Player<'a> {
    http: &'a mut Http,
    stage: &'a Stage,
    /// Message ids by Slack's channel and time.
    ids: HashMap<(String, String), String>,
    part: Performance,
}

impl Player<'_> {
    fn play(&mut self, channel: &str, step: &Step) -> anyhow::Result<()> {
        let account = self.stage.accounts.get(&step.author).context("an author without account")?;
        let token = account.token.as_str();
        let id = self.stage.channels.get(channel).context("a channel that was not made")?;
        self.part.requests += 1;
        match &step.deed {
            Deed::Join => api::join(self.http, token, id),
            Deed::Leave => api::leave(self.http, token, id),
            Deed::Topic { text } => {
                let body = json!({ "topic": text }).to_string();
                let path = format!("/v1/channels/{id}");
                let owner = Some(self.stage.owner_token.as_str());
                self.http.request("PATCH", &path, owner, Some(&body))?.success()
            }
            Deed::Send { ts, body, root, broadcast } => {
                let root = root.as_ref().map(|root| self.id(channel, root)).transpose()?;
                let mut request = json!({ "client_id": ts, "body": body });
                if let (Some(root), Some(request)) = (root, request.as_object_mut()) {
                    request.insert("parent_id".to_owned(), json!(root));
                    request.insert("broadcast".to_owned(), json!(broadcast));
                }
                let path = format!("/v1/channels/{id}/messages");
                let sent: Value = self
                    .http
                    .call("POST", &path, Some(token), Some(&request.to_string()))
                    .with_context(|| format!("send {request}"))?;
                let message = sent.get("id").and_then(Value::as_str).context("no message id")?;
                self.ids.insert((channel.to_owned(), ts.clone()), message.to_owned());
                Ok(())
            }
            Deed::Edit { ts, body } => {
                let body = json!({ "body": body }).to_string();
                let path = format!("/v1/messages/{}", self.id(channel, ts)?);
                self.as_member("PATCH", &path, token, id, Some(&body))
            }
            Deed::Delete { ts } => {
                let path = format!("/v1/messages/{}", self.id(channel, ts)?);
                self.as_member("DELETE", &path, token, id, None)
            }
        }
        .with_context(|| format!("{} in {channel} at {}", step.author, step.at))
    }

    fn id(&self, channel: &str, ts: &str) -> anyhow::Result<String> {
        let id = self.ids.get(&(channel.to_owned(), ts.to_owned()));
        Ok(id.with_context(|| format!("message {ts} was not sent"))?.clone())
    }

    /// An author who has left since may have to be in the channel again.
    fn as_member(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        channel: &str,
        body: Option<&str>,
    ) -> anyhow::Result<()> {
        let answer = self.http.request(method, path, Some(token), body)?;
        if !matches!(answer.status, 403 | 404) {
            return answer.success();
        }
        self.part.rejoined += 1;
        api::join(self.http, token, channel)?;
        let Answer { status, body } = self.http.request(method, path, Some(token), body)?;
        if !(200..300).contains(&status) {
            bail!("answered {status}, in the channel too: {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }
}
