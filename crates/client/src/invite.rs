//! Invites.

use tidings_domain::{CommunityId, InviteCode, UserId};
use tidings_wire::List;
use tidings_wire::community::{Accepted, CreateInvite, Invite, InvitePreview, JoinRequest};

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

    /// Joins the community that an invite leads to, or asks its admins to be let in.
    pub async fn accept_invite(&self, code: &InviteCode) -> Result<Accepted, ClientError> {
        self.post(&["v1", "invites", &code.0, "accept"]).read().await
    }

    /// One page of those who wait to be let into a community, and were refused not long ago.
    pub async fn join_requests_page(
        &self,
        community: CommunityId,
        after: Option<&str>,
    ) -> Result<List<JoinRequest>, ClientError> {
        self.get(&["v1", "communities", &community.to_string(), "join-requests"])
            .query("limit", 200)
            .query_some("after", after)
            .read()
            .await
    }

    /// Lets somebody in who asked, or does not.
    pub async fn decide_join_request(
        &self,
        community: CommunityId,
        user: UserId,
        approve: bool,
    ) -> Result<(), ClientError> {
        let verb = if approve { "approve" } else { "refuse" };
        let (community, user) = (community.to_string(), user.to_string());
        self.post(&["v1", "communities", &community, "join-requests", &user, verb]).done().await
    }

    /// Where one asked to be let in.
    pub async fn own_join_requests(&self) -> Result<Vec<JoinRequest>, ClientError> {
        let list: List<JoinRequest> = self.get(&["v1", "me", "join-requests"]).read().await?;
        Ok(list.items)
    }

    /// Takes one's own request to join back.
    pub async fn withdraw_join_request(&self, community: CommunityId) -> Result<(), ClientError> {
        self.delete(&["v1", "me", "join-requests", &community.to_string()]).done().await
    }
}
