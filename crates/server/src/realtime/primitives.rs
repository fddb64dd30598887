//! What the tasks of realtime share, in one place.
//!
//! The crate `schedules` builds the same sources on primitives that a scheduler controls, and tries
//! the orders in which they can meet. Nothing here is used past this module.

pub(super) use std::collections::{HashMap, HashSet};
pub(super) use std::sync::atomic::{AtomicU64, Ordering};
pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) use tokio::sync::{Notify, mpsc, oneshot};
