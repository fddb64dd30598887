//! Lists with their `Link` headers (RFC 8288).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Uri, header};
use serde::Serialize;
use tidings_wire::List;

use super::extract::Json;

/// A list and the address under which it was asked for.
#[derive(Debug)]
pub struct Listing<T> {
    list: List<T>,
    links: Option<HeaderValue>,
}

impl<T> Listing<T> {
    /// A list whose `next` goes into the parameter `after`, and its `prev` into `before`.
    pub fn new(uri: &Uri, list: List<T>) -> Self {
        Self::with_params(uri, list, "after", "before")
    }

    /// A list whose `next` goes into the parameter `cursor`.
    pub fn with_cursor(uri: &Uri, list: List<T>) -> Self {
        Self::with_params(uri, list, "cursor", "cursor")
    }

    fn with_params(uri: &Uri, list: List<T>, next: &str, prev: &str) -> Self {
        let link = |param: &str, value: &Option<String>, rel: &str| {
            let value = value.as_ref()?;
            let mut query: String = uri
                .query()
                .unwrap_or_default()
                .split('&')
                .filter(|pair| {
                    let key = pair.split('=').next().unwrap_or_default();
                    !matches!(key, "" | "after" | "before" | "around" | "cursor")
                })
                .flat_map(|pair| [pair, "&"])
                .collect();
            query.push_str(param);
            Some(format!("<{}?{query}={value}>; rel=\"{rel}\"", uri.path()))
        };
        let links: Vec<String> = [link(next, &list.next, "next"), link(prev, &list.prev, "prev")]
            .into_iter()
            .flatten()
            .collect();
        // Paths and queries that were parsed have no characters that a header may not have.
        let links = HeaderValue::from_str(&links.join(", ")).ok().filter(|v| !v.is_empty());
        Self { list, links }
    }
}

impl<T: Serialize> IntoResponse for Listing<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.list).into_response();
        if let Some(links) = self.links {
            response.headers_mut().insert(header::LINK, links);
        }
        response
    }
}

/// A page in order of ids, of which one item more than `limit` was read when there is more.
pub(super) fn by_id<T>(mut items: Vec<T>, limit: usize, id: impl Fn(&T) -> uuid::Uuid) -> List<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|item| id(item).to_string());
    List { items, next, prev: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_other_parameters() {
        let uri = Uri::from_static("/v1/x?thread=t&before=9&limit=2");
        let list = List { items: vec![1], next: Some("5".into()), prev: Some("3".into()) };
        let response = Listing::new(&uri, list).into_response();
        assert_eq!(
            response.headers()[header::LINK],
            "</v1/x?thread=t&limit=2&after=5>; rel=\"next\", \
             </v1/x?thread=t&limit=2&before=3>; rel=\"prev\""
        );
        let list = List { items: vec![1], next: None, prev: None };
        let response = Listing::new(&uri, list).into_response();
        assert!(response.headers().get(header::LINK).is_none());
    }
}
