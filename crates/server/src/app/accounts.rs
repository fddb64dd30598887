//! Accounts and profiles.

use std::sync::Arc;

use tidings_domain::{User, UserId, name};
use tidings_storage::{Change, Precondition, Record};
use tidings_wire::account::{Me, Profile, UpdateMe};
use tidings_wire::message::Author;

use super::App;
use super::change::Merge;
use crate::access::{Caller, ProfileReader};
use crate::error::ApiError;

/// Longest status text, in characters: one line on a phone.
const STATUS_MAX: usize = 140;

/// From [`App::accounts`].
#[derive(Debug, Clone, Copy)]
pub struct Accounts<'a>(pub(super) &'a App);

impl Accounts<'_> {
    /// One's own account.
    pub async fn me(&self, caller: &Caller) -> Result<Me, ApiError> {
        Ok(me(&*self.own(caller).await?))
    }

    async fn own(&self, caller: &Caller) -> Result<Arc<User>, ApiError> {
        self.0.user(caller.user_id()).await?.ok_or_else(ApiError::unauthorized)
    }

    /// Changes one's own account; what is absent stays.
    pub async fn update_me(&self, caller: &Caller, update: UpdateMe) -> Result<Me, ApiError> {
        let app = self.0;
        let rewritten = |refused: &Precondition| matches!(refused, Precondition::UserIs(_));
        let mut merge = Merge::new(rewritten);
        loop {
            // Read past the cache: the row is written whole.
            let found = app.store().user(caller.user_id()).await?;
            let found = found.ok_or_else(ApiError::unauthorized)?;
            let mut user = found.clone();
            if let Some(text) = &update.display_name {
                user.display_name = name::display(text, name::DISPLAY_NAME_MAX)
                    .map_err(|error| ApiError::name("display_name", error))?
                    .to_owned();
            }
            if let Some(text) = &update.status {
                user.status = match text.trim() {
                    "" => String::new(),
                    text => name::display(text, STATUS_MAX)
                        .map_err(|error| ApiError::name("status", error))?
                        .to_owned(),
                };
            }
            user.discoverable = update.discoverable.unwrap_or(user.discoverable);
            let answer = me(&user);
            let preconditions =
                vec![Precondition::UserActive(user.id), Precondition::UserIs(Box::new(found))];
            let records = vec![Record::UpdateUser(user)];
            if merge.commit(app, Change { preconditions, records, ..Change::default() }).await? {
                return Ok(answer);
            }
        }
    }

    /// Somebody's profile.
    pub fn profile(&self, right: &ProfileReader) -> Profile {
        profile(right.user())
    }

    /// The user of a handle, `name` or `name@host`, whom the caller may know.
    pub async fn by_handle(&self, caller: &Caller, handle: &str) -> Result<Profile, ApiError> {
        let handle = handle.strip_prefix('@').unwrap_or(handle);
        let (username, host) = handle.split_once('@').unwrap_or((handle, ""));
        let ours = host.is_empty() || host.eq_ignore_ascii_case(self.0.settings().authority());
        let username = username.to_lowercase();
        let found = match name::username(&username) {
            Ok(username) if ours => self.0.store().user_by_username(username).await?,
            _ => None,
        };
        let found = found.ok_or_else(ApiError::not_found)?;
        let right = self.0.access().profile(caller, found.id).await?;
        Ok(self.profile(&right))
    }

    /// The account behind `user@host`, of somebody who wants to be found; everybody else is not there.
    pub async fn discoverable(&self, username: &str, host: &str) -> Result<Me, ApiError> {
        let ours = host.eq_ignore_ascii_case(self.0.settings().authority());
        let username = username.to_lowercase();
        let found = match name::username(&username) {
            Ok(username) => self.0.store().user_by_username(username).await?,
            Err(_) => None,
        };
        let open = |user: &User| ours && user.discoverable && !user.disabled;
        found.filter(open).map(|user| me(&user)).ok_or_else(ApiError::not_found)
    }

    /// How messages and lists name these users; those that do not exist are left out.
    pub(crate) async fn authors(&self, ids: &[UserId]) -> Result<Vec<Author>, ApiError> {
        let mut authors = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(user) = self.0.user(*id).await? {
                authors.push(wire_author(&user));
            }
        }
        Ok(authors)
    }
}

/// One's own account, for the network.
pub(crate) fn me(user: &User) -> Me {
    Me {
        id: user.id.0,
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        avatar: None,
        identity: user.identity.map(|key| key.to_string()),
        discoverable: user.discoverable,
        status: user.status.clone(),
        created_at: user.created_at.into(),
        server_role: user.server_role.as_str().to_owned(),
    }
}

fn profile(user: &User) -> Profile {
    Profile {
        id: user.id.0,
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        avatar: None,
        identity: user.identity.map(|key| key.to_string()),
        bot: user.bot,
        status: user.status.clone(),
    }
}

/// A person, for the network.
pub(crate) fn wire_author(user: &User) -> Author {
    Author::from(&super::change::author(user))
}
