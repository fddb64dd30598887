//! The SDK: everything that a program needs to take part in Tidings.
//!
//! [`Client`] speaks the HTTP API, one file per noun. [`login`] makes accounts and sessions from
//! keys, [`resolve`] turns `community/#channel` and `@person` into ids, [`sync`] follows the log
//! over any of its three transports with one cursor, and [`outbox`] keeps messages on disk until
//! the server has them.
//!
//! This crate must never know terminals or windows, and reads no environment. To add a route: a
//! method in the file of its noun that takes ids and `wire` bodies and returns `wire` bodies.

mod account;
mod admin;
mod attention;
mod block;
pub mod bot;
mod channel;
mod client;
mod community;
mod draft;
pub mod error;
pub mod export;
mod identity;
mod invite;
pub mod login;
pub mod media;
pub mod message;
mod moderation;
pub mod operation;
pub mod outbox;
mod outgoing;
mod presence;
mod preview;
mod report;
mod request;
pub mod resolve;
pub mod search;
pub mod server;
mod session;
pub mod signin;
pub mod sync;
mod token;
mod webhook;

pub use client::Client;
pub use error::ClientError;
pub use login::NewDevice;
pub use outbox::Outbox;
pub use outgoing::OutgoingPlace;
pub use resolve::{ChannelRef, PersonRef};
pub use server::ServerUrl;
pub use sync::{Cursor, Follow, Transport, Update};
