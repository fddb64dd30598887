//! WebSocket: the upgrade, and the first frame that begins or resumes a session.

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures_util::StreamExt as _;
use http::{StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tidings_domain::{Position, Scope};
use tidings_wire::frame::{self, Frame, SessionReady, SessionResume, SessionStart};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::connection::{Connection, Leave, close, encode, error_frame};
use super::handshake::accept_key;
use super::subscription::Subscription;
use super::{Realtime, resume};
use crate::access::Caller;
use crate::error::ApiError;

/// How long the first frame may take.
const FIRST_FRAME: Duration = Duration::from_secs(10);
/// Bytes that are read from a socket at once. The library's default would cost 128 KiB for every
/// idle connection; frames that are larger grow the buffer while they are read.
const READ_BUFFER: usize = 1024;

/// `GET /v1/ws`
#[utoipa::path(
    get,
    path = "/v1/ws",
    tag = "realtime",
    responses((status = 101, description = "The protocol changes to WebSocket.")),
    security((), ("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn upgrade(
    Extension(realtime): Extension<Realtime>,
    mut request: Request,
) -> Result<Response, ApiError> {
    let headers = request.headers();
    let key = accept_key(headers)?;
    let caller = realtime.optional_caller(headers).await?;
    let upgrade = request
        .extensions_mut()
        .remove::<OnUpgrade>()
        .ok_or_else(|| ApiError::bad_request("this connection cannot be upgraded; use HTTP/1.1"))?;
    let task = realtime.clone();
    // The place among the server's connections is held for as long as the socket lives.
    let place = request.extensions_mut().remove::<crate::http::Connection>();
    realtime.spawn(async move {
        let _place = place;
        match upgrade.await {
            Ok(upgraded) => serve(task, upgraded, caller).await,
            Err(error) => tracing::debug!(%error, "an upgrade was not carried through"),
        }
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, key)
        .body(Body::empty())
        .map_err(ApiError::internal)
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

async fn serve(realtime: Realtime, upgraded: Upgraded, caller: Option<Caller>) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(frame::FRAME_MAX))
        .max_frame_size(Some(frame::FRAME_MAX));
    let io = TokioIo::new(upgraded);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    match begin(&realtime, &mut socket, caller).await {
        Ok((caller, subscription)) => {
            let app = realtime.app().clone();
            // Boxed so that what runs for hours does not carry the frames of the beginning.
            Box::pin(
                Connection::new(app, realtime.presence().clone(), caller, socket, subscription)
                    .run(),
            )
            .await;
        }
        Err(leave) => close(&mut socket, leave).await,
    }
}

/// Waits for the first frame and answers it.
async fn begin(
    realtime: &Realtime,
    socket: &mut Socket,
    caller: Option<Caller>,
) -> Result<(Caller, Subscription), Leave> {
    let first = tokio::time::timeout(FIRST_FRAME, socket.next()).await;
    let Ok(first) = first else {
        return Err(Leave::Close(4001, "the first frame did not come within 10 s"));
    };
    let text = match first {
        Some(Ok(Message::Text(text))) => text,
        Some(Ok(_)) => return Err(Leave::Close(1003, "the first frame is session.start")),
        Some(Err(error)) => return Err(error.into()),
        None => return Err(Leave::Gone),
    };
    let frame: Result<Frame<'_>, _> = serde_json::from_str(&text);
    let id = frame.as_ref().ok().and_then(|frame| frame.id.as_deref());
    let opened = match &frame {
        Ok(frame) => open(realtime, frame, caller).await,
        Err(error) => Err(ApiError::bad_request(format!("the frame cannot be read: {error}"))),
    };
    let (caller, since) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            send(socket, error_frame(id, &error)).await?;
            return Err(if error.code() == tidings_wire::Code::Unauthorized {
                Leave::Close(4001, "not logged in")
            } else {
                Leave::Close(4008, "the session could not begin")
            });
        }
    };
    let subscription = realtime.subscribe(caller.user_id(), since).await?;
    let (resume_token, expires_at) = resume::token(realtime.app(), &caller);
    let ready = SessionReady {
        user_id: caller.user_id().0,
        session_id: caller.session_id().0,
        resume_token,
        expires_at: expires_at.into(),
        gateway_id: realtime.app().gateway_id(),
        next: realtime.cursor(subscription.cursor()).to_string(),
    };
    send(socket, encode("session.ready", id, ready)).await?;
    Ok((caller, subscription))
}

async fn send(socket: &mut Socket, frame: Vec<u8>) -> Result<(), Leave> {
    let io = socket.get_mut();
    io.write_all(&frame).await?;
    io.flush().await?;
    Ok(())
}

/// Who begins, and from where on.
async fn open(
    realtime: &Realtime,
    frame: &Frame<'_>,
    caller: Option<Caller>,
) -> Result<(Caller, Option<Position>), ApiError> {
    let unreadable = |error: serde_json::Error| {
        ApiError::bad_request(format!("the frame's body cannot be read: {error}"))
    };
    let (caller, since) = match &*frame.t {
        "session.start" => {
            let start: SessionStart = serde_json::from_str(frame.body.get()).map_err(unreadable)?;
            let caller = match (start.token, caller) {
                (Some(token), _) => realtime.app().sessions().authenticate(&token.0).await?,
                (None, Some(caller)) => caller,
                (None, None) => return Err(ApiError::unauthorized()),
            };
            if start.device_id.is_some_and(|device| device != caller.device_id().0) {
                return Err(ApiError::unauthorized());
            }
            (caller, start.since)
        }
        "session.resume" => {
            let resume: SessionResume =
                serde_json::from_str(frame.body.get()).map_err(unreadable)?;
            (resume::caller(realtime.app(), &resume.resume_token).await?, resume.since)
        }
        _ => {
            return Err(ApiError::bad_request(
                "the first frame is session.start or session.resume",
            ));
        }
    };
    caller.require(Scope::MessagesRead)?;
    let since = since.map(|since| realtime.parse_cursor(&since)).transpose()?;
    Ok((caller, since))
}
