//! Load generator, ceilings, replay and torture of Tidings.
//!
//! This crate knows the server only from outside: its binary, its public HTTP and WebSocket API,
//! and what the kernel says of its process. To add a bench, give it a file in `bench/` and a line
//! in `bench::Name`; to add a fault, a file in `torture/`.

pub mod api;
pub mod bench;
pub mod ceiling;
pub mod clock;
pub mod engine;
pub mod frame;
pub mod http;
pub mod load;
pub mod process;
pub mod replay;
pub mod report;
pub mod stats;
pub mod subject;
pub mod torture;
