//! Incoming webhooks: managing them, and the addresses at which other programs post.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use tidings_domain::{ChannelId, WebhookId};
use tidings_wire::webhook::{CreateWebhook, Webhook};
use tidings_wire::{Code, List};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::BODY_MAX;
use super::extract::{Json, Path, read_body};
use super::idempotency::ShowsSecret;
use super::listing::Listing;
use super::problem::Verbatim;
use crate::access::Caller;
use crate::app::App;
use crate::app::webhooks::Undone;
use crate::error::ApiError;
use crate::hook::Source;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(delete))
        .routes(routes!(receive))
        .routes(routes!(receive_from))
}

/// Make an incoming webhook (admins). Its address is shown once.
#[utoipa::path(
    post,
    path = "/v1/channels/{id}/webhooks",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    request_body = CreateWebhook,
    responses((status = 201, body = Webhook))
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(request): Json<CreateWebhook>,
) -> Result<Response, ApiError> {
    let right = app.access().manager(&caller, id).await?;
    let webhook = app.webhooks().create(&right, &request).await?;
    let mut response = (StatusCode::CREATED, Json(webhook)).into_response();
    response.extensions_mut().insert(ShowsSecret);
    Ok(response)
}

/// List the incoming webhooks of a channel (admins).
#[utoipa::path(
    get,
    path = "/v1/channels/{id}/webhooks",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = List<Webhook>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    Path(id): Path<ChannelId>,
) -> Result<Listing<Webhook>, ApiError> {
    let right = app.access().manager(&caller, id).await?;
    let items = app.webhooks().list(&right).await?;
    Ok(Listing::new(&uri, List { items, next: None, prev: None }))
}

/// Delete an incoming webhook (admins); what it posted stays.
#[utoipa::path(
    delete,
    path = "/v1/webhooks/{id}",
    tag = "webhooks",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204))
)]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
) -> Result<StatusCode, ApiError> {
    let right = app.access().webhook(&caller, id).await?;
    app.webhooks().delete(&right).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Post as Slack's incoming webhooks take it: JSON, or a form with the field `payload`.
#[utoipa::path(
    post,
    path = "/hook/{id}/{token}",
    tag = "webhooks",
    security(()),
    params(("id" = String, Path), ("token" = String, Path)),
    request_body(content = Object, description = "`{text, blocks, attachments, username, thread_ts}`"),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "`ok`"),
        (status = 400, body = String, content_type = "text/plain", description = "`invalid_payload`, `no_text`"),
        (status = 403, body = String, content_type = "text/plain", description = "`invalid_signature`, `action_prohibited`"),
        (status = 404, body = String, content_type = "text/plain", description = "`no_service`, `channel_not_found`"),
        (status = 410, body = String, content_type = "text/plain", description = "`channel_is_archived`")
    )
)]
async fn receive(
    State(app): State<App>,
    axum::extract::Path((id, token)): axum::extract::Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(take(&app, &id, &token, "slack", &headers, body).await)
}

/// Post as another program sends it: `slack`, `github`, `gitlab`, `gitea`, `alertmanager` or `raw`.
#[utoipa::path(
    post,
    path = "/hook/{id}/{token}/{source}",
    tag = "webhooks",
    security(()),
    params(("id" = String, Path), ("token" = String, Path), ("source" = String, Path)),
    request_body(content = String, description = "What the program sends.", content_type = "*/*"),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "`ok`"),
        (status = 400, body = String, content_type = "text/plain", description = "`invalid_payload`, `no_text`"),
        (status = 403, body = String, content_type = "text/plain", description = "`invalid_signature`, `action_prohibited`"),
        (status = 404, body = String, content_type = "text/plain", description = "`no_service`, `channel_not_found`"),
        (status = 410, body = String, content_type = "text/plain", description = "`channel_is_archived`")
    )
)]
async fn receive_from(
    State(app): State<App>,
    axum::extract::Path((id, token, source)): axum::extract::Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(take(&app, &id, &token, &source, &headers, body).await)
}

/// Nothing of the body is read before the token was right.
async fn take(
    app: &App,
    id: &str,
    token: &str,
    source: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), Undone> {
    let sender = app.webhooks().sender(id, token).await?;
    let source: Source = source.parse()?;
    let body = read_body(body, BODY_MAX).await?;
    app.webhooks().receive(&sender, source, headers, &body).await
}

/// `ok`, or a word: programs that post to Slack read these.
fn answer(result: Result<(), Undone>) -> Response {
    let (status, word, retry) = match result {
        Ok(()) => (200, "ok".to_owned(), None),
        Err(Undone::Refused(refusal)) => (refusal.status(), refusal.to_string(), None),
        Err(Undone::Failed(error)) if error.code() == Code::Internal => {
            return error.into_response();
        }
        Err(Undone::Failed(error)) => {
            (error.code().status(), error.code().as_str().to_owned(), error.retry_after_s())
        }
    };
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    let mut response = ([(header::CONTENT_TYPE, kind)], word).into_response();
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    if let Some(seconds) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(Verbatim);
    response
}
