//! Bots and API tokens.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri};
use tidings_domain::{CommunityId, TokenId, UserId};
use tidings_wire::List;
use tidings_wire::bot::{Bot, CreateBot, CreateToken, Token};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path};
use super::idempotency::ShowsSecret;
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(delete))
        .routes(routes!(list_bot_tokens, create_bot_token))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(delete_token))
}

/// Make a bot (admins). It is a member of the community and joins `#general`.
#[utoipa::path(
    post,
    path = "/v1/communities/{id}/bots",
    tag = "bots",
    params(("id" = uuid::Uuid, Path)),
    request_body = CreateBot,
    responses((status = 201, body = Bot))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CommunityId>,
    Json(request): Json<CreateBot>,
) -> Result<(StatusCode, Json<Bot>), ApiError> {
    let right = app.access().admin(&caller, id).await?;
    let bot = app.bots().create(&right, &caller, &request).await?;
    Ok((StatusCode::CREATED, Json(bot)))
}

/// List the bots of a community (admins).
#[utoipa::path(
    get,
    path = "/v1/communities/{id}/bots",
    tag = "bots",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<Bot>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<CommunityId>,
) -> Result<Listing<Bot>, ApiError> {
    let right = app.access().admin(&caller, id).await?;
    let items = app.bots().list(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Delete a bot (admins): its tokens and memberships end, what it said stays.
#[utoipa::path(
    delete,
    path = "/v1/bots/{id}",
    tag = "bots",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().bot(&caller, id).await?;
    app.bots().delete(&right).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a token of a bot (admins). The secret is shown once.
#[utoipa::path(
    post,
    path = "/v1/bots/{id}/tokens",
    tag = "bots",
    params(("id" = uuid::Uuid, Path)),
    request_body = CreateToken,
    responses((status = 201, body = Token))
)]
async fn create_bot_token(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<UserId>,
    Json(request): Json<CreateToken>,
) -> Result<Response, ApiError> {
    let right = app.access().bot(&caller, id).await?;
    Ok(made(app.tokens().create_for_bot(&right, &request).await?))
}

/// List the tokens of a bot that still work (admins).
#[utoipa::path(
    get,
    path = "/v1/bots/{id}/tokens",
    tag = "bots",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<Token>))
)]
async fn list_bot_tokens(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<UserId>,
) -> Result<Listing<Token>, ApiError> {
    let right = app.access().bot(&caller, id).await?;
    let items = app.tokens().list_of_bot(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Make a token with which a program acts as oneself. The secret is shown once.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    tag = "bots",
    request_body = CreateToken,
    responses((status = 201, body = Token))
)]
async fn create_token(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<CreateToken>,
) -> Result<Response, ApiError> {
    Ok(made(app.tokens().create(&caller, &request).await?))
}

/// List one's own tokens that still work.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    tag = "bots",
    responses((status = 200, body = List<Token>))
)]
async fn list_tokens(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
) -> Result<Listing<Token>, ApiError> {
    let items = app.tokens().list(&caller).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Revoke a token: one's own, or one of a bot (admins).
#[utoipa::path(
    delete,
    path = "/v1/tokens/{id}",
    tag = "bots",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn delete_token(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().token(&caller, id).await?;
    app.tokens().delete(&right).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn made(token: Token) -> Response {
    let mut response = (StatusCode::CREATED, Json(token)).into_response();
    response.extensions_mut().insert(ShowsSecret);
    response
}
