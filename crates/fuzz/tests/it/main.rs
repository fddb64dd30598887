//! Every target withstands mutations of its seeds, and has a program for libFuzzer.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]
#![expect(clippy::print_stderr, reason = "a failure shows the input that it came from")]

mod mutations;
mod programs;
