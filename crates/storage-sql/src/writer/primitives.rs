//! What the writer shares with others, in one place.
//!
//! The crate `schedules` builds [`super::group`] on primitives that a scheduler controls, and tries
//! the orders in which callers, writer and reader of the tail can meet.

pub(super) use std::sync::atomic::{AtomicU64, Ordering};
pub(super) use std::sync::{Mutex, PoisonError};

pub(super) use tokio::sync::{mpsc, oneshot};
