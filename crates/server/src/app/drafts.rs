//! Drafts: what somebody has begun to write, the same on all of their devices.
//!
//! They are rows and not entries: what was never said leaves no trace. Other devices that are
//! connected hear of a change at once; those that come later read the list.

use serde_json::value::to_raw_value;
use tidings_domain::message::BODY_MAX;
use tidings_domain::{MessageId, UserId};
use tidings_storage::draft::StoredDraft;
use tidings_storage::{Change, Record};
use tidings_wire::draft::Draft as DraftView;

use super::App;
use crate::access::{Caller, ChannelReader};
use crate::error::ApiError;
use crate::limit::Key;

/// Most drafts of one person: the list stays one page.
const DRAFTS_MAX: usize = 1_000;

/// From [`App::drafts`].
#[derive(Debug, Clone, Copy)]
pub struct Drafts<'a>(pub(super) &'a App);

impl Drafts<'_> {
    /// All drafts of the caller, the latest first.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<DraftView>, ApiError> {
        let drafts = self.0.store().drafts(caller.user_id()).await?;
        Ok(drafts.into_iter().map(view).collect())
    }

    /// The draft of one place; an empty one when there is none.
    pub async fn get(
        &self,
        right: &ChannelReader,
        parent: Option<MessageId>,
    ) -> Result<DraftView, ApiError> {
        let channel = right.channel().id;
        let found = self.0.store().draft(right.user(), channel, parent).await?;
        Ok(found.map_or_else(|| nothing(right, parent), view))
    }

    /// Replaces the draft of one place; an empty body takes it away.
    pub async fn put(
        &self,
        right: &ChannelReader,
        parent: Option<MessageId>,
        body: String,
    ) -> Result<DraftView, ApiError> {
        let app = self.0;
        let (user, channel) = (right.user(), right.channel().id);
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        let length = body.chars().count();
        if length > BODY_MAX {
            let detail = format!("must be at most {BODY_MAX} characters, not {length}");
            return Err(ApiError::field("body", "too_long", detail));
        }
        if let Some(parent) = parent {
            let message = app.store().message(parent, user).await?;
            let root = message.filter(|it| it.channel_id == channel && it.parent_id.is_none());
            root.ok_or_else(|| ApiError::field("thread", "not_found", "no such thread here"))?;
        }
        let there = app.store().draft(user, channel, parent).await?;
        if there.as_ref().map_or("", |draft| &draft.body) == body {
            return Ok(there.map_or_else(|| nothing(right, parent), view));
        }
        let (record, now) = if body.trim().is_empty() {
            (Record::DeleteDraft(user, channel, parent), nothing(right, parent))
        } else {
            if there.is_none() && app.store().drafts(user).await?.len() >= DRAFTS_MAX {
                let detail = format!("You have {DRAFTS_MAX} drafts. Send or empty one first.");
                return Err(ApiError::conflict(detail));
            }
            let updated_at = app.now();
            let draft = StoredDraft {
                user_id: user,
                channel_id: channel,
                parent_id: parent,
                body,
                updated_at,
            };
            (Record::PutDraft(draft.clone()), view(draft))
        };
        app.commit(Change { records: vec![record], ..Change::default() }).await?;
        self.tell(user, &now)?;
        Ok(now)
    }

    fn tell(self, user: UserId, draft: &DraftView) -> Result<(), ApiError> {
        if let Some(ephemeral) = self.0.ephemeral() {
            let data = to_raw_value(draft).map_err(ApiError::internal)?;
            ephemeral.tell(user, "draft.updated", data);
        }
        Ok(())
    }
}

fn nothing(right: &ChannelReader, parent: Option<MessageId>) -> DraftView {
    DraftView {
        body: String::new(),
        channel_id: right.channel().id.0,
        parent_id: parent.map(|id| id.0),
        updated_at: None,
    }
}

fn view(draft: StoredDraft) -> DraftView {
    DraftView {
        body: draft.body,
        channel_id: draft.channel_id.0,
        parent_id: draft.parent_id.map(|id| id.0),
        updated_at: Some(draft.updated_at.into()),
    }
}
