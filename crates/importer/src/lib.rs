//! Reads the export of another chat and says it again in the records of `POST /v1/admin/imports`.
//!
//! Slack is the first source: [`slack::ExportReader`] walks through the zip file of a workspace
//! export, entry by entry, and yields [`tidings_wire::import::Record`]s in an order in which nothing
//! is named before it exists. What cannot be read is written to a [`report::Report`] and passed
//! over; it never stops the rest.
//!
//! This crate must never know servers, sockets, storage or accounts: it reads one file and writes
//! none. Names of zip entries are never used as paths. To add a source: give it a module beside
//! [`slack`] that yields the same records.

pub mod report;
pub mod slack;

mod archive;
mod names;

pub use tidings_markup::{attachments, blocks, mrkdwn};
