//! Slash commands.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Uri;
use tidings_domain::{ChannelId, CommunityId, UserId};
use tidings_wire::List;
use tidings_wire::command::{CommandReply, CommandResult, CommandSpec, RunCommand, SetCommands};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::extract::{Json, Path};
use super::idempotency::ShowsSecret;
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(run))
        .routes(routes!(of_bot, set))
        .routes(routes!(reply))
}

/// List the commands that one may run in a community, for completion.
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/commands",
    tag = "commands",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<CommandSpec>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
) -> Result<Listing<CommandSpec>, ApiError> {
    let right = app.access().member(&caller, id).await?;
    let items = app.commands().list(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Run a slash command in a channel or DM. A bot's command waits five seconds for the bot's answer.
#[utoipa::path(
    post,
    path = "/v1/channels/{id}/commands",
    tag = "commands",
    params(("id" = uuid::Uuid, Path)),
    request_body = RunCommand,
    responses((status = 200, body = CommandResult))
)]
async fn run(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(request): Json<RunCommand>,
) -> Result<Response, ApiError> {
    let ran = app.commands().run(&caller, id, &request.text).await?;
    let mut response = Json(ran.result).into_response();
    if ran.secret {
        response.extensions_mut().insert(ShowsSecret);
    }
    Ok(response)
}

/// List the commands of a bot (the bot itself, and admins).
#[utoipa::path(
    get,
    path = "/v1/bots/{id}/commands",
    tag = "commands",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<CommandSpec>))
)]
async fn of_bot(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<UserId>,
) -> Result<Listing<CommandSpec>, ApiError> {
    let right = app.access().commander(&caller, id).await?;
    let items = app.commands().of_bot(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Say what commands a bot has, in place of those before (the bot itself, and admins).
#[utoipa::path(
    put,
    path = "/v1/bots/{id}/commands",
    tag = "commands",
    params(("id" = uuid::Uuid, Path)),
    request_body = SetCommands,
    responses((status = 200, body = List<CommandSpec>))
)]
async fn set(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<UserId>,
    Json(request): Json<SetCommands>,
) -> Result<Listing<CommandSpec>, ApiError> {
    let right = app.access().commander(&caller, id).await?;
    let items = app.commands().set(&right, &request).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Answer a command (the bot that was asked): to whoever ran it alone, or in the channel.
#[utoipa::path(
    post,
    path = "/v1/invocations/{id}/reply",
    tag = "commands",
    params(("id" = uuid::Uuid, Path)),
    request_body = CommandReply,
    responses((status = 200, body = CommandResult))
)]
async fn reply(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(request): Json<CommandReply>,
) -> Result<Json<CommandResult>, ApiError> {
    let right = app.access().invoked(&caller, id).await?;
    Ok(Json(app.commands().reply(&right, &request).await?))
}
