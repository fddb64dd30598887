//! Outgoing webhooks: making and changing them. How events reach receivers is in [`delivery`].

mod delivery;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidings_domain::fact::SUBSCRIBABLE;
use tidings_domain::{Channel, CommunityId, Role, RoomKind, WebhookId, name};
use tidings_storage::outgoing::{StoredAttempt, StoredOutgoing};
use tidings_storage::{Change, Precondition, Record};
use tidings_wire::Code;
use tidings_wire::account::Secret;
use tidings_wire::outgoing::{
    CreateOutgoingWebhook, Delivery, OutgoingWebhook as OutgoingView, UpdateOutgoingWebhook,
};

pub(super) use delivery::Feed;

use super::App;
use super::change::Merge;
use super::webhooks::mac;
use crate::access::{Actor, OutgoingManager, OutgoingPlace};
use crate::error::ApiError;
use crate::limit::Key;

/// Most webhooks of one place: a list stays one page, and one event costs few requests.
const OUTGOING_MAX: usize = 20;

/// From [`App::outgoing`].
#[derive(Debug, Clone, Copy)]
pub struct OutgoingWebhooks<'a>(pub(super) &'a App);

impl OutgoingWebhooks<'_> {
    /// Makes a webhook that tells what happens from now on. The answer is the only place where its
    /// secret stands.
    pub async fn create(
        &self,
        place: &OutgoingPlace,
        request: &CreateOutgoingWebhook,
    ) -> Result<OutgoingView, ApiError> {
        let app = self.0;
        let whose = Whose::of(place)?;
        if whose.channel.as_ref().is_some_and(|channel| channel.kind == RoomKind::Sealed) {
            let detail = "What is said in a sealed channel is not for the server to tell.";
            return Err(ApiError::new(Code::Unprocessable, detail));
        }
        let (community_id, by) = (whose.community, whose.actor.user);
        let channel_id = whose.channel.as_ref().map(|channel| channel.id);
        let others = app.store().outgoing_of(community_id, channel_id).await?;
        if others.len() >= OUTGOING_MAX {
            let detail = format!("There are {OUTGOING_MAX} outgoing webhooks here. Delete one.");
            return Err(ApiError::conflict(detail));
        }
        let webhook = StoredOutgoing {
            id: WebhookId(app.new_id()),
            community_id,
            channel_id,
            name: display_name(&request.name)?,
            url: self.url(&request.url)?,
            events: events(&request.events)?,
            generation: 0,
            rotated_at: None,
            revision: 0,
            position: app.store().head().await?,
            succeeded_at: None,
            disabled: None,
            created_by: by,
            created_at: app.now(),
        };
        let mut answer = view(&webhook);
        answer.secret = Some(self.secret(&webhook));
        let mut preconditions = vec![Precondition::CommunityRole(community_id, by, Role::Admin)];
        preconditions.extend(channel_id.map(Precondition::ChannelOpen));
        let act = whose.act(app, "webhook.create", &webhook);
        let records = vec![Record::CreateOutgoing(Box::new(webhook.clone())), act];
        app.commit(Change { preconditions, records, ..Change::default() }).await?;
        app.feed().expect(&webhook);
        Ok(answer)
    }

    /// The webhooks of a community itself, or of a channel, oldest first.
    pub async fn list(&self, place: &OutgoingPlace) -> Result<Vec<OutgoingView>, ApiError> {
        let whose = Whose::of(place)?;
        let channel = whose.channel.map(|channel| channel.id);
        let webhooks = self.0.store().outgoing_of(whose.community, channel).await?;
        Ok(webhooks.iter().map(view).collect())
    }

    /// The webhook.
    pub fn get(self, right: &OutgoingManager) -> OutgoingView {
        view(right.webhook())
    }

    /// Changes a webhook; what is absent stays.
    pub async fn update(
        &self,
        right: &OutgoingManager,
        update: &UpdateOutgoingWebhook,
    ) -> Result<OutgoingView, ApiError> {
        let name = update.name.as_deref().map(display_name).transpose()?;
        let url = update.url.as_deref().map(|url| self.url(url)).transpose()?;
        let events = update.events.as_deref().map(events).transpose()?;
        let app = self.0;
        let changed = self
            .rewrite(right, "webhook.update", |webhook| {
                let old = webhook.clone();
                webhook.name = name.clone().unwrap_or(old.name);
                webhook.url = url.clone().unwrap_or(old.url);
                webhook.events = events.clone().unwrap_or(old.events);
                webhook.disabled = match update.enabled {
                    Some(true) => None,
                    Some(false) => {
                        let by_hand = || (app.now(), "An admin has turned it off.".to_owned());
                        Some(old.disabled.unwrap_or_else(by_hand))
                    }
                    None => old.disabled,
                };
            })
            .await?;
        // What waits is told now, to the address as it is now.
        app.feed().expect(&changed);
        Ok(view(&changed))
    }

    /// Replaces the secret. Requests carry a signature by the old one, too, for a day.
    pub async fn rotate(&self, right: &OutgoingManager) -> Result<OutgoingView, ApiError> {
        let now = self.0.now();
        let changed = self
            .rewrite(right, "webhook.rotate", |webhook| {
                webhook.generation = webhook.generation.saturating_add(1);
                webhook.rotated_at = Some(now);
            })
            .await?;
        Ok(OutgoingView { secret: Some(self.secret(&changed)), ..view(&changed) })
    }

    async fn rewrite(
        self,
        right: &OutgoingManager,
        action: &str,
        change: impl Fn(&mut StoredOutgoing) + Send + Sync,
    ) -> Result<StoredOutgoing, ApiError> {
        let app = self.0;
        let whose = Whose::of(right.place())?;
        let rewritten = |refused: &Precondition| {
            matches!(refused, Precondition::OutgoingIs(..) | Precondition::OutgoingAt(..))
        };
        let mut merge = Merge::new(rewritten);
        loop {
            let found = app.store().outgoing(right.webhook().id).await?;
            let found = found.ok_or_else(ApiError::not_found)?;
            let mut changed = found.clone();
            change(&mut changed);
            let mut preconditions = vec![
                Precondition::CommunityRole(whose.community, whose.actor.user, Role::Admin),
                Precondition::OutgoingIs(found.id, found.revision),
            ];
            let act = whose.act(app, action, &changed);
            let mut records = vec![Record::UpdateOutgoing(Box::new(changed.clone())), act];
            if changed.events != found.events
                && let (None, reached) = self.next(&found, found.position).await?
            {
                // What it passed over because nobody had asked for it stays untold.
                preconditions.push(Precondition::OutgoingAt(found.id, found.position));
                records.push(Record::MoveOutgoing(found.id, reached));
                changed.position = reached;
            }
            if merge.commit(app, Change { preconditions, records, ..Change::default() }).await? {
                return Ok(changed);
            }
        }
    }

    /// Ends a webhook.
    pub async fn delete(&self, right: &OutgoingManager) -> Result<(), ApiError> {
        let (webhook, whose) = (right.webhook(), Whose::of(right.place())?);
        let act = whose.act(self.0, "webhook.delete", webhook);
        let records = vec![Record::DeleteOutgoing(webhook.id), act];
        self.0.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }

    /// The newest attempts of a webhook, newest first.
    pub async fn deliveries(&self, right: &OutgoingManager) -> Result<Vec<Delivery>, ApiError> {
        let attempts = self.0.store().outgoing_attempts(right.webhook().id).await?;
        Ok(attempts.into_iter().map(delivery).collect())
    }

    /// Sends the receiver an event of the type `webhook.test`, once, and tells what came of it.
    pub async fn test(&self, right: &OutgoingManager) -> Result<Delivery, ApiError> {
        let app = self.0;
        let by = Whose::of(right.place())?.actor.user;
        app.limit(Key::Writes(by), app.settings().limits.writes)?;
        let attempt = self.send_test(right.webhook(), by).await;
        let records = vec![Record::PutAttempt(attempt.clone())];
        app.commit(Change { records, ..Change::default() }).await?;
        Ok(delivery(attempt))
    }

    /// An address that a request could go to.
    fn url(self, text: &str) -> Result<String, ApiError> {
        let url = self.0.outward().address(text.trim());
        url.map(String::from).map_err(|error| ApiError::field("url", "invalid", error.to_string()))
    }

    /// What requests are signed with, for people.
    fn secret(self, webhook: &StoredOutgoing) -> Secret {
        let key = self.key(webhook.id, webhook.generation);
        Secret(format!("whsec_{}", STANDARD.encode(key)))
    }

    /// What requests are signed with: derived from the server's own secret, so that it is nowhere at
    /// rest.
    fn key(self, id: WebhookId, generation: u32) -> [u8; 32] {
        use hmac::Mac as _;
        let mut mac = mac(self.0.secret());
        mac.update(b"tidings/v1/outgoing\n");
        mac.update(id.as_bytes());
        mac.update(&generation.to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Whose events, and who decides about it.
struct Whose {
    community: CommunityId,
    channel: Option<Arc<Channel>>,
    actor: Actor,
}

impl Whose {
    fn of(place: &OutgoingPlace) -> Result<Self, ApiError> {
        match place {
            OutgoingPlace::Community(right) => {
                let member = right.member();
                Ok(Self { community: member.community(), channel: None, actor: member.actor() })
            }
            OutgoingPlace::Channel(right) => {
                let reader = right.reader();
                let channel = Arc::clone(reader.channel());
                let community = channel.community_id.ok_or_else(ApiError::not_found)?;
                Ok(Self { community, channel: Some(channel), actor: reader.actor() })
            }
        }
    }

    /// What is written down of an act; of the address the host alone, because the rest is often a
    /// secret.
    fn act(&self, app: &App, action: &str, webhook: &StoredOutgoing) -> Record {
        let host = webhook.url.split('/').nth(2).unwrap_or_default();
        let act = app.act(self.actor, self.community, action);
        let act = act.on("webhook", webhook.id.0, &webhook.name).with("receiver", host);
        match &self.channel {
            Some(channel) => {
                act.within(channel).with("channel_id", channel.id.to_string()).record()
            }
            None => act.record(),
        }
    }
}

fn display_name(text: &str) -> Result<String, ApiError> {
    name::display(text, name::DISPLAY_NAME_MAX)
        .map(str::to_owned)
        .map_err(|error| ApiError::name("name", error))
}

fn events(asked: &[String]) -> Result<Vec<String>, ApiError> {
    let mut events = asked.to_vec();
    events.sort_unstable();
    events.dedup();
    if let Some(unknown) = events.iter().find(|event| !SUBSCRIBABLE.contains(&event.as_str())) {
        let known = SUBSCRIBABLE.join(", ");
        // What was sent may be anything of any length.
        let shown: String = unknown.chars().take(40).collect();
        let detail = format!("There is no event {shown:?}. There are: {known}.");
        return Err(ApiError::field("events", "unknown", detail));
    }
    Ok(events)
}

fn delivery(attempt: StoredAttempt) -> Delivery {
    Delivery {
        message_id: attempt.message,
        attempt: attempt.attempt,
        event: attempt.event,
        at: attempt.at.into(),
        status: attempt.status,
        error: (!attempt.error.is_empty()).then_some(attempt.error),
        next_at: attempt.next_at.map(Into::into),
    }
}

fn view(webhook: &StoredOutgoing) -> OutgoingView {
    let (disabled_at, disabled_reason) = webhook.disabled.clone().unzip();
    OutgoingView {
        id: webhook.id.0,
        community_id: webhook.community_id.0,
        channel_id: webhook.channel_id.map(|id| id.0),
        name: webhook.name.clone(),
        url: webhook.url.clone(),
        events: webhook.events.clone(),
        created_by: webhook.created_by.0,
        created_at: webhook.created_at.into(),
        succeeded_at: webhook.succeeded_at.map(Into::into),
        disabled_at: disabled_at.map(Into::into),
        disabled_reason,
        secret: None,
    }
}
