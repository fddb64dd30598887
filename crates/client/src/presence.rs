//! Who is there.

use tidings_domain::UserId;
use tidings_wire::List;
use tidings_wire::presence::{Heartbeat, Presence};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Who of these is there, as far as one may know; at most 256.
    pub async fn presence(&self, users: &[UserId]) -> Result<Vec<Presence>, ClientError> {
        let users: Vec<_> = users.iter().map(ToString::to_string).collect();
        let request = self.get(&["v1", "presence"]).query("users", users.join(","));
        let list: List<Presence> = request.read().await?;
        Ok(list.items)
    }

    /// Gives a sign of life of this device; what is absent stays as it was.
    pub async fn heartbeat(&self, sign: &Heartbeat) -> Result<(), ClientError> {
        self.post(&["v1", "heartbeat"]).json(sign).done().await
    }
}
