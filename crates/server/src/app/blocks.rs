//! Block lists: whom people want to have nothing to do with.
//!
//! Between two people of whom one has blocked the other there are no new direct conversations and
//! nothing new in the one that there is, and neither sees whether the other is there. In channels
//! both go on reading each other, but the blocker is not notified by the other's mentions.

use tidings_domain::{Channel, ChannelType, UserId};
use tidings_storage::block::StoredBlock;
use tidings_storage::{Change, Precondition, Record};
use tidings_wire::block::Block as BlockView;

use super::App;
use crate::access::{Caller, ProfileReader};
use crate::error::ApiError;
use crate::limit::Key;

/// Most entries of one block list: it stays one page.
const BLOCKS_MAX: usize = 1_000;

/// From [`App::blocks`].
#[derive(Debug, Clone, Copy)]
pub struct Blocks<'a>(pub(super) &'a App);

impl Blocks<'_> {
    /// Whom the caller has blocked, by id.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<BlockView>, ApiError> {
        let blocks = self.0.store().blocks_of(caller.user_id()).await?;
        let ids: Vec<_> = blocks.iter().map(|block| block.blocked).collect();
        let users = self.0.accounts().authors(&ids).await?;
        let views = users.into_iter().filter_map(|user| {
            let block = blocks.iter().find(|block| block.blocked.0 == user.id)?;
            Some(BlockView { user, created_at: block.created_at.into() })
        });
        Ok(views.collect())
    }

    /// Blocks somebody from now on. Again does nothing.
    pub async fn add(&self, caller: &Caller, right: &ProfileReader) -> Result<(), ApiError> {
        let app = self.0;
        let (user, blocked) = (caller.user_id(), right.user().id);
        if user == blocked {
            return Err(ApiError::field("user_id", "invalid", "nobody can block themselves"));
        }
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        let there = app.store().blocks_of(user).await?;
        if there.len() >= BLOCKS_MAX && there.iter().all(|block| block.blocked != blocked) {
            let detail = format!("You have blocked {BLOCKS_MAX} people. Unblock somebody first.");
            return Err(ApiError::conflict(detail));
        }
        let block = StoredBlock { user_id: user, blocked, created_at: app.now() };
        let records = vec![Record::Block(block)];
        app.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }

    /// Lets somebody be as before. Also who was not blocked, or does not exist: the answer says
    /// nothing about anybody.
    pub async fn remove(&self, caller: &Caller, blocked: UserId) -> Result<(), ApiError> {
        let app = self.0;
        let user = caller.user_id();
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        let records = vec![Record::Unblock(user, blocked)];
        app.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }
}

/// The other one of a conversation of two.
pub(crate) fn counterpart(channel: &Channel, user: UserId) -> Option<UserId> {
    (channel.channel_type == ChannelType::Dm)
        .then(|| channel.dm_users.iter().copied().find(|other| *other != user))
        .flatten()
}

/// What must hold for the user to say something new in the channel: in a conversation of two,
/// that neither has blocked the other.
pub(crate) fn unblocked(channel: &Channel, user: UserId) -> Option<Precondition> {
    counterpart(channel, user).map(|other| Precondition::NotBlocked(user, other))
}
