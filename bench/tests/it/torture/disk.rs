//! R5: nothing is acknowledged that is not durable, whatever the disk does.

use std::time::Duration;

use tidings_bench::torture::disk::{Shortage, failing, full};

use super::{assert_sound, setting};

/// Messages per second of the common workload.
const BUSY: f64 = 200.0;

/// So few that the search index follows each message in a commit of its own.
const CALM: f64 = 2.0;

#[test]
fn full_disk_is_told_and_loses_nothing() {
    assert_sound(&full(&setting(), Shortage::Room, Duration::from_secs(2)).unwrap());
}

#[test]
fn limit_of_file_sizes_is_told_like_a_full_disk() {
    assert_sound(&full(&setting(), Shortage::FileSize, Duration::from_secs(2)).unwrap());
}

#[test]
fn failed_fsync_of_messages_ends_the_server() {
    assert_sound(&failing(&setting(), &[1, 5], BUSY).unwrap());
}

#[test]
fn failed_fsync_of_the_search_index_ends_the_server() {
    assert_sound(&failing(&setting(), &[2], CALM).unwrap());
}
