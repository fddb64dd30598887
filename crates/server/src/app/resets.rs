//! A way back for who lost phrase and devices: the server's owner hands them a code.

use tidings_domain::UserId;
use tidings_storage::{Change, Precondition, Record};
use tidings_wire::account::{ResetCode, Secret};

use super::App;
use crate::access::ServerOwner;
use crate::auth::token::{self, Token};
use crate::error::ApiError;

/// How long a reset code works, in seconds: long enough to hand it over in person.
const LIFETIME_S: i64 = 24 * 3600;

/// From [`App::resets`].
#[derive(Debug, Clone, Copy)]
pub struct Resets<'a>(pub(super) &'a App);

impl Resets<'_> {
    /// Makes a code with which whoever holds it registers a new identity for this account. The
    /// account's sessions end when it is used.
    pub async fn create(&self, right: &ServerOwner, user: UserId) -> Result<ResetCode, ApiError> {
        let account = self.0.user(user).await?.ok_or_else(ApiError::not_found)?;
        if account.identity.is_none() {
            return Err(ApiError::conflict(
                "This account has no identity to reset. Ghosts are claimed by an invite.",
            ));
        }
        let code = Token::new(&self.0.random::<16>());
        let expires_at = self.0.now().plus_seconds(LIFETIME_S);
        let record = Record::CreateReset(token::hash(code.reveal()), user, expires_at);
        let act = self.0.act(right.actor(), None, "user.reset").on_user(&account);
        self.0
            .commit(Change {
                preconditions: vec![
                    Precondition::UserActive(right.user()),
                    Precondition::UserActive(user),
                ],
                records: vec![record, act.record()],
                ..Change::default()
            })
            .await?;
        tracing::warn!(user.id = %user, "the server's owner made a reset code for an account");
        Ok(ResetCode { code: Secret(code.reveal().to_owned()), expires_at: expires_at.into() })
    }
}
