//! The right to decide whether links are looked up.

use tidings_domain::ChannelId;

use super::{Access, Caller, ChannelReader};
use crate::error::ApiError;

/// Somebody who decides for a channel: an admin who can see it, or whoever is in the DM.
#[derive(Debug, Clone)]
pub struct PreviewDecider(ChannelReader);

impl PreviewDecider {
    /// The reader.
    pub const fn reader(&self) -> &ChannelReader {
        &self.0
    }
}

impl Access<'_> {
    /// Somebody who decides whether the links of the channel are looked up.
    pub async fn previews(
        &self,
        caller: &Caller,
        id: ChannelId,
    ) -> Result<PreviewDecider, ApiError> {
        let reader = self.reader(caller, id).await?;
        if reader.channel().community_id.is_some() && !reader.moderates() {
            return Err(ApiError::forbidden("Only admins of the community may do this."));
        }
        Ok(PreviewDecider(reader))
    }
}
