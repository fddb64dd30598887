//! So little of everything that each bound is met within a few steps.

pub(super) const DELIVERIES: usize = 2;
pub(super) const BYTES: usize = 1 << 20;
pub(super) const COMMANDS: usize = 2;
pub(super) const RECENT: usize = 1;
pub(super) const PAGE: usize = 2;
