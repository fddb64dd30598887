//! `tidings send`.

use clap::Args;
use serde_json::json;
use tidings_client::ChannelRef;
use tidings_client::outbox::{Fate, Outgoing};
use uuid::Uuid;

use crate::ctx::{Ctx, Session};
use crate::failure::{Exit, Explain, Failure, Why as _};
use crate::{queue, text};

/// Send a message; when the server is away it waits on disk and goes out later, once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings send '#general' 'hello'
  tidings send 'acme/#ops' - < report.md
  make 2>&1 | tail -20 | tidings send '@ana'
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
}

impl Send {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let session = ctx.session_as_it_is()?;
        let body = text::from_args(ctx, self.text)?;
        let message = Outgoing { target: self.channel, body, parent_id: self.reply_to };
        send(ctx, &session, &message).await
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
