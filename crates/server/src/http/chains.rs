//! `/v1/identities/{identity}/chain`: sigchains. No session is needed: the signature is the right.

use axum::extract::{FromRequest as _, Request, State};
use tidings_domain::IdentityKey;
use tidings_wire::account::{AppendChain, ChainConflict, ChainHead, ChainPage};
use tidings_wire::query::SeqQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Address, Json, Path, Query};
use super::problem;
use crate::app::App;
use crate::app::chains::REQUEST_MAX;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get, append))
}

/// Read a sigchain.
#[utoipa::path(
    get,
    path = "/v1/identities/{identity}/chain",
    tag = "identities",
    security(()),
    params(("identity" = String, Path), SeqQuery),
    responses((status = 200, body = ChainPage))
)]
async fn get(
    State(app): State<App>,
    Path(identity): Path<IdentityKey>,
    Query(page): Query<SeqQuery>,
) -> Result<Json<ChainPage>, ApiError> {
    let limit = super::extract::limit(page.limit, 50)?;
    Ok(Json(app.chains().page(identity, page.after, limit).await?))
}

/// Append to a sigchain, at most 64 KiB.
#[utoipa::path(
    post,
    path = "/v1/identities/{identity}/chain",
    tag = "identities",
    security(()),
    params(("identity" = String, Path)),
    request_body = AppendChain,
    responses(
        (status = 200, body = ChainHead),
        (status = 409, body = ChainConflict, content_type = "application/problem+json")
    )
)]
async fn append(
    State(app): State<App>,
    Path(identity): Path<IdentityKey>,
    Address(address): Address,
    request: Request,
) -> Result<Json<ChainHead>, ApiError> {
    let length = request.headers().get(http::header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    // Room for what stands around the envelopes.
    if length.is_some_and(|length| length > REQUEST_MAX + 1024) {
        return Err(problem::too_large(REQUEST_MAX));
    }
    let Json(body) = Json::<AppendChain>::from_request(request, &app).await?;
    Ok(Json(app.chains().append(identity, &body.items, address).await?))
}
