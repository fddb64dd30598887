//! Realtime: one hub, one cursor, three transports.
//!
//! [`Realtime::start`] takes the store's tail and runs the hub; [`routes()`] are the doors. A
//! connection is a [`subscription`]: it reads the log from its cursor up to the hub's head, then
//! takes what the hub hands out, and goes back to the log when it cannot keep up. Nothing here
//! knows what an event says, but who joins and who leaves.

pub mod cursor;
pub mod delivery;
pub mod handshake;
pub mod hub;
pub mod queue;
pub mod resume;
pub mod subscription;

mod bounds;
mod connection;
mod primitives;
mod sse;
mod sync;
mod websocket;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::value::RawValue;
use tidings_domain::{ChannelId, LogId, Position, UserId};
use tidings_storage::{CommittedEntry, StorageError};
use tidings_wire::{Event, Time};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::app::App;
use crate::auth::{cookie, origin};
use crate::ephemeral::Ephemeral;
use crate::error::ApiError;
use crate::http::extract::bearer;
use crate::presence::{self, Presence};
use cursor::Cursor;
use delivery::{Delivery, LiveEvent};
use hub::{Ended, HubHandle};
use subscription::{End, Subscription};

/// Realtime delivery, shared by the doors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Realtime {
    app: App,
    hub: HubHandle,
    presence: Presence,
    generation: u64,
    tasks: TaskTracker,
}

impl Realtime {
    /// Starts the hub on the store's tail. The second value is the hub's task; it ends when `stop`
    /// is cancelled or the log's writer stops, after every connection was told.
    ///
    /// # Errors
    /// When the store fails, or its tail was taken already.
    pub async fn start(
        app: App,
        stop: CancellationToken,
    ) -> Result<(Self, impl Future<Output = Ended> + Send + 'static), StorageError> {
        let store = app.store();
        let generation = store.generation().await?;
        let tail = store.take_tail().ok_or_else(|| StorageError::Internal {
            detail: "the store's tail is taken: two hubs on one store".to_owned(),
        })?;
        let head = store.head().await?;
        let (hub, task) = hub::new(generation, head);
        let tasks = TaskTracker::new();
        let (presence, owner) = presence::new(app.clone(), generation, stop.clone());
        tasks.spawn(owner);
        let (observer, watched) = (app.clone(), presence.clone());
        let observe = move |entry: &CommittedEntry| {
            observer.observe(entry);
            watched.observe(entry);
        };
        let task = task(tail, Box::new(observe), stop);
        let realtime = Self { app, hub, presence, generation, tasks };
        realtime.app.deliver_ephemerals(Arc::new(Ephemerals(realtime.clone())));
        Ok((realtime, task.run()))
    }

    /// Waits until every connection has said goodbye.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(crate) const fn app(&self) -> &App {
        &self.app
    }

    /// Who is there.
    pub(crate) const fn presence(&self) -> &Presence {
        &self.presence
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Everything up to here has been handed out.
    pub(crate) fn head(&self) -> Position {
        self.hub.head()
    }

    pub(crate) const fn cursor(&self, position: Position) -> Cursor {
        Cursor { generation: self.generation, position }
    }

    /// Reads a cursor that a client shows.
    ///
    /// # Errors
    /// `bad_request` for what is no cursor, `cursor_expired` for one of another generation or from
    /// a future that this log has lost.
    pub(crate) fn parse_cursor(&self, text: &str) -> Result<Position, ApiError> {
        let cursor: Cursor = text
            .parse()
            .map_err(|error: cursor::InvalidCursor| ApiError::bad_request(error.to_string()))?;
        if cursor.generation != self.generation || cursor.position > self.known_head() {
            return Err(ApiError::cursor_expired());
        }
        Ok(cursor.position)
    }

    // Another gateway may have handed out what this hub has not reached yet.
    fn known_head(&self) -> Position {
        Position(self.hub.head().0.saturating_add(AHEAD))
    }

    pub(crate) async fn subscribe(
        &self,
        user: UserId,
        since: Option<Position>,
    ) -> Result<Subscription, End> {
        let store = Arc::clone(self.app.store());
        Subscription::begin(store, self.hub.clone(), user, self.generation, since).await
    }

    /// A stream hands out events for as long as it lives, so a cookie counts only from our pages.
    pub(crate) fn check_origin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        if bearer(headers).is_some() {
            return Ok(());
        }
        origin::check_upgrade(headers, self.app.settings())
    }

    /// Who opens a connection, when the request says so.
    pub(crate) async fn optional_caller(
        &self,
        headers: &HeaderMap,
    ) -> Result<Option<Caller>, ApiError> {
        let token = match bearer(headers) {
            Some(token) => token,
            None => match cookie::read(headers, self.app.settings().secure()) {
                Some(token) => {
                    self.check_origin(headers)?;
                    token
                }
                None => return Ok(None),
            },
        };
        self.app.sessions().authenticate(token).await.map(Some)
    }
}

/// How far another gateway's hub may be ahead of ours, in entries: what a second of full load
/// writes. A cursor beyond that comes from a log that was rolled back.
const AHEAD: u64 = 50_000;

/// Hands out events that are never stored.
#[derive(Debug)]
struct Ephemerals(Realtime);

impl Ephemeral for Ephemerals {
    fn publish(&self, channel: ChannelId, kind: &'static str, data: Box<RawValue>) {
        self.send(LogId::Conversation(channel), kind, data);
    }

    fn tell(&self, user: UserId, kind: &'static str, data: Box<RawValue>) {
        self.send(LogId::User(user), kind, data);
    }
}

impl Ephemerals {
    /// Hands an event to everyone in the log, which is not written to.
    fn send(&self, log: LogId, kind: &'static str, data: Box<RawValue>) {
        let event = Event {
            actor_id: None,
            channel_id: log.channel().map(|channel| channel.0),
            community_id: None,
            data,
            log: None,
            seq: None,
            timestamp: Time(self.0.app.now()),
            kind: kind.to_owned(),
        };
        // Plain structs always serialize.
        let Ok(event) = serde_json::to_vec(&event) else { return };
        let event = LiveEvent { position: None, kind: Arc::from(kind), event: Bytes::from(event) };
        let delivery = Arc::new(Delivery::new(self.0.generation, vec![event]));
        self.0.hub.publish(log, delivery);
    }
}

/// The doors: `/v1/sync`, `/v1/stream`, `/v1/ws`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sync::sync))
        .routes(routes!(sse::stream))
        .routes(routes!(websocket::upgrade))
}
