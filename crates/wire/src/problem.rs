//! Problem documents (RFC 9457): what went wrong, why, and what to do.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// The stable word for a kind of error; each belongs to one HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)+
            /// A code that this version does not know; never sent.
            #[serde(other)]
            Unknown,
        }

        impl Code {
            /// Every code that is sent.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ Self::Unknown => "unknown" }
            }
            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ Self::Unknown => 500 }
            }
            /// A short title for people, the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ Self::Unknown => "Unknown error" }
            }
        }
    };
}

codes! {
    /// Body or query cannot be read.
    BadRequest = "bad_request", 400, "The request cannot be read";
    /// Not logged in, or the proof of identity did not hold.
    Unauthorized = "unauthorized", 401, "Not logged in";
    /// The caller may not do this.
    Forbidden = "forbidden", 403, "Not allowed";
    /// Registration needs an invite.
    InviteRequired = "invite_required", 403, "An invite is needed";
    /// It does not exist, or the caller may not know that it does.
    NotFound = "not_found", 404, "Not found";
    /// The path knows other methods.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// It clashes with what is already there.
    Conflict = "conflict", 409, "Conflict";
    /// The server has no owner yet and wants its setup code.
    SetupRequired = "setup_required", 409, "The server is not set up yet";
    /// It was there once.
    Gone = "gone", 410, "Gone";
    /// The cursor is from another log generation or too old.
    CursorExpired = "cursor_expired", 410, "The cursor has expired";
    /// Too many bytes.
    TooLarge = "too_large", 413, "Too large";
    /// The content type is not understood here.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type";
    /// The range lies outside.
    RangeNotSatisfiable = "range_not_satisfiable", 416, "Range not satisfiable";
    /// Readable, but against a rule.
    Unprocessable = "unprocessable", 422, "Against a rule";
    /// The same key or `client_id` came with another request.
    IdempotencyMismatch = "idempotency_mismatch", 422, "The same key was used for another request";
    /// Too many requests; see `Retry-After`.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// Our fault.
    Internal = "internal", 500, "Internal error";
    /// Not now; try again.
    Unavailable = "unavailable", 503, "Not available now";
    /// The server's disk is full.
    StorageFull = "storage_full", 507, "The server's storage is full";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with one field of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field, as a path with dots.
    pub field: String,
    /// A stable word.
    pub code: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// An `application/problem+json` document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// `about:blank#<code>`: the code says all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code's title.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable word to switch on.
    pub code: Code,
    /// What happened here and what to do about it.
    pub detail: String,
    /// The id under which the server's log tells more.
    pub trace_id: String,
    /// Fields that are at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_written_as_its_word() {
        for code in Code::ALL {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.as_str()));
            assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), *code);
        }
        assert_eq!(serde_json::from_str::<Code>("\"new_one\"").unwrap(), Code::Unknown);
    }
}
