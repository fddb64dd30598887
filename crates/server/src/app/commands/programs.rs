//! Commands about what works without its person: webhooks, tokens, reminders.

use tidings_domain::{TokenId, WebhookId};
use tidings_wire::Code;
use tidings_wire::bot::CreateToken;
use tidings_wire::command::CommandResult;
use tidings_wire::webhook::CreateWebhook;

use super::{Command, CommandError, Commands, Ran, Scene, misunderstood, you};
use crate::access::ChannelManager;
use crate::error::ApiError;

impl Commands<'_> {
    pub(super) async fn serve_programs(
        &self,
        scene: &Scene<'_>,
        command: Command,
    ) -> Result<Ran, ApiError> {
        let app = self.0;
        let caller = scene.caller;
        Ok(match command {
            Command::WebhookCreate(channel, name) => {
                let right = self.managed(scene, channel.as_deref()).await?;
                let request = CreateWebhook { name, ..CreateWebhook::default() };
                let made = app.webhooks().create(&right, &request).await?;
                let url = made.url.map(|url| url.0).unwrap_or_default();
                let text = format!(
                    "Whoever has this address can post here. It is shown once:\n\
                     curl -H 'Content-Type: application/json' -d '{{\"text\": \"hello\"}}' {url}"
                );
                Ran { result: you(text), secret: true }
            }
            Command::WebhookList(channel) => {
                let right = self.managed(scene, channel.as_deref()).await?;
                let all = app.webhooks().list(&right).await?;
                let lines = all.iter().map(|hook| format!("{} {}", hook.id, hook.name));
                listed(&lines.collect::<Vec<_>>(), "There is no webhook.").into()
            }
            Command::WebhookRevoke(id) => {
                let id: WebhookId = id.parse().map_err(|_| no_id("webhook", &id))?;
                let found = app.access().webhook(caller, id).await;
                let right = found.map_err(|error| hidden(error, no_id("webhook", &id)))?;
                app.webhooks().delete(&right).await?;
                you(format!("The webhook {} is gone.", right.webhook().name)).into()
            }
            Command::TokenCreate(name, scopes, expires_in_s) => {
                let request = CreateToken { name, scopes: Some(scopes), expires_in_s };
                let made = app.tokens().create(caller, &request).await?;
                let token = made.token.map(|token| token.0).unwrap_or_default();
                let text = format!("Keep it as you would a password. It is shown once:\n{token}");
                Ran { result: you(text), secret: true }
            }
            Command::TokenList => {
                let all = app.tokens().list(caller).await?;
                let lines = all.iter().map(|token| {
                    format!("{} {}: {}", token.id, token.name, token.scopes.join(" "))
                });
                listed(&lines.collect::<Vec<_>>(), "You have no token.").into()
            }
            Command::TokenRevoke(id) => {
                let id: TokenId = id.parse().map_err(|_| no_id("token", &id))?;
                let found = app.access().token(caller, id).await;
                let right = found.map_err(|error| hidden(error, no_id("token", &id)))?;
                app.tokens().delete(&right).await?;
                you(format!("The token {} is gone.", right.token().name)).into()
            }
            Command::Remind(seconds, text) => {
                let due = app.reminders().create(caller, seconds, &text).await?;
                you(format!("You will be reminded at {due}.")).into()
            }
            Command::RemindList => {
                let all = app.reminders().list(caller).await?;
                let lines = all.iter().enumerate().map(|(at, reminder)| {
                    format!("{}. {}: {}", at + 1, reminder.due_at, reminder.text)
                });
                listed(&lines.collect::<Vec<_>>(), "You will be reminded of nothing.").into()
            }
            Command::RemindCancel(number) => {
                let text = app.reminders().cancel(caller, number).await?;
                you(format!("You will not be reminded of: {text}")).into()
            }
            _ => return Err(misunderstood(&CommandError::NotACommand)),
        })
    }

    /// The right to a channel's webhooks; of where the command is run when none is named.
    async fn managed(
        &self,
        scene: &Scene<'_>,
        name: Option<&str>,
    ) -> Result<ChannelManager, ApiError> {
        let id = match name {
            Some(name) => self.place(scene, name).await?,
            None => scene.reader.channel().id,
        };
        self.0.access().manager(scene.caller, id).await
    }
}

fn listed(lines: &[String], nothing: &str) -> CommandResult {
    you(if lines.is_empty() { nothing.to_owned() } else { lines.join("\n") })
}

fn no_id(what: &str, id: &impl std::fmt::Display) -> ApiError {
    ApiError::field("text", "unknown", format!("there is no {what} {id} for you"))
}

/// The other error in place of "there is nothing here", which says nothing about a line of text.
fn hidden(error: ApiError, other: ApiError) -> ApiError {
    if error.code() == Code::NotFound { other } else { error }
}
