//! Direct conversations: one for each set of people.

use tidings_domain::{Channel, ChannelId, ChannelType, Fact, LogId, RoomKind, UserId, Visibility};
use tidings_storage::{Change, ChangeError, Precondition, Refusal};
use tidings_wire::channel::{Channel as WireChannel, CreateDm};

use super::App;
use super::change::joined;
use crate::access::Caller;
use crate::error::ApiError;
use crate::limit::Key;

/// Most people of a group DM; more are better off in a channel.
const PEOPLE_MAX: usize = 20;

/// From [`App::dms`].
#[derive(Debug, Clone, Copy)]
pub struct Dms<'a>(pub(super) &'a App);

impl Dms<'_> {
    /// The conversation of the caller with these people, made when there is none; says whether it
    /// is new.
    pub async fn open(
        &self,
        caller: &Caller,
        request: &CreateDm,
    ) -> Result<(WireChannel, bool), ApiError> {
        let app = self.0;
        let actor = caller.user_id();
        match request.kind.as_deref() {
            None | Some("open") => {}
            Some("sealed") => {
                let detail = "this server does not have sealed conversations";
                return Err(ApiError::field("kind", "unsupported", detail));
            }
            Some(_) => {
                return Err(ApiError::field("kind", "unknown", "expected one of: open, sealed"));
            }
        }
        if request.users.is_empty() {
            return Err(ApiError::field("users", "empty", "name at least one person"));
        }
        let mut ids: Vec<UserId> = request.users.iter().copied().map(UserId).collect();
        ids.push(actor);
        ids.sort_unstable();
        ids.dedup();
        if ids.len() > PEOPLE_MAX {
            let detail = format!("at most {PEOPLE_MAX} people, not {}", ids.len());
            return Err(ApiError::field("users", "too_many", detail));
        }
        if let Some(id) = app.store().dm(&ids).await? {
            return Ok((app.channels().view(id, actor).await?, false));
        }
        app.limit(Key::Dms(actor), app.settings().limits.dms)?;
        let mut people = Vec::with_capacity(ids.len());
        for id in &ids {
            people.push(app.access().profile(caller, *id).await?);
        }

        let now = app.now();
        let group = ids.len() > 2;
        let channel = Channel {
            id: ChannelId(app.new_id()),
            community_id: None,
            name: None,
            channel_type: if group { ChannelType::GroupDm } else { ChannelType::Dm },
            visibility: Visibility::Private,
            kind: RoomKind::Open,
            topic: String::new(),
            category: None,
            archived: false,
            retention_s: None,
            default: false,
            created_at: now,
            dm_users: ids.clone(),
        };
        let id = channel.id;
        let log = LogId::Conversation(id);
        let mut entries =
            vec![app.entry(log, None, actor, now, Fact::ChannelCreated(Box::new(channel)))];
        for person in &people {
            entries.push(app.entry(log, None, actor, now, joined(person.user())));
        }
        let mut preconditions: Vec<_> = ids.iter().copied().map(Precondition::UserActive).collect();
        let others = ids.iter().filter(|id| **id != actor);
        preconditions.extend(others.map(|other| Precondition::NotBlocked(actor, *other)));
        preconditions.push(Precondition::DmFree(ids.clone()));
        match app.commit(Change { preconditions, entries, ..Change::default() }).await {
            Ok(_) => Ok((app.channels().view(id, actor).await?, true)),
            Err(ChangeError::Refused(Refusal::Precondition(Precondition::DmFree(_)))) => {
                let id = app.store().dm(&ids).await?.ok_or_else(ApiError::not_found)?;
                Ok((app.channels().view(id, actor).await?, false))
            }
            Err(ChangeError::Refused(Refusal::Precondition(Precondition::UserActive(user))))
                if user != actor =>
            {
                Err(ApiError::field("users", "disabled", "one of them cannot be reached any more"))
            }
            Err(other) => Err(other.into()),
        }
    }
}
