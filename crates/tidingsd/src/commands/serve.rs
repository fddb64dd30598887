//! `tidingsd serve`: everything in one process.
//!
//! Besides the listener there are some tasks: the hub, the hourly clean-ups, the worker, the figures
//! of the process, and the one that removes the setup code. The first signal cancels the token that
//! all of them watch; the second ends the process.

mod announce;
mod jobs;
mod metrics;
mod signals;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tidings_server::app::SetupCode;
use tidings_server::realtime::hub::Ended;
use tidings_server::settings::accepted_origins;
use tidings_server::{App, Parts, Realtime, Settings, SystemClock, SystemEntropy};
use tidings_storage::{AccountRepository as _, OperationRepository as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{open_blobs, open_store};
use crate::cli::Place;
use crate::config::{Config, Flags, Listen, PublicUrl, Registration};
use crate::data::DataDir;
use crate::failure::{BUSY, Failure, NOT_DURABLE};
use crate::{logs, system};

/// How long requests may take to end after the first signal. With [`CLOSING`] it makes ten seconds,
/// after which supervisors kill (Docker; others wait longer).
const PATIENCE: Duration = Duration::from_secs(8);
/// How long the database may take to be put away. What was acknowledged is durable already.
const CLOSING: Duration = Duration::from_secs(2);

/// Run the server: everything in one process, on one port. No setting is needed.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    place: Place,
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8420]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<Listen>,
    /// The origin under which people reach the server [default: the listen address]
    #[arg(long, value_name = "URL")]
    public_url: Option<PublicUrl>,
    /// Who may make an account once there is an owner [default: invite]
    #[arg(long, value_name = "WHO")]
    registration: Option<Registration>,
}

impl Serve {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let flags = Flags {
            data: self.place.data,
            listen: self.listen,
            public_url: self.public_url,
            registration: self.registration,
        };
        let config = Config::load(self.place.config.as_deref(), &flags)?.config;
        logs::start(&config.log);
        let files = system::raise_file_limit();
        let data = DataDir::create(&config.server.data)?;
        let mut lock = data.lock()?;
        let listener = bind(config.server.listen).await?;
        let metrics_listener = match config.metrics.listen {
            Some(listen) => Some(bind(listen).await?),
            None => None,
        };
        let recorder = metrics::install()?;
        let store = Arc::new(open_store(&config).await?);
        let first_start = !store.has_accounts().await.context("cannot read the accounts")?;
        let setup_code = prepare_setup_code(&data, first_start)?;
        let export_key = data.export_key(&SystemEntropy)?.public();
        let seal_key = data.seal_key(&SystemEntropy)?;

        let address = listener.local_addr().context("cannot tell where the server listens")?;
        let url = config.server.public_url.clone();
        let url = url.unwrap_or_else(|| PublicUrl::of_listener(address));
        let app = App::open(Parts {
            store: Arc::clone(&store) as Arc<_>,
            blobs: open_blobs(&config)?,
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy),
            settings: Settings { export_key: Some(export_key), ..settings(&config, &url, address) },
            setup_code: setup_code.clone(),
            seal_key,
            metrics: metrics_listener.is_none().then(|| recorder.clone()),
        })
        .await
        .context("cannot start on this database")?;

        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        signals::watch(&tasks, stop.clone())?;
        tasks.spawn(jobs::prune(app.clone(), stop.clone()));
        tasks.spawn(jobs::sweep(app.clone(), stop.clone()));
        tasks.spawn(jobs::expire(app.clone(), stop.clone()));
        tasks.spawn(jobs::remind(app.clone(), stop.clone()));
        tasks.spawn(jobs::work(app.clone(), stop.clone()));
        tasks.spawn(metrics::observe(config.database(), recorder.clone(), stop.clone()));
        if first_start {
            tasks.spawn(jobs::remove_setup_code(app.clone(), data, stop.clone()));
        }
        if let Some(listener) = metrics_listener {
            tasks.spawn(metrics::serve(listener, recorder, stop.clone()));
        }
        let (realtime, hub) = Realtime::start(app.clone(), stop.clone())
            .await
            .context("cannot follow the log of this database")?;
        let hub = tasks.spawn({
            let stop = stop.clone();
            async move {
                let ended = hub.await;
                // Without a hub there is nothing left to serve.
                stop.cancel();
                ended
            }
        });

        lock.serves(url.as_str()).context("cannot write the data directory's lock")?;
        tracing::info!(%address, files, version = env!("CARGO_PKG_VERSION"), "the server is ready");
        announce::print(&announce::Announcement {
            url: &url,
            address,
            data: &config.server.data,
            setup_code: setup_code.as_ref(),
        });

        let serving = tidings_server::serve(listener, app, realtime, stop.clone());
        tokio::pin!(serving);
        let served = tokio::select! {
            served = serving.as_mut() => served,
            () = overdue(&stop) => {
                tracing::warn!("some requests were cut: they did not end in time");
                Ok(())
            }
        };
        stop.cancel();
        tasks.close();
        let ended = hub.await.context("the hub has failed")?;
        if tokio::time::timeout(CLOSING, store.close()).await.is_err() {
            tracing::warn!(
                "the database is busy; it is left as after a crash, which loses nothing"
            );
        }
        served.context("the listener failed")?;
        if ended == Ended::WriterGone {
            let what = "the database could not be written any more";
            let next = "Nothing that was acknowledged is lost. Look at the log above, check the \
                        disk (`tidingsd doctor`), then start again.";
            return Err(Failure::new(what, next).code(NOT_DURABLE).into());
        }
        tracing::info!("the server has stopped");
        Ok(ExitCode::SUCCESS)
    }
}

/// Ends when the patience after the first signal is over.
async fn overdue(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(PATIENCE).await;
}

async fn bind(listen: Listen) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen.0).await.map_err(|error| {
        let what = format!("cannot listen on {listen}");
        let failure = match error.kind() {
            std::io::ErrorKind::AddrInUse => Failure::new(
                what,
                "Another program listens there, perhaps another tidingsd. Choose another port \
                 with --listen; port 0 takes a free one.",
            )
            .code(BUSY),
            std::io::ErrorKind::PermissionDenied => Failure::new(
                what,
                "Ports below 1024 need a right. Choose a higher port with --listen and let a \
                 proxy forward to it.",
            ),
            std::io::ErrorKind::AddrNotAvailable => Failure::new(
                what,
                "This machine does not have that address. Choose one of its own, or 0.0.0.0 for \
                 all of them.",
            ),
            _ => Failure::new(what, "Choose another address with --listen."),
        };
        failure.because(error)
    })
}

/// As long as nobody has registered there is a setup code; afterwards none is left over.
fn prepare_setup_code(data: &DataDir, first_start: bool) -> anyhow::Result<Option<SetupCode>> {
    if first_start {
        return data.setup_code(&SystemEntropy).map(Some);
    }
    data.remove_setup_code().context("cannot remove the setup code, which was used")?;
    Ok(None)
}

fn settings(config: &Config, url: &PublicUrl, address: std::net::SocketAddr) -> Settings {
    Settings {
        name: config.server.name.clone(),
        origins: accepted_origins(url.as_str(), &[address]),
        registration: config.server.registration.into(),
        limits: (&config.limits).into(),
        trusted_proxies: config.server.trusted_proxies.iter().map(|network| network.0).collect(),
        outward_allow: config.outward.allow.iter().map(|network| network.0).collect(),
        previews: config.outward.previews,
        connections_max: usize::try_from(config.limits.connections.get()).unwrap_or(usize::MAX),
        attachment_bytes: config.limits.attachment_bytes.get(),
        storage_per_user: config.limits.storage_per_user,
        presence_batch: Duration::from_secs(config.server.presence_batch_s.into()),
        ..Settings::new(url.as_str())
    }
}
