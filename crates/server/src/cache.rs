//! A bounded map of what was read from the store, that no late reader can make stale.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was read, until it changes. A read that began before a change and ends after it must not
/// put the old value back; so a fill names the generation in which it began, and every removal
/// begins a new one.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    state: Mutex<State<K, V>>,
    capacity: usize,
}

#[derive(Debug)]
struct State<K, V> {
    map: HashMap<K, V>,
    generation: u64,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// Holds at most `capacity` values; when full it starts over, which costs one read for each
    /// value that is still wanted and no bookkeeping on every hit.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { state: Mutex::new(State { map: HashMap::new(), generation: 0 }), capacity }
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.state().map.get(key).cloned()
    }

    /// The generation in which a read begins.
    pub(crate) fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Keeps a value, unless something was removed since its read began.
    pub(crate) fn fill(&self, generation: u64, key: K, value: V) {
        let mut state = self.state();
        if state.generation != generation {
            return;
        }
        if state.map.len() >= self.capacity {
            state.map.clear();
        }
        state.map.insert(key, value);
    }

    pub(crate) fn remove(&self, key: &K) {
        let mut state = self.state();
        state.generation += 1;
        state.map.remove(key);
    }

    /// The value, read by `read` when it is not here.
    pub(crate) async fn get_or<E>(
        &self,
        key: K,
        read: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        if let Some(value) = self.get(&key) {
            return Ok(value);
        }
        let generation = self.generation();
        let value = read.await?;
        self.fill(generation, key, value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_began_before_a_change_is_not_kept() {
        let cache = Cache::new(8);
        let began = cache.generation();
        cache.remove(&1);
        cache.fill(began, 1, "old");
        assert_eq!(cache.get(&1), None);
        cache.fill(cache.generation(), 1, "new");
        assert_eq!(cache.get(&1), Some("new"));
    }

    #[test]
    fn it_never_holds_more_than_its_capacity() {
        let cache = Cache::new(3);
        for key in 0..100 {
            cache.fill(cache.generation(), key, ());
            assert!(cache.state().map.len() <= 3);
        }
    }
}
