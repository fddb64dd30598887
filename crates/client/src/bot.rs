//! Bots: programs that listen and answer, and go on where they stopped.
//!
//! A [`Bot`] follows everything that its account may see, by long poll, so that it needs no address
//! of its own. The cursor is kept in a file and moves only after what came before it was handled: a
//! bot that is killed handles its last message again. [`Incoming::reply`] makes that harmless: the
//! same answer to the same message is posted once.
//!
//! ```no_run
//! # async fn run() -> Result<(), tidings_client::bot::BotError> {
//! use tidings_client::bot::Bot;
//!
//! Bot::new("http://127.0.0.1:8420", "tdg_pat_…")?
//!     .remember_in("bot.cursor")
//!     .on_mention(|message| async move { message.reply("pong").await })
//!     .command("/ping [text…]", "Answer", |run| async move { run.reply("pong").await })
//!     .run()
//!     .await
//! # }
//! ```

mod command;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tidings_domain::{ChannelId, MessageId, UserId};
use tidings_wire::account::Secret;
use tidings_wire::command::{CommandInvoked, CommandReply, NewCommand, SetCommands};
use tidings_wire::message::{CreateMessage, MentionKind, Message};
use tidings_wire::{Code, Event};
use uuid::Uuid;

use crate::client::Client;
use crate::error::ClientError;
use crate::server::ServerUrlError;
use crate::sync::{Cursor, Follow, Transport, Update};

pub use command::Invocation;

/// How often a message is handled again when the server is away or busy; with the waits between,
/// about a minute.
const TRIES: u32 = 6;

type Handling = Pin<Box<dyn Future<Output = Result<(), ClientError>> + Send>>;
type Report = Box<dyn Fn(&Message, &ClientError) + Send + Sync>;
type Handler = Box<dyn Fn(Incoming) -> Handling + Send + Sync>;
type CommandHandler = Box<dyn Fn(Invocation) -> Handling + Send + Sync>;

/// Why a bot does not run, or runs no more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BotError {
    /// The address is none.
    #[error("the server's address cannot be used: {0}")]
    Server(#[from] ServerUrlError),
    /// The server refuses the token, or speaks another language.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A command is written in a way that cannot be read.
    #[error("the command {usage} cannot be offered: {what}")]
    Usage {
        /// How it is written.
        usage: String,
        /// What is wrong with it.
        what: String,
    },
    /// The file with the cursor cannot be read or written.
    #[error("cannot remember where the bot is, in {}: {source}", path.display())]
    Cursor {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A program with an account: what it listens to, and where it remembers how far it is.
pub struct Bot {
    client: Client,
    transport: Transport,
    cursor: Option<PathBuf>,
    on_mention: Option<Handler>,
    on_message: Option<Handler>,
    commands: Vec<(String, String, CommandHandler)>,
    on_error: Report,
}

impl Bot {
    /// A bot on `server` (`https://chat.example.org`), with its API token.
    ///
    /// # Errors
    /// When the address is none, or there are no certificates to trust.
    pub fn new(server: &str, token: &str) -> Result<Self, BotError> {
        let client = Client::new(server.parse()?)?.with_token(Secret(token.trim().to_owned()));
        Ok(Self {
            client,
            transport: Transport::Poll,
            cursor: None,
            on_mention: None,
            on_message: None,
            commands: Vec::new(),
            on_error: Box::new(|message, error| {
                tracing::warn!(message.id = %message.id, %error, "a message was passed over");
            }),
        })
    }

    /// Keeps the cursor in this file, so that the next run goes on where this one stopped. Without
    /// it a bot begins with what happens from now on.
    #[must_use]
    pub fn remember_in(mut self, file: impl Into<PathBuf>) -> Self {
        self.cursor = Some(file.into());
        self
    }

    /// Another transport than long poll.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// What to do with each message of a person that names the bot, and with each in a direct
    /// conversation with it. Bots are not listened to, so that two never talk to each other for ever.
    #[must_use]
    pub fn on_mention<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Incoming) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), ClientError>> + Send + 'static,
    {
        self.on_mention = Some(Box::new(move |message| Box::pin(handler(message))));
        self
    }

    /// What to do with every message of a person that the bot can see.
    #[must_use]
    pub fn on_message<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Incoming) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), ClientError>> + Send + 'static,
    {
        self.on_message = Some(Box::new(move |message| Box::pin(handler(message))));
        self
    }

    /// Offers a command, such as `/deploy <env> [version]`: clients complete it, and whoever may
    /// write in a channel that the bot can see may run it. `summary` says in one line what it does.
    /// Arguments are one word each; `[why…]` takes the rest of the line, `<@who>` is a person,
    /// `<#where>` a channel, `<times:number>` a number. The commands of a bot replace those of its
    /// last run.
    #[must_use]
    pub fn command<F, Fut>(mut self, usage: &str, summary: &str, handler: F) -> Self
    where
        F: Fn(Invocation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), ClientError>> + Send + 'static,
    {
        let handler: CommandHandler = Box::new(move |invocation| Box::pin(handler(invocation)));
        self.commands.push((usage.to_owned(), summary.to_owned(), handler));
        self
    }

    /// What to do when a message cannot be handled; it is passed over then.
    #[must_use]
    pub fn on_error(
        mut self,
        report: impl Fn(&Message, &ClientError) + Send + Sync + 'static,
    ) -> Self {
        self.on_error = Box::new(report);
        self
    }

    /// The client behind the bot, for everything else.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Listens until the server refuses the token. A server that is away is waited for.
    ///
    /// # Errors
    /// When going on would not help: the token was revoked, or the cursor cannot be kept.
    pub async fn run(self) -> Result<(), BotError> {
        let commands = self.offer()?;
        let me = self.patiently(async || Ok(self.client.me().await?.id)).await?;
        let since = if let Some(since) = self.read_cursor().await? {
            since
        } else {
            let (_, now) = self.client.snapshot().await?;
            self.keep(&now).await?;
            now
        };
        // Offered when it is known where to begin, so that nothing that is run is missed.
        if !commands.is_empty() {
            let set = SetCommands { commands };
            self.patiently(async || self.client.set_bot_commands(UserId(me), &set).await).await?;
        }
        let mut direct = HashMap::new();
        let mut follow = Follow::start(self.client.clone(), self.transport, Some(since));
        while let Some(update) = follow.next().await {
            match update? {
                Update::Event { event, next } => {
                    self.handle(&event, me, &mut direct).await?;
                    if let Some(next) = next {
                        self.keep(&next).await?;
                    }
                }
                Update::Moved { next } | Update::Snapshot { next, .. } => self.keep(&next).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The commands as the server takes them.
    fn offer(&self) -> Result<Vec<NewCommand>, BotError> {
        let all = self.commands.iter().map(|(usage, summary, _)| {
            command::read(usage, summary)
                .map_err(|what| BotError::Usage { usage: usage.clone(), what })
        });
        all.collect()
    }

    /// Asks until the server answers: one that is not up yet is waited for.
    async fn patiently<T>(
        &self,
        ask: impl AsyncFn() -> Result<T, ClientError>,
    ) -> Result<T, BotError> {
        let mut wait = Duration::from_secs(1);
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is_transient() => tokio::time::sleep(wait).await,
                Err(error) => return Err(error.into()),
            }
            wait = (wait * 2).min(Duration::from_secs(30));
        }
    }

    async fn handle(
        &self,
        event: &Event,
        me: Uuid,
        direct: &mut HashMap<Uuid, bool>,
    ) -> Result<(), BotError> {
        if event.kind == "command.invoked" {
            return self.obey(event).await;
        }
        if event.kind != "message.created" {
            return Ok(());
        }
        // Of another version: nothing that this bot could answer.
        let Ok(message) = serde_json::from_str::<Message>(event.data.get()) else { return Ok(()) };
        if message.author.bot || message.author.id == me {
            return Ok(());
        }
        let named = message
            .mentions
            .iter()
            .any(|mention| mention.kind == MentionKind::User && mention.id == Some(me));
        let handler = match (&self.on_mention, &self.on_message) {
            (Some(handler), _) if named || self.is_direct(message.channel_id, direct).await => {
                handler
            }
            (_, Some(handler)) => handler,
            _ => return Ok(()),
        };
        let trying = tried(|| {
            handler(Incoming {
                client: self.client.clone(),
                message: message.clone(),
                me,
                replies: Arc::default(),
            })
        });
        if let Err(error) = trying.await {
            if error.code() == Some(Code::Unauthorized) {
                return Err(error.into());
            }
            (self.on_error)(&message, &error);
        }
        Ok(())
    }

    /// Runs one of the bot's commands. When that fails, whoever ran it is told so.
    async fn obey(&self, event: &Event) -> Result<(), BotError> {
        // Of another version: nothing that this bot could answer.
        let Ok(invoked) = serde_json::from_str::<CommandInvoked>(event.data.get()) else {
            return Ok(());
        };
        let named = |usage: &str| {
            let name = usage.trim().strip_prefix('/').unwrap_or_default();
            name.split_whitespace().next() == Some(invoked.command.as_str())
        };
        let Some((.., handler)) = self.commands.iter().find(|(usage, ..)| named(usage)) else {
            return Ok(());
        };
        let invoked = Arc::new(invoked);
        let trying = tried(|| {
            let (client, invoked) = (self.client.clone(), Arc::clone(&invoked));
            handler(Invocation { client, invoked, said: Arc::default() })
        });
        let Err(error) = trying.await else { return Ok(()) };
        if error.code() == Some(Code::Unauthorized) {
            return Err(error.into());
        }
        tracing::warn!(command.id = %invoked.id, %error, "a command was passed over");
        let text = "That did not work.".to_owned();
        let sorry = CommandReply { text, ..CommandReply::default() };
        // Saying so may fail for the same reason.
        let _ = self.client.answer_command(invoked.id, &sorry).await;
        Ok(())
    }

    /// Whether the channel is a conversation of two. What cannot be seen is not.
    async fn is_direct(&self, channel: Uuid, known: &mut HashMap<Uuid, bool>) -> bool {
        if let Some(direct) = known.get(&channel) {
            return *direct;
        }
        match self.client.channel(ChannelId(channel)).await {
            Ok(found) => *known.entry(channel).or_insert(found.channel_type == "dm"),
            Err(_) => false,
        }
    }

    async fn read_cursor(&self) -> Result<Option<Cursor>, BotError> {
        let Some(path) = &self.cursor else { return Ok(None) };
        match tokio::fs::read_to_string(path).await {
            // A file that was cut off by a full disk is as good as none.
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BotError::Cursor { path: path.clone(), source }),
        }
    }

    /// Written beside the file and moved over it, so that a kill leaves the old or the new one.
    async fn keep(&self, cursor: &Cursor) -> Result<(), BotError> {
        let Some(path) = &self.cursor else { return Ok(()) };
        let mut beside = path.clone().into_os_string();
        beside.push(".new");
        let written = async {
            tokio::fs::write(&beside, cursor.as_str()).await?;
            tokio::fs::rename(&beside, path).await
        };
        written.await.map_err(|source| BotError::Cursor { path: path.clone(), source })
    }
}

/// Handles something, and again as long as the server is away or busy.
async fn tried(handle: impl Fn() -> Handling) -> Result<(), ClientError> {
    let mut wait = Duration::from_secs(1);
    for _ in 1..TRIES {
        match handle().await {
            Err(error) if error.is_transient() => {
                tokio::time::sleep(error.retry_after().unwrap_or(wait)).await;
                wait *= 2;
            }
            done => return done,
        }
    }
    handle().await
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot")
            .field("client", &self.client)
            .field("transport", &self.transport)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

/// A message that a bot hears.
#[derive(Debug, Clone)]
pub struct Incoming {
    client: Client,
    message: Message,
    me: Uuid,
    /// How many answers there were, so that each has a name of its own.
    replies: Arc<AtomicU32>,
}

impl Incoming {
    /// The message as it was sent.
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// What it says, without the bot's own name at its beginning.
    pub fn text(&self) -> &str {
        let body = self.message.body.trim();
        body.strip_prefix(&format!("@<user:{}>", self.me)).unwrap_or(body).trim()
    }

    /// The client behind the bot, for everything but answers.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Answers in the message's thread. The first answer to a message has the same name whenever it
    /// is given, as has the second, so that a message that is handled again is answered once.
    ///
    /// # Errors
    /// When the server refuses the answer, or cannot be reached.
    pub async fn reply(&self, body: &str) -> Result<(), ClientError> {
        let message = &self.message;
        let number = self.replies.fetch_add(1, Ordering::Relaxed);
        let answer = CreateMessage {
            client_id: format!("reply-{}-{number}", message.id),
            body: body.to_owned(),
            parent_id: Some(message.parent_id.unwrap_or(message.id)),
            broadcast: false,
            attachments: Vec::new(),
        };
        match self.client.send(ChannelId(message.channel_id), &answer).await {
            Ok(_) => Ok(()),
            // It was answered before, in other words.
            Err(error) if error.code() == Some(Code::IdempotencyMismatch) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reacts with a Unicode emoji, or `:name:`.
    ///
    /// # Errors
    /// When the server refuses the reaction, or cannot be reached.
    pub async fn react(&self, emoji: &str) -> Result<(), ClientError> {
        self.client.react(MessageId(self.message.id), emoji).await
    }
}
