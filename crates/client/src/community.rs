//! Communities and their members.

use tidings_domain::{CommunityId, Role, UserId};
use tidings_wire::List;
use tidings_wire::community::{Community, CreateCommunity, Member, UpdateCommunity, UpdateMember};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Makes a community with `#general` in it; the caller owns it.
    pub async fn create_community(&self, name: &str, slug: &str) -> Result<Community, ClientError> {
        let request = CreateCommunity { name: name.to_owned(), slug: slug.to_owned() };
        self.post(&["v1", "communities"]).json(&request).read().await
    }

    /// One page of the communities that the caller is in.
    pub async fn communities_page(
        &self,
        after: Option<&str>,
    ) -> Result<List<Community>, ClientError> {
        self.get(&["v1", "communities"]).query("limit", 200).query_some("after", after).read().await
    }

    /// All communities that the caller is in.
    pub async fn communities(&self) -> Result<Vec<Community>, ClientError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page = self.communities_page(after.as_deref()).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// One community.
    pub async fn community(&self, id: CommunityId) -> Result<Community, ClientError> {
        self.get(&["v1", "communities", &id.to_string()]).read().await
    }

    /// Changes a community; what is absent in `change` stays.
    pub async fn update_community(
        &self,
        id: CommunityId,
        change: &UpdateCommunity,
    ) -> Result<Community, ClientError> {
        self.patch(&["v1", "communities", &id.to_string()]).json(change).read().await
    }

    /// One page of a community's members.
    pub async fn members_page(
        &self,
        id: CommunityId,
        after: Option<&str>,
    ) -> Result<List<Member>, ClientError> {
        self.get(&["v1", "communities", &id.to_string(), "members"])
            .query("limit", 200)
            .query_some("after", after)
            .read()
            .await
    }

    /// Gives a member another role.
    pub async fn set_role(
        &self,
        id: CommunityId,
        user: UserId,
        role: Role,
    ) -> Result<(), ClientError> {
        self.patch(&["v1", "communities", &id.to_string(), "members", &user.to_string()])
            .json(&UpdateMember { role: Some(role.as_str().to_owned()), nickname: None })
            .done()
            .await
    }

    /// Removes a member; removing oneself is leaving.
    pub async fn remove_member(&self, id: CommunityId, user: UserId) -> Result<(), ClientError> {
        self.delete(&["v1", "communities", &id.to_string(), "members", &user.to_string()])
            .done()
            .await
    }
}
