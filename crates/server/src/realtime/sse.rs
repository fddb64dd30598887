//! Server-sent events: `GET /v1/stream`.

use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use http::{HeaderMap, header};
use serde::Deserialize;
use tidings_domain::Position;

use super::Realtime;
use super::subscription::Subscription;
use crate::access::Caller;
use crate::error::ApiError;
use crate::http::extract::Query;

/// How often a silent stream says that it lives and where it stands.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Sent first: how long a browser waits before it comes back.
const RETRY: &str = "retry: 2000\n\n";

/// Where to begin.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamQuery {
    /// The cursor to go on from; the head when absent. `Last-Event-ID` wins over it.
    since: Option<String>,
}

/// `GET /v1/stream`: every event after the cursor, as server-sent events.
#[utoipa::path(
    get,
    path = "/v1/stream",
    tag = "realtime",
    params(StreamQuery, ("Last-Event-ID" = Option<String>, Header, description = "The cursor of the last event that was received")),
    responses((status = 200, description = "Events, each with its cursor as `id`.", content_type = "text/event-stream", body = String)),
)]
pub(crate) async fn stream(
    Extension(realtime): Extension<Realtime>,
    caller: Caller,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    realtime.check_origin(&headers)?;
    let last = headers
        .get("last-event-id")
        .map(|id| id.to_str().map_err(|_| ApiError::bad_request("Last-Event-ID is not a cursor")));
    let since = match last.transpose()?.filter(|id| !id.is_empty()) {
        Some(id) => Some(id.to_owned()),
        None => query.since,
    };
    let since = since.map(|since| realtime.parse_cursor(&since)).transpose()?;
    let subscription =
        realtime.subscribe(caller.user_id(), since).await.map_err(|_| ApiError::restarting())?;
    let checked = realtime.app().clock().elapsed();
    let reader = Reader { realtime, caller, subscription, begun: false, checked };
    let body = Body::from_stream(stream::unfold(Box::new(reader), |mut reader| async move {
        let bytes = reader.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), reader))
    }));
    Response::builder()
        .header(header::CONTENT_TYPE, "text/event-stream")
        .header(header::CACHE_CONTROL, "no-store")
        .header("X-Accel-Buffering", "no")
        .body(body)
        .map_err(ApiError::internal)
}

struct Reader {
    realtime: Realtime,
    caller: Caller,
    subscription: Subscription,
    begun: bool,
    /// When the session was last looked at.
    checked: Duration,
}

impl Reader {
    /// The next bytes to send; `None` when the stream ends, and the client comes back.
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.begun, true) {
            let mut first = RETRY.to_owned();
            self.place(&mut first, self.subscription.cursor());
            return Some(Bytes::from(first));
        }
        if self.app_elapsed().saturating_sub(self.checked) >= HEARTBEAT && !self.still_good().await
        {
            return None;
        }
        let ended = self.caller.ended().clone();
        let heartbeat = tokio::time::sleep(HEARTBEAT);
        tokio::pin!(heartbeat);
        loop {
            let deliveries = self.subscription.take().await.ok()?;
            match &*deliveries {
                [] => {}
                [one] => return Some(one.sse()),
                some => {
                    let parts: Vec<Bytes> = some.iter().map(|delivery| delivery.sse()).collect();
                    return Some(Bytes::from(parts.concat()));
                }
            }
            tokio::select! {
                biased;
                () = ended.cancelled() => return None,
                () = self.subscription.filled() => {}
                () = &mut heartbeat => {
                    if !self.still_good().await {
                        return None;
                    }
                    let mut beat = ": alive\n".to_owned();
                    self.place(&mut beat, self.subscription.cursor());
                    return Some(Bytes::from(beat));
                }
            }
        }
    }

    fn app_elapsed(&self) -> Duration {
        self.realtime.app().clock().elapsed()
    }

    /// Whether the session still holds: another process may have ended it. Asked as often as a
    /// silent stream beats, on a busy one too.
    async fn still_good(&mut self) -> bool {
        self.checked = self.app_elapsed();
        let checked = self.realtime.app().sessions().recheck(&self.caller).await;
        !checked.is_err_and(|e| e.code() == tidings_wire::Code::Unauthorized)
    }

    // An `id` without `data` dispatches no event, but moves the browser's Last-Event-ID.
    fn place(&self, out: &mut String, position: Position) {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = write!(out, "id: {}\n\n", self.realtime.cursor(position));
    }
}
