//! Sessions: listing them and ending them. They begin in [`crate::login`].

use tidings_domain::SessionId;
use tidings_wire::List;
use tidings_wire::account::{
    Challenge, CreateChallenge, CreateSession, LoggedIn, Register, Session,
};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// One's own sessions.
    pub async fn sessions(&self) -> Result<List<Session>, ClientError> {
        self.get(&["v1", "sessions"]).read().await
    }

    /// Ends one of one's own sessions.
    pub async fn delete_session(&self, id: SessionId) -> Result<(), ClientError> {
        self.delete(&["v1", "sessions", &id.to_string()]).done().await
    }

    /// Ends the session of this client.
    pub async fn log_out(&self) -> Result<(), ClientError> {
        self.delete(&["v1", "sessions", "current"]).done().await
    }

    pub(crate) async fn challenge(&self, identity: String) -> Result<Challenge, ClientError> {
        let request = CreateChallenge { identity };
        self.post(&["v1", "auth", "challenge"]).json(&request).read().await
    }

    pub(crate) async fn create_account(&self, request: &Register) -> Result<LoggedIn, ClientError> {
        self.post(&["v1", "accounts"]).json(request).read().await
    }

    pub(crate) async fn create_session(
        &self,
        request: &CreateSession,
    ) -> Result<LoggedIn, ClientError> {
        self.post(&["v1", "sessions"]).json(request).read().await
    }
}
