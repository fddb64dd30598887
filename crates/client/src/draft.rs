//! Drafts.

use tidings_domain::{ChannelId, MessageId};
use tidings_wire::List;
use tidings_wire::draft::{Draft, PutDraft};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// What one has begun to write anywhere, the latest first.
    pub async fn drafts(&self) -> Result<Vec<Draft>, ClientError> {
        let list: List<Draft> = self.get(&["v1", "drafts"]).read().await?;
        Ok(list.items)
    }

    /// What one has begun to write in a channel or thread; an empty body when nothing.
    pub async fn draft(
        &self,
        channel: ChannelId,
        thread: Option<MessageId>,
    ) -> Result<Draft, ClientError> {
        let thread = thread.map(|id| id.to_string());
        let channel = channel.to_string();
        let request = self.get(&["v1", "channels", &channel, "draft"]);
        request.query_some("thread", thread.as_deref()).read().await
    }

    /// Keeps what one has begun to write; an empty body takes it away.
    pub async fn put_draft(
        &self,
        channel: ChannelId,
        thread: Option<MessageId>,
        body: &str,
    ) -> Result<Draft, ClientError> {
        let thread = thread.map(|id| id.to_string());
        let channel = channel.to_string();
        let request = self.put(&["v1", "channels", &channel, "draft"]);
        let body = PutDraft { body: body.to_owned() };
        request.query_some("thread", thread.as_deref()).json(&body).read().await
    }
}
