//! The recorder behind `/metrics`, figures of the process, and a listener of their own.

use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::config::storage::StorageUrl;

/// Upper bounds of the buckets of every histogram, in seconds: from a read in memory to a request
/// that somebody has given up on. Buckets take a fixed amount of memory, summaries do not.
const BUCKETS: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// How often the figures of the process are taken: as often as scrapers usually come.
const PERIOD: Duration = Duration::from_secs(15);

/// Installs the recorder of this process.
pub(super) fn install() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .context("cannot record metrics")
}

/// Takes the figures that nobody else reports, and lets the recorder tidy up.
pub(super) async fn observe(
    database: StorageUrl,
    recorder: PrometheusHandle,
    stop: CancellationToken,
) {
    let mut periods = interval(PERIOD);
    periods.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = periods.tick() => {}
        }
        recorder.run_upkeep();
        if let Some(file) = database.file() {
            let mut log = file.as_os_str().to_owned();
            log.push("-wal");
            for (name, path) in [("database", file), ("write_ahead_log", log.as_ref())] {
                let bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
                #[expect(clippy::cast_precision_loss, reason = "gauges are floats; 2^53 bytes do")]
                metrics::gauge!("tidings_db_bytes", "file" => name).set(bytes as f64);
            }
        }
        if let Some(bytes) = resident() {
            metrics::gauge!("process_resident_memory_bytes").set(bytes);
        }
    }
}

/// Memory that the process holds, as Linux tells it.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

/// Serves `/metrics`, and nothing else, until it is stopped.
pub(super) async fn serve(
    listener: TcpListener,
    recorder: PrometheusHandle,
    stop: CancellationToken,
) {
    let render = move || {
        let recorder = recorder.clone();
        // The exposition format's own type; scrapers choose their parser by it.
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        async move { ([(header::CONTENT_TYPE, kind)], recorder.render()) }
    };
    let router = Router::new().route("/metrics", get(render));
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!(%error, "the listener for metrics has failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_measured() {
        assert!(resident().is_some_and(|bytes| bytes > 1e6));
    }
}
