//! Behavior of the binary, which is started as operators start it.

#![expect(clippy::unwrap_used, reason = "what the helpers of a test cannot do fails the test")]
#![expect(clippy::panic, reason = "what the helpers of a test cannot do fails the test")]

mod addresses;
mod backup;
mod community;
mod daemon;
mod data;
mod doctor;
mod durability;
mod export;
mod exports;
mod import;
mod metrics;
mod openapi;
mod outgoing;
mod postgres;
mod proxies;
mod rebuild;
mod settings;
mod start;
mod stop;
mod users;
