//! The same sources with bugs planted by `build.rs`, to see that the checks bite.
//!
//! Each bug sleeps until [`with`] wakes it, so one copy holds them all.

use std::cell::Cell;

include!(concat!(env!("OUT_DIR"), "/planted.rs"));

thread_local! {
    // All tasks of a check run on the thread that began it.
    static AWAKE: Cell<&'static str> = const { Cell::new("") };
}

/// Runs a check with one bug awake.
///
/// # Panics
/// As the check does; and when there is no such bug.
pub fn with<T>(bug: &'static str, check: impl FnOnce() -> T) -> T {
    assert!(BUGS.contains(&bug), "no bug is called {bug}: {BUGS:?}");
    AWAKE.set(bug);
    let checked = check();
    AWAKE.set("");
    checked
}

fn awake(bug: &str) -> bool {
    AWAKE.get() == bug
}
