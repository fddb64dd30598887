//! What the tools of `bench/` promise, tried on the tools themselves, and what the server promises
//! under harm: the short forms of torture and replay, against the real `tidingsd`.

#![expect(clippy::unwrap_used, reason = "what the helpers of a test cannot do fails the test")]

mod ceiling;
mod replay;
mod server;
mod torture;
