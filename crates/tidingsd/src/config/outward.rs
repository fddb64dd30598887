//! `[outward]`

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Network;

/// What the server may speak to when others name an address: receivers of webhooks, pages that are
/// linked to, providers of sign-in. The public Internet always, private networks never, but for
/// these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Outward {
    /// Private networks that it may speak to, addresses such as `127.0.0.1` or networks such as
    /// `10.0.0.0/8`. Whoever may make a webhook can then have the server post to every machine in
    /// them.
    #[schema(value_type = Vec<String>)]
    pub(crate) allow: Vec<Network>,
    /// Whether the server looks up what links in messages lead to. Channels and people can decide
    /// against it for themselves.
    #[schema(default = true)]
    pub(crate) previews: bool,
}

impl Default for Outward {
    fn default() -> Self {
        Self { allow: Vec::new(), previews: true }
    }
}
