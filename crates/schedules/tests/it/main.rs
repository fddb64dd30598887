//! Each check under as many schedules as some seconds allow: all of them where that can be, and more
//! than 10⁵ altogether where it cannot.

mod planted;

use tidings_schedules::Schedules::{Random, Ranked};
use tidings_schedules::{fan_out, inbox, sequence};

#[test]
fn an_inbox_is_never_delivered_in_part() {
    let tried = inbox::pushing_and_taking();
    assert!(tried > 100, "{tried}");
}

#[test]
fn an_inbox_closes_once_and_wakes_whoever_waits() {
    let tried = inbox::closing_and_waiting();
    assert!(tried > 100, "{tried}");
}

#[test]
fn every_caller_gets_its_own_place_and_the_tail_has_all() {
    sequence::callers_and_the_writer(Random(15_000));
    sequence::callers_and_the_writer(Ranked(5_000));
}

#[test]
fn neither_faults_nor_another_process_leave_a_gap() {
    sequence::callers_the_writer_another_process_and_faults(Random(15_000));
    sequence::callers_the_writer_another_process_and_faults(Ranked(5_000));
}

#[test]
fn nothing_is_lost_doubled_or_reordered_between_log_and_connection() {
    fan_out::attaching_lagging_and_coming_back(Random(40_000));
}

#[test]
fn nor_when_somebody_stands_still_for_long() {
    fan_out::attaching_lagging_and_coming_back(Ranked(20_000));
}

#[test]
fn a_server_that_stops_tells_everyone_and_loses_nothing() {
    fan_out::stopping_at_any_moment(Random(6_000));
    fan_out::stopping_at_any_moment(Ranked(6_000));
}
