//! A WebSocket of a torture client: text frames in and out, nothing kept back, safe to drop.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::frame;

/// One connection.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    carry: Vec<u8>,
}

impl Socket {
    /// Connects and upgrades. The caller bounds the time.
    pub(super) async fn connect(server: SocketAddr) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let upgrade = frame::Upgrade::new(&server.to_string(), "/v1/ws", *b"the sample nonce");
        stream.write_all(upgrade.request().as_bytes()).await?;
        let mut carry = Vec::new();
        loop {
            if let Some(end) = upgrade.accept(&carry)? {
                carry.drain(..end);
                return Ok(Self { stream, carry });
            }
            if stream.read_buf(&mut carry).await? == 0 {
                bail!("the connection closed during the upgrade");
            }
        }
    }

    /// The next text frame; pings are answered, a close is an error. Loses nothing when dropped.
    pub(super) async fn receive(&mut self) -> anyhow::Result<String> {
        loop {
            while let Some(found) = frame::scan(&self.carry)? {
                let payload = self.carry.get(found.payload.clone()).unwrap_or_default().to_vec();
                self.carry.drain(..found.end());
                match found.opcode {
                    frame::TEXT if found.fin => return Ok(String::from_utf8(payload)?),
                    frame::PING => self.write(frame::PONG, &payload).await?,
                    frame::PONG => {}
                    frame::CLOSE => bail!("closed: {}", String::from_utf8_lossy(&payload)),
                    other => bail!("an unexpected frame with opcode {other}"),
                }
            }
            if self.stream.read_buf(&mut self.carry).await.context("read")? == 0 {
                bail!("the connection ended");
            }
        }
    }

    /// Sends text frames in one write.
    pub(super) async fn send(&mut self, texts: &[String]) -> anyhow::Result<()> {
        let mut out = Vec::new();
        for text in texts {
            frame::put_client(&mut out, frame::TEXT, text.as_bytes(), frame::MASK);
        }
        self.stream.write_all(&out).await.context("write")
    }

    async fn write(&mut self, opcode: u8, payload: &[u8]) -> anyhow::Result<()> {
        let mut out = Vec::new();
        frame::put_client(&mut out, opcode, payload, frame::MASK);
        self.stream.write_all(&out).await.context("write")
    }
}
