//! Bugs that were planted are found: the checks bite. Schedules are the same in every run, so each
//! bug shows first in the same way.

use tidings_schedules::Schedules::Random;
use tidings_schedules::planted::{self, fan_out, inbox, sequence};

/// Schedules within which each bug must have shown.
const ENOUGH: usize = 20_000;

#[test]
fn without_a_bug_the_copy_is_sound() {
    inbox::pushing_and_taking();
    inbox::closing_and_waiting();
    sequence::callers_the_writer_another_process_and_faults(Random(1_000));
    fan_out::attaching_lagging_and_coming_back(Random(1_000));
}

#[test]
#[should_panic(expected = "lost without notice")]
fn an_overflow_without_a_mark_is_found() {
    planted::with("overflow-unmarked", inbox::pushing_and_taking);
}

#[test]
#[should_panic(expected = "lost without notice")]
fn taking_under_two_locks_is_found() {
    planted::with("take-unlocked", inbox::pushing_and_taking);
}

#[test]
#[should_panic(expected = "deadlock")]
fn closing_without_waking_is_found() {
    planted::with("close-unheard", inbox::closing_and_waiting);
}

fn attach(bug: &'static str) {
    planted::with(bug, || fan_out::attaching_lagging_and_coming_back(Random(ENOUGH)));
}

#[test]
#[should_panic(expected = "is lost")]
fn a_connection_that_no_route_leads_to_is_found() {
    attach("route-stale");
}

#[test]
#[should_panic(expected = "is lost")]
fn logs_that_are_ahead_of_the_hub_are_found() {
    attach("read-ahead");
}

#[test]
#[should_panic(expected = "is lost")]
fn leaving_before_what_was_read_is_found() {
    attach("left-too-early");
}

#[test]
#[should_panic(expected = "was never theirs")]
fn joining_before_what_came_first_is_found() {
    attach("joined-too-early");
}

#[test]
#[should_panic(expected = "is lost")]
fn logs_that_are_behind_the_hub_are_found() {
    attach("change-missed");
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_restart_beside_the_hub_is_found() {
    attach("restart-unordered");
}

#[test]
#[should_panic(expected = "out of order, or twice")]
fn an_event_that_comes_from_log_and_hub_is_found() {
    attach("passed-twice");
}

fn write(bug: &'static str) {
    planted::with(bug, || sequence::callers_the_writer_another_process_and_faults(Random(ENOUGH)));
}

#[test]
#[should_panic(expected = "the tail is not the log")]
fn a_gap_in_the_tail_is_found() {
    write("gap-unseen");
}

#[test]
#[should_panic(expected = "a change fails with its neighbor")]
fn an_answer_of_another_is_found() {
    write("answers-swapped");
}

#[test]
#[should_panic(expected = "a change fails with its neighbor")]
fn a_failure_that_spreads_is_found() {
    write("neighbors-failed");
}

#[test]
#[should_panic(expected = "what is there is not")]
fn a_place_given_without_the_lock_is_found() {
    write("lock-skipped");
}

#[test]
#[should_panic(expected = "the answer is another's")]
fn what_is_told_before_it_is_committed_is_found() {
    write("told-before-commit");
}
