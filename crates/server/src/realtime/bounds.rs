//! How much may wait. The crate `schedules` has far less of everything, so that each bound is met.

/// Deliveries that may wait for one connection. A connection that is further behind reads the log.
pub(super) const DELIVERIES: usize = 256;
/// Bytes that may wait for one connection; they are shared with other connections, so this bounds
/// the worst case and not the usual one. With what it is writing, a connection that does not read
/// stays below a megabyte (R7).
pub(super) const BYTES: usize = 1 << 19;
/// Commands that wait for the hub; past it connections wait to hand theirs over.
pub(super) const COMMANDS: usize = 1024;
/// Changes of membership that the hub remembers, so that a connection that has read its logs from
/// the store a moment ago need not read them again.
pub(super) const RECENT: usize = 1024;
/// Events that are read from the log at once. While a page is written it is there twice, as events
/// and as frames: together about half a megabyte, so that a connection that does not read costs
/// less than one (R7).
pub(super) const PAGE: usize = 200;
