//! The right to an outgoing webhook: that of managing whose events it tells.

use tidings_domain::WebhookId;
use tidings_storage::outgoing::StoredOutgoing;

use super::{Access, Caller, ChannelManager, CommunityAdmin};
use crate::error::ApiError;

/// Whose events an outgoing webhook tells, in the hands of somebody who may decide about it.
#[derive(Debug, Clone)]
pub enum OutgoingPlace {
    /// Those of a community and its public channels.
    Community(CommunityAdmin),
    /// Those of one channel.
    Channel(ChannelManager),
}

/// Somebody who may manage the webhook: an admin, who can see the channel if it is of one.
#[derive(Debug, Clone)]
pub struct OutgoingManager {
    place: OutgoingPlace,
    webhook: StoredOutgoing,
}

impl OutgoingManager {
    /// By which right.
    pub const fn place(&self) -> &OutgoingPlace {
        &self.place
    }

    /// Which webhook, as it was when the right was made.
    pub const fn webhook(&self) -> &StoredOutgoing {
        &self.webhook
    }
}

impl Access<'_> {
    /// Somebody who may manage the outgoing webhook.
    pub async fn outgoing(
        &self,
        caller: &Caller,
        id: WebhookId,
    ) -> Result<OutgoingManager, ApiError> {
        let webhook = self.0.store().outgoing(id).await?.ok_or_else(ApiError::not_found)?;
        let place = match webhook.channel_id {
            Some(channel) => OutgoingPlace::Channel(self.manager(caller, channel).await?),
            None => OutgoingPlace::Community(self.admin(caller, webhook.community_id).await?),
        };
        Ok(OutgoingManager { place, webhook })
    }
}
