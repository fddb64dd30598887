//! What tests may rely on.

#![expect(clippy::unwrap_used, reason = "what the helpers of a test cannot do fails the test")]

mod worlds;
