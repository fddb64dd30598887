//! `tidingsd user`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;
use tidings_domain::{ChannelId, CommunityId, ServerRole, User, UserId};
use tidings_server::{Clock as _, Entropy as _, SystemClock, SystemEntropy};
use tidings_storage::moderation::StoredAudit;
use tidings_storage::{
    AccountRepository as _, Change, LogWriter as _, OperationRepository as _, Record,
};
use tidings_storage_sql::SqlStore;

use super::open_existing_store;
use crate::cli::Place;
use crate::config::Config;
use crate::failure::Failure;
use crate::{logs, stdout};

/// Accounts that are read at a time.
const PAGE: usize = 1_000;

/// List accounts, shut them out, let them in again. A server that runs refuses requests after two
/// seconds at the latest, and closes open connections after fifteen.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List all accounts
    List(List),
    /// Shut an account out: its sessions end, and it cannot log in
    Disable(Disable),
    /// Let an account in again
    Enable(Enable),
}

impl UserCommand {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::List(it) => it.run().await,
            Self::Disable(it) => it.run().await,
            Self::Enable(it) => it.run().await,
        }
    }
}

/// List all accounts.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// An account in `--json`.
#[derive(Debug, Serialize)]
struct Account<'a> {
    id: String,
    username: &'a str,
    display_name: &'a str,
    kind: &'static str,
    disabled: bool,
    identity: Option<String>,
    created_at: tidings_wire::Time,
}

impl List {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let (_, store) = open(&self.place).await?;
        let mut rows = Vec::new();
        let mut after = UserId::NIL;
        loop {
            let page = store.list_users(after, PAGE).await.context("cannot read the accounts")?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for user in &page {
                let created_at = tidings_wire::Time::from(user.created_at);
                if self.json {
                    stdout::json(&Account {
                        id: user.id.to_string(),
                        username: &user.username,
                        display_name: &user.display_name,
                        kind: kind(user),
                        disabled: user.disabled,
                        identity: user.identity.map(|key| key.to_string()),
                        created_at,
                    })?;
                    continue;
                }
                let state = if user.disabled { "disabled" } else { "" };
                rows.push(vec![
                    user.username.clone(),
                    user.display_name.clone(),
                    kind(user).to_owned(),
                    created_at.to_string(),
                    state.to_owned(),
                ]);
            }
        }
        store.close().await;
        if !self.json {
            let head = ["USERNAME", "NAME", "KIND", "SINCE", "STATE"];
            stdout::say(stdout::table(&head, &rows).trim_end())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn kind(user: &User) -> &'static str {
    match user {
        User { bot: true, .. } => "bot",
        User { identity: None, .. } => "ghost",
        User { server_role: ServerRole::Owner, .. } => "owner",
        _ => "person",
    }
}

/// Shut an account out.
#[derive(Debug, Args)]
pub(crate) struct Disable {
    /// The username
    username: String,
    #[command(flatten)]
    place: Place,
}

impl Disable {
    async fn run(self) -> anyhow::Result<ExitCode> {
        set(&self.place, &self.username, true).await
    }
}

/// Let an account in again.
#[derive(Debug, Args)]
pub(crate) struct Enable {
    /// The username
    username: String,
    #[command(flatten)]
    place: Place,
}

impl Enable {
    async fn run(self) -> anyhow::Result<ExitCode> {
        set(&self.place, &self.username, false).await
    }
}

/// The store takes its lock for each transaction, so a server may run beside this.
async fn open(place: &Place) -> anyhow::Result<(Config, SqlStore)> {
    let config = place.load()?.config;
    logs::start_quiet(&config.log);
    let store = open_existing_store(&config).await?;
    Ok((config, store))
}

/// What the operator does stands in the server's audit log, without an actor: whoever can open the
/// store is nobody that the server could name.
fn act(action: &str, user: &User) -> Record {
    let at = SystemClock::new().now();
    let mut random = [0; 10];
    SystemEntropy.fill(&mut random);
    let millis = u64::try_from(at.0).unwrap_or_default();
    Record::Audit(StoredAudit {
        id: uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
        community: CommunityId::NIL,
        private: ChannelId::NIL,
        actor: UserId::NIL,
        at,
        action: action.to_owned(),
        target_kind: "user".to_owned(),
        target: user.id.0,
        target_name: user.username.clone(),
        detail: "{}".to_owned(),
        address: String::new(),
    })
}

async fn set(place: &Place, username: &str, disabled: bool) -> anyhow::Result<ExitCode> {
    let (_, store) = open(place).await?;
    let word = if disabled { "disabled" } else { "enabled" };
    let username = username.trim_start_matches('@').to_lowercase();
    let user = store.user_by_username(&username).await.context("cannot read the account")?;
    let Some(user) = user else {
        let what = format!("there is no account {username:?}");
        return Err(Failure::new(what, "`tidingsd user list` shows all accounts.").into());
    };
    if user.disabled == disabled {
        store.close().await;
        stdout::say(format_args!("{username} was {word} already"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let id = user.id;
    let act = act(if disabled { "user.disable" } else { "user.enable" }, &user);
    let mut records = vec![Record::UpdateUser(User { disabled, ..user }), act];
    if disabled {
        records.push(Record::DeleteSessions(id, None));
    }
    store
        .commit(Change { records, ..Change::default() })
        .await
        .with_context(|| format!("{username} could not be {word}"))?;
    store.close().await;
    stdout::say(format_args!("{username} is {word}"))?;
    Ok(ExitCode::SUCCESS)
}
