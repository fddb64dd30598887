//! Lists and how they are paged.

use serde::{Deserialize, Serialize};

/// One page of a list. `next` and `prev` are the values to pass on, as `after`, `before` or
/// `cursor`; absent where there is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The items, ascending.
    pub items: Vec<T>,
    /// What to pass to get the page after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What to pass to get the page before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}
