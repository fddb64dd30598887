//! SIGTERM and SIGINT: the first one asks the server to finish, the second one ends it.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::failure::INTERRUPTED;

/// Watches for signals from now on, until the server has stopped by itself.
pub(super) fn watch(tasks: &TaskTracker, stop: CancellationToken) -> anyhow::Result<()> {
    let context = "cannot watch for signals";
    let mut terminate = signal(SignalKind::terminate()).context(context)?;
    let mut interrupt = signal(SignalKind::interrupt()).context(context)?;
    // A write past a limit on file sizes is refused like one on a full disk; unwatched, the signal
    // that comes with it would end the process.
    let file_size = SignalKind::from_raw(nix::sys::signal::Signal::SIGXFSZ as i32);
    let mut file_size = signal(file_size).context(context)?;
    tasks.spawn(async move {
        while file_size.recv().await.is_some() {
            tracing::warn!("a file has reached the limit on file sizes (ulimit -f)");
        }
    });
    tasks.spawn(async move {
        let name = tokio::select! {
            biased;
            () = stop.cancelled() => "",
            name = either(&mut terminate, &mut interrupt) => name,
        };
        if !name.is_empty() {
            tracing::info!(signal = name, "stopping: requests that run are finished");
            stop.cancel();
        }
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::warn!(signal = name, "stopping at once");
        std::process::exit(i32::from(INTERRUPTED));
    });
    Ok(())
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
