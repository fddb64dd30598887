//! What admins do: bans, mutes, deleting many messages, and the log of all of it.

use tidings_domain::{ChannelId, CommunityId, RestrictionKind, UserId};
use tidings_wire::List;
use tidings_wire::channel::{Purge, Purged};
use tidings_wire::command::{CommandReply, CommandResult, CommandSpec, RunCommand, SetCommands};
use tidings_wire::community::{Member, UpdateMember};
use tidings_wire::moderation::{AuditEntry, Restrict, Restriction};
use uuid::Uuid;

use crate::client::Client;
use crate::error::ClientError;

const fn noun(kind: RestrictionKind) -> &'static str {
    match kind {
        RestrictionKind::Ban => "bans",
        RestrictionKind::Mute => "mutes",
    }
}

impl Client {
    /// Bans or mutes somebody; again replaces reason and end.
    pub async fn restrict(
        &self,
        kind: RestrictionKind,
        id: CommunityId,
        user: UserId,
        request: &Restrict,
    ) -> Result<(), ClientError> {
        self.put(&["v1", "communities", &id.to_string(), noun(kind), &user.to_string()])
            .json(request)
            .done()
            .await
    }

    /// Lifts a ban or mute; harmless when none stands.
    pub async fn unrestrict(
        &self,
        kind: RestrictionKind,
        id: CommunityId,
        user: UserId,
    ) -> Result<(), ClientError> {
        self.delete(&["v1", "communities", &id.to_string(), noun(kind), &user.to_string()])
            .done()
            .await
    }

    /// All bans or mutes that stand in a community.
    pub async fn restrictions(
        &self,
        kind: RestrictionKind,
        id: CommunityId,
    ) -> Result<Vec<Restriction>, ClientError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page: List<Restriction> = self
                .get(&["v1", "communities", &id.to_string(), noun(kind)])
                .query("limit", 200)
                .query_some("after", after.as_deref())
                .read()
                .await?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// Changes what a member is called in a community; empty for like everywhere.
    pub async fn set_nickname(
        &self,
        id: CommunityId,
        user: UserId,
        nickname: &str,
    ) -> Result<Member, ClientError> {
        self.patch(&["v1", "communities", &id.to_string(), "members", &user.to_string()])
            .json(&UpdateMember { role: None, nickname: Some(nickname.to_owned()) })
            .read()
            .await
    }

    /// Deletes many messages, at most 500 at a time.
    pub async fn purge(&self, id: ChannelId, request: &Purge) -> Result<Purged, ClientError> {
        self.post(&["v1", "channels", &id.to_string(), "purge"]).json(request).read().await
    }

    /// Runs a slash command in a channel or DM.
    pub async fn run_command(
        &self,
        id: ChannelId,
        text: &str,
    ) -> Result<CommandResult, ClientError> {
        self.post(&["v1", "channels", &id.to_string(), "commands"])
            .json(&RunCommand { text: text.to_owned() })
            .read()
            .await
    }

    /// The slash commands that one may run in a community.
    pub async fn commands(&self, id: CommunityId) -> Result<List<CommandSpec>, ClientError> {
        self.get(&["v1", "communities", &id.to_string(), "commands"]).read().await
    }

    /// Says what commands a bot has, in place of those before. For the bot itself, and for admins.
    pub async fn set_bot_commands(
        &self,
        bot: UserId,
        commands: &SetCommands,
    ) -> Result<List<CommandSpec>, ClientError> {
        self.put(&["v1", "bots", &bot.to_string(), "commands"]).json(commands).read().await
    }

    /// The commands of a bot. For the bot itself, and for admins.
    pub async fn bot_commands(&self, bot: UserId) -> Result<List<CommandSpec>, ClientError> {
        self.get(&["v1", "bots", &bot.to_string(), "commands"]).read().await
    }

    /// Answers a command that was run, as the bot whose command it is.
    pub async fn answer_command(
        &self,
        invocation: Uuid,
        reply: &CommandReply,
    ) -> Result<CommandResult, ClientError> {
        self.post(&["v1", "invocations", &invocation.to_string(), "reply"]).json(reply).read().await
    }

    /// One page of what administrators did in a community, newest first; `after` goes on to
    /// older acts.
    pub async fn audit_page(
        &self,
        id: CommunityId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<List<AuditEntry>, ClientError> {
        self.get(&["v1", "communities", &id.to_string(), "audit"])
            .query("limit", limit)
            .query_some("after", after)
            .read()
            .await
    }

    /// As [`Client::audit_page`], of what was done to the whole server; for its owner.
    pub async fn server_audit_page(
        &self,
        after: Option<&str>,
        limit: u16,
    ) -> Result<List<AuditEntry>, ClientError> {
        self.get(&["v1", "admin", "audit"])
            .query("limit", limit)
            .query_some("after", after)
            .read()
            .await
    }
}
