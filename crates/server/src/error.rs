//! What a use case answers when it does not do what was asked.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tidings_domain::RestrictionKind;
use tidings_domain::name::NameError;
use tidings_storage::{ChangeError, Precondition, Refusal, StorageError};
use tidings_wire::account::ChainHead;
use tidings_wire::{Code, FieldError};

use crate::blobs::BlobError;

/// A refusal (the caller's, with a code and a text to act on) or a failure (ours, whose cause is
/// for the log and never shown). Small, because every use case returns it.
#[derive(Clone)]
pub struct ApiError(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    retry_after_s: Option<u64>,
    head: Option<ChainHead>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl std::error::Error for ApiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

impl ApiError {
    /// A refusal with a code and a text that says what happened and what to do.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            head: None,
            cause: None,
        }))
    }

    /// Not there, or the caller may not know that it is: one text for both.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here that you can see.")
    }

    /// The one answer to every proof of identity that does not hold.
    pub fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "Log in first; the session or the proof is not valid.")
    }

    /// The caller may not do this.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Forbidden, detail)
    }

    /// It clashes with what is there.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Conflict, detail)
    }

    /// Body or query cannot be read.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BadRequest, detail)
    }

    /// A field is against a rule.
    pub fn field(
        field: &'static str,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::of_field(Code::Unprocessable, field, code, detail)
    }

    /// A field clashes with what is there, such as a name that is taken.
    pub fn taken(field: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of_field(Code::Conflict, field, "taken", detail)
    }

    fn of_field(
        code: Code,
        field: &'static str,
        word: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let detail = detail.into();
        let mut error = Self::new(code, format!("{field}: {detail}"));
        error.0.errors.push(FieldError {
            field: field.to_owned(),
            code: word.to_owned(),
            detail: detail.into_owned(),
        });
        error
    }

    /// A name is against the rules of names.
    pub fn name(field: &'static str, error: NameError) -> Self {
        let code = match error {
            NameError::Empty => "empty",
            NameError::TooLong { .. } => "too_long",
            _ => "invalid",
        };
        Self::field(field, code, error.to_string())
    }

    /// Too many requests; waiting this many seconds helps.
    pub fn rate_limited(retry_after_s: u64) -> Self {
        let mut error = Self::new(
            Code::RateLimited,
            format!("Too many of these requests. Try again in {retry_after_s} s."),
        );
        error.0.retry_after_s = Some(retry_after_s);
        error
    }

    /// The cursor is from another log generation, or from before what is kept.
    pub fn cursor_expired() -> Self {
        Self::new(
            Code::CursorExpired,
            "This log does not know the cursor. Start anew from GET /v1/sync without since.",
        )
    }

    /// The server is going down; whoever comes back in a moment is served.
    pub fn restarting() -> Self {
        Self::new(Code::Unavailable, "The server restarts. Try again in a moment.")
    }

    /// Our fault; the cause goes to the log.
    pub fn internal(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        let mut error = Self::new(
            Code::Internal,
            "Something went wrong here. The operator finds it in the log under the trace id.",
        );
        error.0.cause = Some(Arc::new(cause));
        error
    }

    /// Adds where a sigchain ends.
    #[must_use]
    pub fn with_head(mut self, head: ChainHead) -> Self {
        self.0.head = Some(head);
        self
    }

    /// The stable word.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What happened and what to do about it.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Fields that are at fault.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// Seconds to wait, when waiting helps.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.0.retry_after_s
    }

    /// Where the sigchain ends, when an append did not follow it.
    pub fn head(&self) -> Option<&ChainHead> {
        self.0.head.as_ref()
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        let mut answer = match error {
            StorageError::Full => Self::new(
                Code::StorageFull,
                "The server's disk is full; nothing was kept. Its operator has to make room.",
            ),
            StorageError::Unavailable { .. } => {
                let mut answer =
                    Self::new(Code::Unavailable, "The server's database does not answer.");
                answer.0.retry_after_s = Some(1);
                answer
            }
            _ => return Self::internal(error),
        };
        answer.0.cause = Some(Arc::new(error));
        answer
    }
}

impl From<BlobError> for ApiError {
    fn from(error: BlobError) -> Self {
        let mut answer = match error {
            BlobError::Full => Self::new(
                Code::StorageFull,
                "The server has no room for files; nothing was kept. Its operator has to make room.",
            ),
            BlobError::Unavailable { .. } => {
                let detail = "The server's place for files does not answer.";
                let mut answer = Self::new(Code::Unavailable, detail);
                answer.0.retry_after_s = Some(1);
                answer
            }
            BlobError::NotFound { .. } => return Self::internal(error),
        };
        answer.0.cause = Some(Arc::new(error));
        answer
    }
}

impl From<ChangeError> for ApiError {
    /// Refusals that the use case does not name itself: each precondition has one answer.
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Storage(error) => error.into(),
            ChangeError::Refused(Refusal::DedupeMismatch) => Self::new(
                Code::IdempotencyMismatch,
                "Another message came under this client_id. Use a new one for each message.",
            ),
            ChangeError::Refused(Refusal::Precondition(precondition)) => refused(&precondition),
            other => Self::internal(other),
        }
    }
}

fn refused(precondition: &Precondition) -> ApiError {
    match precondition {
        Precondition::UserActive(_) => ApiError::unauthorized(),
        Precondition::UsernameFree(name) => {
            ApiError::taken("username", format!("{name} is taken; choose another one"))
        }
        Precondition::IdentityFree(_) => {
            ApiError::taken("identity", "this identity has an account here; log in instead")
        }
        Precondition::SlugFree(slug, _) => {
            ApiError::taken("slug", format!("{slug} is taken; choose another one"))
        }
        Precondition::ChannelNameFree(_, name, _) => {
            ApiError::taken("name", format!("there is a channel named {name} already"))
        }
        Precondition::CommunityRole(..)
        | Precondition::InChannel(..)
        | Precondition::MessageTopLevel(..) => ApiError::not_found(),
        Precondition::NotBlocked(..) => ApiError::forbidden(
            "One of you has blocked the other, so you cannot write to each other. If it was you: \
             DELETE /v1/me/blocks/{user_id}, or `tidings block remove`.",
        ),
        Precondition::MediaUsable(..) => ApiError::field(
            "attachments",
            "unknown",
            "one of the files is not yours, is bound to another channel, or is gone",
        ),
        Precondition::OtherOwner(..) => {
            ApiError::conflict("A community needs an owner. Make somebody else owner first.")
        }
        Precondition::ChannelOpen(_) => ApiError::conflict("The channel is archived: read-only."),
        Precondition::MessageLive(..) => ApiError::new(Code::Gone, "The message has been deleted."),
        Precondition::InviteUsable(..) => {
            ApiError::new(Code::Gone, "The invite is spent or has expired. Ask for another one.")
        }
        Precondition::NotRestricted(RestrictionKind::Ban, ..) => {
            ApiError::forbidden("You are banned from this community.")
        }
        Precondition::NotRestricted(RestrictionKind::Mute, ..) => {
            ApiError::forbidden("You are muted in this community: you can read, but not write.")
        }
        _ => ApiError::conflict("Something changed in between. Look again and repeat."),
    }
}
