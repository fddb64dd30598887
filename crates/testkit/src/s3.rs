//! A server that speaks S3, in this process, over a directory that goes with it.

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tidings_server::blobs::S3Options;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// The only bucket.
const BUCKET: &str = "tidings";
/// Who may use it.
const ACCESS_KEY_ID: &str = "tester";
/// Proves it; of a server that lives as long as one test.
const SECRET: &str = "for-tests-alone";

/// An S3 server on a free port of loopback that runs until it is dropped.
#[derive(Debug)]
pub struct S3Server {
    endpoint: String,
    folder: TempDir,
    _stop: DropGuard,
}

impl S3Server {
    /// Starts a server with an empty bucket.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a directory for objects");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a directory for the bucket");
        let files = FileSystem::new(folder.path()).expect("the directory is there");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET));
        let service = builder.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port of loopback");
        let address = listener.local_addr().expect("a listener has an address");
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (stopped, connections) = (stop.clone(), tasks.clone());
        tasks.spawn(async move {
            let accepting = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let serving = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service.clone());
                    connections.spawn(async move {
                        // A client that goes away is no failure of the server.
                        let _ = serving.await;
                    });
                }
            };
            tokio::select! {
                () = stopped.cancelled() => {}
                () = accepting => {}
            }
        });
        Self { endpoint: format!("http://{address}"), folder, _stop: stop.drop_guard() }
    }

    /// Where it is, `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What reaches its bucket, all keys beginning with `prefix`.
    pub fn options(&self, prefix: &str) -> S3Options {
        S3Options {
            bucket: BUCKET.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: Some(self.endpoint.clone()),
            region: "us-east-1".to_owned(),
            access_key_id: Some(ACCESS_KEY_ID.to_owned()),
            secret_access_key: Some(SECRET.to_owned()),
        }
    }

    /// The bucket on this machine's disk.
    pub fn bucket(&self) -> std::path::PathBuf {
        self.folder.path().join(BUCKET)
    }
}
