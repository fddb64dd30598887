//! The REST door: thin handlers over the use cases, one file for each noun.

mod accounts;
mod attention;
mod blocks;
mod bots;
mod chains;
mod channels;
mod commands;
mod communities;
mod device;
mod discovery;
mod dms;
mod drafts;
pub mod extract;
mod form;
mod forwarded;
pub mod idempotency;
mod imports;
mod invites;
mod joins;
pub mod listing;
mod log;
mod media;
mod members;
mod messages;
mod moderation;
mod oauth;
mod openapi;
mod outgoing;
mod pages;
mod pins;
mod presence;
mod previews;
mod problem;
mod providers;
mod reports;
mod search;
mod sessions;
pub mod trace;
mod users;
mod webhooks;
mod wellknown;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::error::ApiError;
use crate::realtime::{self, Realtime};

pub use trace::Connection;

/// Largest request body other than imports, in bytes.
pub(crate) const BODY_MAX: usize = 1 << 20;

/// All routes, described. Whatever else speaks HTTP is merged here.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(discovery::routes())
        .merge(accounts::routes())
        .merge(sessions::routes())
        .merge(oauth::routes())
        .merge(device::routes())
        .merge(providers::routes())
        .merge(wellknown::routes())
        .merge(users::routes())
        .merge(chains::routes())
        .merge(communities::routes())
        .merge(media::routes())
        .merge(members::routes())
        .merge(moderation::routes())
        .merge(commands::routes())
        .merge(invites::routes())
        .merge(joins::routes())
        .merge(blocks::routes())
        .merge(drafts::routes())
        .merge(reports::routes())
        .merge(presence::routes())
        .merge(bots::routes())
        .merge(webhooks::routes())
        .merge(outgoing::routes())
        .merge(previews::routes())
        .merge(channels::routes())
        .merge(dms::routes())
        .merge(messages::routes())
        .merge(attention::routes())
        .merge(pins::routes())
        .merge(log::routes())
        .merge(search::routes())
        .merge(imports::routes())
        .merge(realtime::routes())
}

/// The OpenAPI 3.1 document of all routes.
pub fn openapi() -> OpenApi {
    openapi::complete(routes().into_openapi())
}

/// The whole door: routes, limits, problem documents, trace ids.
pub fn router(app: App, realtime: Realtime) -> Router {
    let (router, document) = routes().split_for_parts();
    let document = openapi::Document::new(&openapi::complete(document));
    router
        .route("/openapi.json", get(openapi::get).layer(Extension(document)))
        .layer(Extension(realtime))
        .fallback(async || ApiError::not_found())
        .layer(from_fn_with_state(app.clone(), idempotency::layer))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn(trace::headers))
        .layer(from_fn_with_state(app.clone(), trace::layer))
        .with_state(app)
}
