//! SQLite and PostgreSQL behind the traits of `tidings-storage`.
//!
//! Statements are written once, with `$1` parameters, for both databases: `conn` gives both the
//! same face, `writer` commits all waiting changes in one transaction, `read` has a file for each
//! repository, `search` keeps the full-text index, `backup` copies whole databases, `export` reads what belongs to one community, channel or person, and `migrations/` holds the tables of each
//! database. Where the dialects part (full-text search, migrations) the difference stands in one
//! place. See RFD 2.
//!
//! This crate must never know HTTP.

pub mod backup;
mod conn;
mod error;
pub mod export;
mod operation;
mod read;
mod schema;
mod search;
mod store;
mod writer;

pub use store::{OpenError, Options, SqlStore};
