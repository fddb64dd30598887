//! Incoming webhooks: making them, and posting what they are sent.

use hmac::{Hmac, Mac as _};
use http::HeaderMap;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tidings_domain::{
    Author, Channel, Fact, Format, LogId, Message, MessageId, Role, RoomKind, Seq, UserId,
    WebhookId, name,
};
use tidings_storage::webhook::StoredWebhook;
use tidings_storage::{
    Change, ChangeError, Dedupe, Precondition, Record, Refusal as Refused, StorageError,
};
use tidings_wire::account::Secret;
use tidings_wire::webhook::{CreateWebhook, Webhook as WebhookView};

use super::App;
use crate::access::{ChannelManager, WebhookManager};
use crate::auth::token::{self, Token};
use crate::error::ApiError;
use crate::hook::{self, Post, Refusal, Source};
use crate::limit::Key;
use crate::render;

/// Most webhooks of one channel: a list stays one page.
const WEBHOOKS_MAX: usize = 100;
/// How often a post is built anew when another one of the same thread came in between.
const ATTEMPTS: usize = 8;

/// From [`App::webhooks`].
#[derive(Debug, Clone, Copy)]
pub struct Webhooks<'a>(pub(super) &'a App);

/// Why a request to a webhook is not done.
#[derive(Debug)]
pub enum Undone {
    /// Its sender is told why, in Slack's words.
    Refused(Refusal),
    /// Too many requests, or our own fault.
    Failed(ApiError),
}

impl From<Refusal> for Undone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ApiError> for Undone {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<StorageError> for Undone {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<ChangeError> for Undone {
    fn from(error: ChangeError) -> Self {
        Self::Failed(error.into())
    }
}

/// A webhook whose token was right.
#[derive(Debug)]
pub struct Sender {
    webhook: StoredWebhook,
}

impl Webhooks<'_> {
    /// Makes a webhook. The answer is the only place where its address stands.
    pub async fn create(
        &self,
        right: &ChannelManager,
        request: &CreateWebhook,
    ) -> Result<WebhookView, ApiError> {
        let app = self.0;
        let (channel, by) = (right.reader().channel(), right.reader().user());
        let name = name::display(&request.name, name::DISPLAY_NAME_MAX)
            .map_err(|error| ApiError::name("name", error))?;
        let Some(community) = channel.community_id else { return Err(ApiError::not_found()) };
        if app.store().webhooks_of(channel.id).await?.len() >= WEBHOOKS_MAX {
            let detail = format!("The channel has {WEBHOOKS_MAX} webhooks already. Delete one.");
            return Err(ApiError::conflict(detail));
        }
        let secret = Token::new(&app.random::<32>());
        let webhook = StoredWebhook {
            id: WebhookId(app.new_id()),
            channel_id: channel.id,
            name: name.to_owned(),
            token_hash: token::hash(secret.reveal()),
            signed: request.signed,
            created_by: by,
            created_at: app.now(),
        };
        let act = app.act(right.reader().actor(), community, "webhook.create").within(channel);
        let act = act.on("webhook", webhook.id.0, name).with("channel_id", channel.id.to_string());
        let mut answer = view(&webhook);
        let origin = &app.settings().public_url;
        answer.url = Some(Secret(format!("{origin}/hook/{}/{}", webhook.id, secret.reveal())));
        answer.secret = webhook.signed.then(|| Secret(self.secret(webhook.id)));
        let change = Change {
            preconditions: vec![
                Precondition::CommunityRole(community, by, Role::Admin),
                Precondition::ChannelOpen(channel.id),
            ],
            records: vec![Record::CreateWebhook(webhook), act.record()],
            ..Change::default()
        };
        app.commit(change).await?;
        Ok(answer)
    }

    /// The webhooks of a channel, oldest first.
    pub async fn list(&self, right: &ChannelManager) -> Result<Vec<WebhookView>, ApiError> {
        let webhooks = self.0.store().webhooks_of(right.reader().channel().id).await?;
        Ok(webhooks.iter().map(view).collect())
    }

    /// Ends a webhook; what it posted stays.
    pub async fn delete(&self, right: &WebhookManager) -> Result<(), ApiError> {
        let (reader, webhook) = (right.channel().reader(), right.webhook());
        let channel = reader.channel();
        let act = self.0.act(reader.actor(), channel.community_id, "webhook.delete");
        let act = act.within(channel).on("webhook", webhook.id.0, &webhook.name);
        let act = act.with("channel_id", channel.id.to_string());
        let records = vec![Record::DeleteWebhook(webhook.id), act.record()];
        self.0.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }

    /// What requests to the webhook are signed with: derived from the server's own secret, so that
    /// it is nowhere at rest.
    fn secret(self, id: WebhookId) -> String {
        let mut mac = mac(self.0.secret());
        mac.update(b"tidings/v1/webhook\n");
        mac.update(id.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// The webhook with this id and token. A wrong id takes the same steps as a wrong token.
    ///
    /// # Errors
    /// `no_service`; `rate_limited` when it is asked too often.
    pub async fn sender(&self, id: &str, token: &str) -> Result<Sender, Undone> {
        let app = self.0;
        let id = id.parse().unwrap_or(WebhookId::NIL);
        let found = app.store().webhook(id).await?;
        let expected = found.as_ref().map_or([0; 32], |webhook| webhook.token_hash);
        let right = bool::from(token::hash(token).ct_eq(&expected));
        let webhook = found.filter(|_| right).ok_or(Refusal::NoService)?;
        app.limit(Key::Webhook(webhook.id), app.settings().limits.webhooks)?;
        Ok(Sender { webhook })
    }

    /// Reads what a webhook is sent, and posts it.
    ///
    /// # Errors
    /// What its sender is told.
    pub async fn receive(
        &self,
        sender: &Sender,
        source: Source,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Undone> {
        let webhook = &sender.webhook;
        if webhook.signed && !is_signed(&self.secret(webhook.id), headers, body) {
            return Err(Refusal::InvalidSignature.into());
        }
        match hook::read(source, headers, body)? {
            Some(post) => self.post(webhook, &post).await,
            None => Ok(()),
        }
    }

    async fn post(self, webhook: &StoredWebhook, post: &Post) -> Result<(), Undone> {
        let app = self.0;
        let channel = app.channel(webhook.channel_id).await?.ok_or(Refusal::ChannelNotFound)?;
        if channel.archived {
            return Err(Refusal::ChannelIsArchived.into());
        }
        if channel.kind == RoomKind::Sealed {
            return Err(Refusal::ActionProhibited.into());
        }
        for _ in 0..ATTEMPTS {
            let Some(change) = self.change(webhook, &channel, post).await? else { return Ok(()) };
            match app.commit(change).await {
                // The same delivery with other bytes was told already.
                Ok(_) | Err(ChangeError::Refused(Refused::DedupeMismatch)) => return Ok(()),
                Err(ChangeError::Refused(Refused::Precondition(precondition))) => {
                    match precondition {
                        // Another post of the thread came first: look again.
                        Precondition::WebhookNote(..) => {}
                        Precondition::WebhookThere(_) => return Err(Refusal::NoService.into()),
                        Precondition::ChannelOpen(_) => {
                            return Err(Refusal::ChannelIsArchived.into());
                        }
                        other => {
                            let error = ChangeError::from(Refused::Precondition(other));
                            return Err(error.into());
                        }
                    }
                }
                Err(other) => return Err(other.into()),
            }
        }
        Err(ApiError::conflict("Too many posts of one thread at a time. Try again.").into())
    }

    /// What a post writes; `None` when it tells of a state that is known.
    async fn change(
        self,
        webhook: &StoredWebhook,
        channel: &Channel,
        post: &Post,
    ) -> Result<Option<Change>, ApiError> {
        let app = self.0;
        let (id, now) = (webhook.id, app.now());
        let message_id = MessageId(app.new_id());
        let mut preconditions =
            vec![Precondition::WebhookThere(id), Precondition::ChannelOpen(channel.id)];
        let mut records = Vec::new();
        let mut note = |key: [u8; 32], old: Option<String>, new: String| {
            preconditions.push(Precondition::WebhookNote(id, key, old));
            records.push(Record::PutWebhookNote(id, key, new));
        };
        if let Some(state) = &post.state {
            let key = token::hash(&state.key);
            let old = app.store().webhook_note(id, &key).await?;
            if old.as_deref() == Some(state.value) {
                return Ok(None);
            }
            let silent = state.expected && old.is_none();
            note(key, old, state.value.to_owned());
            if silent {
                return Ok(Some(Change { preconditions, records, ..Change::default() }));
            }
        }
        let mut parent = None;
        if let Some(thread) = &post.thread {
            let key = token::hash(thread);
            let named = thread.strip_prefix("ts:").and_then(|ts| ts.parse().ok());
            parent = match (named, app.store().webhook_note(id, &key).await?) {
                (Some(named), _) => self.root(named, channel).await?,
                (None, Some(root)) => {
                    let root = root.parse().ok();
                    match root {
                        Some(root) => self.root(root, channel).await?,
                        None => None,
                    }
                }
                (None, None) => {
                    note(key, None, message_id.to_string());
                    None
                }
            };
        }
        let names = if post.mentions {
            let found = render::candidates(&post.body);
            app.messages().names(channel, webhook.created_by, &found).await?
        } else {
            render::Names::default()
        };
        let prepared = if post.mentions {
            render::prepare(&post.body, &names)
        } else {
            render::prepare_resolved(unnamed(&post.body), &names)
        };
        let shown = post.username.as_deref().unwrap_or(&webhook.name);
        let shown = name::display(shown, name::DISPLAY_NAME_MAX).unwrap_or(&webhook.name);
        let author = UserId(id.0);
        let client_id = post.delivery.clone().unwrap_or_else(|| app.new_id().to_string());
        // What others call their deliveries may be longer than what we let clients say.
        let client_id = hex::encode(token::hash(&client_id));
        let message = Box::new(Message {
            id: message_id,
            channel_id: channel.id,
            seq: Seq(0),
            author: Author {
                id: author,
                username: shown.to_owned(),
                display_name: shown.to_owned(),
                bot: true,
            },
            parent_id: parent,
            broadcast: parent.is_some() && post.broadcast,
            format: Format::Text,
            body: prepared.body,
            body_html: prepared.body_html,
            mentions: prepared.mentions,
            attachments: Vec::new(),
            previews: Vec::new(),
            reactions: Vec::new(),
            reply_count: 0,
            last_reply_at: None,
            pinned: false,
            created_at: now,
            edited_at: None,
            deleted: false,
            client_id: Some(client_id.clone()),
            imported: false,
        });
        if let Some(parent) = parent {
            preconditions.push(Precondition::MessageTopLevel(channel.id, parent));
        }
        let log = LogId::Conversation(channel.id);
        let called = app.notifications().of_message(channel, &message).await?;
        let fact = Fact::MessageCreated { message };
        let mut entries = vec![app.entry(log, channel.community_id, author, now, fact)];
        entries.extend(called);
        let request = token::hash(&client_id);
        let dedupe = Some(Dedupe { channel: channel.id, user: author, client_id, request });
        Ok(Some(Change { preconditions, records, entries, dedupe, ..Change::default() }))
    }

    /// The message, when it can have replies here. One that cannot is no reason to lose a post.
    async fn root(self, id: MessageId, channel: &Channel) -> Result<Option<MessageId>, ApiError> {
        let found = self.0.store().message(id, UserId::NIL).await?;
        let root = found.filter(|it| it.channel_id == channel.id && it.parent_id.is_none());
        Ok(root.map(|_| id))
    }
}

/// A body in which nothing rings: references to everybody that a stranger wrote are text.
fn unnamed(body: &str) -> String {
    body.replace("@<", "@\\<")
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
pub(super) fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("a key of any length")
}

/// Whether a request is signed with the secret: by its HMAC (GitHub, Gitea), or by showing it
/// (GitLab). Both are compared in constant time.
fn is_signed(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let hex = header("x-hub-signature-256").and_then(|value| value.strip_prefix("sha256="));
    if let Some(hex) = hex.or_else(|| header("x-gitea-signature")) {
        let mut mac = mac(secret.as_bytes());
        mac.update(body);
        return hex::decode(hex).is_ok_and(|tag| mac.verify_slice(&tag).is_ok());
    }
    header("x-gitlab-token")
        .is_some_and(|shown| token::hash(shown).ct_eq(&token::hash(secret)).into())
}

fn view(webhook: &StoredWebhook) -> WebhookView {
    WebhookView {
        id: webhook.id.0,
        name: webhook.name.clone(),
        channel_id: webhook.channel_id.0,
        signed: webhook.signed,
        created_by: webhook.created_by.0,
        created_at: webhook.created_at.into(),
        url: None,
        secret: None,
    }
}
