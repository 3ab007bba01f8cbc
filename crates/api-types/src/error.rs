//! Known errors: failures with a public code on which the caller can act.
//!
//! Owns the one table (`error/table.rs`) of code, status, place in the tree, text and details. Clients test an error
//! by its ancestors, so a code never changes its place. Refuses internal failures: those carry no code.

mod table;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

pub use table::ErrorCode;

/// A known error, as it is rendered: status and JSON `{code, error, details?}`.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownError {
    /// What happened; decides the status.
    pub code: ErrorCode,
    /// A sentence for a human reader; the JSON key `error`.
    pub message: String,
    /// The keys that the code promises, or `None` where it promises none.
    pub details: Option<Value>,
}

impl KnownError {
    /// The HTTP status of the code.
    pub const fn status(&self) -> u16 {
        self.code.status()
    }

    /// The JSON body.
    pub fn to_json(&self) -> KnownErrorBody<'_> {
        KnownErrorBody { code: self.code.as_str(), error: &self.message, details: self.details.as_ref() }
    }
}

impl fmt::Display for KnownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for KnownError {}

/// The JSON of a known error.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct KnownErrorBody<'a> {
    /// `UPPER_SNAKE_CASE`; equal to the header `x-stack-known-error`.
    pub code: &'static str,
    /// A sentence for a human reader.
    pub error: &'a str,
    /// Omitted where the code has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<&'a Value>,
}

impl ErrorCode {
    /// Whether this code is `ancestor` or stands below it in the tree.
    pub fn is_a(self, ancestor: Self) -> bool {
        let mut at = Some(self);
        while let Some(code) = at {
            if code == ancestor {
                return true;
            }
            at = code.parent();
        }
        false
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccessType;
    use serde_json::json;

    #[test]
    fn every_code_descends_from_the_root_and_is_unique() {
        let mut names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!(code.is_a(ErrorCode::KnownError), "{code}");
            assert!((400..=599).contains(&code.status()), "{code}");
        }
    }

    #[test]
    fn an_expired_token_is_an_invalid_one_but_a_refused_anonymous_user_is_not() {
        assert!(ErrorCode::AccessTokenExpired.is_a(ErrorCode::InvalidAccessToken));
        assert!(!ErrorCode::AnonymousAuthenticationNotAllowed.is_a(ErrorCode::InvalidAccessToken));
        assert!(!ErrorCode::RestrictedUserNotAllowed.is_a(ErrorCode::InvalidAccessToken));
        assert!(ErrorCode::VerificationCodeExpired.is_a(ErrorCode::VerificationError));
    }

    #[test]
    fn details_are_present_exactly_where_the_code_has_them() {
        let body = serde_json::to_value(KnownError::user_not_found().to_json()).unwrap();
        assert_eq!(body, json!({ "code": "USER_NOT_FOUND", "error": body["error"] }));
        let taken = KnownError::user_email_already_exists("a@b.example", false);
        assert_eq!(taken.status(), 409);
        let details = json!({ "email": "a@b.example", "would_work_if_email_was_verified": false });
        assert_eq!(taken.details, Some(details));
        assert_eq!(KnownError::password_too_long(70).details, Some(json!({ "maxLength": 70 })));
    }

    #[test]
    fn lists_and_absent_values_are_written_as_the_contract_says() {
        let level = KnownError::insufficient_access_type(AccessType::Client, &[AccessType::Server]);
        let details = json!({ "actual_access_type": "client", "allowed_access_types": ["server"] });
        assert_eq!(level.details, Some(details));
        let unread = KnownError::access_token_expired(None, None, None, None);
        assert_eq!(
            unread.details,
            Some(json!({
                "expired_at_millis": null, "project_id": null, "user_id": null, "refresh_token_id": null
            }))
        );
    }

    #[test]
    fn a_schema_error_repeats_its_text_in_its_details() {
        let error = KnownError::schema_error("POST /x\nbody.email is required");
        assert_eq!(error.details, Some(json!({ "message": error.message })));
    }
}
