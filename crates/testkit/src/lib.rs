//! A seeded world for tests: a clock that only tests turn, randomness that a seed repeats, real
//! servers on loopback, people with keys, and fresh databases.
//!
//! [`World`] is where a test begins. A helper that cannot do its work panics: the test has failed
//! then. Nothing is skipped when something is missing, nothing sleeps, and nothing outlives the
//! test. This crate must never know the binaries; what only they do is tested by starting them.
//! To add to the world: a method of [`World`] or [`Person`], in terms of the client SDK.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "what the world cannot do fails the test that asked for it"
)]

mod clock;
mod entropy;
mod person;
pub mod postgres;
mod provider;
mod s3;
mod server;
mod world;

pub use clock::TestClock;
pub use entropy::TestEntropy;
pub use person::Person;
pub use postgres::postgres_database;
pub use provider::OidcProvider;
pub use s3::S3Server;
pub use server::{Backend, TestServer};
/// The SDK that the people of the world speak with.
pub use tidings_client as client;
pub use world::World;
