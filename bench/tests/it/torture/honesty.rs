//! R0: whoever plants a bug between the real server and its clients is caught; a right server is
//! not accused.

use std::time::Duration;

use tidings_bench::torture::honesty;
use tidings_bench::torture::mangler::Bug;

use super::{assert_sound, setting};

/// Long enough for both restarts; a bug that has not struck by then gets more time.
const LENGTH: Duration = Duration::from_secs(2);

fn judged(bug: Option<Bug>) {
    assert_sound(&honesty::run(&setting(), bug, LENGTH).unwrap());
}

#[test]
fn right_server_is_acquitted() {
    judged(None);
}

#[test]
fn dropped_event_is_caught() {
    judged(Some(Bug::Drop));
}

#[test]
fn doubled_event_is_caught() {
    judged(Some(Bug::Double));
}

#[test]
fn swap_of_two_messages_is_caught() {
    judged(Some(Bug::Swap));
}

#[test]
fn skipped_seq_is_caught() {
    judged(Some(Bug::SkipSeq));
}

#[test]
fn acknowledgement_before_the_commit_is_caught() {
    judged(Some(Bug::AckBeforeCommit));
}

#[test]
fn seq_used_again_after_a_restart_is_caught() {
    judged(Some(Bug::ReuseSeq));
}

#[test]
fn wrong_recipient_is_caught() {
    judged(Some(Bug::WrongRecipient));
}

#[test]
fn replay_after_a_reconnect_is_caught() {
    judged(Some(Bug::Replay));
}

#[test]
fn cursor_one_too_far_is_caught() {
    judged(Some(Bug::CursorPlusOne));
}

#[test]
fn loss_on_leaving_is_caught() {
    judged(Some(Bug::LoseOnLeave));
}

#[test]
fn wrong_order_is_caught() {
    judged(Some(Bug::Reorder));
}

#[test]
fn phantom_is_caught() {
    judged(Some(Bug::Phantom));
}
