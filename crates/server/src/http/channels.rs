//! Channels, and what their members do with them.

use axum::extract::State;
use http::{StatusCode, Uri};
use tidings_domain::{ChannelId, CommunityId, UserId};
use tidings_wire::List;
use tidings_wire::channel::{
    AddMember, Channel, CreateChannel, Purge, Purged, ReadState, SetRead, SetTyping, UpdateChannel,
};
use tidings_wire::community::Member;
use tidings_wire::query::PageQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path, Path2, Query};
use super::listing::{Listing, by_id};
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(list_joined))
        .routes(routes!(get, update, archive))
        .routes(routes!(purge))
        .routes(routes!(join))
        .routes(routes!(leave))
        .routes(routes!(members, add_member))
        .routes(routes!(remove_member))
        .routes(routes!(set_read))
        .routes(routes!(set_typing))
}

/// Make a channel (admins).
#[utoipa::path(
    post,
    path = "/v1/communities/{id}/channels",
    tag = "channels",
    params(("id" = uuid::Uuid, Path)),
    request_body = CreateChannel,
    responses((status = 201, body = Channel))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CommunityId>,
    Json(request): Json<CreateChannel>,
) -> Result<(StatusCode, Json<Channel>), ApiError> {
    let right = app.access().admin(&caller, id).await?;
    Ok((StatusCode::CREATED, Json(app.channels().create(&right, &request).await?)))
}

/// List the channels of a community that one may see.
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/channels",
    tag = "channels",
    params(("id" = uuid::Uuid, Path), PageQuery),
    responses((status = 200, body = List<Channel>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
    Query(page): Query<PageQuery>,
) -> Result<Listing<Channel>, ApiError> {
    let limit = super::extract::limit(page.limit, 200)?;
    let right = app.access().member(&caller, id).await?;
    let after = ChannelId(page.after.unwrap_or_default());
    let channels = app.channels().list(&right, after, limit + 1).await?;
    Ok(Listing::new(&uri, by_id(channels, limit, |channel| channel.id)))
}

/// List the channels and DMs that one is in.
#[utoipa::path(
    get,
    path = "/v1/channels",
    tag = "channels",
    params(PageQuery),
    responses((status = 200, body = List<Channel>))
)]
async fn list_joined(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Query(page): Query<PageQuery>,
) -> Result<Listing<Channel>, ApiError> {
    let limit = super::extract::limit(page.limit, 200)?;
    let after = ChannelId(page.after.unwrap_or_default());
    let channels = app.channels().list_joined(&caller, after, limit + 1).await?;
    Ok(Listing::new(&uri, by_id(channels, limit, |channel| channel.id)))
}

/// Get a channel or DM.
#[utoipa::path(
    get,
    path = "/v1/channels/{id}",
    tag = "channels",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Channel))
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<Json<Channel>, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    Ok(Json(app.channels().get(&right).await?))
}

/// Change a channel (admins).
#[utoipa::path(
    patch,
    path = "/v1/channels/{id}",
    tag = "channels",
    params(("id" = uuid::Uuid, Path)),
    request_body = UpdateChannel,
    responses((status = 200, body = Channel))
)]
async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(request): Json<UpdateChannel>,
) -> Result<Json<Channel>, ApiError> {
    let right = app.access().manager(&caller, id).await?;
    Ok(Json(app.channels().update(&right, &request).await?))
}

/// Archive a channel: read-only until `PATCH` with `archived: false` opens it again (admins).
#[utoipa::path(
    delete,
    path = "/v1/channels/{id}",
    tag = "channels",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn archive(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().manager(&caller, id).await?;
    app.channels().archive(&right).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete many messages, the newest first, all or none of at most 500 (admins).
#[utoipa::path(
    post,
    path = "/v1/channels/{id}/purge",
    tag = "channels",
    params(("id" = uuid::Uuid, Path)),
    request_body = Purge,
    responses((status = 200, body = Purged))
)]
async fn purge(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(request): Json<Purge>,
) -> Result<Json<Purged>, ApiError> {
    let right = app.access().manager(&caller, id).await?;
    Ok(Json(app.purges().run(&right, &request).await?))
}

/// Join a public channel.
#[utoipa::path(
    post,
    path = "/v1/channels/{id}/join",
    tag = "channels",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Channel))
)]
async fn join(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<Json<Channel>, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    Ok(Json(app.channels().join(&right).await?))
}

/// Leave a channel.
#[utoipa::path(
    post,
    path = "/v1/channels/{id}/leave",
    tag = "channels",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn leave(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    app.channels().leave(&right).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the people in a channel.
#[utoipa::path(
    get,
    path = "/v1/channels/{id}/members",
    tag = "channels",
    params(("id" = uuid::Uuid, Path), PageQuery),
    responses((status = 200, body = List<Member>))
)]
async fn members(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<ChannelId>,
    Query(page): Query<PageQuery>,
) -> Result<Listing<Member>, ApiError> {
    let limit = super::extract::limit(page.limit, 200)?;
    let right = app.access().reader(&caller, id).await?;
    let after = UserId(page.after.unwrap_or_default());
    let members = app.channels().members(&right, after, limit + 1).await?;
    Ok(Listing::new(&uri, by_id(members, limit, |member| member.user.id)))
}

/// Add a member of the community to a channel. 200 when they were in it already.
#[utoipa::path(
    post,
    path = "/v1/channels/{id}/members",
    tag = "channels",
    params(("id" = uuid::Uuid, Path)),
    request_body = AddMember,
    responses((status = 201, body = Member), (status = 200, body = Member))
)]
async fn add_member(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(request): Json<AddMember>,
) -> Result<(StatusCode, Json<Member>), ApiError> {
    let right = app.access().reader(&caller, id).await?;
    let (member, new) = app.channels().add(&right, UserId(request.user_id)).await?;
    Ok((if new { StatusCode::CREATED } else { StatusCode::OK }, Json(member)))
}

/// Leave a channel, or take somebody else out (admins).
#[utoipa::path(
    delete,
    path = "/v1/channels/{id}/members/{user_id}",
    tag = "channels",
    params(("id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn remove_member(
    State(app): State<App>,
    caller: Caller,
    Path2(id, user): Path2<ChannelId, UserId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    app.channels().remove(&right, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Move one's read marker.
#[utoipa::path(
    put,
    path = "/v1/channels/{id}/read",
    tag = "channels",
    params(("id" = uuid::Uuid, Path)),
    request_body = SetRead,
    responses((status = 200, body = ReadState))
)]
async fn set_read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(request): Json<SetRead>,
) -> Result<Json<ReadState>, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    Ok(Json(app.reads().set(&right, &request).await?))
}

/// Say that one types.
#[utoipa::path(
    post,
    path = "/v1/channels/{id}/typing",
    tag = "channels",
    params(("id" = uuid::Uuid, Path)),
    request_body = SetTyping,
    responses((status = 204))
)]
async fn set_typing(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(request): Json<SetTyping>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().reader(&caller, id).await?;
    app.typing().set(&right, &request.state).await?;
    Ok(StatusCode::NO_CONTENT)
}
