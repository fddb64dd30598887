//! Markup of other chats, turned into our Markdown: Slack's mrkdwn, blocks and attachments.
//!
//! Exports and webhooks bring the same markup, so both read it here. Everything is a function of
//! text or JSON and never fails: what is no markup is text, and what is of another type than it
//! should be is left out.
//!
//! This crate must never know servers, storage, files or where the text came from. To add another
//! chat's markup: a module beside [`mrkdwn`], whose functions take text and give Markdown.

pub mod attachments;
pub mod blocks;
pub mod mrkdwn;
pub mod split;
