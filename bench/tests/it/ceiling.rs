//! The broadcaster against the load generator: what a ceiling claims must be true.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use tidings_bench::engine::{Engine, Greeter};
use tidings_bench::load::{Dialect, Outcome, Plan, Sender, drive};
use tidings_bench::process::Process;

/// Runs the broadcaster with `rooms` of `members` each, the first of each room sending.
fn broadcast(
    rooms: usize,
    members: usize,
    window: usize,
    rate: Option<f64>,
) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings-bench"));
    command.args(["ceiling", "broadcast", "--pad", "1000", "--data"]).arg(folder.path());
    let (process, address) = Process::spawn_until(&mut command, "listening on")?;
    let address: SocketAddr = address.parse()?;

    let mut engine = Engine::new()?;
    let mut senders = Vec::new();
    for room in 0..rooms {
        for member in 0..members {
            let greeter = Greeter::connect(address, &format!("/room/{room}"))?;
            let connection = engine.adopt(greeter)?;
            if member == 0 {
                senders.push(Sender { connection, room });
            }
        }
    }
    let length = Duration::from_millis(300);
    let plan = Plan { senders, members, window, rate, length, limit: None };
    let outcome = drive(&mut engine, &Dialect::Ceiling, &plan, &process, 0)?;
    drop(process);

    let database = rusqlite::Connection::open(folder.path().join("ceiling.db"))?;
    let rows: i64 = database.query_row("SELECT count(*) FROM entry", [], |row| row.get(0))?;
    ensure!(rows == i64::try_from(outcome.acked)?, "what is on disk is not what was acknowledged");
    Ok(outcome)
}

#[test]
fn every_member_of_a_room_gets_every_message_padded_and_once() {
    let outcome = broadcast(1, 20, 8, None).unwrap();
    assert!(outcome.acked > 0);
    assert_eq!(outcome.deliveries, 20 * outcome.acked);
    assert_eq!(outcome.frame_length, 1000);
}

#[test]
fn rooms_do_not_hear_each_other() {
    let outcome = broadcast(10, 1, 1, None).unwrap();
    assert_eq!(outcome.deliveries, outcome.acked);
    assert_eq!(outcome.ack_latency.len(), outcome.acked);
}

#[test]
fn a_pace_is_kept_and_each_delivery_timed() {
    let outcome = broadcast(1, 5, 1, Some(100.0)).unwrap();
    assert!((1..=31).contains(&outcome.acked), "{} messages in 0.3 s", outcome.acked);
    assert_eq!(outcome.delivery_latency.len(), outcome.deliveries);
}
