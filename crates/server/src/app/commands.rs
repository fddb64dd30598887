//! Slash commands: each is a use case that also has a route, under the same right.

use std::sync::Arc;

use tidings_domain::command::{self, COMMANDS, Command, CommandError, Sentence, Spec};
use tidings_domain::message::BODY_MAX;
use tidings_domain::{ChannelId, CommunityId, Format, RestrictionKind, Role, Scope, User, UserId};
use tidings_wire::Code;
use tidings_wire::account::UpdateMe;
use tidings_wire::channel::{CreateDm, Purge, UpdateChannel};
use tidings_wire::command::{CommandArg, CommandResult, CommandSpec};
use tidings_wire::community::UpdateMember;
use tidings_wire::message::Message;
use tidings_wire::moderation::Restrict;

use super::App;
use super::messages::SendMessage;
use crate::access::scope::Need;
use crate::access::{Caller, ChannelReader, Member};
use crate::error::ApiError;
use crate::limit::Key;

/// A shrug in Markdown: what would be markup is escaped.
const SHRUG: &str = "¯\\\\\\_(ツ)\\_/¯";
/// What stands before each answer of a poll; whoever reacts with one votes for it.
const KEYCAPS: [&str; 10] = ["1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣", "🔟"];

/// From [`App::commands`].
#[derive(Debug, Clone, Copy)]
pub struct Commands<'a>(pub(super) &'a App);

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
    /// The commands that a member may run, by name.
    pub fn list(&self, right: &Member) -> Vec<CommandSpec> {
        COMMANDS.iter().filter(|spec| right.role() >= spec.role).map(wire).collect()
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
    ) -> Result<CommandResult, ApiError> {
        let app = self.0;
        let reader = app.access().reader(caller, channel).await?;
        if line.len() > 4 * BODY_MAX {
            return Err(ApiError::field("text", "too_long", "must be shorter"));
        }
        let (spec, command) = command::parse(line).map_err(|error| misunderstood(&error))?;
        let member = match reader.channel().community_id {
            Some(id) => Some(app.access().member(caller, id).await?),
            None => None,
        };
        let scene = Scene { caller, reader, member };
        if !spec.direct {
            scene.member()?;
        }
        if !scene.may(spec) {
            let detail = format!("Only an {} may run /{}.", spec.role, spec.name);
            return Err(ApiError::forbidden(detail));
        }
        caller.admit(need(spec))?;
        app.limit(Key::Writes(caller.user_id()), app.settings().limits.writes)?;
        self.carry_out(&scene, command).await
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        command: Command,
    ) -> Result<CommandResult, ApiError> {
        match command {
            Command::Help(spec) => Ok(you(help(scene, spec)?)),
            Command::Me(text) => self.say(scene, Format::Me, text).await,
            Command::Shrug(text) => {
                let text = format!("{text} {SHRUG}").trim_start().to_owned();
                self.say(scene, Format::Text, text).await
            }
            Command::Poll(question, options) => {
                let answers = options.iter().zip(KEYCAPS);
                let answers = answers.map(|(option, key)| format!("\n- {key} {option}"));
                let body = format!("{question}\n{}", answers.collect::<String>());
                self.say(scene, Format::Poll, body).await
            }
            Command::Msg(user, text) => self.write(scene, &user, text).await,
            Command::Status(status) => {
                let update = UpdateMe { status: Some(status), ..UpdateMe::default() };
                let me = self.0.accounts().update_me(scene.caller, update).await?;
                Ok(you(match me.status.as_str() {
                    "" => "You have no status now.".to_owned(),
                    status => format!("Your status is: {status}"),
                }))
            }
            Command::Join(_)
            | Command::Leave
            | Command::Topic(_)
            | Command::Rename(_)
            | Command::Invite(_)
            | Command::Purge(..)
            | Command::Archive => self.change_channel(scene, command).await,
            other => self.change_members(scene, other).await,
        }
    }

    /// Posts into the channel that the command was run in.
    async fn say(
        &self,
        scene: &Scene<'_>,
        format: Format,
        body: String,
    ) -> Result<CommandResult, ApiError> {
        let message = self.post(scene.caller, scene.reader.channel().id, format, body).await?;
        Ok(CommandResult { visible: "channel".to_owned(), text: String::new(), message })
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

    async fn change_channel(
        &self,
        scene: &Scene<'_>,
        command: Command,
    ) -> Result<CommandResult, ApiError> {
        let app = self.0;
        let (caller, reader) = (scene.caller, &scene.reader);
        let channel = reader.channel();
        let community = scene.member()?.community();
        let manager = async || app.access().manager(caller, channel.id).await;
        let text = match command {
            Command::Join(name) => {
                let store = app.store();
                let names = [name.to_lowercase()];
                let found = store.channels_by_name(community, &names, caller.user_id()).await?;
                let id = found.first().map(|channel| channel.id).ok_or_else(|| {
                    ApiError::field("text", "unknown", format!("there is no channel #{name} here"))
                })?;
                let right = app.access().reader(caller, id).await?;
                app.channels().join(&right).await?;
                format!("You are in #{name}.")
            }
            Command::Leave => {
                app.channels().leave(reader).await?;
                "You left this channel.".to_owned()
            }
            Command::Topic(topic) => {
                let update = UpdateChannel { topic: Some(topic), ..UpdateChannel::default() };
                app.channels().update(&manager().await?, &update).await?;
                "The topic is set.".to_owned()
            }
            Command::Rename(name) => {
                let update = UpdateChannel { name: Some(name), ..UpdateChannel::default() };
                app.channels().update(&manager().await?, &update).await?;
                "The channel has a new name.".to_owned()
            }
            Command::Invite(user) => {
                let user = self.person(community, &user).await?;
                let (_, new) = app.channels().add(reader, user.id).await?;
                let told = if new { "is in this channel now" } else { "was in this channel" };
                format!("@{} {told}.", user.username)
            }
            Command::Purge(user, last) => {
                let user = match user {
                    Some(name) => Some(self.person(community, &name).await?.id.0),
                    None => None,
                };
                let request = Purge { user_id: user, last, since: None };
                let purged = app.purges().run(&manager().await?, &request).await?;
                let more = if purged.more { " There are more." } else { "" };
                format!("{} messages are gone.{more}", purged.deleted)
            }
            _ => {
                app.channels().archive(&manager().await?).await?;
                "The channel is archived: read-only.".to_owned()
            }
        };
        Ok(you(text))
    }

    async fn change_members(
        &self,
        scene: &Scene<'_>,
        command: Command,
    ) -> Result<CommandResult, ApiError> {
        let app = self.0;
        let member = scene.member()?;
        let id = member.community();
        let admin = async || app.access().admin(scene.caller, id).await;
        let text = match command {
            Command::Nick(nickname) => {
                let update = UpdateMember { nickname: Some(nickname), role: None };
                let named = app.members().update(member, member.user(), &update).await?;
                match named.nickname {
                    Some(nickname) => format!("You are called {nickname} here."),
                    None => "You are called here what you are called everywhere.".to_owned(),
                }
            }
            Command::Role(user, role) => {
                let user = self.person(id, &user).await?;
                let role = role.as_str().to_owned();
                let update = UpdateMember { role: Some(role.clone()), nickname: None };
                app.members().update(member, user.id, &update).await?;
                format!("@{} is {role} now.", user.username)
            }
            Command::Kick(user) => {
                let user = self.person(id, &user).await?;
                app.members().remove(member, user.id).await?;
                format!("@{} is out of the community.", user.username)
            }
            Command::Ban(sentence) => {
                let (user, terms) = self.sentence(id, sentence).await?;
                app.moderation().ban(&admin().await?, user.id, &terms).await?;
                format!("@{} is banned.", user.username)
            }
            Command::Mute(sentence) => {
                let (user, terms) = self.sentence(id, sentence).await?;
                app.moderation().mute(&admin().await?, user.id, &terms).await?;
                format!("@{} is muted.", user.username)
            }
            Command::Unban(user) => {
                let user = self.person(id, &user).await?;
                app.moderation().lift(&admin().await?, RestrictionKind::Ban, user.id).await?;
                format!("@{} may come back.", user.username)
            }
            Command::Unmute(user) => {
                let user = self.person(id, &user).await?;
                app.moderation().lift(&admin().await?, RestrictionKind::Mute, user.id).await?;
                format!("@{} may write again.", user.username)
            }
            _ => return Err(misunderstood(&CommandError::NotACommand)),
        };
        Ok(you(text))
    }

    async fn sentence(
        &self,
        id: CommunityId,
        sentence: Sentence,
    ) -> Result<(Arc<User>, Restrict), ApiError> {
        let Sentence { user, seconds, reason } = sentence;
        let user = self.person(id, &user).await?;
        let seconds = seconds.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
        let until = seconds.map(|seconds| self.0.now().plus_seconds(seconds).into());
        Ok((user, Restrict { reason: Some(reason), until }))
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
}

/// What a command demands of an API token beside the right to run commands: no less than the route
/// that it stands for.
fn need(spec: &Spec) -> Need {
    match spec.name {
        "help" => Need::Nothing,
        "me" | "msg" | "poll" | "shrug" => Need::Scope(Scope::MessagesWrite),
        "archive" | "join" | "leave" | "rename" | "topic" => Need::Scope(Scope::ChannelsWrite),
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

fn you(text: String) -> CommandResult {
    CommandResult { visible: "you".to_owned(), text, message: None }
}

/// What the caller may run; of one command also how it is written.
fn help(scene: &Scene<'_>, one: Option<&Spec>) -> Result<String, ApiError> {
    if let Some(spec) = one {
        if !scene.may(spec) {
            let role: Role = spec.role;
            return Err(ApiError::forbidden(format!("Only an {role} may run /{}.", spec.name)));
        }
        return Ok(format!("{}: {}", spec.usage(), spec.summary));
    }
    let known = COMMANDS.iter().filter(|spec| scene.may(spec));
    let lines: Vec<_> = known.map(|spec| format!("{}: {}", spec.usage(), spec.summary)).collect();
    Ok(lines.join("\n"))
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
    }
}
