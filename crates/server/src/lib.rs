//! The server: use cases, rights, sessions, limits, and the doors that speak HTTP.
//!
//! This crate must never know HTML or concrete SQL. A request goes one way: a handler in [`http`]
//! reads it, [`access`] turns "who may?" into a value, a use case in [`app`] takes that value and
//! builds one [`Change`](tidings_storage::Change), and the store's writer decides. Handlers never
//! talk to the store. What was committed goes out through [`realtime`].
//!
//! To add a route: the body in `wire`, the use case in the file of its noun under `app/`, the
//! handler in the same file under `http/`, its line in [`http::router`], and its row in the table
//! of `tests/it/rights.rs`.

pub mod access;
pub mod app;
pub mod auth;
pub mod blobs;
mod cache;
pub mod clock;
pub mod entropy;
pub mod ephemeral;
pub mod error;
pub mod hook;
pub mod http;
mod limit;
pub mod outward;
pub mod presence;
pub mod realtime;
pub mod render;
pub mod serve;
pub mod settings;
pub mod signin;

pub use access::Caller;
pub use app::{App, Parts};
pub use clock::{Clock, SystemClock};
pub use entropy::{Entropy, SystemEntropy};
pub use ephemeral::Ephemeral;
pub use error::ApiError;
pub use realtime::Realtime;
pub use serve::serve;
pub use settings::{Registration, Settings};
