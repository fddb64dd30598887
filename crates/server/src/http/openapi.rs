//! The OpenAPI 3.1 document: what the handlers say, and what all of them have in common.

use std::sync::Arc;

use axum::Extension;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use serde_json::Value;
use tidings_wire::Problem;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, ObjectBuilder, OpenApi,
    OpenApiBuilder, Ref, RefOr, ResponseBuilder, Type,
};
use utoipa::{PartialSchema as _, ToSchema as _};

/// The document as bytes, written once.
#[derive(Debug, Clone)]
pub(super) struct Document(Bytes);

impl Document {
    pub(super) fn new(document: &OpenApi) -> Arc<Self> {
        Arc::new(Self(serde_json::to_vec(document).unwrap_or_default().into()))
    }
}

pub(super) async fn get(Extension(document): Extension<Arc<Document>>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], document.0.clone()).into_response()
}

/// Title, version and ways to authenticate.
pub(super) fn base() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Tidings")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("A private team chat. Errors are problem documents (RFC 9457)."));
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    let components = ComponentsBuilder::new()
        .schema(Problem::name(), Problem::schema())
        .schemas_from_iter(schemas)
        .security_scheme(
            "bearer",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        )
        .security_scheme(
            "cookie",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("tidings_session"))),
        );
    let none: [&str; 0] = [];
    OpenApiBuilder::new()
        .info(info.build())
        .components(Some(components.build()))
        .security(Some([
            SecurityRequirement::new("bearer", none),
            SecurityRequirement::new("cookie", none),
        ]))
        .build()
}

/// Adds what every operation has: the problem document for everything that goes wrong, the trace
/// id, and the idempotency key of POSTs.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let all = [&mut item.get, &mut item.put, &mut item.patch, &mut item.delete, &mut item.head];
        all.into_iter().flatten().for_each(finish);
        if let Some(operation) = &mut item.post {
            finish(operation);
            if super::idempotency::is_taken(path) {
                operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
            }
        }
    }
    precise(document)
}

/// The form of an id, for readers of the document that pass over `format`.
const UUID: &str = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";

/// The document with the form of ids as a pattern too, wherever they stand.
fn precise(document: OpenApi) -> OpenApi {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                let is_id = fields.get("format").is_some_and(|format| format == "uuid");
                if is_id && !fields.contains_key("pattern") {
                    fields.insert("pattern".to_owned(), Value::from(UUID));
                }
                fields.values_mut().for_each(walk);
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            _ => {}
        }
    }
    // What was written a moment ago can be read, and differs in nothing else.
    let Ok(mut value) = serde_json::to_value(&document) else { return document };
    walk(&mut value);
    serde_json::from_value(value).unwrap_or(document)
}

fn finish(operation: &mut Operation) {
    let problem = ResponseBuilder::new()
        .description("What went wrong, and what to do about it.")
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(RefOr::Ref(Ref::from_schema_name(Problem::name()))))
                .build(),
        )
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(problem));
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let header = HeaderBuilder::new()
                .description(Some("Under which the server's log tells more."))
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .build();
            response.headers.insert("X-Trace-Id".to_owned(), RefOr::T(header));
        }
    }
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "The same request under the same key is answered as before for 24 hours.",
        ))
        .schema(Some(
            ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[!-~]{1,255}$")),
        ))
        .build()
}
