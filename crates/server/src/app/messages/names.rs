//! Whom and what a body may name, from where its author stands.

use tidings_domain::{Channel, ChannelId, UserId};

use super::Messages;
use crate::error::ApiError;
use crate::render::{Candidates, Names};

/// Most names of one body that are looked up; what comes after stays text.
const LOOKUPS_MAX: usize = 1000;

impl Messages<'_> {
    /// Looks up the candidates of a body: people who are in the community or DM, channels that
    /// the author can see. Everything else stays text, so a body tells nobody of strangers.
    pub(crate) async fn names(
        &self,
        channel: &Channel,
        author: UserId,
        found: &Candidates,
    ) -> Result<Names, ApiError> {
        let app = self.0;
        let mut names = Names::default();
        if found.is_empty() {
            return Ok(names);
        }
        let usernames: Vec<String> = found.usernames.iter().take(LOOKUPS_MAX).cloned().collect();
        if !usernames.is_empty() {
            for user in app.store().users_by_username(&usernames).await? {
                if self.is_here(channel, user.id).await? {
                    names.insert_user(user.id, &user.username);
                }
            }
        }
        for id in found.users.iter().take(LOOKUPS_MAX) {
            let user = if self.is_here(channel, *id).await? { app.user(*id).await? } else { None };
            if let Some(user) = user {
                names.insert_user(*id, &user.username);
            }
        }
        let channels: Vec<String> = found.channel_names.iter().take(LOOKUPS_MAX).cloned().collect();
        if let (Some(community), false) = (channel.community_id, channels.is_empty()) {
            for found in app.store().channels_by_name(community, &channels, author).await? {
                if let Some(name) = &found.name {
                    names.insert_channel(found.id, name);
                }
            }
        }
        for id in found.channels.iter().take(LOOKUPS_MAX) {
            if let Some(name) = self.visible_name(author, *id).await? {
                names.insert_channel(*id, &name);
            }
        }
        Ok(names)
    }

    async fn is_here(&self, channel: &Channel, user: UserId) -> Result<bool, ApiError> {
        match channel.community_id {
            Some(community) => Ok(self.0.role(community, user).await?.is_some()),
            None => Ok(channel.dm_users.contains(&user)),
        }
    }

    async fn visible_name(&self, to: UserId, id: ChannelId) -> Result<Option<String>, ApiError> {
        match self.0.access().reader_of(to, id).await {
            Ok(right) => Ok(right.channel().name.clone()),
            Err(error) if error.code() == tidings_wire::Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
