//! Long poll: a loop around `GET /v1/sync`.

use std::convert::Infallible;
use std::time::Duration;

use tidings_wire::sync::{Snapshot, Sync};

use super::{Cursor, Driver, End, SILENCE, Update};
use crate::client::Client;
use crate::error::ClientError;

/// How long the server holds a request that has nothing to tell: as often as three heartbeats of
/// the other transports, and well under the idle time of common proxies (60 s).
const HOLD: Duration = Duration::from_secs(25);

/// Events of a page.
const PAGE: u16 = 500;

impl Client {
    /// Everything as it stands, and the cursor from which events follow.
    pub async fn snapshot(&self) -> Result<(Snapshot, Cursor), ClientError> {
        let sync: Sync = self.get(&["v1", "sync"]).read().await?;
        let server = self.server().origin();
        let nonsense = |why: &str| ClientError::Protocol {
            server: server.clone(),
            status: None,
            why: why.to_owned(),
        };
        let next = sync.next.parse().map_err(|_| nonsense("its cursor is none"))?;
        let snapshot = sync.snapshot.ok_or_else(|| nonsense("it sent no snapshot"))?;
        Ok((snapshot, next))
    }

    /// One page of events after `since`, at most `limit` (1 to 1,000). The server holds the
    /// request for up to `hold` (at most 60 s) when there are none.
    pub async fn sync_page(
        &self,
        since: &Cursor,
        hold: Duration,
        limit: u16,
    ) -> Result<Sync, ClientError> {
        self.get(&["v1", "sync"])
            .query("since", since.as_str())
            .query("timeout", hold.as_secs())
            .query("limit", limit)
            .timeout(SILENCE.max(hold + Duration::from_secs(10)))
            .read()
            .await
    }
}

impl Driver {
    pub(super) async fn poll(&mut self, mut cursor: Cursor) -> Result<Infallible, End> {
        // The first page is not held back, so that a connection shows at once.
        let mut hold = Duration::ZERO;
        let mut connected = false;
        loop {
            let page = self.client.sync_page(&cursor, hold, PAGE).await?;
            if !connected {
                connected = true;
                self.tell(Update::Connected).await?;
            }
            let next = self.cursor_from(&page.next)?;
            let mut events = page.events.unwrap_or_default().into_iter().peekable();
            while let Some(event) = events.next() {
                let after = events.peek().is_none().then(|| next.clone());
                self.deliver(event, after).await?;
            }
            self.advance(next.clone()).await?;
            cursor = next;
            hold = if page.has_more.unwrap_or(false) { Duration::ZERO } else { HOLD };
        }
    }
}
