//! What a verifier expects of the registered claims (RFC 7519 §4.1).

use serde::Deserialize;

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Not a token, or one that tries to bring its own key.
    #[error("this is no token")]
    Malformed,
    /// Signed by nobody, somebody else, or with another algorithm.
    #[error("the signature is wrong")]
    BadSignature,
    /// The issuer is not one of those expected.
    #[error("the issuer is wrong")]
    WrongIssuer,
    /// It is meant for somebody else.
    #[error("the audience is wrong")]
    WrongAudience,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Everything is right but the time.
    #[error("the token has expired")]
    Expired,
}

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// Issuers that are accepted.
    pub issuers: &'a [&'a str],
    /// The audience.
    pub audience: &'a str,
    /// Now, epoch seconds.
    pub now_seconds: i64,
    /// How far clocks may differ, seconds.
    pub leeway_seconds: i64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Registered {
    iss: Option<String>,
    aud: Option<Audience>,
    exp: Option<i64>,
    nbf: Option<i64>,
}

impl Expect<'_> {
    /// Checks the claims of a token whose signature is good. A token without an end is refused.
    pub(crate) fn check(&self, payload: &[u8]) -> Result<(), JwtError> {
        let claims: Registered = serde_json::from_slice(payload).map_err(|_| JwtError::Malformed)?;
        if !claims.iss.is_some_and(|issuer| self.issuers.contains(&issuer.as_str())) {
            return Err(JwtError::WrongIssuer);
        }
        let for_us = match claims.aud {
            Some(Audience::One(audience)) => audience == self.audience,
            Some(Audience::Several(audiences)) => audiences.iter().any(|audience| audience == self.audience),
            None => false,
        };
        if !for_us {
            return Err(JwtError::WrongAudience);
        }
        if claims.nbf.is_some_and(|start| start > self.now_seconds.saturating_add(self.leeway_seconds)) {
            return Err(JwtError::NotYetValid);
        }
        let end = claims.exp.ok_or(JwtError::Malformed)?;
        if end.saturating_add(self.leeway_seconds) <= self.now_seconds {
            Err(JwtError::Expired)
        } else {
            Ok(())
        }
    }
}
