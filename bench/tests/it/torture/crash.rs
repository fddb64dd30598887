//! R1 and R22: a server that dies, or is asked to stop, loses nothing and says nothing twice.

use tidings_bench::torture::{Database, crash};

use super::{assert_sound, setting};

/// Ends of the server in one test.
const ROUNDS: usize = 3;

fn postgres() -> Database {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Database::Postgres(runtime.block_on(tidings_testkit::postgres_database()))
}

#[test]
fn killed_server_on_sqlite_loses_nothing() {
    assert_sound(&crash::kill(&setting(), &Database::Sqlite, ROUNDS).unwrap());
}

#[test]
fn killed_server_on_postgres_loses_nothing() {
    assert_sound(&crash::kill(&setting(), &postgres(), ROUNDS).unwrap());
}

#[test]
fn server_asked_to_stop_on_sqlite_loses_nothing() {
    assert_sound(&crash::stop(&setting(), &Database::Sqlite, ROUNDS).unwrap());
}

#[test]
fn server_asked_to_stop_on_postgres_loses_nothing() {
    assert_sound(&crash::stop(&setting(), &postgres(), ROUNDS).unwrap());
}
