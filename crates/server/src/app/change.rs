//! How use cases write: entries with their salts, and what a change makes stale.

use tidings_domain::{
    Author, ChannelId, CommunityId, DeviceId, Fact, LogId, Role, SessionId, Timestamp, User, UserId,
};
use tidings_storage::{Change, ChangeError, Committed, NewEntry, Precondition, Record, Refusal};

use super::App;
use crate::error::ApiError;

/// Something that the caches may hold and that is true no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stale {
    Channel(ChannelId),
    Member(ChannelId, UserId),
    Role(CommunityId, UserId),
    User(UserId),
    Session(SessionId),
    Sessions(UserId, Option<DeviceId>),
    Keywords,
}

impl Stale {
    pub(crate) fn by_fact(log: LogId, fact: &Fact) -> Option<Self> {
        match (fact, log) {
            (
                Fact::ChannelCreated(channel)
                | Fact::ChannelUpdated(channel)
                | Fact::ChannelArchived(channel),
                _,
            ) => Some(Self::Channel(channel.id)),
            (
                Fact::MemberJoined { user, .. }
                | Fact::MemberLeft { user }
                | Fact::MemberRoleChanged { user, .. },
                LogId::Conversation(channel),
            ) => Some(Self::Member(channel, user.id)),
            (
                Fact::MemberJoined { user, .. }
                | Fact::MemberLeft { user }
                | Fact::MemberBanned { user, .. }
                | Fact::MemberRoleChanged { user, .. },
                LogId::Community(community),
            ) => Some(Self::Role(community, user.id)),
            (Fact::DeviceRevoked { user_id, device_id }, _) => {
                Some(Self::Sessions(*user_id, Some(*device_id)))
            }
            (Fact::IdentityChanged { user, .. }, _) => Some(Self::User(user.id)),
            (Fact::AttentionUpdated(_), _) => Some(Self::Keywords),
            _ => None,
        }
    }

    fn by_record(record: &Record) -> Option<Self> {
        match record {
            Record::UpdateUser(user) => Some(Self::User(user.id)),
            Record::RenameUser(user, _) => Some(Self::User(*user)),
            Record::DeleteSession(id) => Some(Self::Session(*id)),
            Record::DeleteToken(id) => Some(Self::Session(SessionId(id.0))),
            Record::DeleteTokens(user) => Some(Self::Sessions(*user, None)),
            Record::DeleteSessions(user, device) => Some(Self::Sessions(*user, *device)),
            _ => None,
        }
    }

    fn by_change(change: &Change) -> Vec<Self> {
        let entries =
            change.entries.iter().filter_map(|entry| Self::by_fact(entry.log, &entry.fact));
        change.records.iter().filter_map(Self::by_record).chain(entries).collect()
    }
}

impl App {
    /// Commits, and lets the caches forget before the caller is told, so that nobody who waited
    /// for the answer reads what was.
    pub(crate) async fn commit(&self, change: Change) -> Result<Committed, ChangeError> {
        let stale = Stale::by_change(&change);
        let works = change.records.iter().any(|record| matches!(record, Record::CreateJob(_)));
        let result = self.store().commit(change).await;
        if works {
            self.new_jobs().notify_one();
        }
        for stale in &stale {
            self.forget(stale);
        }
        result
    }

    pub(crate) fn forget(&self, stale: &Stale) {
        let caches = self.caches();
        match stale {
            Stale::Channel(id) => caches.channels.remove(id),
            Stale::Member(channel, user) => caches.members.remove(&(*channel, *user)),
            Stale::Role(community, user) => caches.roles.remove(&(*community, *user)),
            Stale::User(id) => caches.users.remove(id),
            Stale::Keywords => caches.keywords.remove(&()),
            Stale::Session(id) => caches.sessions.end(|session| session.session_id == *id),
            Stale::Sessions(user, device) => caches.sessions.end(|session| {
                session.user_id == *user && device.is_none_or(|device| session.device_id == device)
            }),
        }
    }

    /// An entry of a log, with a new salt.
    pub(crate) fn entry(
        &self,
        log: LogId,
        community: Option<CommunityId>,
        actor: UserId,
        at: Timestamp,
        fact: Fact,
    ) -> NewEntry {
        NewEntry { log, community, actor, at, fact, salt: self.random() }
    }
}

/// How often a change is made from what was read before its author hears of a conflict. Each time
/// somebody else has succeeded, so only a crowd needs more.
const ATTEMPTS: usize = 8;

/// Tries of a change that writes what was read and changed as a whole. Its preconditions say what was
/// read; when another change of the same thing came in between, it is to be made again from what is
/// there now. So two people who change different fields both succeed.
#[derive(Debug)]
pub(crate) struct Merge {
    left: usize,
    stale: fn(&Precondition) -> bool,
}

impl Merge {
    /// `stale` knows the precondition that says what was read.
    pub(crate) const fn new(stale: fn(&Precondition) -> bool) -> Self {
        Self { left: ATTEMPTS, stale }
    }

    /// Commits the change; `false` when it has to be made again.
    ///
    /// # Errors
    /// Those of the commit; `conflict` when others were always faster.
    pub(crate) async fn commit(&mut self, app: &App, change: Change) -> Result<bool, ApiError> {
        self.left -= 1;
        match app.commit(change).await {
            Ok(_) => Ok(true),
            Err(ChangeError::Refused(Refusal::Precondition(lost)))
                if self.left > 0 && (self.stale)(&lost) =>
            {
                Ok(false)
            }
            Err(other) => Err(other.into()),
        }
    }
}

/// A person as facts name them.
pub(crate) fn author(user: &User) -> Author {
    Author {
        id: user.id,
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        bot: user.bot,
    }
}

/// "They joined", as a plain member.
pub(crate) fn joined(user: &User) -> Fact {
    Fact::MemberJoined { user: author(user), role: Role::Member }
}
