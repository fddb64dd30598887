//! Behavior of the identity crate, through its public face.
#![expect(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod chain_rules;
mod documented_example;
mod forgeries;
mod heads;
mod properties;
mod signature_matrix;
mod strict_signatures;
mod support;
