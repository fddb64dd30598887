//! The listener: accepts connections, bounds what each may cost, and drains them at the end.
//!
//! Started by `tidingsd serve`. One task accepts; each connection is a task of its own. The token
//! stops it: nothing new is accepted, requests that run are finished, and whatever is left after
//! ten seconds is cut.

mod stalling;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::app::App;
use crate::http::{self as door, Connection};
use crate::realtime::Realtime;
use stalling::Stalling;

/// How long the head of a request may take, idle time between requests included.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// How many bytes of a connection are buffered: heads beyond it are refused with 431.
const BUFFER_MAX: usize = 64 * 1024;
/// How long requests may run on after the end was called.
const DRAIN: Duration = Duration::from_secs(10);
/// How long to wait after the system would not accept: usually it is out of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// Serves the app on a listener until the token is cancelled and everything is drained.
///
/// # Errors
/// None at present: what fails to be accepted is logged and tried again.
pub async fn serve(
    listener: TcpListener,
    app: App,
    realtime: Realtime,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(app.settings().connections_max));
    let router = door::router(app, realtime.clone());
    let tasks = TaskTracker::new();
    loop {
        let accept = async {
            // The semaphore is never closed.
            let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(stream, peer)| (stream, peer, place))
        };
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let connection = Connection { peer, _place: Arc::new(place) };
                tasks.spawn(run(stream, connection, router.clone(), shutdown.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
    // Upgraded connections live on without their task; they were told, and have as long.
    let drained = tokio::time::timeout(DRAIN, realtime.drained()).await;
    if drained.is_err() {
        tracing::warn!("connections were cut that did not end in time");
    }
    Ok(())
}

async fn run(
    stream: TcpStream,
    connection: Connection,
    router: Router,
    shutdown: CancellationToken,
) {
    // Events are small and many; waiting to fill packets would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection kept its delay");
    }
    let service = router.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(connection.clone());
        request
    });
    let running = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(BUFFER_MAX)
        .serve_connection(TokioIo::new(Stalling::new(stream)), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(running);
    let result = tokio::select! {
        biased;
        () = shutdown.cancelled() => {
            running.as_mut().graceful_shutdown();
            tokio::time::timeout(DRAIN, running).await.unwrap_or(Ok(()))
        }
        result = running.as_mut() => result,
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}
