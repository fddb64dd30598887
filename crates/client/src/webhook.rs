//! Incoming webhooks.

use tidings_domain::{ChannelId, WebhookId};
use tidings_wire::List;
use tidings_wire::webhook::{CreateWebhook, Webhook};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Makes an incoming webhook. The answer is the only place where its address stands.
    pub async fn create_webhook(
        &self,
        channel: ChannelId,
        request: &CreateWebhook,
    ) -> Result<Webhook, ClientError> {
        self.post(&["v1", "channels", &channel.to_string(), "webhooks"]).json(request).read().await
    }

    /// The incoming webhooks of a channel, oldest first.
    pub async fn webhooks(&self, channel: ChannelId) -> Result<Vec<Webhook>, ClientError> {
        let list: List<Webhook> =
            self.get(&["v1", "channels", &channel.to_string(), "webhooks"]).read().await?;
        Ok(list.items)
    }

    /// Ends an incoming webhook; what it posted stays.
    pub async fn delete_webhook(&self, id: WebhookId) -> Result<(), ClientError> {
        self.delete(&["v1", "webhooks", &id.to_string()]).done().await
    }
}
