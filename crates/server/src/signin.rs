//! Sign-in through others, as protocols: OAuth 2.0 (RFC 6749) with PKCE (RFC 7636), `OpenID Connect`,
//! and what GitHub and Gitea make of them; our own signed tokens.
//!
//! Nothing here knows the store or HTTP handlers. What others answer is untrusted: it is bounded in
//! size and time by [`outward`](crate::outward), and believed only after the checks of
//! [`oidc`], or as far as the provider's own API vouches for it ([`forge`]).

pub mod flow;
mod forge;
pub mod jwt;
mod oidc;
pub mod provider;
pub mod seal;

pub use flow::{Bind, Flow, Intent, Ticket};
pub use provider::{Kind, Provider, SigninError, Somebody};
pub use seal::{SealKey, Sealer};
