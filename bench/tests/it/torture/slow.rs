//! R7: members that do not read miss nothing.

use std::time::Duration;

use tidings_bench::torture::slow::{Size, run};

use super::{assert_sound, setting};

#[test]
fn slow_readers_get_everything_in_order_in_the_end() {
    let size = Size { members: 10, slow: 5, rounds: 2, length: Duration::from_secs(1) };
    assert_sound(&run(&setting(), size, 5_000).unwrap());
}
