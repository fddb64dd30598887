//! Bots and API tokens: making, listing and ending them.

use tidings_domain::{CommunityId, TokenId, UserId};
use tidings_wire::List;
use tidings_wire::bot::{Bot, CreateBot, CreateToken, Token};

use crate::client::Client;
use crate::error::ClientError;

impl Client {
    /// Makes a bot in a community.
    pub async fn create_bot(
        &self,
        community: CommunityId,
        request: &CreateBot,
    ) -> Result<Bot, ClientError> {
        self.post(&["v1", "communities", &community.to_string(), "bots"]).json(request).read().await
    }

    /// The bots of a community, oldest first.
    pub async fn bots(&self, community: CommunityId) -> Result<Vec<Bot>, ClientError> {
        let list: List<Bot> =
            self.get(&["v1", "communities", &community.to_string(), "bots"]).read().await?;
        Ok(list.items)
    }

    /// Ends a bot; what it said stays.
    pub async fn delete_bot(&self, id: UserId) -> Result<(), ClientError> {
        self.delete(&["v1", "bots", &id.to_string()]).done().await
    }

    /// Makes a token of a bot. The answer is the only place where its secret stands.
    pub async fn create_bot_token(
        &self,
        bot: UserId,
        request: &CreateToken,
    ) -> Result<Token, ClientError> {
        self.post(&["v1", "bots", &bot.to_string(), "tokens"]).json(request).read().await
    }

    /// The tokens of a bot that still work, oldest first.
    pub async fn bot_tokens(&self, bot: UserId) -> Result<Vec<Token>, ClientError> {
        let list: List<Token> =
            self.get(&["v1", "bots", &bot.to_string(), "tokens"]).read().await?;
        Ok(list.items)
    }

    /// Makes a token of one's own. The answer is the only place where its secret stands.
    pub async fn create_token(&self, request: &CreateToken) -> Result<Token, ClientError> {
        self.post(&["v1", "tokens"]).json(request).read().await
    }

    /// One's own tokens that still work, oldest first.
    pub async fn tokens(&self) -> Result<Vec<Token>, ClientError> {
        let list: List<Token> = self.get(&["v1", "tokens"]).read().await?;
        Ok(list.items)
    }

    /// Revokes a token: one's own, or a bot's.
    pub async fn delete_token(&self, id: TokenId) -> Result<(), ClientError> {
        self.delete(&["v1", "tokens", &id.to_string()]).done().await
    }
}
