//! What the server does besides answering.

use std::time::Duration;

use tidings_server::App;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::data::DataDir;

/// How often what ended is let go of.
const PRUNE: Duration = Duration::from_hours(1);

/// Lets go of what ended, at once and every hour.
pub(super) async fn prune(app: App, stop: CancellationToken) {
    let mut hours = interval(PRUNE);
    hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = hours.tick() => {}
        }
        if let Err(error) = app.prune().await {
            tracing::warn!(%error, "what ended is kept for another hour");
        }
    }
}

/// Removes files that nothing needs, at once and every hour.
pub(super) async fn sweep(app: App, stop: CancellationToken) {
    let mut hours = interval(PRUNE);
    hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = hours.tick() => {}
        }
        let media = app.media();
        let swept = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            swept = media.sweep() => swept,
        };
        match swept {
            Ok(swept) => tracing::debug!(?swept, "files that nothing needed were removed"),
            Err(error) => tracing::warn!(%error, "files that nothing needs are kept for an hour"),
        }
    }
}

/// How often what is older than its channel keeps is erased.
const EXPIRE: Duration = Duration::from_mins(1);

/// Erases what is older than its channel keeps, at once and every minute.
pub(super) async fn expire(app: App, stop: CancellationToken) {
    let mut minutes = interval(EXPIRE);
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = minutes.tick() => {}
        }
        match app.retention().expire().await {
            Ok(0) => {}
            Ok(erased) => {
                tracing::info!(erased, "messages older than their channels keep are gone");
            }
            Err(error) => tracing::warn!(%error, "old messages stay for another minute"),
        }
    }
}

/// The longest time between two looks for reminders: the clock of the system may be set, and another
/// process may have taken one.
const REMIND: Duration = Duration::from_mins(1);

/// Reminds people when it is time.
pub(super) async fn remind(app: App, stop: CancellationToken) {
    let reminders = app.reminders();
    loop {
        let wait = match reminders.deliver().await {
            Ok(Some(next)) => {
                let millis = u64::try_from(next.since(app.now())).unwrap_or_default();
                Duration::from_millis(millis).min(REMIND)
            }
            Ok(None) => REMIND,
            Err(error) => {
                tracing::warn!(%error, "reminders wait for another minute");
                REMIND
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = reminders.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Tells receivers of webhooks what happens, and does jobs when they are due.
pub(super) async fn work(app: App, stop: CancellationToken) {
    app.work(&stop).await;
}

/// Removes the setup code once somebody has registered.
pub(super) async fn remove_setup_code(app: App, data: DataDir, stop: CancellationToken) {
    let mut set_up = app.set_up();
    let registered = tokio::select! {
        biased;
        registered = set_up.wait_for(|registered| *registered) => registered.is_ok(),
        () = stop.cancelled() => return,
    };
    if registered && let Err(error) = data.remove_setup_code() {
        tracing::warn!(%error, "the setup code was used, but its file could not be removed");
    }
}
