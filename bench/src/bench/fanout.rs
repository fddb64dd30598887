//! B1, B1b, B1c: one sender, many members of one room.

use std::time::Duration;

use super::Setting;
use super::rig::{Ceiling, NUMBERS, Rig};
use crate::engine::Engine;
use crate::load::{Dialect, Outcome, Plan, Sender, drive};
use crate::report::{Line, Report};
use crate::stats::{median, millis};

/// Messages of the sender that may be unacknowledged.
const WINDOW: usize = 32;

/// B1 and B1b: as fast as acknowledged.
pub(super) fn unpaced(setting: &Setting, bench: &str, members: usize) -> anyhow::Result<Report> {
    let pairs = measure(setting, members, None)?;
    let of =
        |part: fn(&(Outcome, Outcome)) -> f64| median(&pairs.iter().map(part).collect::<Vec<_>>());
    let figure = of(|(own, _)| own.deliveries_per_second());
    let ceiling = of(|(_, other)| other.deliveries_per_second());
    let ratio = of(|(own, other)| own.deliveries_per_second() / other.deliveries_per_second());
    let cpu = of(|(own, _)| own.cpu_per_100k_deliveries());
    let mut report = Report::new(bench, "fan-out as fast as acknowledged");
    report.lines.push(Line {
        work: format!("1 room, {members} members, 1 sender, window {WINDOW}"),
        figure: format!("{figure:.0} deliveries/s"),
        ceiling: Some(format!("{ceiling:.0}/s")),
        ratio: Some(ratio),
        cpu: Some(cpu),
        ceiling_cpu: Some(of(|(_, other)| other.cpu_per_100k_deliveries())),
        bar: "ratio ≥ 0.50, CPU ≤ 0.10".into(),
        met: ratio >= 0.5 && cpu <= 0.10,
    });
    report.notes.push(describe(setting, &pairs));
    Ok(report)
}

/// B1c: 50 messages per second to 200 members.
pub(super) fn paced(setting: &Setting) -> anyhow::Result<Report> {
    let pairs = measure(setting, 200, Some(50.0))?;
    let of =
        |part: fn(&(Outcome, Outcome)) -> f64| median(&pairs.iter().map(part).collect::<Vec<_>>());
    let p50 = of(|(own, _)| millis(own.delivery_latency.p50()));
    let p99 = of(|(own, _)| millis(own.delivery_latency.p99()));
    let other50 = of(|(_, other)| millis(other.delivery_latency.p50()));
    let other99 = of(|(_, other)| millis(other.delivery_latency.p99()));
    let cpu = of(|(own, _)| own.cpu_per_100k_deliveries());
    let other_cpu = of(|(_, other)| other.cpu_per_100k_deliveries());
    let mut report = Report::new("b1c", "fan-out at 50 messages per second");
    for (name, own, other, own_cpu) in
        [("p50", p50, other50, Some(cpu)), ("p99", p99, other99, None)]
    {
        report.lines.push(Line {
            work: format!("200 members, 50 messages/s: {name} from send to receipt"),
            figure: format!("{own:.2} ms"),
            ceiling: Some(format!("{other:.2} ms")),
            ratio: Some(own / other),
            cpu: own_cpu,
            ceiling_cpu: own_cpu.map(|_| other_cpu),
            bar: "ratio ≤ 2.00, CPU ≤ 1.5".into(),
            met: own <= 2.0 * other && own_cpu.is_none_or(|cpu| cpu <= 1.5),
        });
    }
    report.notes.push(describe(setting, &pairs));
    Ok(report)
}

/// Runs of Tidings and of the ceiling, one after the other, so that both meet the same noise.
fn measure(
    setting: &Setting,
    members: usize,
    rate: Option<f64>,
) -> anyhow::Result<Vec<(Outcome, Outcome)>> {
    let rig = Rig::start(setting)?;
    let channel = rig.api.create_channel(&rig.community, "fanout")?;
    let people = rig.api.people(&rig.community, "member", members)?;
    rig.api.join_all(&channel, &people)?;

    let mut engine = Engine::new()?;
    let connections = rig.connect(&mut engine, &people)?;
    let dialect = Dialect::Tidings { channels: vec![channel], run: "fanout".into() };
    let plan = |connections: &[usize], length: f64| Plan {
        senders: connections.iter().take(1).map(|c| Sender { connection: *c, room: 0 }).collect(),
        members,
        window: WINDOW,
        rate,
        length: Duration::from_secs_f64(length),
        limit: None,
    };
    let mut first = 0;
    let mut own = |engine: &mut Engine, length: f64| {
        first += NUMBERS;
        let server = rig.subject.process();
        drive(engine, &dialect, &plan(&connections, length), server, first)
    };
    let warm = own(&mut engine, 1.0)?;

    let ceiling = Ceiling::start(setting, &rig.folder, warm.frame_length)?;
    let mut other_engine = Engine::new()?;
    let others = (0..members)
        .map(|_| ceiling.connect(&mut other_engine, 0))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut other_first = 0;
    let mut other = |length: f64| {
        other_first += NUMBERS;
        let plan = plan(&others, length);
        drive(&mut other_engine, &Dialect::Ceiling, &plan, &ceiling.process, other_first)
    };
    other(1.0)?;
    (0..setting.runs)
        .map(|_| Ok((own(&mut engine, setting.seconds)?, other(setting.seconds)?)))
        .collect()
}

fn describe(setting: &Setting, pairs: &[(Outcome, Outcome)]) -> String {
    let length = pairs.first().map_or(0, |(own, _)| own.frame_length);
    let ratios: Vec<String> = pairs
        .iter()
        .map(|(own, other)| {
            format!("{:.2}", own.deliveries_per_second() / other.deliveries_per_second())
        })
        .collect();
    format!(
        "medians of {} runs of {} s each, taken in turns (ratios {}); delivered frames of {length} \
         bytes; every delivery was counted and none was missing",
        setting.runs,
        setting.seconds,
        ratios.join(", ")
    )
}
