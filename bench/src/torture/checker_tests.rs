//! Hand-written logs, one for each rule of the checker.

use super::*;

const ALICE: ClientNumber = 0;
const BOB: ClientNumber = 1;

fn payload(number: u64) -> Payload {
    Payload { client: ALICE, number }
}

fn message(seq: u64, number: u64) -> Act {
    Act::Receive { channel: 0, seq, content: Content::Message(payload(number)) }
}

fn invoke(number: u64) -> Act {
    Act::Invoke { channel: 0, payload: payload(number) }
}

fn ack(number: u64, seq: u64) -> Act {
    Act::Ack { channel: 0, payload: payload(number), seq }
}

/// Alice and Bob in channel 0 from head 10; `acts` between that and the end, in time order.
fn judge(acts: Vec<(ClientNumber, Act)>) -> Verdict {
    let mut all = Vec::new();
    for client in [ALICE, BOB] {
        all.push((client, Act::Joining { channel: 0 }));
        all.push((client, Act::Joined { channel: 0, head: Some(10) }));
    }
    all.extend(acts);
    all.extend([(ALICE, Act::Whole), (BOB, Act::Whole)]);
    let records: Vec<Record> =
        (1..).zip(all).map(|(at, (client, act))| Record { at, client, act }).collect();
    check(&records)
}

fn only(verdict: &Verdict, violation: Violation) {
    let found: Vec<Violation> = verdict.violations.keys().copied().collect();
    assert_eq!(found, [violation], "{}", verdict.describe());
}

#[test]
fn two_messages_to_two_members_are_fine() {
    let verdict = judge(vec![
        (ALICE, invoke(1)),
        (BOB, message(11, 1)),
        (ALICE, ack(1, 11)),
        (ALICE, message(11, 1)),
        (ALICE, invoke(2)),
        (ALICE, message(12, 2)),
        (BOB, message(12, 2)),
    ]);
    assert!(verdict.clean(), "{}", verdict.describe());
    assert_eq!((verdict.invoked, verdict.acked, verdict.received), (2, 1, 4));
    assert_eq!(verdict.unacked_delivered, 1);
}

#[test]
fn an_acknowledged_message_that_a_member_never_gets_is_lost() {
    let verdict = judge(vec![(ALICE, invoke(1)), (ALICE, ack(1, 11)), (ALICE, message(11, 1))]);
    only(&verdict, Violation::Lost);
}

#[test]
fn an_unacknowledged_message_may_vanish() {
    assert!(judge(vec![(ALICE, invoke(1))]).clean());
}

#[test]
fn who_leaves_is_owed_nothing_and_who_comes_back_only_what_follows() {
    let verdict = judge(vec![
        (ALICE, invoke(1)),
        (ALICE, ack(1, 11)),
        (ALICE, message(11, 1)),
        (BOB, Act::Leaving { channel: 0 }),
        (BOB, Act::Receive { channel: 0, seq: 12, content: Content::Other }),
        (BOB, Act::Left { channel: 0, seq: 12 }),
        (ALICE, Act::Receive { channel: 0, seq: 12, content: Content::Other }),
        (ALICE, invoke(2)),
        (ALICE, ack(2, 13)),
        (ALICE, message(13, 2)),
        (BOB, Act::Joining { channel: 0 }),
        (BOB, Act::Receive { channel: 0, seq: 14, content: Content::Other }),
        (BOB, Act::Joined { channel: 0, head: None }),
        (ALICE, Act::Receive { channel: 0, seq: 14, content: Content::Other }),
        (ALICE, invoke(3)),
        (ALICE, ack(3, 15)),
        (ALICE, message(15, 3)),
        (BOB, message(15, 3)),
    ]);
    assert!(verdict.clean(), "{}", verdict.describe());
}

#[test]
fn the_same_entry_twice_is_a_duplicate() {
    let verdict = judge(vec![
        (ALICE, invoke(1)),
        (ALICE, ack(1, 11)),
        (ALICE, message(11, 1)),
        (BOB, message(11, 1)),
        (BOB, message(11, 1)),
    ]);
    only(&verdict, Violation::Duplicate);
}

#[test]
fn one_message_at_two_places_is_a_duplicate() {
    let verdict = judge(vec![
        (ALICE, invoke(1)),
        (ALICE, message(11, 1)),
        (BOB, message(11, 1)),
        (ALICE, message(12, 1)),
        (BOB, message(12, 1)),
    ]);
    only(&verdict, Violation::Duplicate);
}

#[test]
fn a_missing_predecessor_is_a_gap() {
    let verdict = judge(vec![
        (ALICE, invoke(1)),
        (ALICE, ack(1, 12)),
        (ALICE, message(12, 1)),
        (BOB, message(12, 1)),
    ]);
    only(&verdict, Violation::Gap);
    assert_eq!(verdict.count(Violation::Gap), 2);
}

#[test]
fn an_entry_after_a_later_one_is_out_of_order() {
    let verdict = judge(vec![
        (ALICE, invoke(1)),
        (ALICE, invoke(2)),
        (ALICE, message(11, 1)),
        (ALICE, message(12, 2)),
        (BOB, message(12, 2)),
        (BOB, message(11, 1)),
    ]);
    assert_eq!(verdict.count(Violation::Order), 1, "{}", verdict.describe());
}

#[test]
fn a_message_may_not_stand_before_one_that_was_acknowledged_when_it_was_sent() {
    let verdict = judge(vec![
        (ALICE, invoke(1)),
        (ALICE, ack(1, 12)),
        (ALICE, invoke(2)),
        (ALICE, ack(2, 11)),
        (ALICE, message(11, 2)),
        (ALICE, message(12, 1)),
        (BOB, message(11, 2)),
        (BOB, message(12, 1)),
    ]);
    only(&verdict, Violation::Order);
}

#[test]
fn a_message_that_nobody_sent_is_a_phantom() {
    only(&judge(vec![(ALICE, message(11, 1)), (BOB, message(11, 1))]), Violation::Phantom);
    let foreign = Act::Receive { channel: 0, seq: 11, content: Content::Foreign("boo".into()) };
    only(&judge(vec![(BOB, foreign)]), Violation::Phantom);
}

#[test]
fn a_refused_message_that_appears_is_a_phantom() {
    let verdict = judge(vec![
        (ALICE, invoke(1)),
        (ALICE, Act::Refused { payload: payload(1) }),
        (ALICE, message(11, 1)),
        (BOB, message(11, 1)),
    ]);
    only(&verdict, Violation::Phantom);
}

#[test]
fn an_entry_of_another_channel_went_to_the_wrong_one() {
    let verdict = judge(vec![
        (ALICE, Act::Joining { channel: 1 }),
        (ALICE, Act::Joined { channel: 1, head: Some(0) }),
        (ALICE, Act::Invoke { channel: 1, payload: payload(1) }),
        (ALICE, Act::Ack { channel: 1, payload: payload(1), seq: 1 }),
        (ALICE, Act::Receive { channel: 1, seq: 1, content: Content::Message(payload(1)) }),
        (BOB, Act::Receive { channel: 1, seq: 1, content: Content::Message(payload(1)) }),
    ]);
    only(&verdict, Violation::WrongRecipient);
}

#[test]
fn an_entry_behind_ones_own_departure_went_to_the_wrong_one() {
    let verdict = judge(vec![
        (BOB, Act::Leaving { channel: 0 }),
        (BOB, Act::Receive { channel: 0, seq: 11, content: Content::Other }),
        (BOB, Act::Left { channel: 0, seq: 11 }),
        (ALICE, Act::Receive { channel: 0, seq: 11, content: Content::Other }),
        (ALICE, invoke(1)),
        (ALICE, message(12, 1)),
        (BOB, message(12, 1)),
    ]);
    only(&verdict, Violation::WrongRecipient);
}

#[test]
fn two_contents_at_one_place_are_a_disagreement() {
    let verdict = judge(vec![
        (ALICE, invoke(1)),
        (ALICE, invoke(2)),
        (ALICE, message(11, 1)),
        (BOB, message(11, 2)),
    ]);
    only(&verdict, Violation::Disagreement);
}

#[test]
fn a_client_that_never_arrives_is_stuck() {
    let records = [Record { at: 1, client: BOB, act: Act::Joining { channel: 0 } }];
    only(&check(&records), Violation::Stuck);
}
