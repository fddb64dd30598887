//! Search: every message is looked at, which memory can afford.

use std::cmp::Reverse;

use async_trait::async_trait;
use tidings_domain::{Message, Position, UserId};

use crate::error::StorageError;
use crate::memory::MemoryStore;
use crate::memory::message::MessageRow;
use crate::search::{Carries, SearchFilter, SearchPage, SearchRepository, has_link, searchable};

/// Letters of Latin script, lower-case, by the letter that is left without their accents.
const FOLDS: [(char, &str); 17] = [
    ('a', "àáâãäåāăą"),
    ('c', "çćĉċč"),
    ('d', "ďđ"),
    ('e', "èéêëēĕėęě"),
    ('g', "ĝğġģ"),
    ('h', "ĥħ"),
    ('i', "ìíîïĩīĭįı"),
    ('j', "ĵ"),
    ('k', "ķ"),
    ('l', "ĺļľŀł"),
    ('n', "ñńņňŉ"),
    ('o', "òóôõöøōŏő"),
    ('r', "ŕŗř"),
    ('s', "śŝşšș"),
    ('t', "ţťŧț"),
    ('u', "ùúûüũūŭůűų"),
    ('z', "źżž"),
];

fn fold(letter: char) -> char {
    let found = FOLDS.iter().find(|(_, accented)| accented.contains(letter));
    found.map_or(letter, |(plain, _)| *plain)
}

/// The words of a text, without regard to case and accents.
fn words(text: &str) -> Vec<String> {
    let combining = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let folded: String =
        text.chars().flat_map(char::to_lowercase).filter(|c| !combining(c)).map(fold).collect();
    let parts = folded.split(|c: char| !c.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn matches(filter: &SearchFilter, row: &MessageRow, message: &Message) -> bool {
    let created_at = row.remains.created_at;
    let outside = !filter.channels.contains(&row.channel)
        || !(filter.authors.is_empty() || filter.authors.contains(&row.remains.author_id))
        || filter.before.is_some_and(|end| created_at >= end)
        || filter.after.is_some_and(|start| created_at < start);
    // Messages carry no files yet.
    let carried = |carries: &Carries| match carries {
        Carries::Link => has_link(&message.body),
        Carries::File | Carries::Image => false,
    };
    if outside || !filter.carries.iter().all(carried) {
        return false;
    }
    let text = words(&searchable(&message.body));
    filter.terms.iter().all(|term| {
        let phrase: Vec<_> = term.words.iter().flat_map(|word| words(word)).collect();
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
            messages: found.iter().map(|row| row.stored(reader)).collect(),
        })
    }

    async fn indexed(&self, _position: Position) -> Result<(), StorageError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_and_accents() {
        assert_eq!(words("Ångström, CAFE\u{301}-São_2"), ["angstrom", "cafe", "sao", "2"]);
    }
}
