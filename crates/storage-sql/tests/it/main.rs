//! What SQLite and PostgreSQL promise, on real databases.

mod cursor;
mod databases;
mod postgres;
mod sqlite;
