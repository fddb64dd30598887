//! `tidings invite create|accept|waiting|withdraw`.

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_domain::{CommunityId, InviteCode, Role};
use tidings_wire::Code;
use tidings_wire::community::{Accepted, CreateInvite};

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure, Why as _};
use crate::output::sanitize;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum InviteCommand {
    Create(Create),
    Accept(Accept),
    Waiting(Waiting),
    Withdraw(Withdraw),
}

/// Make an invite; whoever has it can join, and register on the server.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings invite create
  tidings invite create --community acme --max-uses 1 --expires-in 7d
  tidings invite create --approval")]
pub(crate) struct Create {
    /// The community's slug; needed when you are in several.
    #[arg(long, value_name = "SLUG")]
    community: Option<String>,
    /// How often it works; any number of times if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_uses: Option<u32>,
    /// How long it works: 90s, 30m, 12h, 7d, 4w; for ever if absent.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    expires_in: Option<u64>,
    /// What those who use it become: member, admin or owner.
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
    /// Whoever uses it waits until an admin lets them in.
    #[arg(long)]
    approval: bool,
}

/// Join a community by an invite.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings invite accept CODE

Without an account on that server: tidings register --server URL --username NAME --invite CODE")]
pub(crate) struct Accept {
    /// The invite's code or link.
    code: String,
}

/// List the communities that have not let you in yet, or refused you not long ago.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings invite waiting")]
pub(crate) struct Waiting {}

/// Take a request to join back.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings invite withdraw 01a1f8a5-e964-7266-b234-6c6bdecbfc33

`tidings invite waiting` shows the ids.")]
pub(crate) struct Withdraw {
    /// The community's id.
    community: CommunityId,
}

impl InviteCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(ctx).await,
            Self::Accept(command) => command.run(ctx).await,
            Self::Waiting(command) => command.run(ctx).await,
            Self::Withdraw(command) => command.run(ctx).await,
        }
    }
}

impl Create {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let community = session.client.resolve_community(self.community.as_deref()).await;
        let community = community.cannot("make the invite")?;
        let request = CreateInvite {
            max_uses: self.max_uses,
            expires_in_s: self.expires_in,
            role: self.role.map(|role| role.as_str().to_owned()),
            approval: self.approval,
            claims: None,
        };
        let made = session.client.create_invite(CommunityId(community.id), &request).await;
        let invite = made.cannot("make the invite")?;
        if ctx.json {
            return ctx.out.json(&invite);
        }
        ctx.out.note(&format!("an invite to {}; its code is {}", community.name, invite.code));
        ctx.out.line(&sanitize::line(&invite.url))
    }
}

impl Accept {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let code = code_of(&self.code)?;
        let session = ctx.session().await?;
        let accepted = session.client.accept_invite(&code).await.map_err(|error| {
            let failure = error.why("accept the invite");
            match error.code() {
                Some(Code::Forbidden) => failure.next("tidings invite waiting"),
                Some(Code::NotFound | Code::Gone) => {
                    failure.next("ask for a new invite: this one is wrong, old or used")
                }
                _ => failure,
            }
        })?;
        if ctx.json {
            return ctx.out.json(&accepted);
        }
        match accepted {
            Accepted::Joined(community) => {
                ctx.out.note(&format!("you are in {} now", community.name));
                ctx.out.line(&sanitize::line(&community.slug))
            }
            Accepted::Waiting(request) => {
                ctx.out.note(&format!("an admin of {} has to let you in", request.community));
                Ok(())
            }
        }
    }
}

impl Waiting {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let client = ctx.session().await?.client;
        let requests = client.own_join_requests().await.cannot("list where you wait")?;
        if ctx.json {
            return requests.iter().try_for_each(|request| ctx.out.json(request));
        }
        let mut table = Table::new(["COMMUNITY", "STATE", "ASKED", "ID"]);
        for request in requests {
            let asked = ctx.cell_time(request.created_at);
            let id = request.community_id.to_string();
            table.row([request.community, request.state, asked, id]);
        }
        table.print(&ctx.out, "You wait nowhere.")
    }
}

impl Withdraw {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let client = ctx.session().await?.client;
        client.withdraw_join_request(self.community).await.map_err(|error| {
            let failure = error.why("withdraw the request");
            match error.code() {
                Some(Code::NotFound) => failure.next("tidings invite waiting"),
                _ => failure,
            }
        })?;
        if ctx.json {
            return ctx.out.json(&json!({"community_id": self.community.0, "withdrawn": true}));
        }
        ctx.out.note("withdrawn");
        Ok(())
    }
}

/// The code in what somebody was sent: the code itself, or a link that ends in it.
pub(crate) fn code_of(text: &str) -> Result<InviteCode, Failure> {
    let text = text.trim().trim_end_matches('/');
    let code = text.rsplit('/').next().unwrap_or(text);
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if code.is_empty() || code.len() > 128 || !code.bytes().all(fine) {
        return Err(Failure::usage("this is no invite").next("give its code, or the whole link"));
    }
    Ok(InviteCode(code.to_owned()))
}

/// A length of time with a unit, in seconds.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || "write a number and a unit: 90s, 30m, 12h, 7d, 4w".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let number: u64 =
        text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    number.checked_mul(factor).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_links() {
        for text in ["aB3_-x", "https://chat.example.org/invite/aB3_-x", " http://h/i/aB3_-x/ "] {
            assert_eq!(code_of(text).unwrap().0, "aB3_-x", "{text}");
        }
        for bad in ["", "a b", "http://h/i/é", "a?b"] {
            assert!(code_of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("7d"), Ok(604_800));
        for bad in ["", "7", "d", "0d", "-1d", "7y", "é", "99999999999999999999w"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
