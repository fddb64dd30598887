//! `/v1/channels/{id}/log`.

use axum::extract::State;
use http::Uri;
use tidings_domain::{ChannelId, Seq};
use tidings_wire::query::SeqQuery;
use tidings_wire::{Entry, List};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Path, Query};
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(entries))
}

/// Read the log of a conversation, hash chain and all.
#[utoipa::path(
    get,
    path = "/v1/channels/{id}/log",
    tag = "channels",
    params(("id" = uuid::Uuid, Path), SeqQuery),
    responses((status = 200, body = List<Entry>))
)]
async fn entries(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<ChannelId>,
    Query(page): Query<SeqQuery>,
) -> Result<Listing<Entry>, ApiError> {
    let limit = super::extract::limit(page.limit, 50)?;
    let right = app.access().reader(&caller, id).await?;
    let after = Seq(page.after.unwrap_or_default());
    let mut items = app.log().entries(&right, after, limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|entry| entry.seq.to_string());
    Ok(Listing::new(&uri, List { items, next, prev: None }))
}
