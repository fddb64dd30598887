//! Invites.

use tidings_domain::{CommunityId, InviteCode};
use tidings_wire::List;
use tidings_wire::community::{Community, CreateInvite, Invite, InvitePreview};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Makes an invite.
    pub async fn create_invite(
        &self,
        community: CommunityId,
        request: &CreateInvite,
    ) -> Result<Invite, ClientError> {
        self.post(&["v1", "communities", &community.to_string(), "invites"])
            .json(request)
            .read()
            .await
    }

    /// One page of a community's invites.
    pub async fn invites_page(
        &self,
        community: CommunityId,
        after: Option<&str>,
    ) -> Result<List<Invite>, ClientError> {
        self.get(&["v1", "communities", &community.to_string(), "invites"])
            .query("limit", 200)
            .query_some("after", after)
            .read()
            .await
    }

    /// Takes an invite back.
    pub async fn delete_invite(&self, code: &InviteCode) -> Result<(), ClientError> {
        self.delete(&["v1", "invites", &code.0]).done().await
    }

    /// Where an invite leads; needs no session.
    pub async fn invite(&self, code: &InviteCode) -> Result<InvitePreview, ClientError> {
        self.get(&["v1", "invites", &code.0]).read().await
    }

    /// Joins the community that an invite leads to.
    pub async fn accept_invite(&self, code: &InviteCode) -> Result<Community, ClientError> {
        self.post(&["v1", "invites", &code.0, "accept"]).read().await
    }
}
