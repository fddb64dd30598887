//! Proofs of who somebody is: challenges, tokens, cookies, origins.

pub mod challenge;
pub mod cookie;
pub mod origin;
pub mod token;
