//! How events reach the receivers of outgoing webhooks.
//!
//! A webhook is a cursor over the log: everything up to its position was told. One job for each
//! webhook that has something to tell walks on from there, one event after the other, and moves the
//! position with each that the receiver accepts. So events come in order, nothing is told before what
//! came before it, nothing is lost with a process, and a receiver that is away costs one row.
//!
//! Whether there is something to tell is found out by the [`Feed`], which hears of every entry.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::Mac as _;
use http::{HeaderMap, Request, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tidings_domain::fact::SUBSCRIBABLE;
use tidings_domain::{
    CommunityId, JobId, LogId, NotificationKind, Position, RoomKind, Timestamp, UserId, Visibility,
    WebhookId,
};
use tidings_storage::job::{JobKind, StoredJob};
use tidings_storage::outgoing::{Happening, StoredAttempt, StoredOutgoing};
use tidings_storage::{Change, ChangeError, Precondition, Record};
use tidings_wire::Time;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::super::webhooks::mac;
use super::OutgoingWebhooks;
use crate::app::App;
use crate::app::jobs::{After, Lease};
use crate::error::ApiError;
use crate::outward::{Bounds, Excess};

/// What an answer may cost. A receiver that needs longer puts what it has to do into a queue of its
/// own; what it says beside the status is not read.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(15),
    bytes: 1024,
    excess: Excess::Cut,
    redirects: 0,
    kinds: &[],
};
/// Happenings that are looked at at a time.
const PAGE: usize = 500;
/// Events that one job tells before it makes room for others.
const STRETCH: usize = 100;
/// Attempts at one event while the receiver cannot be reached or has trouble: nearly two days.
const ATTEMPTS_MAX: u32 = 14;
/// Attempts at one event that the receiver refuses: about twenty minutes.
const REFUSALS_MAX: u32 = 6;
/// A webhook that gives an event up is off when nothing was accepted for this long, in seconds.
const PATIENCE_S: i64 = 24 * 60 * 60;
/// The longest wait that a receiver may ask for, in seconds.
const RETRY_AFTER_MAX_S: i64 = 60 * 60;
/// How long the old secret signs, too, in seconds.
const ROTATION_S: i64 = 24 * 60 * 60;
/// How far a position may stay behind what was looked at, in entries: a restart looks at them again.
const LAG: u64 = 10_000;
/// How often webhooks are looked at that nobody in this process has heard of.
const LOOK: Duration = Duration::from_secs(30);

/// What is known of who may have something to tell.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// Whether there are webhooks at all; without any, entries pass by at no cost.
    any: AtomicBool,
    fresh: Mutex<Fresh>,
    /// Up to where each webhook has nothing to tell that no job knows of.
    looked: Mutex<HashMap<WebhookId, Position>>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Fresh {
    /// Communities in which something happened, each with the position of the first of it.
    first: HashMap<CommunityId, Position>,
    /// How often somebody began to be interested.
    expected: u64,
}

impl Feed {
    fn fresh(&self) -> MutexGuard<'_, Fresh> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened.
    pub(crate) fn note(&self, community: Option<CommunityId>, position: Position) {
        if self.any.load(Ordering::Relaxed)
            && let Some(community) = community
        {
            self.fresh().put(community, position);
            self.wake.notify_one();
        }
    }

    /// A webhook may have something to tell from there on that nobody has looked at.
    pub(crate) fn expect(&self, webhook: &StoredOutgoing) {
        self.looked(webhook.id, None);
        let mut fresh = self.fresh();
        fresh.expected += 1;
        fresh.put(webhook.community_id, Position(webhook.position.0 + 1));
        self.any.store(true, Ordering::Relaxed);
        drop(fresh);
        self.wake.notify_one();
    }

    fn take(&self) -> (HashMap<CommunityId, Position>, u64) {
        let mut fresh = self.fresh();
        (std::mem::take(&mut fresh.first), fresh.expected)
    }

    fn put_back(&self, first: HashMap<CommunityId, Position>) {
        let mut fresh = self.fresh();
        for (community, position) in first {
            fresh.put(community, position);
        }
    }

    /// There are webhooks, or there are none unless somebody made one meanwhile.
    fn there_are(&self, any: bool, expected: u64) {
        let fresh = self.fresh();
        if any || fresh.expected == expected {
            self.any.store(any, Ordering::Relaxed);
        }
    }

    /// Where to go on looking for a webhook. What happened before the first fresh entry was not of its
    /// community.
    fn from(&self, webhook: &StoredOutgoing, first: Option<Position>) -> Option<Position> {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        match (looked.get(&webhook.id), first) {
            (None, _) => Some(webhook.position),
            (Some(_), None) => None,
            (Some(looked), Some(first)) => {
                Some(webhook.position.max(*looked).max(Position(first.0.saturating_sub(1))))
            }
        }
    }

    fn looked(&self, id: WebhookId, up_to: Option<Position>) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        match up_to {
            Some(position) => looked.insert(id, position),
            None => looked.remove(&id),
        };
    }
}

impl Fresh {
    fn put(&mut self, community: CommunityId, position: Position) {
        let first = self.first.entry(community).or_insert(position);
        *first = position.min(*first);
    }
}

/// With what a delivery is made.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    webhook_id: uuid::Uuid,
}

/// What came of one request.
#[derive(Debug)]
enum Outcome {
    Accepted(StatusCode),
    /// The receiver wants nothing any more (410).
    Gone(StatusCode),
    /// The receiver does not want this.
    Refused(StatusCode),
    /// The receiver has trouble, and may have said when to come back.
    Trouble(StatusCode, Option<i64>),
    /// Nobody answered.
    Silence(String),
}

impl Outcome {
    fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| text.trim().parse().ok());
        match status {
            status if status.is_success() => Self::Accepted(status),
            StatusCode::GONE => Self::Gone(status),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                Self::Trouble(status, after)
            }
            status if status.is_server_error() => Self::Trouble(status, after),
            status => Self::Refused(status),
        }
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Accepted(status)
            | Self::Gone(status)
            | Self::Refused(status)
            | Self::Trouble(status, _) => Some(status.as_u16()),
            Self::Silence(_) => None,
        }
    }

    fn error(&self) -> String {
        match self {
            Self::Accepted(_) => String::new(),
            Self::Gone(_) => "the receiver is gone for good".to_owned(),
            Self::Refused(status) if status.is_redirection() => {
                "the receiver redirects, which is not followed".to_owned()
            }
            Self::Refused(status) => format!("the receiver refused it with {status}"),
            Self::Trouble(status, _) => format!("the receiver answered {status}"),
            Self::Silence(error) => error.clone(),
        }
    }

    const fn attempts_max(&self) -> u32 {
        match self {
            Self::Refused(_) => REFUSALS_MAX,
            _ => ATTEMPTS_MAX,
        }
    }
}

impl OutgoingWebhooks<'_> {
    /// Sees to it that whoever has something to tell has a job that does it, until it is stopped.
    pub async fn follow(&self, stop: &CancellationToken) {
        let feed = self.0.feed();
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "outgoing webhooks have to wait");
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = feed.wake.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Makes the jobs for what has happened until now.
    pub async fn look(&self) -> Result<(), ApiError> {
        let feed = self.0.feed();
        let (fresh, expected) = feed.take();
        let result = self.look_at(&fresh, expected).await;
        if result.is_err() {
            feed.put_back(fresh);
        }
        result
    }

    async fn look_at(
        self,
        fresh: &HashMap<CommunityId, Position>,
        expected: u64,
    ) -> Result<(), ApiError> {
        let (app, feed) = (self.0, self.0.feed());
        let webhooks = app.store().outgoing_active().await?;
        feed.there_are(!webhooks.is_empty(), expected);
        for webhook in webhooks {
            let first = fresh.get(&webhook.community_id).copied();
            if let Some(from) = feed.from(&webhook, first) {
                let reached = self.look_for(&webhook, from).await?;
                feed.looked(webhook.id, Some(reached));
            }
        }
        Ok(())
    }

    /// Makes a job when there is something to tell after a position; up to where there is none that
    /// no job knows of.
    async fn look_for(
        self,
        webhook: &StoredOutgoing,
        from: Position,
    ) -> Result<Position, ApiError> {
        let app = self.0;
        let (found, reached) = self.next(webhook, from).await?;
        if found.is_some() {
            let payload = Payload { webhook_id: webhook.id.0 };
            let job = StoredJob {
                id: JobId(webhook.id.0),
                kind: JobKind::Delivery,
                payload: serde_json::to_string(&payload).map_err(ApiError::internal)?,
                due: app.now(),
                attempts: 0,
                created_at: app.now(),
            };
            let records = vec![Record::CreateJob(job)];
            app.commit(Change { records, ..Change::default() }).await?;
        } else if reached.0.saturating_sub(webhook.position.0) > LAG {
            let change = Change {
                preconditions: vec![Precondition::OutgoingAt(webhook.id, webhook.position)],
                records: vec![Record::MoveOutgoing(webhook.id, reached)],
                ..Change::default()
            };
            match app.commit(change).await {
                // Somebody else has moved it.
                Ok(_) | Err(ChangeError::Refused(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(reached)
    }

    /// A job is done and gone. Something may have happened between its last look and its end, while
    /// nobody could make another one.
    pub(crate) async fn look_again(self, id: JobId) {
        let id = WebhookId(id.0);
        let look = async {
            match self.0.store().outgoing(id).await? {
                Some(webhook) if webhook.disabled.is_none() => {
                    self.look_for(&webhook, webhook.position).await.map(Some)
                }
                _ => Ok(None),
            }
        };
        let looked = look.await.unwrap_or_else(|error: ApiError| {
            tracing::warn!(%id, %error, "an outgoing webhook is looked at later");
            None
        });
        self.0.feed().looked(id, looked);
    }

    /// The first thing after a position that the webhook tells, and up to where there is nothing else.
    pub(super) async fn next(
        self,
        webhook: &StoredOutgoing,
        mut from: Position,
    ) -> Result<(Option<Happening>, Position), ApiError> {
        loop {
            let page = self.0.store().happenings(webhook.community_id, from, PAGE).await?;
            for item in page.items {
                if self.tells(webhook, &item).await? {
                    let reached = item.position;
                    return Ok((Some(item), reached));
                }
            }
            from = page.reached;
            if page.at_head {
                return Ok((None, from));
            }
        }
    }

    async fn tells(self, webhook: &StoredOutgoing, item: &Happening) -> Result<bool, ApiError> {
        let wanted = webhook.events.is_empty() || webhook.events.contains(&item.kind);
        if !wanted || !SUBSCRIBABLE.contains(&item.kind.as_str()) {
            return Ok(false);
        }
        match (item.log, webhook.channel_id) {
            (LogId::Community(_), None) => Ok(true),
            (LogId::Conversation(id), Some(only)) => Ok(id == only),
            // Of a private channel nothing is told to whoever is not in it.
            (LogId::Conversation(id), None) => {
                Ok(self.0.channel(id).await?.is_some_and(|channel| {
                    channel.visibility == Visibility::Public && channel.kind == RoomKind::Open
                }))
            }
            _ => Ok(false),
        }
    }

    /// Tells a receiver what it has not been told. `None` when the job is not ours any more.
    pub(crate) async fn deliver(self, lease: &mut Lease<'_>) -> Result<Option<After>, ApiError> {
        let app = self.0;
        let Ok(Payload { webhook_id }) = serde_json::from_str(&lease.job().payload) else {
            tracing::error!(id = %lease.job().id, "a delivery says not of which webhook");
            return Ok(Some(After::done(Vec::new())));
        };
        for _ in 0..STRETCH {
            // Read again each time: it may have been changed, turned off or deleted.
            let webhook = app.store().outgoing(WebhookId(webhook_id)).await?;
            let Some(webhook) = webhook.filter(|webhook| webhook.disabled.is_none()) else {
                return Ok(Some(After::done(Vec::new())));
            };
            let (found, reached) = self.next(&webhook, webhook.position).await?;
            let moved = Record::MoveOutgoing(webhook.id, reached);
            let entry = match &found {
                Some(item) => app.store().entry_at(item.position).await?,
                None => return Ok(Some(After::done(vec![moved]))),
            };
            // What was erased since is not told any more.
            let Some((item, entry)) = found.zip(entry.filter(|entry| entry.fact.is_some())) else {
                if lease.step(vec![moved]).await? {
                    continue;
                }
                return Ok(None);
            };
            let message = self.message_id(&webhook, item.position).await?;
            let outcome = self.send(&webhook, &message, entry.event.clone()).await;
            let attempts = lease.job().attempts;
            let mut attempt = StoredAttempt {
                webhook_id: webhook.id,
                message,
                attempt: attempts,
                event: item.kind,
                at: app.now(),
                status: outcome.status(),
                error: outcome.error(),
                next_at: None,
            };
            let given_up = attempts >= outcome.attempts_max();
            let records = match &outcome {
                Outcome::Accepted(_) => {
                    let accepted = Record::AcceptOutgoing(webhook.id, app.now());
                    vec![moved, accepted, Record::PutAttempt(attempt)]
                }
                Outcome::Gone(_) => {
                    let why = "Its receiver answered that it is gone (410).".to_owned();
                    return self.turn_off(&webhook, attempt, why).await.map(Some);
                }
                _ if given_up && self.is_hopeless(&webhook) => {
                    let why = format!("Nothing was accepted for a day: {}.", attempt.error);
                    return self.turn_off(&webhook, attempt, why).await.map(Some);
                }
                // One event that its receiver chokes on must not hold up all others.
                _ if given_up => vec![moved, Record::PutAttempt(attempt)],
                _ => {
                    let next = app.now().plus_millis(self.wait(&outcome, attempts));
                    attempt.next_at = Some(next);
                    return Ok(Some(After::again(vec![Record::PutAttempt(attempt)], next)));
                }
            };
            if !lease.step(records).await? {
                return Ok(None);
            }
        }
        Ok(Some(After::again(Vec::new(), app.now())))
    }

    fn wait(self, outcome: &Outcome, attempts: u32) -> i64 {
        let asked = match outcome {
            Outcome::Trouble(_, Some(seconds)) => (*seconds).clamp(0, RETRY_AFTER_MAX_S) * 1000,
            _ => 0,
        };
        self.0.backoff(attempts).max(asked)
    }

    fn is_hopeless(self, webhook: &StoredOutgoing) -> bool {
        let last = webhook.succeeded_at.unwrap_or(webhook.created_at);
        self.0.now() >= last.plus_seconds(PATIENCE_S)
    }

    /// Turns the webhook off, and tells who made it.
    async fn turn_off(
        self,
        webhook: &StoredOutgoing,
        attempt: StoredAttempt,
        why: String,
    ) -> Result<After, ApiError> {
        let app = self.0;
        tracing::info!(id = %webhook.id, %why, "an outgoing webhook was turned off");
        let off = Record::DisableOutgoing(webhook.id, app.now(), why);
        let mut after = After::done(vec![off, Record::PutAttempt(attempt)]);
        if app.role(webhook.community_id, webhook.created_by).await?.is_some() {
            let place = (Some(webhook.community_id), webhook.channel_id);
            let (maker, server) = (webhook.created_by, UserId::NIL);
            let notices = app.notifications();
            let told = notices.about(maker, NotificationKind::System, place, server).await?;
            after.change.entries.push(told);
        }
        Ok(after)
    }

    /// Sends an event of the type `webhook.test`, once.
    pub(super) async fn send_test(self, webhook: &StoredOutgoing, by: UserId) -> StoredAttempt {
        let app = self.0;
        let event = json!({
            "actor_id": by.0,
            "channel_id": webhook.channel_id.map(|id| id.0),
            "community_id": webhook.community_id.0,
            "data": {"webhook_id": webhook.id.0, "name": webhook.name},
            "timestamp": Time(app.now()),
            "type": "webhook.test",
        });
        let message = format!("msg_test_{}", app.new_id().simple());
        let outcome = self.send(webhook, &message, event.to_string().into()).await;
        StoredAttempt {
            webhook_id: webhook.id,
            message,
            attempt: 1,
            event: "webhook.test".to_owned(),
            at: app.now(),
            status: outcome.status(),
            error: outcome.error(),
            next_at: None,
        }
    }

    /// What the receiver knows an event by: the same for every attempt, another one for every event,
    /// also after a restore that took positions back.
    async fn message_id(
        self,
        webhook: &StoredOutgoing,
        position: Position,
    ) -> Result<String, ApiError> {
        let generation = self.0.store().generation().await?;
        let mut hash = Sha256::new();
        hash.update(webhook.id.as_bytes());
        hash.update(generation.to_be_bytes());
        hash.update(position.0.to_be_bytes());
        let digest = hash.finalize();
        Ok(format!("msg_{}", hex::encode(digest.get(..16).unwrap_or_default())))
    }

    async fn send(self, webhook: &StoredOutgoing, message: &str, body: Bytes) -> Outcome {
        let now = self.0.now();
        let request = Request::post(&webhook.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", message)
            .header("webhook-timestamp", seconds(now))
            .header("webhook-signature", self.signatures(webhook, message, now, &body))
            .body(body);
        let Ok(request) = request else {
            return Outcome::Silence("the address cannot be dialed".to_owned());
        };
        match self.0.outward().send(request, &BOUNDS).await {
            Ok(answer) => Outcome::of(answer.status, &answer.headers),
            Err(error) => Outcome::Silence(error.to_string()),
        }
    }

    /// Signatures of Standard Webhooks: by the secret, and by the one before it for a while after it
    /// was replaced.
    fn signatures(self, webhook: &StoredOutgoing, id: &str, now: Timestamp, body: &[u8]) -> String {
        let sign = |generation: u32| {
            let mut mac = mac(&self.key(webhook.id, generation));
            mac.update(format!("{id}.{}.", seconds(now)).as_bytes());
            mac.update(body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        let old = webhook.rotated_at.filter(|at| now < at.plus_seconds(ROTATION_S));
        let old = old.and_then(|_| webhook.generation.checked_sub(1));
        let signatures: Vec<_> =
            [Some(webhook.generation), old].into_iter().flatten().map(sign).collect();
        signatures.join(" ")
    }
}

const fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1000)
}

impl App {
    /// Does everything that the server does besides answering, until it is stopped: outgoing webhooks
    /// and jobs.
    pub async fn work(&self, stop: &CancellationToken) {
        let (outgoing, jobs) = (self.outgoing(), self.jobs());
        tokio::join!(outgoing.follow(stop), jobs.work(stop));
    }
}
