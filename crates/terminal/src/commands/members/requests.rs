//! `tidings members requests|approve|refuse`: who waits to be let in.

use clap::Args;
use serde_json::json;
use tidings_client::PersonRef;
use tidings_domain::{CommunityId, UserId};
use tidings_wire::Code;
use tidings_wire::community::JoinRequest;

use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure, Why as _};
use crate::output::table::Table;

/// List who waits to be let into a community, and who was refused not long ago; admins only.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings members requests
  tidings members requests acme --json | jq -r 'select(.state == \"waiting\") | .user.username'")]
pub(crate) struct Requests {
    /// The community's slug; needed when you are in several.
    community: Option<String>,
}

/// Let somebody in who asked; admins only.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings members approve acme @bob

Who was refused can be let in all the same.")]
pub(crate) struct Approve {
    /// The community's slug.
    community: String,
    /// Who: @name or an id.
    #[arg(value_name = "@PERSON")]
    person: PersonRef,
}

/// Do not let somebody in who asked; admins only.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings members refuse acme @mallory

They are told, and cannot ask again for a week.")]
pub(crate) struct Refuse {
    /// The community's slug.
    community: String,
    /// Who: @name or an id.
    #[arg(value_name = "@PERSON")]
    person: PersonRef,
}

impl Requests {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "list the requests";
        let session = ctx.session().await?;
        let community = session.client.resolve_community(self.community.as_deref()).await;
        let community = community.cannot(WHAT)?;
        let mut table = Table::new(["PERSON", "NAME", "STATE", "ROLE", "ASKED"]);
        for request in all(&session, CommunityId(community.id), WHAT).await? {
            if ctx.json {
                ctx.out.json(&request)?;
                continue;
            }
            table.row([
                format!("@{}", request.user.username),
                request.user.display_name,
                request.state,
                request.role,
                ctx.cell_time(request.created_at),
            ]);
        }
        if ctx.json { Ok(()) } else { table.print(&ctx.out, "Nobody waits.") }
    }
}

impl Approve {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        decide(ctx, &self.community, &self.person, true).await
    }
}

impl Refuse {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        decide(ctx, &self.community, &self.person, false).await
    }
}

async fn all(session: &Session, id: CommunityId, what: &str) -> Result<Vec<JoinRequest>, Failure> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = session.client.join_requests_page(id, after.as_deref()).await;
        let page = page.map_err(|error| {
            let failure = error.why(what);
            match error.code() {
                Some(Code::Forbidden) => {
                    failure.next("ask an admin; `tidings members list` shows who that is")
                }
                _ => failure,
            }
        })?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

async fn decide(ctx: &Ctx, slug: &str, person: &PersonRef, approve: bool) -> Result<(), Failure> {
    let what = if approve { "let them in" } else { "refuse them" };
    let session = ctx.session().await?;
    let community = session.client.resolve_community(Some(slug)).await.cannot(what)?;
    let id = CommunityId(community.id);
    // Whoever asks shares no room with the admin yet, so only the list tells who a name is.
    let requests = all(&session, id, what).await?;
    let asked = requests.iter().find(|request| match person {
        PersonRef::Id(id) => request.user.id == id.0,
        PersonRef::Name(name) => request.user.username.eq_ignore_ascii_case(name),
    });
    let Some(request) = asked else {
        return Err(Failure::new(format!("{person} has not asked to join {slug}"))
            .next(format!("tidings members requests {slug}")));
    };
    let user = UserId(request.user.id);
    session.client.decide_join_request(id, user, approve).await.cannot(what)?;
    if ctx.json {
        return ctx.out.json(&json!({
            "community_id": community.id, "user_id": user.0, "approved": approve,
        }));
    }
    let done = if approve { "is in" } else { "was refused by" };
    ctx.out.note(&format!("{person} {done} {slug}"));
    Ok(())
}
