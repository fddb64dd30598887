//! Slash commands.

use axum::extract::State;
use http::Uri;
use tidings_domain::{ChannelId, CommunityId};
use tidings_wire::List;
use tidings_wire::command::{CommandResult, CommandSpec, RunCommand};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path};
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(run))
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
    let items = app.commands().list(&right);
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Run a slash command in a channel or DM.
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
) -> Result<Json<CommandResult>, ApiError> {
    Ok(Json(app.commands().run(&caller, id, &request.text).await?))
}
