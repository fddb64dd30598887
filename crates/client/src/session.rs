//! Sessions: listing them and ending them. They begin in [`crate::login`].

use tidings_domain::SessionId;
use tidings_wire::List;
use tidings_wire::account::{
    Challenge, CreateChallenge, CreateSession, LoggedIn, Register, Session,
};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// All of one's own sessions, oldest first.
    pub async fn sessions(&self) -> Result<Vec<Session>, ClientError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let request = self.get(&["v1", "sessions"]).query("limit", 200);
            let page: List<Session> = request.query_some("after", after.as_deref()).read().await?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
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
