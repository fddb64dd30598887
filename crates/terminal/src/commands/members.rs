//! `tidings members list|role|kick`; bans and mutes stand in [`restrict`], who waits to be let in
//! in [`requests`].

mod requests;
mod restrict;

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_client::{ClientError, PersonRef};
use tidings_domain::{CommunityId, Role, UserId};
use tidings_wire::Code;

use restrict::{Ban, Bans, Mute, Mutes, Nick, Unban, Unmute};

use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure, Why as _};
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum MembersCommand {
    List(List),
    Role(SetRole),
    Kick(Kick),
    Ban(Ban),
    Unban(Unban),
    Bans(Bans),
    Mute(Mute),
    Unmute(Unmute),
    Mutes(Mutes),
    Nick(Nick),
    Requests(requests::Requests),
    Approve(requests::Approve),
    Refuse(requests::Refuse),
}

/// List who is in a community.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings members list
  tidings members list acme --json | jq -r 'select(.role == \"owner\") | .user.username'")]
pub(crate) struct List {
    /// The community's slug; needed when you are in several.
    community: Option<String>,
}

/// Make somebody owner, admin or member; only owners can.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings members role acme @bob admin
  tidings members role acme @bob member

Admins moderate, and manage channels and invites. Owners also make admins and owners. A community
keeps at least one owner.")]
pub(crate) struct SetRole {
    /// The community's slug.
    community: String,
    /// Who: @name or an id.
    #[arg(value_name = "@PERSON")]
    person: PersonRef,
    /// owner, admin or member.
    role: Role,
}

/// Take somebody out of a community and all of its channels.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings members kick acme @mallory

Admins take out members, owners everybody. What the person has written stays, and an invite lets
them in again. To leave a community yourself: tidings community leave")]
pub(crate) struct Kick {
    /// The community's slug.
    community: String,
    /// Who: @name or an id.
    #[arg(value_name = "@PERSON")]
    person: PersonRef,
}

impl MembersCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(ctx).await,
            Self::Role(command) => command.run(ctx).await,
            Self::Kick(command) => command.run(ctx).await,
            Self::Ban(command) => command.run(ctx).await,
            Self::Unban(command) => command.run(ctx).await,
            Self::Bans(command) => command.run(ctx).await,
            Self::Mute(command) => command.run(ctx).await,
            Self::Unmute(command) => command.run(ctx).await,
            Self::Mutes(command) => command.run(ctx).await,
            Self::Nick(command) => command.run(ctx).await,
            Self::Requests(command) => command.run(ctx).await,
            Self::Approve(command) => command.run(ctx).await,
            Self::Refuse(command) => command.run(ctx).await,
        }
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "list the members";
        let Session { client, .. } = ctx.session().await?;
        let community = client.resolve_community(self.community.as_deref()).await;
        let community = community.map_err(|error| {
            let failure = error.why(WHAT);
            match error {
                tidings_client::resolve::ResolveError::AmbiguousCommunity { .. } => {
                    failure.next("choose one: tidings members list SLUG")
                }
                _ => failure,
            }
        })?;
        let mut table = Table::new(["MEMBER", "NAME", "ROLE", "JOINED"]);
        let mut after: Option<String> = None;
        loop {
            let id = CommunityId(community.id);
            let page = client.members_page(id, after.as_deref()).await.cannot(WHAT)?;
            for member in page.items {
                if ctx.json {
                    ctx.out.json(&member)?;
                    continue;
                }
                table.row([
                    format!("@{}", member.user.username),
                    member.user.display_name,
                    member.role,
                    ctx.cell_day(member.joined_at),
                ]);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if ctx.json { Ok(()) } else { table.print(&ctx.out, "Nobody is in it.") }
    }
}

impl SetRole {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "change the role";
        let session = ctx.session().await?;
        let (community, user) = resolve(&session, &self.community, &self.person, WHAT).await?;
        let done = session.client.set_role(community, user, self.role).await;
        done.map_err(|error| explain(&error, WHAT, &self.community, &self.person))?;
        if ctx.json {
            return ctx.out.json(&json!({
                "community_id": community.0, "user_id": user.0, "role": self.role.as_str(),
            }));
        }
        ctx.out.note(&format!("{} is now {} of {}", self.person, self.role, self.community));
        Ok(())
    }
}

impl Kick {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "take them out";
        let session = ctx.session().await?;
        let (community, user) = resolve(&session, &self.community, &self.person, WHAT).await?;
        if session.account.user_id == Some(user.0) {
            return Err(Failure::usage("this is you")
                .next(format!("to leave: tidings community leave {}", self.community)));
        }
        let done = session.client.remove_member(community, user).await;
        done.map_err(|error| explain(&error, WHAT, &self.community, &self.person))?;
        if ctx.json {
            return ctx.out.json(&json!({
                "community_id": community.0, "user_id": user.0, "kicked": true,
            }));
        }
        ctx.out.note(&format!("{} is out of {}", self.person, self.community));
        Ok(())
    }
}

async fn resolve(
    session: &Session,
    slug: &str,
    person: &PersonRef,
    what: &str,
) -> Result<(CommunityId, UserId), Failure> {
    let community = session.client.resolve_community(Some(slug)).await.cannot(what)?;
    let user = session.client.resolve_person(person).await.cannot(what)?;
    Ok((CommunityId(community.id), user))
}

/// What a refusal means for a member.
fn explain(error: &ClientError, what: &str, slug: &str, person: &PersonRef) -> Failure {
    let failure = error.why(what);
    match error.code() {
        Some(Code::NotFound) => {
            let line = format!("cannot {what}: {person} is not in {slug}");
            Failure { line, ..failure }.next(format!("tidings members list {slug}"))
        }
        Some(Code::Forbidden) => {
            failure.next(format!("ask an owner; `tidings members list {slug}` shows who that is"))
        }
        Some(Code::Conflict) => failure.next(format!(
            "make somebody else owner first: tidings members role {slug} @PERSON owner"
        )),
        _ => failure,
    }
}
