//! Messages: sending, reading, editing, deleting.

mod names;
mod revise;
mod send;
mod view;

use super::App;
use crate::error::ApiError;

pub use send::{Accepted, PendingMessage, SendMessage};
pub use view::{Page, PageMessage};

/// From [`App::messages`].
#[derive(Debug, Clone, Copy)]
pub struct Messages<'a>(pub(super) &'a App);

pub(super) use revise::standing;
pub(super) use view::decode_domain;

/// Checks a body as it was sent. What carries files may say nothing.
fn check_body(body: &str, carries: bool) -> Result<(), ApiError> {
    // Scalar values are at most as many as bytes, so most bodies need no counting.
    let max = tidings_domain::message::BODY_MAX;
    if body.len() > max {
        let actual = body.chars().count();
        if actual > max {
            let detail = format!("must be at most {max} characters, not {actual}");
            return Err(ApiError::field("body", "too_long", detail));
        }
    }
    if body.trim().is_empty() && !carries {
        return Err(ApiError::field("body", "empty", "must not be empty"));
    }
    if body.contains('\0') {
        return Err(ApiError::field("body", "invalid", "must not contain NUL"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_counted_in_characters() {
        assert!(check_body(&"é".repeat(16_000), false).is_ok());
        let error = check_body(&"é".repeat(16_001), true).unwrap_err();
        assert_eq!(error.errors()[0].code, "too_long");
        assert_eq!(error.errors()[0].field, "body");
        for bad in ["", " \n\t", "a\0b"] {
            assert!(check_body(bad, false).is_err(), "{bad:?}");
        }
        assert!(check_body(" ", true).is_ok());
        assert!(check_body("a\0b", true).is_err());
    }
}
