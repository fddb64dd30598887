//! Previews: what the links of a message lead to, looked up once by the server.
//!
//! Sending a message with links leaves a job; doing it asks for the pages as a stranger would, by
//! [`outward`](crate::outward), so nothing of the server's own network is ever looked at, and
//! appends `message.previewed`. What a page said goes when the message goes.

mod cache;
pub mod page;

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use tidings_domain::message::{PREVIEWS_MAX, Preview};
use tidings_domain::{ChannelId, Fact, JobId, LogId, Message, MessageId, RoomKind, UserId};
use tidings_storage::job::{JobKind, StoredJob};
use tidings_storage::{Change, Precondition, Record};
use uuid::Uuid;

use super::App;
use super::jobs::{After, Lease};
use super::messages::decode_domain;
use crate::access::{Caller, ChannelReader, PreviewDecider};
use crate::error::ApiError;
use crate::outward::{Answer, Bounds, Excess};

use cache::{Known, Look};

pub(super) use cache::Cache;

/// What a page may cost. What it says of itself stands at its beginning.
const PAGE: Bounds = Bounds {
    time: Duration::from_secs(10),
    bytes: 512 << 10,
    excess: Excess::Cut,
    redirects: 3,
    kinds: &["text/html", "application/xhtml+xml", "image/"],
};
/// What a picture may cost.
const PICTURE: Bounds = Bounds {
    time: Duration::from_secs(10),
    bytes: 8 << 20,
    excess: Excess::Refuse,
    redirects: 3,
    kinds: &["image/"],
};
/// How wide the picture of a preview is at most, in pixels.
const WIDTH: u32 = 640;

/// From [`App::previews`].
#[derive(Debug, Clone, Copy)]
pub struct Previews<'a>(pub(super) &'a App);

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    message_id: Uuid,
}

impl Previews<'_> {
    /// Whether the links of the channel's messages may be looked up.
    pub async fn of_channel(&self, right: &ChannelReader) -> Result<bool, ApiError> {
        Ok(self.0.store().previews_on(&[right.channel().id.0]).await?)
    }

    /// Whether the links of the caller's messages may be looked up.
    pub async fn of_caller(&self, caller: &Caller) -> Result<bool, ApiError> {
        Ok(self.0.store().previews_on(&[caller.user_id().0]).await?)
    }

    /// Decides for the channel. What was looked up stays.
    pub async fn set_for_channel(&self, right: &PreviewDecider, on: bool) -> Result<(), ApiError> {
        let (app, reader) = (self.0, right.reader());
        let channel = reader.channel();
        let mut records = vec![Record::SetPreviews(channel.id.0, on)];
        if let Some(community) = channel.community_id {
            let act = app.act(reader.actor(), community, "channel.previews");
            records.push(act.on_channel(channel).with("enabled", on).record());
        }
        app.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }

    /// Decides for the caller's own messages. What was looked up stays.
    pub async fn set_for_caller(&self, caller: &Caller, on: bool) -> Result<(), ApiError> {
        let records = vec![Record::SetPreviews(caller.user_id().0, on)];
        self.0.commit(Change { records, ..Change::default() }).await?;
        Ok(())
    }

    /// What is to be done for a message that is about to be written: nothing when it has no links, and
    /// had none before.
    pub(crate) fn job(self, message: &Message) -> Option<Record> {
        let app = self.0;
        let links = page::links(&message.body_html, 1);
        if !app.settings().previews || (links.is_empty() && message.previews.is_empty()) {
            return None;
        }
        let payload = serde_json::to_string(&Payload { message_id: message.id.0 }).ok()?;
        let now = app.now();
        Some(Record::CreateJob(StoredJob {
            id: JobId(app.new_id()),
            kind: JobKind::Preview,
            payload,
            due: now,
            attempts: 0,
            created_at: now,
        }))
    }

    /// Looks up the links of a message as it is now.
    pub(crate) async fn look(self, lease: &Lease<'_>) -> Result<Option<After>, ApiError> {
        let app = self.0;
        let Ok(Payload { message_id }) = serde_json::from_str(&lease.job().payload) else {
            tracing::error!(id = %lease.job().id, "a preview says not of which message");
            return Ok(Some(After::done(Vec::new())));
        };
        let stored = app.store().message(MessageId(message_id), UserId::NIL).await?;
        let Some(data) = stored.and_then(|stored| stored.data) else {
            return Ok(Some(After::done(Vec::new())));
        };
        let mut message = decode_domain(&data)?;
        let channel = app.channel(message.channel_id).await?;
        let Some(channel) = channel.filter(|channel| channel.kind == RoomKind::Open) else {
            return Ok(Some(After::done(Vec::new())));
        };
        let on = app.store().previews_on(&[channel.id.0, message.author.id.0]).await?;
        let mut links = page::links(&message.body_html, PREVIEWS_MAX);
        links.retain(|link| on && !self.is_ours(link));
        let found = join_all(links.iter().map(|link| self.preview(channel.id, link))).await;
        let previews: Vec<Preview> = found.into_iter().flatten().collect();
        if previews.is_empty() && message.previews.is_empty() {
            return Ok(Some(After::done(Vec::new())));
        }
        let mut change = Change::default();
        for image in previews.iter().filter_map(|preview| preview.image.as_ref()) {
            let usable = Precondition::MediaUsable(image.id, UserId::NIL, Some(channel.id));
            change.preconditions.push(usable);
            change.records.push(Record::UseMedia(image.id));
        }
        message.previews = previews;
        let fact = Fact::MessagePreviewed { message: Box::new(message) };
        let log = LogId::Conversation(channel.id);
        let entry = app.entry(log, channel.community_id, UserId::NIL, app.now(), fact);
        change.entries.push(entry);
        Ok(Some(After { change, again: None }))
    }

    /// Pages of this server say nothing to strangers.
    fn is_ours(self, link: &str) -> bool {
        let ours = self.0.settings().public_url.parse::<Url>();
        let theirs = link.parse::<Url>();
        matches!((ours, theirs), (Ok(ours), Ok(theirs)) if ours.origin() == theirs.origin())
    }

    async fn preview(self, channel: ChannelId, link: &str) -> Option<Preview> {
        let app = self.0;
        let now = app.clock().elapsed();
        let look = if let Some(look) = app.preview_cache().get(link, now) {
            look
        } else {
            let look = self.fetch(link).await.map_or(Look::Nothing, Look::Page);
            app.preview_cache().put(link, look.clone(), now);
            look
        };
        let Look::Page(known) = look else { return None };
        let image = match known.image {
            Some(bytes) => match app.media().keep_preview(channel, &bytes).await {
                Ok(media) => Some(media),
                Err(error) => {
                    tracing::debug!(%error, "a preview goes without its picture");
                    None
                }
            },
            None => None,
        };
        let Known { title, description, site, .. } = known;
        Some(Preview { url: link.to_owned(), title, description, site, image })
    }

    /// What a stranger sees there; `None` when there is nothing to show.
    async fn fetch(self, link: &str) -> Option<Known> {
        let app = self.0;
        let answer = match app.outward().get(link, &PAGE).await {
            Ok(answer) if answer.status.is_success() => answer,
            Ok(_) => return None,
            Err(error) => {
                tracing::debug!(%error, "a link has no preview");
                return None;
            }
        };
        let host = answer.url.host_str().unwrap_or_default().to_owned();
        if kind(&answer).starts_with("image/") {
            let name = answer.url.path_segments().and_then(|mut parts| parts.next_back());
            let title = page::plain(name.unwrap_or_default(), 100);
            let image = Some(self.picture(link).await?);
            return Some(Known { title, description: String::new(), site: host, image });
        }
        let found = page::read(&text(&answer), answer.url.as_str());
        if found.title.is_empty() {
            return None;
        }
        let image = match &found.image {
            Some(image) => self.picture(image).await,
            None => None,
        };
        let site = if found.site.is_empty() { host } else { found.site };
        Some(Known { title: found.title, description: found.description, site, image })
    }

    /// A small picture of what is there.
    async fn picture(self, link: &str) -> Option<Bytes> {
        let answer = self.0.outward().get(link, &PICTURE).await.ok()?;
        if !answer.status.is_success() {
            return None;
        }
        self.0.media().small(answer.body, WIDTH).await.ok()
    }
}

fn kind(answer: &Answer) -> String {
    let kind = answer.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.unwrap_or_default().to_ascii_lowercase()
}

/// The page as text: UTF-8, or what western pages were written in before it.
fn text(answer: &Answer) -> String {
    let kind = kind(answer);
    if ["iso-8859-1", "iso-8859-15", "windows-1252"].iter().any(|name| kind.contains(name)) {
        return answer.body.iter().copied().map(char::from).collect();
    }
    String::from_utf8_lossy(&answer.body).into_owned()
}
