//! R16: copies that are made under load come back whole, and nobody goes on from a lost time.

use std::time::Duration;

use tidings_bench::torture::restore;

use super::{assert_sound, setting};

#[test]
fn copies_made_under_load_come_back_and_clients_notice() {
    assert_sound(&restore::run(&setting(), Duration::from_secs(2)).unwrap());
}
