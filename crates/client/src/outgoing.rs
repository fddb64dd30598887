//! Outgoing webhooks.

use std::time::Duration;

use tidings_domain::{ChannelId, CommunityId, WebhookId};
use tidings_wire::List;
use tidings_wire::outgoing::{
    CreateOutgoingWebhook, Delivery, OutgoingWebhook, UpdateOutgoingWebhook,
};

use crate::client::Client;
use crate::error::ClientError;
use crate::request::Request;

/// How long a test may take: the server waits for the receiver.
const TEST: Duration = Duration::from_mins(1);

/// Whose events an outgoing webhook tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutgoingPlace {
    /// Those of a community and its public channels.
    Community(CommunityId),
    /// Those of one channel.
    Channel(ChannelId),
}

impl OutgoingPlace {
    fn path(self) -> [String; 5] {
        let (kind, id) = match self {
            Self::Community(id) => ("communities", id.to_string()),
            Self::Channel(id) => ("channels", id.to_string()),
        };
        ["v1".into(), kind.into(), id, "webhooks".into(), "outgoing".into()]
    }
}

impl Client {
    /// Makes an outgoing webhook. The answer is the only place where its secret stands.
    pub async fn create_outgoing(
        &self,
        place: OutgoingPlace,
        request: &CreateOutgoingWebhook,
    ) -> Result<OutgoingWebhook, ClientError> {
        let path = place.path();
        self.post(&path.each_ref().map(String::as_str)).json(request).read().await
    }

    /// The outgoing webhooks of a community itself, or of a channel, oldest first.
    pub async fn outgoing(
        &self,
        place: OutgoingPlace,
    ) -> Result<Vec<OutgoingWebhook>, ClientError> {
        let path = place.path();
        let list: List<OutgoingWebhook> =
            self.get(&path.each_ref().map(String::as_str)).read().await?;
        Ok(list.items)
    }

    /// Changes an outgoing webhook; what is absent stays.
    pub async fn update_outgoing(
        &self,
        id: WebhookId,
        request: &UpdateOutgoingWebhook,
    ) -> Result<OutgoingWebhook, ClientError> {
        let path = ["v1", "webhooks", "outgoing", &id.to_string()];
        self.patch(&path).json(request).read().await
    }

    /// Ends an outgoing webhook.
    pub async fn delete_outgoing(&self, id: WebhookId) -> Result<(), ClientError> {
        self.delete(&["v1", "webhooks", "outgoing", &id.to_string()]).done().await
    }

    /// The newest attempts, newest first.
    pub async fn deliveries(&self, id: WebhookId) -> Result<Vec<Delivery>, ClientError> {
        let path = ["v1", "webhooks", "outgoing", &id.to_string(), "deliveries"];
        let list: List<Delivery> = self.get(&path).read().await?;
        Ok(list.items)
    }

    /// Has the server send one event to the receiver, and tells what came of it.
    pub async fn test_outgoing(&self, id: WebhookId) -> Result<Delivery, ClientError> {
        self.of_outgoing(id, "test").timeout(TEST).read().await
    }

    /// Replaces the secret; it stands in the answer alone.
    pub async fn rotate_outgoing(&self, id: WebhookId) -> Result<OutgoingWebhook, ClientError> {
        self.of_outgoing(id, "secret").read().await
    }

    fn of_outgoing(&self, id: WebhookId, what: &str) -> Request<'_> {
        self.post(&["v1", "webhooks", "outgoing", &id.to_string(), what])
    }
}
