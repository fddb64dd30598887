//! One file per command.

pub(crate) mod admin;
pub(crate) mod api;
pub(crate) mod block;
pub(crate) mod bot;
pub(crate) mod channel;
pub(crate) mod community;
pub(crate) mod completions;
pub(crate) mod delete;
pub(crate) mod devices;
pub(crate) mod dm;
pub(crate) mod edit;
pub(crate) mod invite;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod members;
pub(crate) mod react;
pub(crate) mod read;
pub(crate) mod register;
pub(crate) mod search;
pub(crate) mod send;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod tail;
pub(crate) mod token;
pub(crate) mod whoami;
