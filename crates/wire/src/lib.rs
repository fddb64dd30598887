//! What crosses a network: REST bodies, events, WebSocket frames, problem documents.
//!
//! This crate must never know storage or handlers. It is the only one that derives serde for the
//! network. Fields of everything that the log hashes stand in alphabetical order, so that the
//! encoder's output is already canonical JSON (RFC 8785); a test holds every such type to it.
//!
//! To add a body: put it in the file of its noun, derive `utoipa::ToSchema`, and only ever add
//! optional fields to it later.

pub mod account;
pub mod attention;
pub mod block;
pub mod bot;
pub mod chain;
pub mod channel;
pub mod command;
pub mod community;
pub mod discovery;
pub mod draft;
pub mod event;
pub mod export;
pub mod frame;
pub mod import;
pub mod media;
pub mod message;
pub mod moderation;
pub mod outgoing;
pub mod page;
pub mod presence;
pub mod problem;
pub mod query;
pub mod report;
pub mod signin;
pub mod sync;
pub mod time;
pub mod webhook;

pub use event::{Entry, Event};
pub use page::List;
pub use problem::{Code, FieldError, Problem};
pub use time::Time;
