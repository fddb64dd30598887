//! Block lists and the status text.

use tidings_domain::UserId;
use tidings_wire::List;
use tidings_wire::block::{Block, SetStatus};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Whom one has blocked.
    pub async fn blocks(&self) -> Result<Vec<Block>, ClientError> {
        let list: List<Block> = self.get(&["v1", "me", "blocks"]).read().await?;
        Ok(list.items)
    }

    /// Blocks somebody; again does nothing.
    pub async fn block(&self, user: UserId) -> Result<(), ClientError> {
        self.put(&["v1", "me", "blocks", &user.to_string()]).done().await
    }

    /// Unblocks somebody; again does nothing.
    pub async fn unblock(&self, user: UserId) -> Result<(), ClientError> {
        self.delete(&["v1", "me", "blocks", &user.to_string()]).done().await
    }

    /// Sets one's status text; an empty one takes it back.
    pub async fn set_status(&self, status: &str) -> Result<(), ClientError> {
        let body = SetStatus { status: status.to_owned() };
        self.put(&["v1", "me", "status"]).json(&body).done().await
    }
}
