//! Sigchains as the server keeps them.

use serde_json::value::RawValue;
use tidings_domain::IdentityKey;
use tidings_wire::account::{AppendChain, ChainPage};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// One page of a sigchain: the envelopes after `after` (the `next` of the page before), from
    /// the beginning when absent. Nothing is validated here; [`Client::fetch_chain`] does.
    pub async fn chain_page(
        &self,
        identity: IdentityKey,
        after: Option<&str>,
    ) -> Result<ChainPage, ClientError> {
        self.get(&["v1", "identities", &identity.to_string(), "chain"])
            .query_some("after", after)
            .read()
            .await
    }

    /// Appends envelopes to the chain of an identity that has an account here. No session is
    /// needed: the signatures are the right. `conflict` when another entry was faster.
    pub async fn append_chain(
        &self,
        identity: IdentityKey,
        items: Vec<Box<RawValue>>,
    ) -> Result<(), ClientError> {
        self.post(&["v1", "identities", &identity.to_string(), "chain"])
            .json(&AppendChain { items })
            .done()
            .await
    }
}
