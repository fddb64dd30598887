//! One WebSocket connection: frames in, events and answers out.
//!
//! Started by `websocket::upgrade` when the handshake is done; ends when the client goes away, the
//! session ends, or the server stops. What it sends is written past the WebSocket library: events
//! are encoded once for all connections, and everything that waits goes out in one system call.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Serialize;
use serde_json::value::RawValue;
use tidings_domain::{ChannelId, MessageId, Scope, UserId};
use tidings_wire::frame::{self, ConvAck, ConvAcked, ConvSend, ErrorBody, Frame, Typing};
use tidings_wire::presence::{Heartbeat, Watch};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::delivery::websocket_text;
use super::queue::Close;
use super::subscription::{End, Subscription};
use crate::access::Caller;
use crate::app::App;
use crate::app::messages::SendMessage;
use crate::error::ApiError;
use crate::presence::Presence;

/// How long a silent connection waits before the server asks whether it is there.
const IDLE: Duration = Duration::from_secs(15);
/// After this much silence the connection is ended: one IDLE and two unanswered pings.
const GONE: Duration = Duration::from_secs(45);
/// The close code of a server that restarts (IANA's registry of close codes).
const RESTART: u16 = 1012;
/// How long the last answers of a connection may take when the server restarts.
const LAST_ANSWERS: Duration = Duration::from_secs(3);
/// Messages of one connection that wait for the log's writer; past it frames are not read.
const UNACKED: usize = 256;
/// Buffers that one system call writes.
const SLICES: usize = 64;

type Acked = Pin<Box<dyn Future<Output = Vec<u8>> + Send>>;

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum Leave {
    /// The client closed, or the network did.
    Gone,
    /// The server closes with this code and reason.
    Close(u16, &'static str),
}

impl From<WsError> for Leave {
    fn from(error: WsError) -> Self {
        match error {
            WsError::Capacity(_) => Self::Close(1009, "a frame is larger than 1 MiB"),
            WsError::Utf8(_) => Self::Close(1007, "frames are UTF-8"),
            WsError::Protocol(_) => Self::Close(1002, "not the WebSocket protocol"),
            _ => Self::Gone,
        }
    }
}

impl From<io::Error> for Leave {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl From<End> for Leave {
    fn from(end: End) -> Self {
        match end {
            End::Closed(Close::Unauthorized) => Self::Close(4001, "the session has ended"),
            End::Closed(Close::Restart) => Self::Close(RESTART, "the server restarts; come back"),
            End::Closed(Close::Gone) => Self::Gone,
            End::Storage(error) => {
                tracing::warn!(%error, "events could not be read for a connection");
                Self::Close(1011, "events could not be read; come back with your cursor")
            }
        }
    }
}

/// A frame of ours.
#[derive(Serialize)]
struct Out<'a, T> {
    v: u8,
    t: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    body: T,
}

/// A frame as bytes, with its WebSocket header.
pub(super) fn encode<T: Serialize>(t: &str, id: Option<&str>, body: T) -> Vec<u8> {
    let mut out = Vec::new();
    // Bodies are plain structs, which always serialize.
    if let Ok(payload) = serde_json::to_vec(&Out { v: frame::VERSION, t, id, body }) {
        websocket_text(&mut out, &payload);
    }
    out
}

/// An `error` frame.
pub(super) fn error_frame(id: Option<&str>, error: &ApiError) -> Vec<u8> {
    let body = ErrorBody {
        code: error.code().as_str().to_owned(),
        message: error.detail().to_owned(),
        retry_after_s: error.retry_after_s(),
    };
    encode("error", id, body)
}

/// A connection whose session has begun.
pub(super) struct Connection<S> {
    pub(super) app: App,
    pub(super) presence: Presence,
    /// Its number among those that watch.
    number: u64,
    pub(super) caller: Caller,
    pub(super) socket: WebSocketStream<S>,
    pub(super) subscription: Subscription,
    /// Messages that wait for the log's writer, in the order in which they came.
    acks: VecDeque<Acked>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    pub(super) fn new(
        app: App,
        presence: Presence,
        caller: Caller,
        socket: WebSocketStream<S>,
        subscription: Subscription,
    ) -> Self {
        let number = u64::from_be_bytes(app.random());
        Self { app, presence, number, caller, socket, subscription, acks: VecDeque::new() }
    }

    /// Runs until it ends, and says goodbye.
    pub(super) async fn run(mut self) {
        let served = self.serve().await;
        self.presence.gone(self.number);
        let leave = match served {
            Ok(()) => Leave::Gone,
            Err(leave) => leave,
        };
        if let Leave::Close(RESTART, _) = leave {
            // What was handed to the writer is answered: the client need not send it again.
            let answered = tokio::time::timeout(LAST_ANSWERS, self.answer_all()).await;
            tracing::debug!(complete = answered.is_ok(), "a connection was told of the restart");
        }
        close(&mut self.socket, leave).await;
    }

    async fn answer_all(&mut self) -> Result<(), Leave> {
        let mut out = VecDeque::new();
        while let Some(ack) = self.acks.pop_front() {
            out.push_back(Bytes::from(ack.await));
        }
        self.write(&mut out).await
    }

    async fn serve(&mut self) -> Result<(), Leave> {
        let mut out: VecDeque<Bytes> = VecDeque::new();
        let mut heard = self.app.clock().elapsed();
        let mut tick = tokio::time::interval(IDLE);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let ended = self.caller.ended().clone();
        self.gather(&mut out).await?;
        loop {
            self.write(&mut out).await?;
            tokio::select! {
                biased;
                () = ended.cancelled() => return Err(Leave::Close(4001, "the session has ended")),
                frame = self.socket.next(), if self.acks.len() < UNACKED => {
                    heard = self.app.clock().elapsed();
                    match frame {
                        None => return Ok(()),
                        Some(frame) => self.hear(frame?, &mut out).await?,
                    }
                }
                acked = next_ack(&mut self.acks) => {
                    let mut bytes = acked;
                    // Answers that are ready together go out together.
                    while let Some(more) = ready_ack(&mut self.acks) {
                        bytes.extend_from_slice(&more);
                    }
                    out.push_back(Bytes::from(bytes));
                    self.gather(&mut out).await?;
                }
                () = self.subscription.filled() => self.gather(&mut out).await?,
                _ = tick.tick() => {
                    // An open connection is a sign of life, once when it begins and with each tick.
                    let _ = self.presence.beat(&self.caller, &Heartbeat::default());
                    let silent = self.app.clock().elapsed().saturating_sub(heard);
                    if silent >= GONE {
                        return Err(Leave::Close(1001, "no sign of life for 45 seconds"));
                    }
                    if silent >= IDLE {
                        out.push_back(Bytes::from(encode("ping", None, serde_json::json!({}))));
                    }
                    if self.app.sessions().recheck(&self.caller).await.is_err_and(|e| {
                        e.code() == tidings_wire::Code::Unauthorized
                    }) {
                        return Err(Leave::Close(4001, "the session has ended"));
                    }
                }
            }
        }
    }

    /// Puts what came for this connection behind what waits to be written.
    async fn gather(&mut self, out: &mut VecDeque<Bytes>) -> Result<(), Leave> {
        loop {
            let deliveries = self.subscription.take().await?;
            if deliveries.is_empty() {
                return Ok(());
            }
            out.extend(deliveries.iter().map(|delivery| delivery.websocket()));
            self.write(out).await?;
        }
    }

    /// Writes all that waits, as many buffers in one call as the system takes.
    async fn write(&mut self, out: &mut VecDeque<Bytes>) -> Result<(), Leave> {
        if out.is_empty() {
            return Ok(());
        }
        // The library may hold a pong of its own; our bytes must not come into its middle.
        self.socket.flush().await?;
        let io = self.socket.get_mut();
        while !out.is_empty() {
            let slices: Vec<IoSlice<'_>> =
                out.iter().take(SLICES).map(|bytes| IoSlice::new(bytes)).collect();
            let mut written = io.write_vectored(&slices).await?;
            if written == 0 {
                return Err(Leave::Gone);
            }
            while let Some(front) = out.front_mut() {
                if written < front.len() {
                    front.advance(written);
                    break;
                }
                written -= front.len();
                out.pop_front();
            }
        }
        io.flush().await?;
        Ok(())
    }

    async fn hear(&mut self, message: Message, out: &mut VecDeque<Bytes>) -> Result<(), Leave> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Leave::Close(1003, "frames are text")),
            Message::Close(_) => return Err(Leave::Gone),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
        };
        let frame: Frame<'_> = match serde_json::from_str(&text) {
            Ok(frame) => frame,
            Err(error) => {
                let error = ApiError::bad_request(format!("the frame cannot be read: {error}"));
                out.push_back(Bytes::from(error_frame(None, &error)));
                return Ok(());
            }
        };
        let id = frame.id.as_deref();
        match self.obey(&frame).await {
            Ok(Some(answer)) => out.push_back(Bytes::from(answer)),
            Ok(None) => {}
            Err(error) => out.push_back(Bytes::from(error_frame(id, &error))),
        }
        Ok(())
    }

    /// Does what a frame asks; an answer that is ready at once.
    async fn obey(&mut self, frame: &Frame<'_>) -> Result<Option<Vec<u8>>, ApiError> {
        let id = frame.id.as_deref();
        if frame.v != frame::VERSION {
            return Err(ApiError::bad_request("frames have v: 1 here"));
        }
        match &*frame.t {
            "conv.send" => {
                let ack = send(&self.app, &self.caller, body(frame.body)?, id).await?;
                self.acks.push_back(ack);
                Ok(None)
            }
            "conv.ack" => {
                // Where a device has seen to is told by its cursor; the frame only proves that the
                // reader may know of the channel.
                let ConvAck { channel_id, seq: _ } = body(frame.body)?;
                self.app.access().reader(&self.caller, ChannelId(channel_id)).await.map(|_| None)
            }
            "typing" => {
                let Typing { channel_id, state } = body(frame.body)?;
                self.caller.require(Scope::MessagesWrite)?;
                let right = self.app.access().reader(&self.caller, ChannelId(channel_id)).await?;
                self.app.typing().set(&right, &state).await.map(|()| None)
            }
            "presence.set" => {
                let sign: Heartbeat = body(frame.body)?;
                self.presence.beat(&self.caller, &sign).map(|()| None)
            }
            "presence.watch" => {
                let Watch { users } = body(frame.body)?;
                self.caller.require(Scope::PresenceRead)?;
                let users = users.into_iter().map(UserId).collect();
                let queue = self.subscription.queue();
                self.presence.watch(&self.caller, self.number, queue, users).await.map(|()| None)
            }
            "presence.unwatch" => {
                let Watch { users } = body(frame.body)?;
                let users = users.into_iter().map(UserId).collect();
                self.presence.unwatch(self.number, users).await.map(|()| None)
            }
            "ping" => Ok(Some(encode("pong", id, serde_json::json!({})))),
            "pong" => Ok(None),
            "session.start" | "session.resume" => {
                Err(ApiError::conflict("the session of this connection has begun already"))
            }
            other => Err(ApiError::bad_request(format!("no frame type {other:?} is known here"))),
        }
    }
}

/// Hands a message to the log's writer; its answer is a frame.
async fn send(
    app: &App,
    caller: &Caller,
    send: ConvSend,
    id: Option<&str>,
) -> Result<Acked, ApiError> {
    if send.env.is_some() {
        return Err(ApiError::field("env", "unsupported", "this server has no sealed rooms"));
    }
    let channel_id = send.channel_id;
    let client_id = send.client_id.clone();
    let message = SendMessage {
        format: tidings_domain::Format::Text,
        channel_id: ChannelId(channel_id),
        client_id: send.client_id,
        body: send.body.unwrap_or_default(),
        parent_id: send.parent_id.map(MessageId),
        broadcast: send.broadcast,
        attachments: send.attachments,
    };
    let pending = app.messages().submit(caller, message).await?;
    let home = app.gateway_id();
    let id = id.map(str::to_owned);
    Ok(Box::pin(async move {
        match pending.accepted().await {
            Ok(accepted) => {
                let body = ConvAcked {
                    channel_id,
                    client_id,
                    message_id: accepted.message_id.0,
                    seq: accepted.seq.0,
                    conv_home: home,
                    origin_gateway: home,
                };
                encode("conv.acked", id.as_deref(), body)
            }
            Err(error) => error_frame(id.as_deref(), &error),
        }
    }))
}

fn body<'a, T: serde::Deserialize<'a>>(raw: &'a RawValue) -> Result<T, ApiError> {
    serde_json::from_str(raw.get())
        .map_err(|error| ApiError::bad_request(format!("the frame's body cannot be read: {error}")))
}

/// The next answer, in the order of the questions. Safe to drop: a pending one stays in its place.
async fn next_ack(acks: &mut VecDeque<Acked>) -> Vec<u8> {
    match acks.front_mut() {
        Some(ack) => {
            let bytes = ack.await;
            acks.pop_front();
            bytes
        }
        None => std::future::pending().await,
    }
}

fn ready_ack(acks: &mut VecDeque<Acked>) -> Option<Vec<u8>> {
    let front = acks.front_mut()?;
    let bytes = futures_util::FutureExt::now_or_never(front)?;
    acks.pop_front();
    Some(bytes)
}

/// Says goodbye when there is somebody to say it to.
pub(super) async fn close<S>(socket: &mut WebSocketStream<S>, leave: Leave)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if let Leave::Close(code, reason) = leave {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        // A client that does not read the goodbye has gone anyway.
        let _ = tokio::time::timeout(Duration::from_secs(1), socket.close(Some(frame))).await;
    }
}
