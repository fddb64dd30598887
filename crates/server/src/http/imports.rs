//! `/v1/admin/imports`.

use std::time::Duration;

use axum::extract::{Request, State};
use bytes::BytesMut;
use futures_util::StreamExt as _;
use tidings_wire::Code;
use tidings_wire::import::{ImportResult, Record};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Json;
use crate::access::{Caller, Importer};
use crate::app::App;
use crate::app::imports::{BATCH, LINE_MAX, Line};
use crate::error::ApiError;

/// How many errors an answer tells of; more are counted by sending less.
const ERRORS_MAX: usize = 1000;
/// How long the next piece of a body may take to arrive.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(import))
}

/// Import records of another chat (server owner): one JSON object per line. Sending the same
/// records again adds nothing.
#[utoipa::path(
    post,
    path = "/v1/admin/imports",
    tag = "administration",
    request_body(content = Record, content_type = "application/x-ndjson"),
    responses((status = 200, body = ImportResult))
)]
async fn import(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Json<ImportResult>, ApiError> {
    let owner = app.access().server_owner(&caller)?;
    app.imports().begin(&owner).await?;
    let right = Importer::from(&owner);
    let mut body = request.into_body().into_data_stream();
    let mut total = ImportResult::default();
    let mut lines: Vec<Line> = Vec::with_capacity(BATCH);
    let mut rest = BytesMut::new();
    let mut number = 0;
    loop {
        let piece = tokio::time::timeout(PATIENCE, body.next()).await;
        let piece =
            piece.map_err(|_| ApiError::bad_request("The body took too long to arrive."))?;
        let ended = match piece {
            Some(Ok(bytes)) => {
                rest.extend_from_slice(&bytes);
                false
            }
            Some(Err(_)) => return Err(ApiError::bad_request("The body broke off.")),
            None => true,
        };
        // Only what was added can hold the end of a line; what is left over is at most one line.
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            number += 1;
            lines.extend(Line::read(number, &rest.split_to(end + 1)));
            if lines.len() == BATCH {
                add(&mut total, app.imports().apply(&right, &lines).await?);
                lines.clear();
            }
        }
        if rest.len() > LINE_MAX {
            let detail = format!("A line has at most {LINE_MAX} bytes.");
            return Err(ApiError::new(Code::TooLarge, detail));
        }
        if ended {
            number += 1;
            lines.extend(Line::read(number, &rest));
            add(&mut total, app.imports().apply(&right, &lines).await?);
            return Ok(Json(total));
        }
    }
}

fn add(total: &mut ImportResult, part: ImportResult) {
    total.created += part.created;
    total.skipped += part.skipped;
    let room = ERRORS_MAX.saturating_sub(total.errors.len());
    total.errors.extend(part.errors.into_iter().take(room));
}
