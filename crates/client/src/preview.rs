//! Whether links are looked up.

use tidings_domain::ChannelId;
use tidings_wire::message::PreviewSwitch;

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Whether the server looks up links: those in a channel, or those of one's own messages.
    pub async fn previews(&self, channel: Option<ChannelId>) -> Result<bool, ClientError> {
        let switch: PreviewSwitch = match channel {
            Some(id) => self.get(&["v1", "channels", &id.to_string(), "previews"]).read().await?,
            None => self.get(&["v1", "me", "previews"]).read().await?,
        };
        Ok(switch.enabled)
    }

    /// Decides whether the server looks up links: those in a channel, or those of one's own messages.
    pub async fn set_previews(
        &self,
        channel: Option<ChannelId>,
        enabled: bool,
    ) -> Result<(), ClientError> {
        let switch = PreviewSwitch { enabled };
        match channel {
            Some(id) => {
                self.put(&["v1", "channels", &id.to_string(), "previews"])
                    .json(&switch)
                    .done()
                    .await
            }
            None => self.put(&["v1", "me", "previews"]).json(&switch).done().await,
        }
    }
}
