//! Search: every message is looked at, which memory can afford.

use std::cmp::Reverse;

use async_trait::async_trait;
use tidings_domain::search::token;
use tidings_domain::{Message, Position, UserId};

use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::memory::message::MessageRow;
use crate::search::{Carries, SearchFilter, SearchPage, SearchRepository, has_link, searchable};

fn matches(filter: &SearchFilter, row: &MessageRow, message: &Message) -> bool {
    let created_at = row.remains.created_at;
    let outside = !filter.channels.contains(&row.channel)
        || !(filter.authors.is_empty() || filter.authors.contains(&row.remains.author_id))
        || filter.before.is_some_and(|end| created_at >= end)
        || filter.after.is_some_and(|start| created_at < start);
    let carried = |carries: &Carries| match carries {
        Carries::Link => has_link(&message.body),
        Carries::File => !message.attachments.is_empty(),
        Carries::Image => message.attachments.iter().any(tidings_domain::Media::is_image),
    };
    if outside || !filter.carries.iter().all(carried) {
        return false;
    }
    let text = token::list(&searchable(&message.body));
    filter.terms.iter().all(|term| {
        let phrase: Vec<_> = term.words.iter().flat_map(|word| token::list(word)).collect();
        // What holds no word at all can be neither found nor excluded.
        phrase.is_empty()
            || text.windows(phrase.len()).any(|part| part == phrase.as_slice()) != term.exclude
    })
}

#[async_trait]
impl SearchRepository for MemoryStore {
    async fn search(
        &self,
        filter: &SearchFilter,
        before: Option<Position>,
        limit: usize,
        reader: UserId,
    ) -> Result<SearchPage, StorageError> {
        let state = self.state();
        let rows = state.projections.messages.values();
        let mut found: Vec<_> = rows
            .filter(|row| before.is_none_or(|before| row.position < before))
            .filter(|row| row.newest().is_some_and(|message| matches(filter, row, message)))
            .collect();
        found.sort_unstable_by_key(|row| Reverse(row.position));
        let more = found.len() > limit;
        found.truncate(limit);
        Ok(SearchPage {
            next: found.last().filter(|_| more).map(|row| row.position),
            messages: found.iter().map(|row| state.projections.seen(row, reader)).collect(),
        })
    }

    async fn indexed(&self, _position: Position) -> Result<(), StorageError> {
        Ok(())
    }
}
