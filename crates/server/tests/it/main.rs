//! Behavior of the server through its router, on the store in memory.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the helpers of a test cannot do fails the test"
)]

mod attention;
mod audit;
mod blobs;
mod blocks;
mod bot_commands;
mod bots;
mod channels;
mod commands;
mod communities;
mod concurrency;
mod databases;
mod drafts;
mod enumeration;
mod hostile;
mod idempotency;
mod imports;
mod invites;
mod joins;
mod keeping;
mod limits;
mod media;
mod messages;
mod moderation;
/// The mutations that the fuzz targets are tried with.
#[path = "../../../fuzz/src/mutate.rs"]
#[expect(unreachable_pub, reason = "it is public where it lives")]
mod mutate;
mod openapi;
mod outgoing;
mod outward;
mod presence;
mod previews;
mod problems;
mod realtime;
mod registration;
mod reminders;
mod reports;
mod rights;
mod search;
mod sessions;
mod signin;
mod threads;
mod webhooks;
mod world;
