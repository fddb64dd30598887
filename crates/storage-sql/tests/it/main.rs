//! What SQLite and PostgreSQL promise, on real databases.

#![expect(clippy::unwrap_used, reason = "what the helpers of a test cannot do fails the test")]

mod cursor;
mod databases;
mod postgres;
mod sqlite;
