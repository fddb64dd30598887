//! Search over everything that the caller may read.

use std::time::Duration;

use tidings_domain::search::{Has, SearchQuery, Term};
use tidings_domain::{ChannelId, ChannelType, Position};
use tidings_storage::channel::ChannelView;
use tidings_storage::search::{Carries, SearchFilter, SearchTerm};
use tidings_wire::List;
use tidings_wire::message::SearchHit;

use super::App;
use crate::access::{Caller, ChannelReader, Member};
use crate::error::ApiError;
use crate::limit::Key;
use crate::render;

/// How long a search waits for the index to reach the head.
const PATIENCE: Duration = Duration::from_secs(1);

/// From [`App::search`].
#[derive(Debug, Clone, Copy)]
pub struct Search<'a>(pub(super) &'a App);

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub enum Within<'a> {
    /// Everything that the caller may read.
    All,
    /// One community.
    Community(&'a Member),
    /// One channel or DM.
    Channel(&'a ChannelReader),
}

impl Search<'_> {
    /// Finds messages, newest first, at most `limit`, older than the cursor when one is given.
    pub async fn find(
        &self,
        caller: &Caller,
        within: Within<'_>,
        query: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<List<SearchHit>, ApiError> {
        let app = self.0;
        let before = cursor.map(parse_cursor).transpose()?;
        let query: SearchQuery =
            query.parse().map_err(|error: tidings_domain::search::SearchError| {
                ApiError::field("q", "invalid", error.to_string())
            })?;
        app.limit(Key::Searches(caller.user_id()), app.settings().limits.searches)?;
        let empty = List { items: Vec::new(), next: None, prev: None };
        let channels = self.channels(caller, within, &query.in_channels).await?;
        let authors: Vec<_> = match query.from.as_slice() {
            [] => Vec::new(),
            names => {
                let users = app.store().users_by_username(names).await?;
                users.into_iter().map(|user| user.id).collect()
            }
        };
        if channels.is_empty() || (authors.is_empty() && !query.from.is_empty()) {
            return Ok(empty);
        }
        let included = query.terms.iter().map(|term| search_term(term, false));
        let excluded = query.excluded.iter().map(|term| search_term(term, true));
        let filter = SearchFilter {
            terms: included.chain(excluded).collect(),
            channels,
            authors,
            carries: query.has.iter().map(|has| carries(*has)).collect(),
            before: query.before,
            after: query.after,
        };

        let head = app.store().head().await?;
        // An index that is late gives what it has; the next search finds the rest.
        if let Ok(reached) = tokio::time::timeout(PATIENCE, app.store().indexed(head)).await {
            reached?;
        }
        let page = app.store().search(&filter, before, limit, caller.user_id()).await?;
        let mut hits = Vec::with_capacity(page.messages.len());
        for found in page.messages {
            let message = app.messages().present(found).await?;
            let highlight_html = render::highlight(&message.body_html, &query.terms);
            hits.push(SearchHit { message, highlight_html });
        }
        Ok(List { items: hits, next: page.next.map(|next| next.0.to_string()), prev: None })
    }

    /// The channels to look in.
    async fn channels(
        &self,
        caller: &Caller,
        within: Within<'_>,
        names: &[String],
    ) -> Result<Vec<ChannelId>, ApiError> {
        let (store, user) = (self.0.store(), caller.user_id());
        let mut views: Vec<ChannelView> = Vec::new();
        match within {
            Within::Channel(right) => {
                let channel = right.channel();
                let here = names.is_empty()
                    || channel.name.as_ref().is_some_and(|name| names.contains(name));
                return Ok(here.then_some(channel.id).into_iter().collect());
            }
            Within::Community(right) => {
                views = store.community_channels(right.community(), user).await?;
            }
            Within::All => {
                for (community, _) in store.communities_of(user).await? {
                    views.extend(store.community_channels(community.id, user).await?);
                }
                let joined = store.joined_channels(user).await?;
                views.extend(joined.into_iter().filter(|view| {
                    matches!(view.channel.channel_type, ChannelType::Dm | ChannelType::GroupDm)
                }));
            }
        }
        Ok(views
            .into_iter()
            .filter(|view| {
                names.is_empty()
                    || view.channel.name.as_ref().is_some_and(|name| names.contains(name))
            })
            .map(|view| view.channel.id)
            .collect())
    }
}

fn search_term(term: &Term, exclude: bool) -> SearchTerm {
    SearchTerm { words: term.tokens().to_vec(), exclude }
}

const fn carries(has: Has) -> Carries {
    match has {
        Has::File => Carries::File,
        Has::Link => Carries::Link,
        Has::Image => Carries::Image,
    }
}

fn parse_cursor(text: &str) -> Result<Position, ApiError> {
    let position = text.parse().map(Position);
    position.map_err(|_| ApiError::bad_request("cursor: pass on the `next` of the page before."))
}
