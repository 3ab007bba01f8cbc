//! What goes wrong between us and a provider, by what the person who signs in can do about it.

use crate::id_token::IdTokenError;

/// Why a provider did not help. The texts are for logs; none holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// The person said no, or has to be asked again.
    #[error("the person did not agree at the provider")]
    Denied,
    /// The provider has trouble; later it may work.
    #[error("the provider is not available at the moment: {0}")]
    Unavailable(String),
    /// The provider refuses the request by a code of RFC 6749 §4.1.2.1 or §5.2, such as `invalid_grant`.
    #[error("the provider refuses: {0}")]
    Refused(String),
    /// The answer is not what the protocol allows: wrong type, not JSON, too long, members missing.
    #[error("the provider's answer is not understood: {0}")]
    Garbled(&'static str),
    /// The answer came from somebody else than the person was sent to (RFC 9207, RFC 9700 §4.4).
    #[error("the answer names another issuer than the one that was asked")]
    MixedUp,
    /// The ID token does not prove what it should.
    #[error("the ID token is refused: {0}")]
    IdToken(#[from] IdTokenError),
    /// The provider gives no email address, and without one an account there cannot be used.
    #[error("the provider gives no email address")]
    EmailMissing,
    /// A value of the configuration cannot be used.
    #[error("the provider is not configured well: {0}")]
    Misconfigured(&'static str),
}

impl UpstreamError {
    /// Whether trying again later may help: nothing is wrong with the request.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Garbled(_))
    }
}

/// Codes that say that the person did not agree. The first two are of RFC 6749 and OpenID Connect, the others of
/// LinkedIn, Apple and Facebook.
const DENIALS: [&str; 6] = [
    "access_denied",
    "consent_required",
    "user_cancelled_login",
    "user_cancelled_authorize",
    "user_denied",
    "interaction_required",
];

/// Codes that say that the provider has trouble.
const TROUBLES: [&str; 3] = ["temporarily_unavailable", "server_error", "slow_down"];

/// The longest code that is repeated in a log.
const LONGEST_CODE: usize = 64;

/// What an error code means that a provider sent in a redirect (RFC 6749 §4.1.2.1) or an answer (§5.2).
pub(crate) fn from_code(code: &str) -> UpstreamError {
    let is_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if DENIALS.contains(&code) {
        UpstreamError::Denied
    } else if TROUBLES.contains(&code) {
        UpstreamError::Unavailable(code.to_owned())
    } else if code.is_empty() || code.len() > LONGEST_CODE || !code.chars().all(is_code) {
        // A text that is no code may hold anything, and a log is no place for it.
        UpstreamError::Refused("an error without a readable code".to_owned())
    } else {
        UpstreamError::Refused(code.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_can_be_done_about_them() {
        for code in DENIALS {
            assert_eq!(from_code(code), UpstreamError::Denied);
        }
        for code in TROUBLES {
            assert!(from_code(code).is_transient(), "{code}");
        }
        assert_eq!(from_code("invalid_grant"), UpstreamError::Refused("invalid_grant".into()));
        assert!(!from_code("invalid_client").is_transient());
    }

    #[test]
    fn a_code_that_is_a_text_is_not_repeated() {
        for hostile in ["", "a\nb", "<script>", &"a".repeat(65), "sk_live secret"] {
            let text = from_code(hostile).to_string();
            assert!(text.ends_with("an error without a readable code"), "{text}");
        }
    }
}
