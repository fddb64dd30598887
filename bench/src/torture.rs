//! Torture: a common workload, faults, and a checker that reads only what the clients wrote down.
//!
//! Everything between a socket and a verdict is a machine without I/O: [`client`] turns frames into
//! records, [`checker`] turns records into a verdict, [`mangler`] turns right frames into wrong
//! ones. So the checker is tested twice with the same twelve planted bugs: here against [`model`]
//! in no time, and by `torture r0` between real clients and a real server.

pub mod checker;
pub mod client;
pub mod mangler;
pub mod model;
pub mod record;
pub mod simulation;
