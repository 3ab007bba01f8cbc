//! How a use case fails: with something the caller can act on, or with something only the operator can.

use std::borrow::Cow;

use latchkey_api_types::KnownError;
use latchkey_crypto::HashError;
use latchkey_storage::StorageError;

/// The outcome of a use case that did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// An error of the public table (contract 02).
    Known(Box<KnownError>),
    /// A plain-text error of the contract: only the status means something to clients.
    Text {
        /// HTTP status.
        status: u16,
        /// Our own words.
        message: Cow<'static, str>,
    },
    /// An error of the OAuth token endpoint, RFC 6749 §5.2.
    Oauth {
        /// `invalid_request` and its like.
        error: &'static str,
        /// For developers.
        description: Cow<'static, str>,
    },
    /// Too much work is waiting; the caller should come back.
    Busy {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// Something broke. The text is for the log, never for the caller.
    Internal(String),
}

impl Failure {
    /// A plain-text error.
    pub fn text(status: u16, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Text { status, message: message.into() }
    }

    /// A broken invariant or dependency; `what` goes to the log.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::Internal(what.to_string())
    }
}

impl From<KnownError> for Failure {
    fn from(error: KnownError) -> Self {
        Self::Known(Box::new(error))
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Busy | StorageError::Unavailable(_) => {
                // The caller learns that the server is busy; only here can the operator learn why.
                tracing::warn!(%error, "storage did not serve a request");
                Self::Busy { retry_after_seconds: 1 }
            }
            // Found a moment ago and gone when it was written about; use cases that know what it was say more.
            StorageError::ForeignKey => {
                tracing::warn!("a request wrote about what was deleted at the same time");
                Self::text(409, "What this belongs to was deleted at the same time.")
            }
            other => Self::internal(format_args!("storage: {other}")),
        }
    }
}

impl From<HashError> for Failure {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy { retry_after_seconds } => Self::Busy { retry_after_seconds },
            HashError::TooLong => Self::text(400, "The password is too long to be checked."),
            HashError::Broken(what) => Self::internal(format_args!("password hashing: {what}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_about_what_was_deleted_meanwhile_is_a_conflict_and_no_fault_of_the_server() {
        let failure = Failure::from(StorageError::ForeignKey);
        assert!(matches!(failure, Failure::Text { status: 409, .. }), "{failure:?}");
    }
}
