//! What the scheduler controls, in place of the server's own.

use std::hash::{BuildHasherDefault, DefaultHasher};

pub(super) use shuttle::sync::atomic::{AtomicU64, Ordering};
pub(super) use shuttle::sync::{Mutex, MutexGuard};
pub(super) use std::sync::PoisonError;
pub(super) use tokio::sync::{Notify, mpsc, oneshot};

/// In the same order in every run, so that a schedule can be run again.
pub(super) type HashMap<K, V> = std::collections::HashMap<K, V, Same>;
pub(super) type HashSet<T> = std::collections::HashSet<T, Same>;
type Same = BuildHasherDefault<DefaultHasher>;
