//! `[metrics]`

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Listen;

/// Figures for Prometheus at `/metrics`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Metrics {
    /// A listener of their own, ADDRESS:PORT; the path is then no longer at the public address,
    /// where it is when this is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) listen: Option<Listen>,
}
