//! What only the server's owner may do.

use tidings_domain::UserId;
use tidings_wire::account::ResetCode;
use tidings_wire::import::ImportResult;

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Imports a batch of records, one JSON value per line; safe to repeat.
    pub async fn import(&self, ndjson: Vec<u8>) -> Result<ImportResult, ClientError> {
        self.post(&["v1", "admin", "imports"])
            .body("application/x-ndjson", ndjson)
            .timeout(std::time::Duration::from_mins(2))
            .read()
            .await
    }

    /// A code with which a person who lost phrase and devices registers anew under their username.
    pub async fn reset_user(&self, id: UserId) -> Result<ResetCode, ClientError> {
        self.post(&["v1", "admin", "users", &id.to_string(), "reset"]).read().await
    }
}
