//! What the scheduler controls, in place of the store's own.

pub(super) use shuttle::sync::Mutex;
pub(super) use shuttle::sync::atomic::{AtomicU64, Ordering};
pub(super) use std::sync::PoisonError;
pub(super) use tokio::sync::{mpsc, oneshot};
