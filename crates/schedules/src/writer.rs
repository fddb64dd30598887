//! Group commit, from the sources of the SQL store.

mod primitives;

#[path = "../../storage-sql/src/writer/group.rs"]
pub(crate) mod group;
