//! The log of administrative acts: a record in the change that carries out the act, so that there
//! is never one without the other.

use serde_json::{Map, Value};
use tidings_domain::{Channel, ChannelId, CommunityId, User, UserId, Visibility};
use tidings_storage::Record;
use tidings_storage::moderation::StoredAudit;
use tidings_wire::moderation::{AuditEntry, AuditTarget};
use uuid::Uuid;

use super::App;
use super::accounts::wire_author;
use crate::access::{Actor, CommunityAdmin, ServerOwner};
use crate::error::ApiError;

/// From [`App::audit`].
#[derive(Debug, Clone, Copy)]
pub struct Audit<'a>(pub(super) &'a App);

impl Audit<'_> {
    /// Acts in the community, newest first, those before an id, at most `limit`. Acts on private
    /// channels are shown to those who are in them.
    pub async fn list(
        &self,
        right: &CommunityAdmin,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, ApiError> {
        let member = right.member();
        self.page(member.community(), member.user(), before, limit).await
    }

    /// Acts on the whole server, newest first, those before an id, at most `limit`.
    pub async fn list_server(
        &self,
        right: &ServerOwner,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, ApiError> {
        self.page(CommunityId::NIL, right.user(), before, limit).await
    }

    async fn page(
        &self,
        community: CommunityId,
        reader: UserId,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, ApiError> {
        let app = self.0;
        let before = before.unwrap_or(Uuid::max());
        let acts = app.store().audit(community, reader, before, limit).await?;
        let mut entries = Vec::with_capacity(acts.len());
        for act in acts {
            let actor = match act.actor {
                UserId::NIL => None,
                id => app.user(id).await?.map(|user| wire_author(&user)),
            };
            let some = |text: String| Some(text).filter(|text| !text.is_empty());
            let (id, name) = (act.target, some(act.target_name));
            let target = some(act.target_kind).map(|kind| AuditTarget { kind, id, name });
            entries.push(AuditEntry {
                id: act.id,
                at: act.at.into(),
                actor,
                action: act.action,
                target,
                // Written below, so it is an object; a row that somebody spoiled has no detail.
                detail: serde_json::from_str(&act.detail).unwrap_or_default(),
                address: some(act.address),
            });
        }
        Ok(entries)
    }
}

/// An administrative act that is about to be committed.
#[derive(Debug)]
pub(crate) struct Act {
    row: StoredAudit,
    detail: Map<String, Value>,
}

impl Act {
    /// Names what it is done to.
    pub(crate) fn on(mut self, kind: &str, id: Uuid, name: &str) -> Self {
        kind.clone_into(&mut self.row.target_kind);
        self.row.target = id;
        name.clone_into(&mut self.row.target_name);
        self
    }

    pub(crate) fn on_user(self, user: &User) -> Self {
        self.on("user", user.id.0, &user.username)
    }

    /// Also keeps an act on a private channel to those who are in it.
    pub(crate) fn on_channel(self, channel: &Channel) -> Self {
        self.within(channel).on(
            "channel",
            channel.id.0,
            channel.name.as_deref().unwrap_or_default(),
        )
    }

    /// Keeps the act to those who may know of the channel.
    pub(crate) fn within(mut self, channel: &Channel) -> Self {
        if channel.visibility == Visibility::Private {
            self.row.private = channel.id;
        }
        self
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }

    /// As [`Act::with`], unless there is nothing to say.
    pub(crate) fn with_some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    pub(crate) fn record(mut self) -> Record {
        self.row.detail = Value::Object(self.detail).to_string();
        Record::Audit(self.row)
    }
}

impl App {
    /// An act in a community, or on the whole server.
    pub(crate) fn act(
        &self,
        actor: Actor,
        community: impl Into<Option<CommunityId>>,
        action: &str,
    ) -> Act {
        let row = StoredAudit {
            id: self.new_id(),
            community: community.into().unwrap_or(CommunityId::NIL),
            private: ChannelId::NIL,
            actor: actor.user,
            at: self.now(),
            action: action.to_owned(),
            target_kind: String::new(),
            target: Uuid::nil(),
            target_name: String::new(),
            detail: String::new(),
            address: actor.address.map(|address| address.to_string()).unwrap_or_default(),
        };
        Act { row, detail: Map::new() }
    }
}
