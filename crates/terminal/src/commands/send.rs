//! `tidings send`.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tidings_client::ChannelRef;
use tidings_client::message::new_client_id;
use tidings_client::outbox::{Fate, Outgoing};
use tidings_domain::ChannelId;
use tidings_wire::message::CreateMessage;
use uuid::Uuid;

use crate::ctx::{Ctx, Session};
use crate::failure::{Exit, Explain, Failure, Why as _};
use crate::{progress, queue, text};

/// Send a message; when the server is away it waits on disk and goes out later, once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings send '#general' 'hello'
  tidings send 'acme/#ops' - < report.md
  make 2>&1 | tail -20 | tidings send '@ana'
  tidings send '#general' 'the plan' --file plan.pdf --file plan.png
  tidings send '#general' 'I agree' --reply-to 0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01

Prints the id of the message.")]
pub(crate) struct Send {
    /// [community/]#channel, @person or an id.
    #[arg(value_name = "CHANNEL")]
    channel: ChannelRef,
    /// What to say, in Markdown; - or nothing reads standard input.
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// Reply in the thread of this message.
    #[arg(long, value_name = "ID")]
    reply_to: Option<Uuid>,
    /// A file to send along; may be given up to ten times. Then the message does not wait on disk
    /// when the server is away, and the text may be left out.
    #[arg(long, short, value_name = "PATH")]
    file: Vec<PathBuf>,
}

impl Send {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        if !self.file.is_empty() {
            return self.send_files(ctx).await;
        }
        let session = ctx.session_as_it_is()?;
        let body = text::from_args(ctx, self.text)?;
        let message = Outgoing { target: self.channel, body, parent_id: self.reply_to };
        send(ctx, &session, &message).await
    }

    async fn send_files(self, ctx: &Ctx) -> Result<(), Failure> {
        let body = match self.text {
            None => String::new(),
            text => text::from_args(ctx, text)?,
        };
        let session = ctx.session().await?;
        let client = &session.client;
        let channel = client.resolve_channel(&self.channel).await.cannot("send the message")?;
        let mut attachments = Vec::with_capacity(self.file.len());
        for path in &self.file {
            let name = path.display().to_string();
            let size = fs::metadata(path).ok().map(|metadata| metadata.len());
            let bar = progress::bytes(ctx, &name, size);
            let moved = bar.clone();
            let uploaded = client.upload(path, None, move |bytes| moved.inc(bytes)).await;
            bar.finish_and_clear();
            attachments.push(uploaded.cannot(&format!("send {name}"))?.id);
        }
        let message = CreateMessage {
            client_id: new_client_id(),
            body,
            parent_id: self.reply_to,
            broadcast: false,
            attachments,
        };
        let sent = client.send(ChannelId(channel.id), &message).await.cannot("send the message")?;
        if ctx.json { ctx.out.json(&sent) } else { ctx.out.line(&sent.id.to_string()) }
    }
}

/// Queues a message, sends what it can, and tells what became of it.
pub(crate) async fn send(ctx: &Ctx, session: &Session, message: &Outgoing) -> Result<(), Failure> {
    let sent = session.outbox.send(&session.client, message, ctx.now()).await;
    let (fate, others) = sent.cannot("queue the message")?;
    queue::report(ctx, &others);
    match fate {
        Fate::Sent(message) if ctx.json => ctx.out.json(&message),
        Fate::Sent(message) => ctx.out.line(&message.id.to_string()),
        Fate::Refused(error) => Err(error.why("send the message")),
        Fate::Waits { client_id, error } => {
            let why = error.map(|error| error.why("send the message now"));
            if let Some(failure) = why.as_ref().filter(|why| why.exit == Exit::NotLoggedIn) {
                let line = format!("{}; the message waits in the queue", failure.line);
                return Err(Failure::not_logged_in(line).next("tidings login"));
            }
            let why = why.map_or_else(String::new, |failure| format!(" ({})", failure.line));
            ctx.out.note(&format!("queued; will go out when the server is back{why}"));
            if ctx.json {
                let target = message.target.to_string();
                let line = json!({"queued": true, "client_id": client_id, "channel": target});
                return ctx.out.json(&line);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
