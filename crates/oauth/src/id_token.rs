//! ID tokens (OpenID Connect Core 1.0 §2, §3.1.3.7): whether one proves what it should, for us, now.

use aws_lc_rs::constant_time;
use latchkey_jose::{Expect, JwtError, VerifyingKeys, peek_claims};
use serde_json::{Map, Value};

use crate::issuer::Issuer;

/// How far the clocks of providers may differ from ours, seconds.
pub const LEEWAY_SECONDS: i64 = 60;

/// Why an ID token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// There is none, and there must be one.
    #[error("there is no ID token")]
    Missing,
    /// Its form, key, signature, issuer, audience or time.
    #[error("{0}")]
    Jwt(#[from] JwtError),
    /// Its key is not among those that are known: fetch the key set again and try once more (§10.1.1).
    #[error("its key is not known yet")]
    UnknownKey,
    /// It is for others, too, whom we do not trust; or for several and does not say who asked for it; or somebody else
    /// asked for it (§3.1.3.7 steps 3 to 5).
    #[error("it was made for somebody else")]
    AuthorizedParty,
    /// It was not made for the request that we sent (§3.1.3.7 step 11).
    #[error("its nonce is not that of the request")]
    Nonce,
    /// It was made for another access token (§3.1.3.8).
    #[error("it belongs to another access token")]
    AccessToken,
    /// It was made at a time to come, or does not say when.
    #[error("it was not made in the past")]
    IssuedAt,
    /// It names nobody.
    #[error("it has no usable subject")]
    Subject,
    /// The tenant that it names is not the one that its issuer is for.
    #[error("its tenant is not that of its issuer")]
    Tenant,
}

impl IdTokenError {
    /// Whether the token may be good by a newer key set than the one at hand.
    pub const fn wants_fresh_keys(self) -> bool {
        matches!(self, Self::UnknownKey)
    }
}

/// What an ID token must say.
#[derive(Debug, Clone, Copy)]
pub struct IdTokenRules<'a> {
    /// Who may have issued it.
    pub issuers: &'a [Issuer],
    /// Our client ids at the issuer; the token is for one of them.
    pub client_ids: &'a [&'a str],
    /// Other audiences that may stand beside us.
    pub trusted_audiences: &'a [String],
    /// The nonce of our request; `None` only where we sent none, as with tokens that a native app brings.
    pub nonce: Option<&'a str>,
    /// The access token that came with it.
    pub access_token: Option<&'a str>,
    /// Now, epoch seconds.
    pub now_seconds: i64,
}

/// Verifies an ID token and returns all of its claims; `sub` is among them, a text of 1 to 255 characters.
///
/// The key decides the algorithm: `none` and MACs are refused whatever the header says, and so are keys that the token
/// brings with it.
///
/// # Errors
/// [`IdTokenError`].
pub fn verify(
    token: &str,
    keys: &VerifyingKeys,
    rules: &IdTokenRules<'_>,
) -> Result<Map<String, Value>, IdTokenError> {
    let key = keys.key_of(token).map_err(|error| match error {
        JwtError::UnknownKey => IdTokenError::UnknownKey,
        other => other.into(),
    })?;

    // Only to choose what to compare with: the token is verified against the choice.
    let claimed = peek_claims(token).ok_or(JwtError::Malformed)?;
    let named = claimed.get("iss").and_then(Value::as_str).unwrap_or_default();
    let issuer = rules.issuers.iter().find(|issuer| issuer.is(named));
    let audiences = audiences(&claimed);
    let us = rules.client_ids.iter().find(|id| audiences.contains(*id));
    let expect = Expect {
        issuers: &[named][..usize::from(issuer.is_some())],
        audience: us.copied().unwrap_or_default(),
        now_seconds: rules.now_seconds,
        leeway_seconds: LEEWAY_SECONDS,
    };
    if us.is_none() && audiences.contains(&"") {
        return Err(JwtError::WrongAudience.into());
    }
    let claims: Map<String, Value> = key.verify(token, &expect)?;

    let (Some(issuer), Some(us)) = (issuer, us) else { return Err(JwtError::WrongIssuer.into()) };
    check_party(&claims, us, rules)?;
    if let Some(tenant) = issuer.tenant(named)
        && text(&claims, "tid") != Some(tenant)
    {
        return Err(IdTokenError::Tenant);
    }
    let issued = claims.get("iat").and_then(seconds).ok_or(IdTokenError::IssuedAt)?;
    if issued > rules.now_seconds.saturating_add(LEEWAY_SECONDS) {
        return Err(IdTokenError::IssuedAt);
    }
    if let Some(nonce) = rules.nonce
        && !text(&claims, "nonce").is_some_and(|claim| same(claim, nonce))
    {
        return Err(IdTokenError::Nonce);
    }
    if let (Some(access_token), Some(hash)) = (rules.access_token, claims.get("at_hash"))
        && !hash.as_str().is_some_and(|hash| same(hash, &key.left_half_hash(access_token)))
    {
        return Err(IdTokenError::AccessToken);
    }
    match text(&claims, "sub") {
        Some(subject) if (1..=255).contains(&subject.len()) => Ok(claims),
        _ => Err(IdTokenError::Subject),
    }
}

/// Steps 3 to 5 of §3.1.3.7.
fn check_party(claims: &Map<String, Value>, us: &str, rules: &IdTokenRules<'_>) -> Result<(), IdTokenError> {
    let audiences = audiences(claims);
    let is_trusted = |audience: &&str| {
        rules.client_ids.contains(audience)
            || rules.trusted_audiences.iter().any(|trusted| trusted == audience)
    };
    if !audiences.iter().all(is_trusted) {
        return Err(IdTokenError::AuthorizedParty);
    }
    match claims.get("azp") {
        Some(party) if party.as_str().is_some_and(|party| party == us) => Ok(()),
        None if audiences.len() == 1 => Ok(()),
        _ => Err(IdTokenError::AuthorizedParty),
    }
}

fn audiences(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A time (RFC 7519 §2), rounded up.
fn seconds(value: &Value) -> Option<i64> {
    if let Some(whole) = value.as_i64() {
        return Some(whole);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and far away is far enough")]
    let rounded = value.as_f64()?.ceil() as i64;
    Some(rounded)
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name)?.as_str()
}

fn same(one: &str, other: &str) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests;
