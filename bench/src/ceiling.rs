//! Ceilings: the smallest honest programs that do what a bar asks for, measured in the same run.
//!
//! "Honest" means that nothing is left out which a user would miss: a message is on disk before
//! anyone hears of it. "Smallest" means that everything else is: no accounts, no rights, no JSON.

pub mod broadcast;
pub mod sql;
mod store;
