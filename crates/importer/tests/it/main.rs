//! What an export becomes, seen from outside.

mod archives;
mod channels;
mod content;
mod export;
mod losses;
mod messages;
mod people;
mod threads;
