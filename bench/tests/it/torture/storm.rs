//! R15: clients that all come back at once miss nothing.

use tidings_bench::torture::storm;

use super::{assert_sound, setting};

#[test]
fn two_hundred_clients_reconnect_at_once_and_miss_nothing() {
    assert_sound(&storm::run(&setting(), 200, 1).unwrap());
}
