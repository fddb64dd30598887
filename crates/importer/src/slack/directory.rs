//! Who and what the export knows, and under which names they go into the records.

use std::collections::{BTreeMap, HashMap};

use tidings_domain::name::{CHANNEL_NAME_MAX, DISPLAY_NAME_MAX, USERNAME_MAX};
use tidings_wire::import::{self, SourceId, channel_reference, user_reference};

use super::raw;
use crate::mrkdwn::Names;
use crate::names::{self, Taken};
use crate::report::Report;

/// Users and channels by their ids in Slack.
#[derive(Debug)]
pub(super) struct Directory {
    /// `slack:` and the workspace: what every source id begins with.
    workspace: String,
    users: HashMap<String, Account>,
    channels: HashMap<String, (SourceId, String)>,
    usernames: Taken,
    channel_names: Taken,
}

#[derive(Debug, Clone)]
struct Account {
    source_id: SourceId,
    username: String,
    display_name: String,
}

/// Somebody who is not in the list of users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stranger {
    /// What the export calls them elsewhere; the first that it says.
    pub(super) name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) bot: bool,
}

/// Stands for the author where an entry names none.
pub(super) const NOBODY: &str = "unknown";
/// Slack's own voice, which is in no list of users.
pub(super) const SLACKBOT: &str = "USLACKBOT";

impl Directory {
    pub(super) fn new(workspace: &str) -> Self {
        Self {
            workspace: format!("slack:{workspace}"),
            users: HashMap::new(),
            channels: HashMap::new(),
            usernames: Taken::default(),
            // A new community has its own `#general`, and an import must not write into that.
            channel_names: Taken::reserving(&["general"]),
        }
    }

    pub(super) fn community(&self) -> SourceId {
        SourceId(self.workspace.clone())
    }

    pub(super) fn source_id(&self, id: &str) -> SourceId {
        SourceId(format!("{}:{id}", self.workspace))
    }

    pub(super) fn user_source(&self, id: &str) -> Option<&SourceId> {
        self.users.get(id).map(|account| &account.source_id)
    }

    pub(super) fn display_name(&self, id: &str) -> Option<&str> {
        self.users.get(id).map(|account| account.display_name.as_str())
    }

    pub(super) fn channel_source(&self, id: &str) -> Option<&SourceId> {
        self.channels.get(id).map(|(source_id, _)| source_id)
    }

    /// Takes in the list of users. Who has a valid name keeps it; the others get the nearest free
    /// one, in the order of their ids, so that every run gives the same names.
    pub(super) fn add_users(
        &mut self,
        mut users: Vec<(String, raw::User)>,
        report: &mut Report,
    ) -> Vec<import::User> {
        let wish = |user: &raw::User| user.name.clone().unwrap_or_default();
        let valid = |user: &raw::User| {
            user.name.as_deref().is_some_and(|it| tidings_domain::name::username(it).is_ok())
        };
        users.sort_by(|(left_id, left), (right_id, right)| {
            (!valid(left), left_id).cmp(&(!valid(right), right_id))
        });
        let mut records = Vec::with_capacity(users.len());
        for (id, user) in users {
            let profile = user.profile.as_ref();
            let display = [
                profile.and_then(|it| it.display_name.as_deref()),
                profile.and_then(|it| it.real_name.as_deref()),
                user.real_name.as_deref(),
                user.name.as_deref(),
                Some(id.as_str()),
            ];
            let display_name = names::display(display.into_iter().flatten(), DISPLAY_NAME_MAX);
            let username = names::username(&wish(&user), &id);
            let bot = user.is_bot.unwrap_or(false) || id == SLACKBOT;
            let mut record = self.add_account(&id, &username, display_name, bot);
            record.disabled = user.deleted.unwrap_or(false);
            report.users += 1;
            report.bots += u64::from(bot);
            records.push(record);
            if let Some(bot_id) = profile.and_then(|it| it.bot_id.clone())
                && let Some(account) = self.users.get(&id).cloned()
            {
                self.users.entry(bot_id).or_insert(account);
            }
        }
        records
    }

    /// Takes in those whom only messages know.
    pub(super) fn add_strangers(
        &mut self,
        strangers: BTreeMap<String, Stranger>,
        report: &mut Report,
    ) -> Vec<import::User> {
        let mut records = Vec::with_capacity(strangers.len());
        for (id, stranger) in strangers {
            let kind = if stranger.bot { "bot" } else { "user" };
            let fallback = format!("{kind}-{id}");
            let wish = stranger.name.as_deref().or(stranger.display_name.as_deref());
            let username = names::username(wish.unwrap_or(&fallback), &fallback);
            let shown = [stranger.display_name.as_deref(), stranger.name.as_deref()];
            let unnamed = match id.as_str() {
                NOBODY => "Unknown".to_owned(),
                _ if stranger.bot => format!("Bot {id}"),
                _ => id.clone(),
            };
            let display_name = names::display(
                shown.into_iter().flatten().chain([unnamed.as_str()]),
                DISPLAY_NAME_MAX,
            );
            report.ghosts += 1;
            report.bots += u64::from(stranger.bot);
            records.push(self.add_account(&id, &username, display_name, stranger.bot));
        }
        records
    }

    fn add_account(
        &mut self,
        id: &str,
        username: &str,
        display_name: Option<String>,
        bot: bool,
    ) -> import::User {
        let username = self.usernames.take(username, USERNAME_MAX);
        let display_name = display_name.unwrap_or_else(|| username.clone());
        let source_id = self.source_id(id);
        let account = Account {
            source_id: source_id.clone(),
            username: username.clone(),
            display_name: display_name.clone(),
        };
        self.users.insert(id.to_owned(), account);
        import::User { source_id, username, display_name, bot, disabled: false }
    }

    /// Takes in a channel and gives the name that its record gets.
    pub(super) fn add_channel(&mut self, id: &str, name: &str) -> String {
        let name = self.channel_names.take(&names::channel(name, id), CHANNEL_NAME_MAX);
        let source_id = self.source_id(id);
        self.channels.insert(id.to_owned(), (source_id, name.clone()));
        name
    }
}

impl Names for Directory {
    fn user(&self, id: &str) -> Option<String> {
        self.users.get(id).map(|account| user_reference(&account.source_id))
    }
    fn channel(&self, id: &str) -> Option<String> {
        self.channels.get(id).map(|(source_id, _)| channel_reference(source_id))
    }
    fn user_name(&self, id: &str) -> Option<&str> {
        self.users.get(id).map(|account| account.username.as_str())
    }
    fn channel_name(&self, id: &str) -> Option<&str> {
        self.channels.get(id).map(|(_, name)| name.as_str())
    }
    fn here(&self) -> &'static str {
        import::HERE
    }
    fn everyone(&self) -> &'static str {
        import::EVERYONE
    }
}
