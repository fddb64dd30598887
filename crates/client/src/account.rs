//! Accounts: one's own and those of others.

use tidings_domain::UserId;
use tidings_wire::List;
use tidings_wire::account::{Device, Me, Profile, UpdateMe};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// One's own account.
    pub async fn me(&self) -> Result<Me, ClientError> {
        self.get(&["v1", "me"]).read().await
    }

    /// Changes one's own account; what is absent in `change` stays.
    pub async fn update_me(&self, change: &UpdateMe) -> Result<Me, ClientError> {
        self.patch(&["v1", "me"]).json(change).read().await
    }

    /// Somebody's public profile.
    pub async fn user(&self, id: UserId) -> Result<Profile, ClientError> {
        self.get(&["v1", "users", &id.to_string()]).read().await
    }

    /// The profile behind a handle such as `ana@chat.example.org`.
    pub async fn user_by_handle(&self, handle: &str) -> Result<Profile, ClientError> {
        self.get(&["v1", "users"]).query("handle", handle).read().await
    }

    /// The devices that somebody's sigchain certifies now.
    pub async fn devices_of(&self, id: UserId) -> Result<List<Device>, ClientError> {
        self.get(&["v1", "users", &id.to_string(), "devices"]).read().await
    }
}
