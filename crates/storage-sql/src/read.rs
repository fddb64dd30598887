//! Reads: a file for each repository. Functions over [`Conn`](crate::conn::Conn) are shared with
//! the writer, which reads inside of its transaction.

pub(crate) mod account;
pub(crate) mod attention;
pub(crate) mod block;
pub(crate) mod bot;
pub(crate) mod channel;
pub(crate) mod command;
pub(crate) mod community;
pub(crate) mod draft;
pub(crate) mod entry;
pub(crate) mod import;
pub(crate) mod job;
pub(crate) mod join;
pub(crate) mod media;
pub(crate) mod message;
pub(crate) mod moderation;
pub(crate) mod outgoing;
pub(crate) mod presence;
pub(crate) mod preview;
pub(crate) mod reminder;
pub(crate) mod report;
pub(crate) mod session;
pub(crate) mod signin;
pub(crate) mod thread;
pub(crate) mod webhook;
