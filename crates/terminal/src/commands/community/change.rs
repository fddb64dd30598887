//! `tidings community change`.

use clap::{Args, ValueEnum};
use tidings_domain::CommunityId;
use tidings_wire::Code;
use tidings_wire::community::UpdateCommunity;

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure, Why as _};
use crate::output::sanitize;

/// Change a community: its name, its slug, whether admins decide who comes in; admins only.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings community change acme --name 'Acme Limited'
  tidings community change acme --approval on

With --approval on, whoever uses an invite waits until an admin lets them in: tidings members requests")]
pub(crate) struct Change {
    /// The community's slug.
    community: String,
    /// Another name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Another name in addresses.
    #[arg(long, value_name = "SLUG")]
    slug: Option<String>,
    /// Whether those who use an invite wait until an admin lets them in.
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    approval: Option<Switch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Change {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "change the community";
        if self.name.is_none() && self.slug.is_none() && self.approval.is_none() {
            return Err(Failure::usage("nothing to change")
                .next("say what: --name NAME, --slug SLUG or --approval on|off"));
        }
        let client = ctx.session().await?.client;
        let community = client.resolve_community(Some(&self.community)).await.cannot(WHAT)?;
        let update = UpdateCommunity {
            name: self.name,
            slug: self.slug,
            approval: self.approval.map(|switch| switch == Switch::On),
        };
        let changed = client.update_community(CommunityId(community.id), &update).await;
        let changed = changed.map_err(|error| {
            let failure = error.why(WHAT);
            match error.code() {
                Some(Code::Conflict) => failure.next("choose another slug: --slug SLUG"),
                Some(Code::Forbidden) => failure.next(format!(
                    "ask an admin; `tidings members list {}` shows who that is",
                    self.community
                )),
                _ => failure,
            }
        })?;
        if ctx.json {
            return ctx.out.json(&changed);
        }
        if changed.approval {
            ctx.out.note("whoever uses an invite waits until an admin lets them in");
        }
        ctx.out.line(&sanitize::line(&changed.slug))
    }
}
