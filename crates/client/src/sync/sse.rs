//! Server-sent events: one long answer.

use std::convert::Infallible;
use std::time::Duration;

use tidings_wire::Event;

use super::event_stream::{Block, EVENT_MAX, EventStream, TooLarge};
use super::{Cursor, Driver, End, Update};

/// How long the head of the answer may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

impl Driver {
    pub(super) async fn sse(&mut self, cursor: Cursor) -> Result<Infallible, End> {
        let request = self
            .client
            .get(&["v1", "stream"])
            .query("since", cursor.as_str())
            .header(http::header::ACCEPT, "text/event-stream")
            .timeout(HEAD_TIMEOUT);
        let mut response = request.stream().await?;
        self.tell(Update::Connected).await?;
        let mut stream = EventStream::default();
        loop {
            let chunk = tokio::time::timeout(self.silence, response.chunk())
                .await
                .map_err(|_| self.silent())?
                .map_err(|error| self.lost(error.to_string()))?
                .ok_or_else(|| self.lost("the server ended the stream"))?;
            stream.push(&chunk);
            while let Some(block) = stream.next_block().map_err(|TooLarge| {
                self.nonsense(format!("an event has more than {EVENT_MAX} bytes"))
            })? {
                self.take(block).await?;
            }
        }
    }

    async fn take(&mut self, block: Block) -> Result<(), End> {
        let next = block.id.as_deref().map(|id| self.cursor_from(id)).transpose()?;
        match (block.data, next) {
            (Some(data), next) => {
                let event: Event = serde_json::from_str(&data)
                    .map_err(|error| self.nonsense(format!("an event cannot be read ({error})")))?;
                self.deliver(event, next).await
            }
            (None, Some(next)) => self.advance(next).await,
            (None, None) => Ok(()),
        }
    }
}
