//! Messages and reactions.

use axum::extract::State;
use http::{StatusCode, Uri};
use tidings_domain::{ChannelId, Format, MessageId, Seq};
use tidings_storage::message::PageAt;
use tidings_wire::List;
use tidings_wire::channel::{ReadState, SetRead};
use tidings_wire::message::{CreateMessage, EditMessage, Message, MessageVersion};
use tidings_wire::query::{MessagesQuery, ThreadsQuery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path, Path2, Query};
use super::listing::{Listing, by_id};
use crate::access::Caller;
use crate::app::App;
use crate::app::messages::{PageMessage, SendMessage};
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, edit, delete))
        .routes(routes!(history))
        .routes(routes!(react, unreact))
        .routes(routes!(set_thread_read))
        .routes(routes!(threads))
}

/// Post a message. The same `client_id` again answers 200 with the first message.
#[utoipa::path(
    post,
    path = "/v1/channels/{id}/messages",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    request_body = CreateMessage,
    responses((status = 201, body = Message), (status = 200, body = Message))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(channel_id): Path<ChannelId>,
    Json(request): Json<CreateMessage>,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let CreateMessage { client_id, body, parent_id, broadcast, attachments } = request;
    let parent_id = parent_id.map(MessageId);
    let format = Format::Text;
    let send =
        SendMessage { channel_id, client_id, body, format, parent_id, broadcast, attachments };
    let accepted = app.messages().submit(&caller, send).await?.accepted().await?;
    if let Some(message) = accepted.message {
        return Ok((StatusCode::CREATED, Json(Message::from(&*message))));
    }
    let first = app.messages().replayed(&caller, accepted.message_id).await?;
    Ok((StatusCode::OK, Json(first)))
}

/// List messages of a channel, or replies to one, ascending.
#[utoipa::path(
    get,
    path = "/v1/channels/{id}/messages",
    tag = "messages",
    params(("id" = uuid::Uuid, Path), MessagesQuery),
    responses((status = 200, body = List<Message>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<ChannelId>,
    Query(query): Query<MessagesQuery>,
) -> Result<Listing<PageMessage>, ApiError> {
    let limit = super::extract::limit(query.limit, 50)?;
    let at = match (query.before, query.after, query.around) {
        (None, None, None) => PageAt::Newest,
        (Some(seq), None, None) => PageAt::Before(Seq(seq)),
        (None, Some(seq), None) => PageAt::After(Seq(seq)),
        (None, None, Some(seq)) => PageAt::Around(Seq(seq)),
        _ => return Err(ApiError::bad_request("Give one of before, after and around.")),
    };
    let right = app.access().reader(&caller, id).await?;
    let page = match query.thread {
        None => app.messages().timeline(&right, at, limit).await?,
        Some(root) => app.messages().thread(&right, MessageId(root), at, limit).await?,
    };
    let seq = |message: Option<&PageMessage>| message.map(|message| message.seq.to_string());
    let next = seq(page.messages.last()).filter(|_| page.more_after);
    let prev = seq(page.messages.first()).filter(|_| page.more_before);
    Ok(Listing::new(&uri, List { items: page.messages, next, prev }))
}

/// Get a message.
#[utoipa::path(
    get,
    path = "/v1/messages/{id}",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Message))
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<Json<Message>, ApiError> {
    let right = app.access().message(&caller, id).await?;
    Ok(Json(app.messages().get(&right).await?))
}

/// Edit one's own message.
#[utoipa::path(
    patch,
    path = "/v1/messages/{id}",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    request_body = EditMessage,
    responses((status = 200, body = Message))
)]
async fn edit(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Json(request): Json<EditMessage>,
) -> Result<Json<Message>, ApiError> {
    let right = app.access().author(&caller, id).await?;
    Ok(Json(app.messages().edit(&right, &request.body).await?))
}

/// Delete a message: its author, or an admin. A tombstone stays.
#[utoipa::path(
    delete,
    path = "/v1/messages/{id}",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().moderator(&caller, id).await?;
    app.messages().delete(&right).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the versions of a message, oldest first.
#[utoipa::path(
    get,
    path = "/v1/messages/{id}/history",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<MessageVersion>))
)]
async fn history(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<MessageId>,
) -> Result<Listing<MessageVersion>, ApiError> {
    let right = app.access().message(&caller, id).await?;
    let items = app.messages().history(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// React to a message.
#[utoipa::path(
    put,
    path = "/v1/messages/{id}/reactions/{emoji}",
    tag = "messages",
    params(("id" = uuid::Uuid, Path), ("emoji" = String, Path)),
    responses((status = 204))
)]
async fn react(
    State(app): State<App>,
    caller: Caller,
    Path2(id, emoji): Path2<MessageId, String>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().message(&caller, id).await?;
    app.reactions().add(&right, &emoji).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a reaction back.
#[utoipa::path(
    delete,
    path = "/v1/messages/{id}/reactions/{emoji}",
    tag = "messages",
    params(("id" = uuid::Uuid, Path), ("emoji" = String, Path)),
    responses((status = 204))
)]
async fn unreact(
    State(app): State<App>,
    caller: Caller,
    Path2(id, emoji): Path2<MessageId, String>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().message(&caller, id).await?;
    app.reactions().remove(&right, &emoji).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Move one's read marker of the thread of a message; who has none follows the thread from then on.
#[utoipa::path(
    put,
    path = "/v1/messages/{id}/read",
    tag = "messages",
    params(("id" = uuid::Uuid, Path)),
    request_body = SetRead,
    responses((status = 200, body = ReadState))
)]
async fn set_thread_read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Json(request): Json<SetRead>,
) -> Result<Json<ReadState>, ApiError> {
    let right = app.access().message(&caller, id).await?;
    Ok(Json(app.reads().set_thread(&right, &request).await?))
}

/// List the messages with replies whose threads one follows: those that one wrote, replied to, or
/// set a read marker of. `thread` of each says what is unread.
#[utoipa::path(
    get,
    path = "/v1/threads",
    tag = "messages",
    params(ThreadsQuery),
    responses((status = 200, body = List<Message>))
)]
async fn threads(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Query(query): Query<ThreadsQuery>,
) -> Result<Listing<Message>, ApiError> {
    let limit = super::extract::limit(query.limit, 50)?;
    let after = MessageId(query.after.unwrap_or_default());
    let found = app.messages().threads(&caller, query.unread, after, limit + 1).await?;
    Ok(Listing::new(&uri, by_id(found, limit, |message| message.id)))
}
