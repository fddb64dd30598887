//! `/v1/search`.

use axum::extract::State;
use http::Uri;
use tidings_domain::{ChannelId, CommunityId};
use tidings_wire::List;
use tidings_wire::message::SearchHit;
use tidings_wire::query::SearchParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Query;
use super::listing::Listing;
use crate::access::Caller;
use crate::app::App;
use crate::app::search::Within;
use crate::error::ApiError;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(search))
}

/// Search the messages that one may read, newest first.
#[utoipa::path(
    get,
    path = "/v1/search",
    tag = "messages",
    params(SearchParams),
    responses((status = 200, body = List<SearchHit>))
)]
async fn search(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Query(params): Query<SearchParams>,
) -> Result<Listing<SearchHit>, ApiError> {
    let limit = super::extract::limit(params.limit, 50)?;
    let access = app.access();
    let (channel, community);
    let within = match (params.channel, params.community) {
        (None, None) => Within::All,
        (None, Some(id)) => {
            community = access.member(&caller, CommunityId(id)).await?;
            Within::Community(&community)
        }
        (Some(id), within) => {
            channel = access.reader(&caller, ChannelId(id)).await?;
            let home = channel.channel().community_id;
            if within.is_some_and(|id| home != Some(CommunityId(id))) {
                return Err(ApiError::not_found());
            }
            Within::Channel(&channel)
        }
    };
    let cursor = params.cursor.as_deref();
    let list = app.search().find(&caller, within, &params.q, cursor, limit).await?;
    Ok(Listing::with_cursor(&uri, list))
}
