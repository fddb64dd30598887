//! Behavior of the server through its router, on the store in memory.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the helpers of a test cannot do fails the test"
)]

mod channels;
mod communities;
mod enumeration;
mod idempotency;
mod imports;
mod invites;
mod limits;
mod messages;
mod openapi;
mod problems;
mod realtime;
mod registration;
mod rights;
mod search;
mod sessions;
mod world;
