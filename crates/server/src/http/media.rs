//! Files: `/v1/media`.

mod delivery;
mod names;
mod range;

use std::time::Duration;

use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, StatusCode, header};
use tidings_domain::{ChannelId, MediaId};
use tidings_wire::media::{Media, MediaQuery, ThumbQuery, UploadForm};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Json, Path, Query};
use crate::access::Caller;
use crate::app::App;
use crate::app::media::Upload;
use crate::error::ApiError;

/// How long the next piece of a file may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a whole file may take to arrive: the largest one over a line of a quarter megabit.
const WHOLE: Duration = Duration::from_hours(1);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(upload))
        // The upload counts its own bytes.
        .layer(DefaultBodyLimit::disable())
        .routes(routes!(get))
        .routes(routes!(thumb))
}

/// Upload a file: as the raw body, with its name (percent-encoded) in `X-Filename`, or as the file
/// of a form. What it is, is told from its bytes.
#[utoipa::path(
    post,
    path = "/v1/media",
    tag = "media",
    params(
        MediaQuery,
        ("X-Filename" = Option<String>, Header, description = "The name of a raw body, percent-encoded UTF-8.")
    ),
    request_body(content(
        (Vec<u8> = "application/octet-stream"),
        (UploadForm = "multipart/form-data")
    )),
    responses((status = 201, body = Media))
)]
async fn upload(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<MediaQuery>,
    request: Request,
) -> Result<(StatusCode, Json<Media>), ApiError> {
    let channel = query.channel.map(ChannelId);
    let headers = request.headers();
    let kind = names::text(headers, header::CONTENT_TYPE.as_str());
    let form = kind.to_ascii_lowercase().starts_with("multipart/form-data");
    // Of a form this is a little more than the file, which is no reason to refuse it early.
    let declared = names::text(headers, header::CONTENT_LENGTH.as_str()).parse().ok();
    let upload = app.media().begin(&caller, channel, declared.filter(|_| !form)).await?;
    let taken = async {
        if form { take_form(upload, request).await } else { take_raw(upload, &kind, request).await }
    };
    let media = tokio::time::timeout(WHOLE, taken).await.map_err(|_| too_slow())??;
    Ok((StatusCode::CREATED, Json(media)))
}

async fn take_raw(mut upload: Upload, kind: &str, request: Request) -> Result<Media, ApiError> {
    let name = names::decoded(request.headers());
    let mut body = request.into_body().into_data_stream();
    while let Some(piece) = patient(body.next()).await? {
        upload.write(&piece.map_err(|_| broke_off())?).await?;
    }
    upload.finish(&name, kind).await
}

async fn take_form(mut upload: Upload, request: Request) -> Result<Media, ApiError> {
    let unreadable = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => super::problem::too_large(super::BODY_MAX),
        _ => ApiError::bad_request("The form cannot be read, or broke off."),
    };
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| ApiError::bad_request("The form names no boundary."))?;
    while let Some(mut field) = patient(form.next_field()).await?.map_err(unreadable)? {
        let Some(name) = field.file_name().map(str::to_owned) else { continue };
        let kind = field.content_type().unwrap_or_default().to_owned();
        while let Some(piece) = patient(field.chunk()).await?.map_err(unreadable)? {
            upload.write(&piece).await?;
        }
        drop(field);
        // The end must have come: what broke off is no file.
        while patient(form.next_field()).await?.map_err(unreadable)?.is_some() {}
        return upload.finish(&name, &kind).await;
    }
    Err(ApiError::bad_request("The form has no file."))
}

async fn patient<T>(next: impl Future<Output = T> + Send) -> Result<T, ApiError> {
    tokio::time::timeout(PATIENCE, next).await.map_err(|_| too_slow())
}

fn too_slow() -> ApiError {
    ApiError::bad_request("The body took too long to arrive.")
}

fn broke_off() -> ApiError {
    ApiError::bad_request("The body broke off.")
}

/// Get a file, or a part of it (`Range`). HEAD answers without the bytes.
#[utoipa::path(
    get,
    path = "/v1/media/{id}",
    tag = "media",
    params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = Vec<u8>, content_type = "*/*"),
        (status = 206, body = Vec<u8>, content_type = "*/*"),
        (status = 304, description = "The copy at hand is the file.")
    )
)]
async fn get(
    State(app): State<App>,
    caller: Caller,
    method: Method,
    headers: HeaderMap,
    Path(id): Path<MediaId>,
) -> Result<Response, ApiError> {
    let right = app.access().media(&caller, id).await?;
    let media = &right.media().media;
    let delivery = delivery::Delivery::of_file(media);
    delivery.answer(&method, &headers, async |range| app.media().read(&right, range).await).await
}

/// Get a smaller picture of a file, as JPEG or PNG.
#[utoipa::path(
    get,
    path = "/v1/media/{id}/thumb",
    tag = "media",
    params(("id" = uuid::Uuid, Path), ThumbQuery),
    responses(
        (status = 200, body = Vec<u8>, content_type = "image/jpeg"),
        (status = 206, body = Vec<u8>, content_type = "image/jpeg"),
        (status = 304, description = "The copy at hand is the picture.")
    )
)]
async fn thumb(
    State(app): State<App>,
    caller: Caller,
    method: Method,
    headers: HeaderMap,
    Path(id): Path<MediaId>,
    Query(query): Query<ThumbQuery>,
) -> Result<Response, ApiError> {
    let width = query.w.unwrap_or(256);
    if !(1..=4096).contains(&width) {
        return Err(ApiError::field("w", "out_of_range", "must be 1 to 4096"));
    }
    let right = app.access().media(&caller, id).await?;
    let thumb = app.media().thumb(&right, width).await?;
    let delivery = delivery::Delivery::of_thumb(&right.media().media, &thumb);
    let whole = thumb.bytes;
    let part = async |range: std::ops::Range<u64>| {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(whole.len());
        let piece = whole.slice(at(range.start)..at(range.end));
        Ok(futures_util::stream::once(async { Ok(piece) }).boxed())
    };
    delivery.answer(&method, &headers, part).await
}

/// What goes out in one piece.
type Piece = Result<Bytes, crate::blobs::BlobError>;
