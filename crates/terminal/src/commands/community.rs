//! `tidings community create|list|change|leave`.

mod change;

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_domain::{CommunityId, UserId, name};
use tidings_wire::Code;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure, Why as _};
use crate::output::sanitize;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum CommunityCommand {
    Create(Create),
    List(List),
    Change(change::Change),
    Leave(Leave),
}

/// Make a community; it has #general, and you own it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings community create Acme
  tidings community create 'Acme & Friends' --slug acme")]
pub(crate) struct Create {
    /// The name that people read.
    name: String,
    /// The name in addresses; made from the name if absent.
    #[arg(long, value_name = "SLUG")]
    slug: Option<String>,
}

/// List the communities that you are in.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings community list")]
pub(crate) struct List {}

/// Leave a community and all of its channels.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings community leave acme

What you have written stays. You come back by an invite. The last owner cannot leave.")]
pub(crate) struct Leave {
    /// The community's slug.
    community: String,
}

impl CommunityCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(ctx).await,
            Self::List(command) => command.run(ctx).await,
            Self::Change(command) => command.run(ctx).await,
            Self::Leave(command) => command.run(ctx).await,
        }
    }
}

impl Create {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let slug = match self.slug {
            Some(slug) => slug,
            None => slug_of(&self.name).ok_or_else(|| {
                Failure::usage("no slug can be made from this name")
                    .next("choose one of letters, digits and -: --slug SLUG")
            })?,
        };
        let session = ctx.session().await?;
        let made = session.client.create_community(&self.name, &slug).await;
        let community = made.map_err(|error| {
            let failure = error.why("make the community");
            match error.code() {
                Some(Code::Conflict) => {
                    failure.next("choose another name in addresses: --slug SLUG")
                }
                _ => failure,
            }
        })?;
        if ctx.json {
            return ctx.out.json(&community);
        }
        ctx.out.note("its first channel is there: #general");
        ctx.out.line(&sanitize::line(&community.slug))
    }
}

impl Leave {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "leave the community";
        let session = ctx.session().await?;
        let community =
            session.client.resolve_community(Some(&self.community)).await.cannot(WHAT)?;
        let me = UserId(session.account.user_id.unwrap_or_default());
        let left = session.client.remove_member(CommunityId(community.id), me).await;
        left.map_err(|error| {
            let failure = error.why(WHAT);
            match error.code() {
                Some(Code::Conflict) => failure.next(format!(
                    "make somebody else owner first: tidings members role {} @PERSON owner",
                    self.community
                )),
                _ => failure,
            }
        })?;
        if ctx.json {
            return ctx.out.json(&json!({"community_id": community.id, "left": true}));
        }
        ctx.out.note(&format!("left {}", self.community));
        Ok(())
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let communities = session.client.communities().await.cannot("list the communities")?;
        if ctx.json {
            return communities.iter().try_for_each(|community| ctx.out.json(community));
        }
        let mut table = Table::new(["SLUG", "NAME", "ROLE", "ID"]);
        for community in communities {
            let id = community.id.to_string();
            table.row([community.slug, community.name, community.my_role, id]);
        }
        table.print(&ctx.out, "You are in no community yet: tidings community create NAME")
    }
}

/// A slug like the name: its ASCII letters and digits in lower case, the rest as single dashes.
fn slug_of(name: &str) -> Option<String> {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    name::slug(slug).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_look_like_their_names() {
        for (name, slug) in [
            ("Acme", Some("acme")),
            ("  Acme & Friends! ", Some("acme-friends")),
            ("Café 9", Some("caf-9")),
            ("日本語", None),
            ("", None),
        ] {
            assert_eq!(slug_of(name).as_deref(), slug, "{name}");
        }
    }
}
