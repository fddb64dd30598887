//! The broadcaster alone, without a server beside it: what the machine allows today.

use std::time::Duration;

use super::Setting;
use super::rig::{self, Ceiling};
use crate::engine::Engine;
use crate::load::{Dialect, Plan, Sender, drive};
use crate::report::{Line, Report};
use crate::stats::{Latencies, median, millis};

/// Frame length when there is no server to measure: about that of a Tidings event.
const PAD: usize = 1_250;

/// One kind of load: rooms, members of each, window, and messages per second.
type Load = (usize, usize, usize, Option<f64>);

/// Measures the loads of B1, B1b, B1c and B2.
pub(super) fn run(setting: &Setting) -> anyhow::Result<Report> {
    let mut report = Report::new("ceiling", "the broadcaster alone");
    let loads: [Load; 5] = [
        (1, 200, 32, None),
        (1, 1_000, 32, None),
        (1, 200, 32, Some(50.0)),
        (50, 1, 1, None),
        (50, 1, 8, None),
    ];
    for load in loads {
        report.lines.push(measure(setting, load)?);
    }
    report.notes.push(format!(
        "medians of {} runs of {} s each, frames of {PAD} bytes",
        setting.runs, setting.seconds
    ));
    Ok(report)
}

fn measure(setting: &Setting, load: Load) -> anyhow::Result<Line> {
    let (rooms, members, window, rate) = load;
    let folder = rig::folder(setting)?;
    let ceiling = Ceiling::start(setting, &folder, PAD)?;
    let mut engine = Engine::new()?;
    let mut senders = Vec::new();
    for room in 0..rooms {
        for member in 0..members {
            let connection = ceiling.connect(&mut engine, room)?;
            if member == 0 {
                senders.push(Sender { connection, room });
            }
        }
    }
    let length = Duration::from_secs_f64(setting.seconds);
    let plan = Plan { senders, members, window, rate, length, limit: None };
    let (mut rates, mut cpus) = (Vec::new(), Vec::new());
    let (mut acks, mut deliveries) = (Latencies::default(), Latencies::default());
    for run in 0..setting.runs as u64 {
        let first = run * rig::NUMBERS;
        let outcome = drive(&mut engine, &Dialect::Ceiling, &plan, &ceiling.process, first)?;
        rates.push(outcome.deliveries_per_second());
        cpus.push(outcome.cpu_per_100k_deliveries());
        acks = outcome.ack_latency;
        deliveries = outcome.delivery_latency;
    }
    let latency = if rate.is_some() { deliveries } else { acks };
    Ok(Line {
        work: format!("{rooms} rooms × {members} members, window {window}, rate {rate:?}"),
        figure: format!(
            "{:.0} deliveries/s; p50 {:.2} ms, p99 {:.2} ms",
            median(&rates),
            millis(latency.p50()),
            millis(latency.p99())
        ),
        ceiling: None,
        ratio: None,
        cpu: Some(median(&cpus)),
        ceiling_cpu: None,
        bar: "—".into(),
        met: true,
    })
}
