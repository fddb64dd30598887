//! Stands between clients and server and plants a bug in what passes.
//!
//! One task for each connection; they share the mangler, whose lock is never held across an await.
//! Started by `torture r0`; dropping the value ends every task.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::mangler::{Connection, Mangler, Output};
use crate::frame;

/// Frames of other connections that may wait for one.
const QUEUE: usize = 1024;

/// A proxy that runs.
#[derive(Debug)]
pub struct Proxy {
    runtime: Option<Runtime>,
    shared: Arc<Shared>,
    address: SocketAddr,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    mangler: Mutex<Mangler>,
    /// Where frames for a client go that come by another connection.
    inboxes: Mutex<BTreeMap<Connection, mpsc::Sender<String>>>,
    next: AtomicU64,
}

impl Proxy {
    /// Listens on a port of its own and passes on to `server` what `mangler` lets through.
    pub fn start(server: SocketAddr, mangler: Mangler) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("start a runtime for the proxy")?;
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            mangler: Mutex::new(mangler),
            inboxes: Mutex::default(),
            next: AtomicU64::new(1),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn_on(accept(listener, Arc::clone(&shared)), runtime.handle());
        tasks.detach_all();
        Ok(Self { runtime: Some(runtime), shared, address })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells the bug that the server was restarted.
    pub fn restarted(&self) {
        self.shared.mangler().restarted();
    }

    /// How often the bug has struck.
    pub fn planted(&self) -> usize {
        self.shared.mangler().planted()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn mangler(&self) -> std::sync::MutexGuard<'_, Mangler> {
        self.mangler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inboxes(&self) -> std::sync::MutexGuard<'_, BTreeMap<Connection, mpsc::Sender<String>>> {
        self.inboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut links = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        links.spawn(async move {
            let number = shared.next.fetch_add(1, Ordering::Relaxed);
            let (sender, inbox) = mpsc::channel(QUEUE);
            shared.inboxes().insert(number, sender);
            // However a link ends, the client comes back by itself.
            let _ = pass(&shared, number, client, inbox).await;
            shared.inboxes().remove(&number);
            shared.mangler().close(number);
        });
        while links.try_join_next().is_some() {}
    }
}

async fn pass(
    shared: &Shared,
    number: Connection,
    mut client: TcpStream,
    mut inbox: mpsc::Receiver<String>,
) -> anyhow::Result<()> {
    let mut server = TcpStream::connect(shared.server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let mut from_client = pass_head(&mut client, &mut server).await?;
    let mut from_server = pass_head(&mut server, &mut client).await?;
    loop {
        let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
        while let Some((opcode, payload)) = take(&mut from_client)? {
            let outputs = match opcode {
                frame::TEXT => shared.mangler().from_client(number, String::from_utf8(payload)?),
                other => {
                    frame::put_client(&mut to_server, other, &payload, frame::MASK);
                    Vec::new()
                }
            };
            shared.apply(number, outputs, &mut to_client, &mut to_server);
        }
        while let Some((opcode, payload)) = take(&mut from_server)? {
            let outputs = match opcode {
                frame::TEXT => shared.mangler().from_server(number, String::from_utf8(payload)?),
                other => {
                    frame::put_server(&mut to_client, other, &payload);
                    Vec::new()
                }
            };
            shared.apply(number, outputs, &mut to_client, &mut to_server);
        }
        client.write_all(&to_client).await?;
        server.write_all(&to_server).await?;
        let count = tokio::select! {
            count = client.read_buf(&mut from_client) => count?,
            count = server.read_buf(&mut from_server) => count?,
            text = inbox.recv() => {
                let mut out = Vec::new();
                frame::put_server(&mut out, frame::TEXT, text.unwrap_or_default().as_bytes());
                client.write_all(&out).await?;
                out.len()
            }
        };
        if count == 0 {
            return Ok(());
        }
    }
}

impl Shared {
    fn apply(
        &self,
        number: Connection,
        outputs: Vec<Output>,
        to_client: &mut Vec<u8>,
        to_server: &mut Vec<u8>,
    ) {
        for output in outputs {
            match output {
                Output::ToServer(text) => {
                    frame::put_client(to_server, frame::TEXT, text.as_bytes(), frame::MASK);
                }
                Output::ToClient(to, text) if to == number => {
                    frame::put_server(to_client, frame::TEXT, text.as_bytes());
                }
                Output::ToClient(to, text) => {
                    if let Some(inbox) = self.inboxes().get(&to) {
                        // A full inbox only means that this one bug did not strike.
                        let _ = inbox.try_send(text);
                    }
                }
            }
        }
    }
}

/// Passes an HTTP head on and returns what came behind it.
async fn pass_head(from: &mut TcpStream, to: &mut TcpStream) -> anyhow::Result<Vec<u8>> {
    let mut received = Vec::new();
    loop {
        if let Some(end) = memchr::memmem::find(&received, b"\r\n\r\n") {
            let rest = received.split_off(end + 4);
            to.write_all(&received).await?;
            return Ok(rest);
        }
        if from.read_buf(&mut received).await? == 0 {
            bail!("the connection ended in its head");
        }
    }
}

/// Takes one whole frame, unmasked, from the start of `buffer`.
fn take(buffer: &mut Vec<u8>) -> anyhow::Result<Option<(u8, Vec<u8>)>> {
    let Some(found) = frame::scan(buffer)? else { return Ok(None) };
    let mut payload = buffer.get(found.payload.clone()).unwrap_or_default().to_vec();
    if let Some(mask) = found.mask {
        frame::apply_mask(&mut payload, mask);
    }
    buffer.drain(..found.end());
    Ok(Some((found.opcode, payload)))
}
