//! Key sets of providers: reading them, and how long one that was fetched is good for (OpenID Connect Core 1.0
//! §10.1.1).

use latchkey_jose::{Jwks, VerifyingKeys};

use crate::error::UpstreamError;
use crate::request::{Answer, Request};

/// A set this young is used without a question, seconds.
pub const FRESH_SECONDS: i64 = 10 * 60;
/// A set this old is used while a new one cannot be had, seconds; an older one is not used.
pub const USABLE_SECONDS: i64 = 24 * 60 * 60;
/// Unknown key ids make a set be fetched again, but no sooner than this after the last time that they did, or that a set
/// could not be had, seconds: anybody can write a key id.
pub const PAUSE_SECONDS: i64 = 30;

/// The request for a key set.
///
/// # Errors
/// [`UpstreamError::Misconfigured`] if the address is none.
pub fn request(jwks_uri: &str) -> Result<Request, UpstreamError> {
    Request::get(jwks_uri)
}

/// Reads a key set; keys of types that are not known are left out.
///
/// # Errors
/// [`UpstreamError::Unavailable`] or [`UpstreamError::Garbled`].
pub fn read(answer: &Answer<'_>) -> Result<VerifyingKeys, UpstreamError> {
    let document = answer.json()?;
    if answer.status != 200 {
        return Err(UpstreamError::Garbled("there is no key set"));
    }
    let set: Jwks =
        serde_json::from_value(document).map_err(|_| UpstreamError::Garbled("this is no key set"))?;
    Ok(VerifyingKeys::new(&set))
}

/// What to do with a set that was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Use it.
    Fresh,
    /// Fetch a new one; if that fails, use it.
    Stale,
    /// Fetch a new one; this one is over.
    Over,
}

/// How good a set is that is `age_seconds` old.
pub const fn freshness(age_seconds: i64) -> Freshness {
    match age_seconds {
        ..FRESH_SECONDS => Freshness::Fresh,
        FRESH_SECONDS..USABLE_SECONDS => Freshness::Stale,
        _ => Freshness::Over,
    }
}

/// Whether an unknown key id is worth another fetch, so many seconds after the last such attempt.
pub const fn may_fetch_again(seconds_since_attempt: i64) -> bool {
    seconds_since_attempt >= PAUSE_SECONDS
}

#[cfg(test)]
mod tests {
    use latchkey_jose::SigningKey;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_set_is_read_and_what_is_none_is_refused() {
        let key = SigningKey::generate().unwrap();
        let body =
            json!({"keys": [{"kty": "oct", "k": "AA", "kid": key.kid()}, key.public_jwk()]}).to_string();
        let keys = read(&Answer { status: 200, content_type: None, body: body.as_bytes() }).unwrap();
        assert!(keys.get(key.kid()).is_some(), "the symmetric key of the same id does not count");
        for (status, body) in [(200, "{}"), (200, "{\"keys\":7}"), (404, "{\"keys\":[]}"), (200, "<html>")] {
            let answer = Answer { status, content_type: None, body: body.as_bytes() };
            assert!(matches!(read(&answer), Err(UpstreamError::Garbled(_))), "{status} {body}");
        }
        assert!(request("https://a.example/keys").is_ok());
        assert!(request("keys").is_err());
    }

    #[test]
    fn sets_grow_old() {
        assert_eq!(freshness(0), Freshness::Fresh);
        assert_eq!(freshness(FRESH_SECONDS), Freshness::Stale);
        assert_eq!(freshness(USABLE_SECONDS - 1), Freshness::Stale);
        assert_eq!(freshness(USABLE_SECONDS), Freshness::Over);
        assert!(!may_fetch_again(PAUSE_SECONDS - 1));
        assert!(may_fetch_again(PAUSE_SECONDS));
    }
}
