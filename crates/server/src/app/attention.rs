//! What people choose to be told.

use tidings_domain::attention::{KEYWORD_MAX, KEYWORD_WORDS_MAX, KEYWORDS_MAX};
use tidings_domain::{Attention, ChannelNotice, Fact, LogId, NotifyLevel};
use tidings_storage::search::words;
use tidings_storage::{Change, Precondition};
use tidings_wire::attention::{Attention as WireAttention, Notify, SetNotify};

use super::App;
use crate::access::{Caller, ChannelReader};
use crate::error::ApiError;
use crate::limit::Key;

/// From [`App::attention`].
#[derive(Debug, Clone, Copy)]
pub struct Attentions<'a>(pub(super) &'a App);

impl Attentions<'_> {
    /// What the caller chose for all channels.
    pub async fn get(&self, caller: &Caller) -> Result<WireAttention, ApiError> {
        Ok(WireAttention::from(&self.0.store().attention(caller.user_id()).await?))
    }

    /// Chooses anew for all channels. Keywords come back as they are compared: lower case, without
    /// accents, sorted.
    pub async fn set(
        &self,
        caller: &Caller,
        request: WireAttention,
    ) -> Result<WireAttention, ApiError> {
        let (app, user) = (self.0, caller.user_id());
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        let now = app.now();
        let chosen = request.into_domain().ok_or_else(|| {
            let detail = "wants from and to as HH:MM, and utc_offset_min from -840 to 840";
            ApiError::field("quiet_hours", "invalid", detail)
        })?;
        let Attention { keywords, mut quiet, hide_typing } = chosen;
        quiet.until = quiet.until.filter(|until| *until > now);
        let chosen = Attention { keywords: normalize(&keywords)?, quiet, hide_typing };
        if chosen != app.store().attention(user).await? {
            let fact = Fact::AttentionUpdated(Box::new(chosen.clone()));
            let entries = vec![app.entry(LogId::User(user), None, user, now, fact)];
            app.commit(Change { entries, ..Change::default() }).await?;
        }
        Ok(WireAttention::from(&chosen))
    }

    /// Chooses for a channel or DM that one is in.
    pub async fn notify(
        &self,
        right: &ChannelReader,
        request: &SetNotify,
    ) -> Result<Notify, ApiError> {
        let app = self.0;
        let (channel, user, now) = (right.channel(), right.user(), app.now());
        app.limit(Key::Writes(user), app.settings().limits.writes)?;
        if !right.joined() {
            return Err(ApiError::conflict("Only who is in a channel chooses what it tells them."));
        }
        let view = app.store().channel_view(channel.id, user).await?;
        let there = view.ok_or_else(ApiError::not_found)?.notice;
        let mut notice = there.unwrap_or(ChannelNotice {
            level: NotifyLevel::default_of(channel.channel_type),
            muted_until: None,
        });
        if let Some(level) = &request.level {
            notice.level =
                level.parse().map_err(|error: tidings_domain::community::UnknownWord| {
                    ApiError::field("level", "unknown", error.to_string())
                })?;
        }
        if let Some(until) = request.muted_until {
            notice.muted_until = until.map(|time| time.0).filter(|until| *until > now);
        }
        if there != Some(notice) {
            let fact = Fact::NotifyUpdated { channel_id: channel.id, notice };
            let preconditions = vec![Precondition::InChannel(channel.id, user)];
            let entries = vec![app.entry(LogId::User(user), None, user, now, fact)];
            app.commit(Change { preconditions, entries, ..Change::default() }).await?;
        }
        Ok(Notify::new(channel.id, &notice))
    }
}

/// Keywords as bodies are compared with them.
fn normalize(keywords: &[String]) -> Result<Vec<String>, ApiError> {
    if keywords.len() > KEYWORDS_MAX {
        let detail = format!("must be at most {KEYWORDS_MAX}, not {}", keywords.len());
        return Err(ApiError::field("keywords", "too_many", detail));
    }
    let mut normal = Vec::with_capacity(keywords.len());
    for keyword in keywords {
        let phrase = words(keyword);
        let length = keyword.chars().count().max(phrase.chars().count());
        if phrase.is_empty() || length > KEYWORD_MAX {
            let detail =
                format!("each has letters or digits, and at most {KEYWORD_MAX} characters");
            return Err(ApiError::field("keywords", "invalid", detail));
        }
        if phrase.split(' ').count() > KEYWORD_WORDS_MAX {
            let detail = format!("each has at most {KEYWORD_WORDS_MAX} words");
            return Err(ApiError::field("keywords", "too_long", detail));
        }
        normal.push(phrase);
    }
    normal.sort_unstable();
    normal.dedup();
    Ok(normal)
}
