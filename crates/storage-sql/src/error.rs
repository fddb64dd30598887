//! Errors of opening a store live in `store`; here are the conversions that every file needs.

use tidings_domain::community::UnknownWord;
use tidings_storage::StorageError;

/// A word in a column that this version does not write.
pub(crate) fn word(place: &'static str) -> impl Fn(UnknownWord) -> StorageError {
    move |error| StorageError::Corrupt { place, detail: error.to_string() }
}
