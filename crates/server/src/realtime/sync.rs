//! Long poll: `GET /v1/sync`.

use std::time::Duration;

use axum::Extension;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header;
use serde::Deserialize;
use tidings_domain::Position;
use tidings_storage::entry::VisiblePage;
use tidings_wire::sync::{Snapshot, Sync};

use super::Realtime;
use super::subscription::Subscription;
use crate::access::Caller;
use crate::error::ApiError;
use crate::http::extract::Query;

/// Events of one answer when the caller names no number.
const LIMIT: usize = 200;
/// Events of one answer at most.
const LIMIT_MAX: usize = 1000;
/// How long an answer may be held at most, in seconds.
const TIMEOUT_MAX: u64 = 60;

/// From where on, how long, how much.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SyncQuery {
    /// `next` of the last answer; without it the answer is a snapshot.
    since: Option<String>,
    /// Seconds to hold the answer while nothing happens, 0 to 60; 0 when absent.
    #[param(minimum = 0, maximum = 60)]
    timeout: Option<u64>,
    /// Events at most, 1 to 1,000; 200 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// `GET /v1/sync`: a snapshot, or what was committed since a cursor.
#[utoipa::path(
    get,
    path = "/v1/sync",
    tag = "realtime",
    params(SyncQuery),
    responses((status = 200, description = "A snapshot without `since`, else what was committed since.", body = Sync)),
)]
pub(crate) async fn sync(
    Extension(realtime): Extension<Realtime>,
    caller: Caller,
    Query(query): Query<SyncQuery>,
) -> Result<Response, ApiError> {
    let timeout = query.timeout.unwrap_or(0);
    if timeout > TIMEOUT_MAX {
        return Err(ApiError::bad_request("timeout is 0 to 60 seconds"));
    }
    let limit = query.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(ApiError::bad_request("limit is 1 to 1000"));
    }
    let Some(since) = query.since else { return snapshot(&realtime, &caller).await };
    let since = realtime.parse_cursor(&since)?;
    let timeout = Duration::from_secs(timeout);
    events(&realtime, &caller, since, timeout, limit).await
}

/// Where a client begins. The cursor is read first: what changes while the rest is read comes
/// again as an event, which changes nothing.
async fn snapshot(realtime: &Realtime, caller: &Caller) -> Result<Response, ApiError> {
    let app = realtime.app();
    let position = realtime.head();
    let snapshot = Snapshot {
        user: app.accounts().me(caller).await?,
        communities: app.communities().list(caller).await?,
        channels: app.channels().joined(caller).await?,
    };
    let next = realtime.cursor(position).to_string();
    let body = Sync { next, snapshot: Some(snapshot), events: None, has_more: None };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

async fn events(
    realtime: &Realtime,
    caller: &Caller,
    since: Position,
    timeout: Duration,
    limit: usize,
) -> Result<Response, ApiError> {
    let store = realtime.app().store();
    let user = caller.user_id();
    // Not the hub's head, which follows the log: who was told that a message is kept and asks next
    // must find it here.
    let page = store.visible(user, since, store.head().await?, limit).await?;
    if !page.events.is_empty() || page.has_more || timeout.is_zero() {
        return respond(Body::from(encode(realtime, &page)));
    }
    // Attached before the second look, so that nothing can come between the look and the wait.
    let mut subscription = realtime
        .subscribe(user, Some(page.reached.max(since)))
        .await
        .map_err(|_| ApiError::restarting())?;
    let (realtime, caller) = (realtime.clone(), caller.clone());
    // The head of the answer goes out now and its body when something happens: what waits is then
    // one small future, and not the request with everything around it.
    let body = stream::once(Box::pin(async move {
        wait(&mut subscription, &caller, timeout).await;
        drop(subscription);
        let store = realtime.app().store();
        let page = match store.visible(user, since, realtime.head(), limit).await {
            Ok(page) if !caller.ended().is_cancelled() => page,
            // The client asks again from where it was, and is told then what is wrong.
            _ => VisiblePage { events: Vec::new(), reached: since, has_more: false },
        };
        Ok::<_, std::convert::Infallible>(encode(&realtime, &page))
    }));
    respond(Body::from_stream(body))
}

/// Until something durable comes, the session ends, or the time is over.
async fn wait(subscription: &mut Subscription, caller: &Caller, timeout: Duration) {
    let happened = async {
        loop {
            match subscription.take().await {
                Ok(deliveries) if deliveries.iter().any(|d| d.last().is_some()) => return,
                Ok(_) => subscription.filled().await,
                // The server ends: the answer with what there is lets the client come back.
                Err(_) => return,
            }
        }
    };
    tokio::select! {
        biased;
        () = caller.ended().cancelled() => {}
        () = happened => {}
        () = tokio::time::sleep(timeout) => {}
    }
}

/// Events are in the store as JSON already; they are copied and not parsed.
fn encode(realtime: &Realtime, page: &VisiblePage) -> Bytes {
    let size: usize = page.events.iter().map(|event| event.event.len() + 1).sum();
    let mut body = Vec::with_capacity(size + 96);
    body.extend_from_slice(b"{\"events\":[");
    for (index, event) in page.events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&event.event);
    }
    let next = realtime.cursor(page.reached);
    body.extend_from_slice(
        format!("],\"has_more\":{},\"next\":\"{next}\"}}", page.has_more).as_bytes(),
    );
    Bytes::from(body)
}

fn respond(body: Body) -> Result<Response, ApiError> {
    Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CACHE_CONTROL, "no-store")
        .body(body)
        .map_err(ApiError::internal)
}
