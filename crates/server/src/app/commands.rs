//! Slash commands: each is a use case that also has a route, under the same right.

mod bots;
mod channels;
mod members;
mod programs;

use std::sync::Arc;

use tidings_domain::command::{self, COMMANDS, Command, CommandError, Spec};
use tidings_domain::message::BODY_MAX;
use tidings_domain::{ChannelId, CommunityId, Format, Role, Scope, User, UserId};
use tidings_wire::Code;
use tidings_wire::channel::CreateDm;
use tidings_wire::command::{CommandArg, CommandResult, CommandSpec};
use tidings_wire::message::Message;

use super::App;
use super::messages::SendMessage;
use crate::access::scope::Need;
use crate::access::{Caller, ChannelReader, Member};
use crate::error::ApiError;
use crate::limit::Key;

pub(super) use bots::Waiting;

/// A shrug in Markdown: what would be markup is escaped.
const SHRUG: &str = "¯\\\\\\_(ツ)\\_/¯";
/// What stands before each answer of a poll; whoever reacts with one votes for it.
const KEYCAPS: [&str; 10] = ["1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣", "🔟"];

/// From [`App::commands`].
#[derive(Debug, Clone, Copy)]
pub struct Commands<'a>(pub(super) &'a App);

/// What became of a line.
#[derive(Debug)]
pub struct Ran {
    /// What to answer.
    pub result: CommandResult,
    /// Whether the answer shows a secret, and must not be kept to be given again.
    pub secret: bool,
}

impl From<CommandResult> for Ran {
    fn from(result: CommandResult) -> Self {
        Self { result, secret: false }
    }
}

/// Who runs a command, and where.
struct Scene<'a> {
    caller: &'a Caller,
    reader: ChannelReader,
    /// Their standing in the channel's community; none in a DM.
    member: Option<Member>,
}

impl Scene<'_> {
    fn member(&self) -> Result<&Member, ApiError> {
        self.member.as_ref().ok_or_else(|| {
            ApiError::new(
                Code::Unprocessable,
                "This works in channels of a community, not in direct messages.",
            )
        })
    }

    fn may(&self, spec: &Spec) -> bool {
        match &self.member {
            None => spec.direct,
            Some(member) => member.role() >= spec.role,
        }
    }
}

impl Commands<'_> {
    /// The commands that a member may run, by name: the server's, and those of bots.
    pub async fn list(&self, right: &Member) -> Result<Vec<CommandSpec>, ApiError> {
        let mine = COMMANDS.iter().filter(|spec| right.role() >= spec.role);
        let mut all: Vec<_> = mine.map(wire).collect();
        let theirs = self.0.store().commands_of(right.community()).await?;
        all.extend(theirs.iter().map(|(stored, bot)| bots::wire(stored, bot)));
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// Runs a line.
    ///
    /// # Errors
    /// `unprocessable` for what is no command, with the nearest names or the usage; `forbidden`
    /// for what the caller's role may not run; otherwise those of the use case.
    pub async fn run(
        &self,
        caller: &Caller,
        channel: ChannelId,
        line: &str,
    ) -> Result<Ran, ApiError> {
        let app = self.0;
        let reader = app.access().reader(caller, channel).await?;
        if line.len() > 4 * BODY_MAX {
            return Err(ApiError::field("text", "too_long", "must be shorter"));
        }
        app.limit(Key::Commands(caller.user_id()), app.settings().limits.commands)?;
        let member = match reader.channel().community_id {
            Some(id) => Some(app.access().member(caller, id).await?),
            None => None,
        };
        let scene = Scene { caller, reader, member };
        let (spec, command) = match command::parse(line) {
            Ok(known) => known,
            Err(CommandError::Unknown { name, .. }) => {
                return self.invoke(&scene, &name, line).await;
            }
            Err(error) => return Err(misunderstood(&error)),
        };
        if !spec.direct {
            scene.member()?;
        }
        if !scene.may(spec) {
            return Err(not_allowed(spec));
        }
        caller.admit(need(spec))?;
        self.carry_out(&scene, command).await
    }

    async fn carry_out(&self, scene: &Scene<'_>, command: Command) -> Result<Ran, ApiError> {
        Ok(match command {
            Command::Help(name) => you(self.help(scene, name.as_deref()).await?).into(),
            Command::Me(text) => self.say(scene, Format::Me, text).await?.into(),
            Command::Shrug(text) => {
                let text = format!("{text} {SHRUG}").trim_start().to_owned();
                self.say(scene, Format::Text, text).await?.into()
            }
            Command::Poll(question, options) => {
                let answers = options.iter().zip(KEYCAPS);
                let answers = answers.map(|(option, key)| format!("\n- {key} {option}"));
                let body = format!("{question}\n{}", answers.collect::<String>());
                self.say(scene, Format::Poll, body).await?.into()
            }
            Command::Msg(user, text) => self.write(scene, &user, text).await?.into(),
            Command::Join(_)
            | Command::Leave
            | Command::Topic(_)
            | Command::Rename(_)
            | Command::Invite(_)
            | Command::Purge(..)
            | Command::Archive => self.change_channel(scene, command).await?.into(),
            Command::Status(_)
            | Command::Nick(_)
            | Command::Role(..)
            | Command::Kick(_)
            | Command::Ban(_)
            | Command::Mute(_)
            | Command::Unban(_)
            | Command::Unmute(_) => self.change_members(scene, command).await?.into(),
            other => self.serve_programs(scene, other).await?,
        })
    }

    /// Posts into the channel that the command was run in.
    async fn say(
        &self,
        scene: &Scene<'_>,
        format: Format,
        body: String,
    ) -> Result<CommandResult, ApiError> {
        let message = self.post(scene.caller, scene.reader.channel().id, format, body).await?;
        Ok(CommandResult { message, ..channel() })
    }

    async fn post(
        &self,
        caller: &Caller,
        channel_id: ChannelId,
        format: Format,
        body: String,
    ) -> Result<Option<Message>, ApiError> {
        let app = self.0;
        let send = SendMessage {
            channel_id,
            client_id: app.new_id().to_string(),
            body,
            format,
            parent_id: None,
            broadcast: false,
            attachments: Vec::new(),
        };
        let accepted = app.messages().submit(caller, send).await?.accepted().await?;
        Ok(accepted.message.map(|message| Message::from(&*message)))
    }

    /// Sends a direct message to somebody whom the caller may know.
    async fn write(
        &self,
        scene: &Scene<'_>,
        user: &str,
        text: String,
    ) -> Result<CommandResult, ApiError> {
        let app = self.0;
        let found = app.accounts().by_handle(scene.caller, user).await;
        let profile = found.map_err(|error| match error.code() {
            Code::NotFound => nobody(user),
            _ => error,
        })?;
        let request = CreateDm { users: vec![profile.id], kind: None };
        let (dm, _) = app.dms().open(scene.caller, &request).await?;
        let message = self.post(scene.caller, ChannelId(dm.id), Format::Text, text).await?;
        let text = format!("You wrote to @{}.", profile.username);
        Ok(CommandResult { message, ..you(text) })
    }

    /// Somebody who is or was in the community. Whoever never was looks like nobody.
    async fn person(&self, id: CommunityId, name: &str) -> Result<Arc<User>, ApiError> {
        let app = self.0;
        let found = app.store().user_by_username(name).await?.ok_or_else(|| nobody(name))?;
        let user: UserId = found.id;
        if !app.store().was_member(id, user).await? {
            return Err(nobody(name));
        }
        Ok(Arc::new(found))
    }

    /// The channel of this name that the caller may know of.
    async fn place(&self, scene: &Scene<'_>, name: &str) -> Result<ChannelId, ApiError> {
        let names = [name.trim_start_matches('#').to_lowercase()];
        let (community, user) = (scene.member()?.community(), scene.caller.user_id());
        let found = self.0.store().channels_by_name(community, &names, user).await?;
        let unknown = || {
            ApiError::field("text", "unknown", format!("there is no channel #{} here", names[0]))
        };
        found.first().map(|channel| channel.id).ok_or_else(unknown)
    }

    /// What the caller may run; of one command also how it is written.
    async fn help(&self, scene: &Scene<'_>, name: Option<&str>) -> Result<String, ApiError> {
        let line = |usage: String, summary: &str| format!("{usage}: {summary}");
        let theirs = self.offered(scene).await?;
        let theirs = theirs.iter().map(|(stored, bot)| bots::wire(stored, bot)).map(|spec| {
            let of = spec.bot.map_or_else(String::new, |bot| format!(" (@{})", bot.username));
            (spec.name, line(spec.usage, &spec.summary) + &of)
        });
        let Some(name) = name else {
            let mine = COMMANDS.iter().filter(|spec| scene.may(spec));
            let mine = mine.map(|spec| (spec.name.to_owned(), line(spec.usage(), spec.summary)));
            let mut all: Vec<_> = mine.chain(theirs).collect();
            all.sort();
            let lines: Vec<_> = all.into_iter().map(|(_, line)| line).collect();
            return Ok(lines.join("\n"));
        };
        let wanted = name.trim_start_matches('/').to_lowercase();
        let named: Vec<_> = command::named(&wanted).collect();
        if let Some(spec) = named.iter().find(|spec| !scene.may(spec)) {
            return Err(not_allowed(spec));
        }
        let mine = named.iter().map(|spec| line(spec.usage(), spec.summary));
        let theirs: Vec<_> = theirs.collect();
        let theirs =
            theirs.iter().filter(|(name, _)| *name == wanted).map(|(_, line)| line.clone());
        let lines: Vec<_> = mine.chain(theirs).collect();
        if lines.is_empty() {
            return Err(self.unknown(scene, &wanted).await?);
        }
        Ok(lines.join("\n"))
    }
}

/// What a command demands of an API token beside the right to run commands: no less than the route
/// that it stands for.
fn need(spec: &Spec) -> Need {
    match spec.name {
        "help" => Need::Nothing,
        "me" | "msg" | "poll" | "remind" | "remind cancel" | "remind list" | "shrug" => {
            Need::Scope(Scope::MessagesWrite)
        }
        "archive" | "join" | "leave" | "rename" | "topic" | "webhook create" | "webhook list"
        | "webhook revoke" => Need::Scope(Scope::ChannelsWrite),
        "ban" | "invite" | "kick" | "mute" | "nick" | "role" | "unban" | "unmute" => {
            Need::Scope(Scope::MembersWrite)
        }
        "purge" => Need::Scope(Scope::Admin),
        _ => Need::Session,
    }
}

fn nobody(name: &str) -> ApiError {
    ApiError::field("text", "unknown", format!("there is no @{name} here"))
}

fn misunderstood(error: &CommandError) -> ApiError {
    let code = match error {
        CommandError::NotACommand => "no_command",
        CommandError::Unknown { .. } => "unknown",
        _ => "usage",
    };
    ApiError::field("text", code, error.to_string())
}

fn not_allowed(spec: &Spec) -> ApiError {
    let role: Role = spec.role;
    ApiError::forbidden(format!("Only an {role} may run /{}.", spec.name))
}

/// An answer to whoever ran the command, and nobody else.
fn you(text: String) -> CommandResult {
    CommandResult { visible: "you".to_owned(), text, message: None, bot: None }
}

/// An answer that everybody sees.
fn channel() -> CommandResult {
    CommandResult { visible: "channel".to_owned(), ..you(String::new()) }
}

fn wire(spec: &Spec) -> CommandSpec {
    let args = spec.args.iter().map(|arg| CommandArg {
        name: arg.name.to_owned(),
        kind: arg.kind.as_str().to_owned(),
        required: arg.required,
    });
    CommandSpec {
        name: spec.name.to_owned(),
        summary: spec.summary.to_owned(),
        usage: spec.usage(),
        args: args.collect(),
        role: spec.role.as_str().to_owned(),
        direct: spec.direct,
        bot: None,
    }
}
