//! `tidings community create|list`.

use clap::{Args, Subcommand};
use tidings_domain::name;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::output::sanitize;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum CommunityCommand {
    Create(Create),
    List(List),
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

impl CommunityCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(ctx).await,
            Self::List(command) => command.run(ctx).await,
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
        let community = made.cannot("make the community")?;
        if ctx.json {
            return ctx.out.json(&community);
        }
        ctx.out.note("its first channel is there: #general");
        ctx.out.line(&sanitize::line(&community.slug))
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
