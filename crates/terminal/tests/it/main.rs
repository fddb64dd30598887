//! `tidings` as people use it: real programs, a real server, a directory of one's own for each.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bots;
mod conversation;
mod day;
mod exports;
mod failures;
mod files;
mod identity;
mod line;
mod manage;
mod moderate;
mod outgoing;
mod output;
mod queue;
mod resume;
mod signin;
mod tail;
mod world;
