//! Commands of bots: registering them, telling a bot that one was run, and handing on its answer.
//!
//! What was run is an entry in the bot's own log, so that a bot that was away finds it. The answer
//! goes to whoever waits for it; when they wait no more, to where they are connected.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde_json::value::to_raw_value;
use tidings_domain::command::{self, ArgKind, COMMANDS, CommandError, CustomArg};
use tidings_domain::fact::Invocation;
use tidings_domain::message::BODY_MAX;
use tidings_domain::{Fact, Format, LogId, MessageId, Role, Timestamp, User, UserId, Visibility};
use tidings_storage::command::{StoredCommand, StoredInvocation};
use tidings_storage::{Change, ChangeError, Precondition, Record, Refusal};
use tidings_wire::Code;
use tidings_wire::command::{
    CommandArg, CommandReplied, CommandReply, CommandResult, CommandSpec, SetCommands,
};
use tidings_wire::message::Message;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Commands, Ran, Scene, channel, misunderstood, you};
use crate::access::{BotCommander, InvokedBot};
use crate::app::App;
use crate::app::accounts::wire_author;
use crate::app::blocks::{counterpart, unblocked};
use crate::app::change::author;
use crate::app::messages::SendMessage;
use crate::app::moderation::may_speak;
use crate::error::ApiError;
use crate::limit::Key;

/// Most commands of one bot.
const COMMANDS_MAX: usize = 50;
/// Most commands of all bots of a community: completing stays one page.
const COMMUNITY_COMMANDS_MAX: usize = 1_000;
/// Most arguments of a command.
const ARGS_MAX: usize = 10;
/// Most characters of a summary.
const SUMMARY_MAX: usize = 200;
/// How long a bot may answer, in seconds: one that was away for a while still reaches who asked.
const ANSWER_S: i64 = 3600;

/// Who waits for which answer.
#[derive(Default)]
pub(in crate::app) struct Waiting(Mutex<HashMap<Uuid, oneshot::Sender<CommandResult>>>);

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}

impl Waiting {
    fn take(&self, id: Uuid) -> Option<oneshot::Sender<CommandResult>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }
}

/// A place among those who wait; given up when they go away.
struct Place<'a>(&'a Waiting, Uuid);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.take(self.1);
    }
}

impl Commands<'_> {
    /// The commands of a bot, by name.
    pub async fn of_bot(&self, right: &BotCommander) -> Result<Vec<CommandSpec>, ApiError> {
        let stored = self.0.store().bot_commands(right.bot().user_id).await?;
        Ok(stored.iter().map(|stored| wire(stored, right.account())).collect())
    }

    /// Replaces the commands of a bot by these.
    ///
    /// # Errors
    /// `unprocessable` for what cannot be a command; `conflict` when another bot of the community
    /// has one of the same name.
    pub async fn set(
        &self,
        right: &BotCommander,
        request: &SetCommands,
    ) -> Result<Vec<CommandSpec>, ApiError> {
        let app = self.0;
        let bot = right.bot();
        app.limit(Key::Writes(bot.user_id), app.settings().limits.writes)?;
        let commands = check(bot.community_id, bot.user_id, request)?;
        let names: Vec<_> = commands.iter().map(|command| command.name.clone()).collect();
        let there = app.store().commands_of(bot.community_id).await?;
        let others = there.iter().filter(|(other, _)| other.bot_id != bot.user_id).count();
        if others + names.len() > COMMUNITY_COMMANDS_MAX {
            let detail = format!("Bots have {COMMUNITY_COMMANDS_MAX} commands here at most.");
            return Err(ApiError::conflict(detail));
        }
        let mut records = vec![Record::SetCommands(bot.user_id, commands.clone())];
        // What a bot says of itself is no administrative act.
        if right.actor().user != bot.user_id {
            let act = app.act(right.actor(), bot.community_id, "bot.commands");
            let act = act.on_user(right.account()).with("commands", names.clone());
            records.push(act.record());
        }
        let mut preconditions = vec![Precondition::UserActive(bot.user_id)];
        let free =
            |name: &String| Precondition::CommandFree(bot.community_id, bot.user_id, name.clone());
        preconditions.extend(names.iter().map(free));
        let change = Change { preconditions, records, ..Change::default() };
        match app.commit(change).await {
            Ok(_) => {}
            Err(ChangeError::Refused(Refusal::Precondition(Precondition::CommandFree(
                ..,
                name,
            )))) => {
                let detail = format!("Another bot has the command /{name} already.");
                return Err(ApiError::conflict(detail));
            }
            Err(other) => return Err(other.into()),
        }
        let mut commands: Vec<_> =
            commands.iter().map(|stored| wire(stored, right.account())).collect();
        commands.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(commands)
    }

    /// The commands of bots that there are where the caller is: of bots that can see the channel.
    pub(super) async fn offered(
        &self,
        scene: &Scene<'_>,
    ) -> Result<Vec<(StoredCommand, User)>, ApiError> {
        let app = self.0;
        let place = scene.reader.channel();
        let Some(community) = place.community_id else {
            let Some(other) = counterpart(place, scene.caller.user_id()) else {
                return Ok(Vec::new());
            };
            let bot = app.user(other).await?.filter(|user| user.bot && !user.disabled);
            let Some(bot) = bot else { return Ok(Vec::new()) };
            let commands = app.store().bot_commands(other).await?;
            return Ok(commands.into_iter().map(|stored| (stored, (*bot).clone())).collect());
        };
        let mut found = app.store().commands_of(community).await?;
        if place.visibility == Visibility::Private {
            let bots: HashSet<_> = found.iter().map(|(stored, _)| stored.bot_id).collect();
            let mut there = HashSet::new();
            for bot in bots {
                if app.in_channel(place.id, bot).await? {
                    there.insert(bot);
                }
            }
            found.retain(|(stored, _)| there.contains(&stored.bot_id));
        }
        Ok(found)
    }

    /// What to say when there is no such command where the caller is.
    pub(super) async fn unknown(
        &self,
        scene: &Scene<'_>,
        name: &str,
    ) -> Result<ApiError, ApiError> {
        let theirs = self.offered(scene).await?;
        let mine = COMMANDS.iter().filter(|spec| scene.may(spec)).map(|spec| spec.name);
        let all = mine.chain(theirs.iter().map(|(stored, _)| stored.name.as_str()));
        let nearest = command::nearest(name, all);
        let name = name.chars().take(command::NAME_MAX).collect();
        Ok(misunderstood(&CommandError::Unknown { name, nearest }))
    }

    /// Runs a command of a bot: tells the bot, and waits a while for what it answers.
    pub(super) async fn invoke(
        &self,
        scene: &Scene<'_>,
        name: &str,
        line: &str,
    ) -> Result<Ran, ApiError> {
        let app = self.0;
        let offered = self.offered(scene).await?;
        let Some((stored, bot)) = offered.into_iter().find(|(stored, _)| stored.name == name)
        else {
            return Err(self.unknown(scene, name).await?);
        };
        let (_, rest) = command::split(line).map_err(|error| misunderstood(&error))?;
        let args = command::bind(name, &args(&stored), rest);
        let args = args.map_err(|error| misunderstood(&error))?;
        // Whoever runs it makes the bot speak: nobody may who may not speak themselves.
        app.access().poster(scene.caller, scene.reader.channel().id).await?;
        let id = app.new_id();
        let (sender, answered) = oneshot::channel();
        app.waiting().0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        let _place = Place(app.waiting(), id);
        self.tell(scene, &stored, &bot, (id, rest, args)).await?;
        let patience = app.settings().command_patience;
        if let Ok(Ok(result)) = tokio::time::timeout(patience, answered).await {
            return Ok(result.into());
        }
        let text = format!(
            "@{} has not answered within {} seconds. It has been told, and its answer will appear \
             here when it comes.",
            bot.username,
            patience.as_secs_f32()
        );
        Ok(CommandResult { bot: Some(wire_author(&bot)), ..you(text) }.into())
    }

    /// Writes down for the bot that its command was run.
    async fn tell(
        &self,
        scene: &Scene<'_>,
        stored: &StoredCommand,
        bot: &User,
        (id, text, args): (Uuid, &str, Vec<(String, String)>),
    ) -> Result<(), ApiError> {
        let app = self.0;
        let (place, user, now) = (scene.reader.channel(), scene.caller.user_id(), app.now());
        let account = app.user(user).await?.ok_or_else(ApiError::unauthorized)?;
        if account.bot {
            return Err(ApiError::forbidden("Bots do not run commands of bots."));
        }
        let expires_at: Timestamp = now.plus_seconds(ANSWER_S);
        let mut preconditions =
            vec![Precondition::ChannelOpen(place.id), Precondition::UserActive(bot.id)];
        preconditions.extend(may_speak(place.community_id, user, now));
        preconditions.extend(unblocked(place, user));
        match place.community_id {
            Some(community) if place.visibility == Visibility::Public => {
                for member in [user, bot.id] {
                    preconditions.push(Precondition::CommunityRole(
                        community,
                        member,
                        Role::Member,
                    ));
                }
            }
            _ => {
                for member in [user, bot.id] {
                    preconditions.push(Precondition::InChannel(place.id, member));
                }
            }
        }
        let invocation = Invocation {
            id,
            channel_id: place.id,
            community_id: place.community_id,
            command: stored.name.clone(),
            text: text.to_owned(),
            args,
            user: author(&account),
            expires_at,
        };
        let stored = StoredInvocation {
            id,
            bot_id: bot.id,
            user_id: user,
            channel_id: place.id,
            expires_at,
        };
        let fact = Fact::CommandInvoked(Box::new(invocation));
        let entries = vec![app.entry(LogId::User(bot.id), None, user, now, fact)];
        let records = vec![Record::CreateInvocation(stored)];
        let change = Change { preconditions, records, entries, ..Change::default() };
        match app.commit(change).await {
            Ok(_) => Ok(()),
            Err(other) => Err(app.moderation().explain(other).await),
        }
    }

    /// Hands on what a bot answers: to whoever ran the command alone, or as a message of the bot.
    ///
    /// # Errors
    /// `gone` when the time for answers is over; those of sending.
    pub async fn reply(
        &self,
        right: &InvokedBot,
        request: &CommandReply,
    ) -> Result<CommandResult, ApiError> {
        let app = self.0;
        let invocation = right.invocation();
        let (bot, caller) = (right.account(), right.caller());
        if app.now() >= invocation.expires_at {
            return Err(ApiError::new(Code::Gone, "The time to answer this command is over."));
        }
        let result = match request.visible.as_deref() {
            None | Some("you") => {
                app.limit(Key::Writes(bot.id), app.settings().limits.writes)?;
                let length = request.text.chars().count();
                if request.text.trim().is_empty() || length > BODY_MAX {
                    let detail = format!("must be 1 to {BODY_MAX} characters, not {length}");
                    return Err(ApiError::field("text", "length", detail));
                }
                you(request.text.clone())
            }
            Some("channel") => {
                let client_id = request.client_id.clone();
                let send = SendMessage {
                    channel_id: invocation.channel_id,
                    client_id: client_id.unwrap_or_else(|| format!("command-{}", invocation.id)),
                    body: request.text.clone(),
                    format: Format::Text,
                    parent_id: request.parent_id.map(MessageId),
                    broadcast: false,
                    attachments: Vec::new(),
                };
                let accepted = app.messages().submit(caller, send).await?.accepted().await?;
                let message = accepted.message.map(|message| Message::from(&*message));
                CommandResult { message, ..channel() }
            }
            Some(_) => {
                return Err(ApiError::field("visible", "unknown", "expected one of: you, channel"));
            }
        };
        let result = CommandResult { bot: Some(wire_author(bot)), ..result };
        let unheard = match app.waiting().take(invocation.id) {
            Some(waiting) => waiting.send(result.clone()).err(),
            None => Some(result.clone()),
        };
        if let Some(late) = unheard.filter(|late| late.visible == "you") {
            let data = CommandReplied {
                invocation_id: invocation.id,
                channel_id: invocation.channel_id.0,
                bot: wire_author(bot),
                text: late.text,
            };
            let data = to_raw_value(&data).map_err(ApiError::internal)?;
            if let Some(ephemeral) = app.ephemeral() {
                ephemeral.tell(invocation.user_id, "command.replied", data);
            }
        }
        Ok(result)
    }
}

/// Reads what a bot wants to offer.
fn check(
    community_id: tidings_domain::CommunityId,
    bot_id: UserId,
    request: &SetCommands,
) -> Result<Vec<StoredCommand>, ApiError> {
    let wrong = |name: &str, detail: String| {
        ApiError::field("commands", "invalid", format!("/{name}: {detail}"))
    };
    if request.commands.len() > COMMANDS_MAX {
        let detail = format!("a bot has at most {COMMANDS_MAX} commands");
        return Err(ApiError::field("commands", "too_many", detail));
    }
    let mut stored: Vec<StoredCommand> = Vec::with_capacity(request.commands.len());
    for wanted in &request.commands {
        let name = wanted.name.as_str();
        let shown: String = name.chars().take(command::NAME_MAX).collect();
        command::command_name(name).map_err(|error| wrong(&shown, error.to_string()))?;
        if stored.iter().any(|other| other.name == name) {
            return Err(wrong(name, "is there twice".to_owned()));
        }
        let summary = wanted.summary.trim();
        let length = summary.chars().count();
        if !(1..=SUMMARY_MAX).contains(&length) || summary.chars().any(char::is_control) {
            let detail = format!("the summary is one line of 1 to {SUMMARY_MAX} characters");
            return Err(wrong(name, detail));
        }
        if wanted.args.len() > ARGS_MAX {
            return Err(wrong(name, format!("takes at most {ARGS_MAX} arguments")));
        }
        let mut args = Vec::with_capacity(wanted.args.len());
        for arg in &wanted.args {
            let kind = arg.kind.parse::<ArgKind>();
            let kind = kind.map_err(|error| wrong(name, error.to_string()))?;
            args.push(CustomArg { name: arg.name.clone(), kind, required: arg.required });
        }
        CustomArg::check(&args).map_err(|detail| wrong(name, detail))?;
        let args = serde_json::to_string(&wanted.args).map_err(ApiError::internal)?;
        let (name, summary) = (name.to_owned(), summary.to_owned());
        stored.push(StoredCommand { community_id, bot_id, name, summary, args });
    }
    Ok(stored)
}

/// The arguments as they were written down by `check`; a row that somebody spoiled has none.
fn stored_args(stored: &StoredCommand) -> Vec<CommandArg> {
    serde_json::from_str(&stored.args).unwrap_or_default()
}

fn args(stored: &StoredCommand) -> Vec<CustomArg> {
    let args = stored_args(stored).into_iter().filter_map(|arg| {
        let kind = arg.kind.parse().ok()?;
        Some(CustomArg { name: arg.name, kind, required: arg.required })
    });
    args.collect()
}

/// A command of a bot, for the network.
pub(super) fn wire(stored: &StoredCommand, bot: &User) -> CommandSpec {
    CommandSpec {
        name: stored.name.clone(),
        summary: stored.summary.clone(),
        usage: CustomArg::usage(&stored.name, &args(stored)),
        args: stored_args(stored),
        role: Role::Member.as_str().to_owned(),
        direct: true,
        bot: Some(wire_author(bot)),
    }
}

impl App {
    fn waiting(&self) -> &Waiting {
        &self.0.waiting
    }
}
