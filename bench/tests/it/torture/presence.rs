//! R13: presence tells little, and only those who may know.

use std::time::Duration;

use tidings_bench::torture::presence::{self, Size};

use super::{assert_sound, setting};

#[test]
fn presence_is_told_seldom_and_hides_who_may_not_be_seen() {
    let size = Size { watchers: 10, length: Duration::from_secs(6), probes: 20 };
    assert_sound(&presence::run(&setting(), size).unwrap());
}
