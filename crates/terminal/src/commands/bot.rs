//! `tidings bot create|list|delete`.

use clap::{Args, Subcommand};
use serde_json::json;
use tidings_client::Client;
use tidings_domain::{CommunityId, Scope, UserId};
use tidings_wire::bot::{Bot, CreateBot, CreateToken};

use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::output::sanitize;
use crate::output::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum BotCommand {
    Create(Create),
    List(List),
    Delete(Delete),
}

/// Make a bot and its first token, which is printed once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings bot create deploy
  tidings bot create weather --community acme --scope messages:write

The token goes into the bot's configuration; whoever has it is the bot. Make more of them, or one that
ends by itself, with `tidings token create --bot NAME`.")]
pub(crate) struct Create {
    /// The bot's username.
    name: String,
    /// The community's slug; needed when you are in several.
    #[arg(long, value_name = "SLUG")]
    community: Option<String>,
    /// What it may do; give it several times. If absent: read and write messages, see channels and
    /// members, react, and run commands.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<Scope>,
}

/// List the bots of a community.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings bot list")]
pub(crate) struct List {
    /// The community's slug; needed when you are in several.
    #[arg(long, value_name = "SLUG")]
    community: Option<String>,
}

/// Delete a bot: its tokens end and it leaves; what it said stays.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidings bot delete deploy")]
pub(crate) struct Delete {
    /// The bot's username or id.
    bot: String,
    /// The community's slug; needed when you are in several.
    #[arg(long, value_name = "SLUG")]
    community: Option<String>,
}

/// What a bot may do unless something else is asked for: take part in open talk.
const USUAL: [Scope; 6] = [
    Scope::MessagesRead,
    Scope::MessagesWrite,
    Scope::ChannelsRead,
    Scope::MembersRead,
    Scope::ReactionsWrite,
    Scope::CommandsRun,
];

impl BotCommand {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(ctx).await,
            Self::List(command) => command.run(ctx).await,
            Self::Delete(command) => command.run(ctx).await,
        }
    }
}

impl Create {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        const WHAT: &str = "make the bot";
        let session = ctx.session().await?;
        let community = session.client.resolve_community(self.community.as_deref()).await;
        let community = community.cannot(WHAT)?;
        let scopes = if self.scopes.is_empty() { &USUAL[..] } else { &self.scopes };
        let request = CreateBot { name: self.name, display_name: None, scopes: words(scopes) };
        let bot = session.client.create_bot(CommunityId(community.id), &request).await;
        let bot = bot.cannot(WHAT)?;
        let request = CreateToken { name: "first".to_owned(), ..CreateToken::default() };
        let token = session.client.create_bot_token(UserId(bot.id), &request).await;
        let token = token.cannot("make its token")?;
        if ctx.json {
            return ctx.out.json(&json!({"bot": bot, "token": token}));
        }
        let name = sanitize::line(&bot.username).into_owned();
        ctx.out.note(&format!("made @{name} in {}; this is its token, shown once", community.name));
        let secret = token.token.map(|secret| secret.0).unwrap_or_default();
        ctx.out.line(&sanitize::line(&secret))
    }
}

impl List {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let bots = all(&session.client, self.community.as_deref(), "list the bots").await?;
        if ctx.json {
            return bots.iter().try_for_each(|bot| ctx.out.json(bot));
        }
        let mut table = Table::new(["NAME", "MADE", "SCOPES", "ID"]);
        for bot in bots {
            let made = ctx.cell_day(bot.created_at);
            table.row([bot.username, made, bot.scopes.join(" "), bot.id.to_string()]);
        }
        table.print(&ctx.out, "There is no bot.")
    }
}

impl Delete {
    async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session().await?;
        let bot = find(&session.client, self.community.as_deref(), &self.bot).await?;
        session.client.delete_bot(UserId(bot.id)).await.cannot("delete the bot")?;
        if ctx.json {
            return ctx.out.json(&json!({"bot_id": bot.id, "deleted": true}));
        }
        ctx.out.note(&format!("deleted @{}; its tokens have ended", bot.username));
        Ok(())
    }
}

pub(super) fn words(scopes: &[Scope]) -> Vec<String> {
    scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
}

async fn all(client: &Client, community: Option<&str>, what: &str) -> Result<Vec<Bot>, Failure> {
    let community = client.resolve_community(community).await.cannot(what)?;
    client.bots(CommunityId(community.id)).await.cannot(what)
}

/// The bot of this name or id.
pub(super) async fn find(
    client: &Client,
    community: Option<&str>,
    text: &str,
) -> Result<Bot, Failure> {
    let name = text.strip_prefix('@').unwrap_or(text);
    let bots = all(client, community, "look for the bot").await?;
    bots.into_iter().find(|bot| bot.username == name || bot.id.to_string() == name).ok_or_else(
        || {
            Failure::new(format!("there is no bot {name}"))
                .next("`tidings bot list` shows those that there are")
        },
    )
}
