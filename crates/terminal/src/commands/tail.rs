//! `tidings tail`.

use std::collections::HashSet;
use std::time::Duration;

use clap::Args;
use clap::ValueEnum;
use serde::Serialize;
use tidings_client::{ChannelRef, Cursor, Follow, Transport, Update};
use tidings_domain::{Fact, IdentityKey, UserId};
use tidings_wire::Event;
use tidings_wire::command::CommandReplied;
use tidings_wire::event::decode_data;
use tidings_wire::message::Message;
use uuid::Uuid;

use crate::ctx::{Ctx, Session};
use crate::failure::{Explain, Failure, Why as _};
use crate::names::Names;
use crate::output::{messages, sanitize};
use crate::queue;

/// How often to look at the send queue while following: another `tidings send` may have put
/// something there while the server was away.
const QUEUE_EVERY: Duration = Duration::from_secs(5);

/// The event that tells of a reset account.
const IDENTITY_CHANGED: &str = "identity.changed";
const COMMAND_REPLIED: &str = "command.replied";

/// Follow conversations as they happen; Ctrl-C ends it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings tail                                  everything that you are in
  tidings tail '#general' '@ana'
  tidings tail --json | jq -r 'select(.event.type == \"message.created\") | .event.data.body'
  tidings tail --since CURSOR                   go on where another tail ended

When it ends it prints the cursor to go on from. Lost connections come back by themselves.")]
pub(crate) struct Tail {
    /// Only these: [community/]#channel, @person or an id.
    #[arg(value_name = "CHANNEL")]
    channels: Vec<ChannelRef>,
    /// Go on after this cursor instead of from now.
    #[arg(long, value_name = "CURSOR")]
    since: Option<Cursor>,
    /// How events travel; the events are the same.
    #[arg(long, value_enum, default_value_t = Via::Ws)]
    transport: Via,
}

/// The names of transports on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Via {
    /// WebSocket.
    Ws,
    /// Server-sent events.
    Sse,
    /// Long poll.
    Poll,
}

impl From<Via> for Transport {
    fn from(via: Via) -> Self {
        match via {
            Via::Ws => Self::WebSocket,
            Via::Sse => Self::Sse,
            Via::Poll => Self::Poll,
        }
    }
}

/// What `tail` prints with `--json`.
#[derive(Serialize)]
struct Line<'a> {
    /// The cursor after the event, for `--since`; null inside of a page and for what is not kept.
    next: Option<&'a str>,
    event: &'a Event,
}

impl Tail {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session_as_it_is()?;
        let mut only = HashSet::new();
        for target in &self.channels {
            let channel = session.client.resolve_channel(target).await.cannot("follow")?;
            if !channel.joined {
                return Err(Failure::new(format!("you are not in {target}"))
                    .next(format!("tidings channel join '{target}'")));
            }
            only.insert(channel.id);
        }
        let mut tailing = Tailing {
            ctx,
            names: Names::new(session.account.user_id.unwrap_or_default()),
            named: false,
            only,
            cursor: self.since.clone(),
            followed: false,
            warned: HashSet::new(),
            lost: false,
            session: &session,
        };
        let follow =
            Follow::start(session.client.clone(), self.transport.into(), self.since.clone());
        let ended = tailing.run(follow).await;
        let told = tailing.followed && !silent(&ended);
        if let Some(cursor) = tailing.cursor.as_ref().filter(|_| told) {
            ctx.out.note(&format!("go on from here with: tidings tail --since {cursor}"));
        }
        ended
    }
}

fn silent(ended: &Result<(), Failure>) -> bool {
    ended.as_ref().is_err_and(|failure| failure.silent)
}

struct Tailing<'a> {
    ctx: &'a Ctx,
    session: &'a Session,
    names: Names,
    /// Whether the names of channels were loaded.
    named: bool,
    /// Empty for everything.
    only: HashSet<Uuid>,
    /// What was printed, up to here.
    cursor: Option<Cursor>,
    /// Whether there ever was a connection, so that the cursor is known to be good.
    followed: bool,
    /// New identities that were told of.
    warned: HashSet<(UserId, IdentityKey)>,
    /// Whether the connection is lost, as was told.
    lost: bool,
}

impl Tailing<'_> {
    async fn run(&mut self, mut follow: Follow) -> Result<(), Failure> {
        let mut queue_due = tokio::time::interval(QUEUE_EVERY);
        let mut stop = Box::pin(stopped());
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                update = follow.next() => match update {
                    Some(Ok(update)) => self.take(update).await?,
                    Some(Err(error)) => return Err(error.why("follow")),
                    None => return Ok(()),
                },
                _ = queue_due.tick() => queue::drain(self.ctx, self.session).await,
            }
        }
    }

    async fn take(&mut self, update: Update) -> Result<(), Failure> {
        match update {
            Update::Connected => {
                self.followed = true;
                if std::mem::take(&mut self.lost) {
                    self.ctx.out.note("connected again");
                }
                queue::drain(self.ctx, self.session).await;
            }
            Update::Snapshot { snapshot, next } => {
                self.names.learn(snapshot.communities, &snapshot.channels);
                self.named = true;
                self.cursor = Some(next);
            }
            Update::Event { event, next } => {
                if self.is_wanted(&event) {
                    self.print(&event, next.as_ref()).await?;
                }
                if next.is_some() {
                    self.cursor = next;
                }
            }
            Update::Moved { next } => self.cursor = Some(next),
            Update::SnapshotNeeded { expired } => {
                self.cursor = None;
                self.ctx.out.note(&format!(
                    "the cursor {expired} is too old or from another server; going on from now"
                ));
                self.ctx.out.note("  next: `tidings read CHANNEL` shows what came before");
            }
            Update::Disconnected { error, retry_in } => {
                self.lost = true;
                let seconds = retry_in.as_secs_f64().ceil();
                self.ctx.out.note(&format!("{error}; trying again in {seconds:.0} s"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whom one talks to matters whatever conversations one follows; programs get what they asked for.
    fn is_wanted(&self, event: &Event) -> bool {
        let warns = event.kind == IDENTITY_CHANGED && !self.ctx.json;
        self.only.is_empty() || warns || channel_of(event).is_some_and(|id| self.only.contains(&id))
    }

    async fn print(&mut self, event: &Event, next: Option<&Cursor>) -> Result<(), Failure> {
        if self.ctx.json {
            return self.ctx.out.json(&Line { next: next.map(Cursor::as_str), event });
        }
        if !self.named {
            // Without names there are ids: no reason to stop following.
            self.named = self.names.load(&self.session.client).await.is_ok();
        }
        if event.kind == IDENTITY_CHANGED {
            self.identity(event);
            return Ok(());
        }
        if event.kind == COMMAND_REPLIED {
            return self.replied(event).await;
        }
        let Some(channel) = event.channel_id else { return Ok(()) };
        let channel = self.names.channel(&self.session.client, channel).await;
        match (&*event.kind, serde_json::from_str::<Message>(event.data.get())) {
            ("message.created", Ok(message)) => self.message(&channel, &message).await,
            ("message.edited", Ok(message)) if self.ctx.out.for_people => {
                let client = &self.session.client;
                self.names.look_up(client, std::slice::from_ref(&message)).await;
                let author = sanitize::line(&message.author.username).into_owned();
                let text = messages::text(&self.ctx.out, &self.names, &message);
                self.remark(event, &channel, &format!("{author} edited: {text}"))
            }
            _ if self.ctx.out.for_people => self.fact(event, &channel).await,
            _ => Ok(()),
        }
    }

    /// Warns once for each new identity, however many rooms tell of it.
    fn identity(&mut self, event: &Event) {
        let Ok(Fact::IdentityChanged { user, identity, .. }) =
            decode_data(&event.kind, event.data.get().as_bytes())
        else {
            return;
        };
        if self.warned.insert((user.id, identity)) {
            let (name, time) = (&user.username, self.ctx.show_time(event.timestamp));
            self.ctx.out.note(&format!(
                "@{name} has a new identity since {time}, because their account was reset: {identity}"
            ));
            self.ctx.out.note("  next: ask them in person, or by phone, whether it was them");
        }
    }

    /// What a bot answers to a command that one ran a while ago; nobody else sees it.
    async fn replied(&mut self, event: &Event) -> Result<(), Failure> {
        let Ok(reply) = serde_json::from_str::<CommandReplied>(event.data.get()) else {
            return Ok(());
        };
        let channel = self.names.channel(&self.session.client, reply.channel_id).await;
        let bot = &reply.bot.username;
        self.remark(event, &channel, &format!("{bot} answers only you: {}", reply.text))
    }

    async fn message(&mut self, channel: &str, message: &Message) -> Result<(), Failure> {
        self.names.look_up(&self.session.client, std::slice::from_ref(message)).await;
        messages::print(self.ctx, &self.names, message, Some(channel))
    }

    /// What happened beside messages; for people only.
    async fn fact(&mut self, event: &Event, channel: &str) -> Result<(), Failure> {
        let Ok(fact) = decode_data(&event.kind, event.data.get().as_bytes()) else { return Ok(()) };
        let client = &self.session.client;
        let told = match fact {
            Fact::MessageDeleted { message_id } => format!("message {message_id} was deleted"),
            Fact::ReactionAdded(reaction) => {
                let who = self.names.person(client, reaction.user_id.0).await;
                let emoji = reaction.emoji.as_str();
                format!("{who} reacted {emoji} to {}", reaction.message_id)
            }
            Fact::ReactionRemoved(reaction) => {
                let who = self.names.person(client, reaction.user_id.0).await;
                format!("{who} took {} back from {}", reaction.emoji.as_str(), reaction.message_id)
            }
            Fact::MemberJoined { user, .. } => format!("{} joined", user.username),
            Fact::MemberLeft { user } => format!("{} left", user.username),
            Fact::MemberBanned { user, .. } => format!("{} was banned", user.username),
            Fact::MemberUnbanned { user } => format!("{} may come back", user.username),
            Fact::MemberMuted { user, .. } => format!("{} was muted", user.username),
            Fact::MemberUnmuted { user } => format!("{} may speak again", user.username),
            Fact::ChannelUpdated(channel) if !channel.topic.is_empty() => {
                format!("the topic is: {}", self.names.draw(&channel.topic))
            }
            Fact::ChannelArchived(_) => "the channel was archived".to_owned(),
            _ => return Ok(()),
        };
        self.remark(event, channel, &told)
    }

    fn remark(&self, event: &Event, channel: &str, told: &str) -> Result<(), Failure> {
        let time = self.ctx.show_time(event.timestamp);
        let line = format!("{channel} {} {time}", sanitize::line(told));
        self.ctx.out.line(&self.ctx.out.dim(&line))
    }
}

/// The conversation that an event is about: its log's, or the one that its data names.
fn channel_of(event: &Event) -> Option<Uuid> {
    #[derive(serde::Deserialize)]
    struct About {
        channel_id: Uuid,
    }
    event.channel_id.or_else(|| {
        serde_json::from_str::<About>(event.data.get()).ok().map(|about| about.channel_id)
    })
}

/// Returns when somebody wants an end: Ctrl-C, or the signal with which services are stopped.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
        }
        Err(_) => drop(interrupted.await),
    }
}
