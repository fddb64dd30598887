//! `tidings members ban|unban|bans|mute|unmute|mutes|nick`.

use clap::Args;
use serde_json::json;
use tidings_client::PersonRef;
use tidings_domain::{CommunityId, RestrictionKind, UserId};
use tidings_wire::Time;
use tidings_wire::moderation::Restrict;

use super::{explain, resolve};
use crate::commands::invite::seconds;
use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure, Why as _};
use crate::output::table::Table;

/// Who in which community.
#[derive(Debug, Args)]
struct Whom {
    /// The community's slug.
    community: String,
    /// Who: @name or an id.
    #[arg(value_name = "@PERSON")]
    person: PersonRef,
}

/// Until when, and why.
#[derive(Debug, Args)]
struct Terms {
    /// How long: 90s, 30m, 12h, 7d, 4w; until it is lifted if absent.
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    time: Option<u64>,
    /// Why; admins see it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Shut somebody out of a community; no invite lets them in until the ban ends.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings members ban acme @mallory
  tidings members ban acme @mallory --for 7d --reason 'spam'

Admins ban members, owners everybody but themselves. It works on people who have left, too. What
they have written stays; `tidings channel purge` deletes it.")]
pub(crate) struct Ban {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    terms: Terms,
}

/// Lift a ban; an invite lets the person in again.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings members unban acme @mallory")]
pub(crate) struct Unban {
    #[command(flatten)]
    whom: Whom,
}

/// List who is banned from a community.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings members bans
  tidings members bans acme --json | jq -r '.user.username'")]
pub(crate) struct Bans {
    /// The community's slug; needed when you are in several.
    community: Option<String>,
}

impl Ban {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let Self { whom, terms } = self;
        decide(ctx, RestrictionKind::Ban, &whom, terms, "ban them", "is banned from").await
    }
}

impl Unban {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        lift(ctx, RestrictionKind::Ban, &self.whom, "unban them", "may come back to").await
    }
}

impl Bans {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        list(ctx, RestrictionKind::Ban, self.community.as_deref(), "list the bans").await
    }
}

/// Keep a member from posting, editing and reacting; they can still read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings members mute acme @mallory
  tidings members mute acme @mallory --for 7d --reason 'calm down'

Admins mute members, owners everybody but themselves. Direct messages are not touched.")]
pub(crate) struct Mute {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    terms: Terms,
}

/// Let a muted member speak again.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings members unmute acme @mallory")]
pub(crate) struct Unmute {
    #[command(flatten)]
    whom: Whom,
}

/// List who is muted in a community.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings members mutes
  tidings members mutes acme --json | jq -r '.user.username'")]
pub(crate) struct Mutes {
    /// The community's slug; needed when you are in several.
    community: Option<String>,
}

impl Mute {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let Self { whom, terms } = self;
        decide(ctx, RestrictionKind::Mute, &whom, terms, "mute them", "is muted in").await
    }
}

impl Unmute {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        lift(ctx, RestrictionKind::Mute, &self.whom, "unmute them", "may speak again in").await
    }
}

impl Mutes {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        list(ctx, RestrictionKind::Mute, self.community.as_deref(), "list the mutes").await
    }
}

/// Change what somebody is called in a community: yourself, or as an admin somebody else.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings members nick acme @ana 'Ana (on call)'
  tidings members nick acme @ana ''               like everywhere again")]
pub(crate) struct Nick {
    #[command(flatten)]
    whom: Whom,
    /// The name, at most 64 characters; empty for like everywhere.
    #[arg(value_name = "NAME")]
    nickname: String,
}

impl Nick {
    pub(super) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "change the nickname";
        let Whom { community: slug, person } = &self.whom;
        let session = ctx.session().await?;
        let (community, user) = resolve(&session, slug, person, WHAT).await?;
        let named = session.client.set_nickname(community, user, &self.nickname).await;
        let member = named.map_err(|error| explain(&error, WHAT, slug, person))?;
        if ctx.json {
            return ctx.out.json(&member);
        }
        let told = member.nickname.as_deref().unwrap_or("like everywhere");
        ctx.out.note(&format!("{person} is called {told} in {slug}"));
        Ok(())
    }
}

async fn decide(
    ctx: &Ctx,
    kind: RestrictionKind,
    whom: &Whom,
    terms: Terms,
    what: &'static str,
    done: &str,
) -> Result<(), Failure> {
    let Whom { community: slug, person } = whom;
    let session = ctx.session().await?;
    let (community, user) = resolve(&session, slug, person, what).await?;
    if session.account.user_id == Some(user.0) {
        return Err(Failure::usage("this is you").next("name somebody else"));
    }
    let until = terms
        .time
        .map(|seconds| Time(ctx.now().plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))));
    let request = Restrict { reason: terms.reason, until };
    let answer = session.client.restrict(kind, community, user, &request).await;
    answer.map_err(|error| explain(&error, what, slug, person))?;
    if ctx.json {
        return ctx.out.json(&json!({
            "community_id": community.0, "user_id": user.0, "kind": kind.as_str(), "until": until,
        }));
    }
    let end = until.map_or_else(String::new, |until| format!(" until {}", ctx.show_time(until)));
    ctx.out.note(&format!("{person} {done} {slug}{end}"));
    Ok(())
}

async fn lift(
    ctx: &Ctx,
    kind: RestrictionKind,
    whom: &Whom,
    what: &'static str,
    done: &str,
) -> Result<(), Failure> {
    let Whom { community: slug, person } = whom;
    let session = ctx.session().await?;
    let community = session.client.resolve_community(Some(slug)).await.cannot(what)?;
    let community = CommunityId(community.id);
    // Who is banned shares no room any more, so their name is found in the list only.
    let listed = session.client.restrictions(kind, community).await.cannot(what)?;
    let named = listed.iter().find(|row| match person {
        PersonRef::Id(id) => row.user.id == id.0,
        PersonRef::Name(name) => row.user.username == *name,
    });
    let user = match named {
        Some(row) => UserId(row.user.id),
        None => resolve(&session, slug, person, what).await?.1,
    };
    let answer = session.client.unrestrict(kind, community, user).await;
    answer.map_err(|error| explain(&error, what, slug, person))?;
    if ctx.json {
        return ctx.out.json(&json!({
            "community_id": community.0, "user_id": user.0, "kind": kind.as_str(), "lifted": true,
        }));
    }
    ctx.out.note(&format!("{person} {done} {slug}"));
    Ok(())
}

async fn list(
    ctx: &Ctx,
    kind: RestrictionKind,
    slug: Option<&str>,
    what: &'static str,
) -> Result<(), Failure> {
    let Session { client, .. } = ctx.session().await?;
    let community = client.resolve_community(slug).await.cannot(what)?;
    let rows = client.restrictions(kind, CommunityId(community.id)).await;
    let rows = rows.map_err(|error| {
        let failure = error.why(what);
        match error.code() {
            Some(tidings_wire::Code::Forbidden) => failure.next("only admins and owners can"),
            _ => failure,
        }
    })?;
    if ctx.json {
        return rows.iter().try_for_each(|row| ctx.out.json(row));
    }
    let mut table = Table::new(["MEMBER", "UNTIL", "SINCE", "REASON"]);
    for row in rows {
        table.row([
            format!("@{}", row.user.username),
            row.until.map_or_else(|| "-".to_owned(), |until| ctx.cell_time(until)),
            ctx.cell_time(row.created_at),
            row.reason.unwrap_or_default(),
        ]);
    }
    table.print(&ctx.out, "Nobody.")
}
