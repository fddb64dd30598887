//! Notifications, what one chooses to be told, pinned and saved messages.

use tidings_domain::{ChannelId, MessageId, NotificationId};
use tidings_wire::List;
use tidings_wire::attention::{
    Attention, Notifications, Notify, ReadNotifications, SetNotify, UnreadNotifications,
};
use tidings_wire::message::Message;

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// What has called one, newest first, at most `limit` (1 to 200) before one of them.
    pub async fn notifications(
        &self,
        unread: bool,
        before: Option<NotificationId>,
        limit: u16,
    ) -> Result<Notifications, ClientError> {
        self.get(&["v1", "notifications"])
            .query("unread", unread)
            .query("limit", limit)
            .query_some("before", before.map(|id| id.0))
            .read()
            .await
    }

    /// Marks notifications as seen: those named, and those up to one. How many are left.
    pub async fn read_notifications(
        &self,
        request: &ReadNotifications,
    ) -> Result<UnreadNotifications, ClientError> {
        self.post(&["v1", "notifications", "read"]).json(request).read().await
    }

    /// One's keywords and quiet times.
    pub async fn attention(&self) -> Result<Attention, ClientError> {
        self.get(&["v1", "me", "attention"]).read().await
    }

    /// Chooses keywords and quiet times; what is absent is none.
    pub async fn set_attention(&self, request: &Attention) -> Result<Attention, ClientError> {
        self.put(&["v1", "me", "attention"]).json(request).read().await
    }

    /// Chooses how much of a channel calls for attention, or mutes it.
    pub async fn set_notify(
        &self,
        id: ChannelId,
        request: &SetNotify,
    ) -> Result<Notify, ClientError> {
        self.put(&["v1", "channels", &id.to_string(), "notify"]).json(request).read().await
    }

    /// Pins a message to its channel, or takes the pin out.
    pub async fn pin(&self, id: MessageId, pinned: bool) -> Result<(), ClientError> {
        let id = id.to_string();
        let path = ["v1", "messages", &id, "pin"];
        if pinned { self.put(&path).done().await } else { self.delete(&path).done().await }
    }

    /// The pinned messages of a channel, the newest pin first.
    pub async fn pins(&self, id: ChannelId) -> Result<List<Message>, ClientError> {
        self.get(&["v1", "channels", &id.to_string(), "pins"]).read().await
    }

    /// Saves a message for later, or lets go of it.
    pub async fn save(&self, id: MessageId, saved: bool) -> Result<(), ClientError> {
        let id = id.to_string();
        let path = ["v1", "messages", &id, "save"];
        if saved { self.put(&path).done().await } else { self.delete(&path).done().await }
    }

    /// A page of what one has saved, after the `next` of the page before.
    pub async fn saved(&self, after: Option<&str>) -> Result<List<Message>, ClientError> {
        self.get(&["v1", "saved"]).query("limit", 200).query_some("after", after).read().await
    }
}
