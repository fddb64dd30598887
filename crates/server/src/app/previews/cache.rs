//! What was looked up a short time ago, so that a link that everybody posts is looked up once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

/// How many links are kept: with their small pictures some megabytes.
const LINKS_MAX: usize = 64;
/// How long something is true of a page.
const FOUND: Duration = Duration::from_hours(1);
/// How long a page that could not be had is not asked for again.
const NOT_FOUND: Duration = Duration::from_mins(5);

/// What is known of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Known {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) site: String,
    /// A small picture.
    pub(super) image: Option<Bytes>,
}

/// What a look at a page led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) enum Look {
    /// There is something to show.
    Page(Known),
    /// There is nothing to show.
    Nothing,
}

/// Pages by their addresses, each until a time.
#[derive(Debug, Default)]
pub(in crate::app) struct Cache(Mutex<HashMap<String, (Duration, Look)>>);

impl Cache {
    /// What is known of an address now.
    pub(super) fn get(&self, link: &str, now: Duration) -> Option<Look> {
        let links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.get(link).filter(|(until, _)| now < *until).map(|(_, look)| look.clone())
    }

    pub(super) fn put(&self, link: &str, look: Look, now: Duration) {
        let until = now + if look == Look::Nothing { NOT_FOUND } else { FOUND };
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() >= LINKS_MAX {
            links.retain(|_, (until, _)| now < *until);
        }
        if links.len() >= LINKS_MAX
            && let Some(soonest) = links.iter().min_by_key(|(_, (until, _))| *until)
        {
            let soonest = soonest.0.clone();
            links.remove(&soonest);
        }
        links.insert(link.to_owned(), (until, look));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(title: &str) -> Look {
        let title = title.to_owned();
        Look::Page(Known { title, description: String::new(), site: String::new(), image: None })
    }

    #[test]
    fn what_is_known_ends_by_itself() {
        let (cache, start) = (Cache::default(), Duration::from_secs(5));
        cache.put("a", known("a"), start);
        cache.put("b", Look::Nothing, start);
        assert_eq!(cache.get("a", start), Some(known("a")));
        assert_eq!(cache.get("b", start), Some(Look::Nothing));
        assert_eq!(cache.get("c", start), None);
        assert_eq!(cache.get("b", start + NOT_FOUND), None);
        assert_eq!(cache.get("a", start + NOT_FOUND), Some(known("a")));
        assert_eq!(cache.get("a", start + FOUND), None);
    }

    #[test]
    fn there_are_never_too_many() {
        let cache = Cache::default();
        for number in 0..LINKS_MAX + 9 {
            let now = Duration::from_secs(number as u64);
            cache.put(&number.to_string(), known("x"), now);
            assert!(cache.get(&number.to_string(), now).is_some());
        }
        assert_eq!(cache.0.lock().unwrap().len(), LINKS_MAX);
        assert_eq!(cache.get("0", Duration::ZERO), None, "the oldest goes first");
    }
}
