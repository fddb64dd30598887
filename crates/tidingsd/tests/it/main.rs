//! `tidingsd` as operators run it: the program itself, in directories of its own.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod first_start;
