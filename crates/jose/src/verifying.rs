//! Verification: the key decides the algorithm, the header must agree.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

use crate::algorithm::Algorithm;
use crate::claims::{Expect, Registered};
use crate::error::{JwtError, KeyError};
use crate::jwk::{Jwk, Jwks};
use crate::token::Parts;

/// A public key, parsed once and ready to verify. For one algorithm only.
pub struct VerifyingKey {
    kid: Option<String>,
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl VerifyingKey {
    /// Reads a key: EC on P-256, P-384 or P-521, RSA from 2048 to 8192 bits, or OKP on Ed25519.
    ///
    /// # Errors
    /// [`KeyError`] for other keys, keys for encryption, and numbers that are no key.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Err(KeyError("the key is not for signatures"));
        }
        let algorithm = Algorithm::of(jwk)?;
        Ok(Self { kid: jwk.kid.clone(), algorithm, key: algorithm.parse(jwk)? })
    }

    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Verifies a token with this key, whatever key id the token names, and reads its claims.
    ///
    /// # Errors
    /// [`JwtError`], each of which says that the checks before it were passed.
    pub fn verify<C: DeserializeOwned>(&self, token: &str, expect: &Expect<'_>) -> Result<C, JwtError> {
        self.verify_parts(&Parts::split(token)?, expect)
    }

    /// The left half of the hash of a text, base64url, by the hash of the key's algorithm: what an ID token says about
    /// the access token that was issued with it, as `at_hash` (OpenID Connect Core 1.0 §3.1.3.6).
    pub fn left_half_hash(&self, text: &str) -> String {
        let hash = digest::digest(self.algorithm.hash(), text.as_bytes());
        URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
    }

    fn verify_parts<C: DeserializeOwned>(
        &self,
        parts: &Parts<'_>,
        expect: &Expect<'_>,
    ) -> Result<C, JwtError> {
        if parts.alg != self.algorithm.name() {
            return Err(JwtError::WrongAlgorithm);
        }
        self.check_signature(parts.signed, &parts.signature)?;
        let registered = Registered::read(&parts.payload)?;
        registered.check(expect)?;
        // Before the end is looked at: a token has expired only if it would have been accepted in its time.
        let claims = serde_json::from_slice(&parts.payload).map_err(|_| JwtError::Malformed)?;
        registered.check_end(expect)?;
        Ok(claims)
    }

    /// ECDSA signatures are the two numbers one after the other, each in full length (RFC 7518 §3.4), never DER. Who
    /// has one good signature can compute a second one without the key (`s` negated), so a token's text identifies
    /// it to a cache, but not to a list of revoked ones.
    fn check_signature(&self, signed: &str, signature: &[u8]) -> Result<(), JwtError> {
        self.key.verify_sig(signed.as_bytes(), signature).map_err(|_| JwtError::BadSignature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// A key set, parsed once and ready to verify.
#[derive(Debug, Default)]
pub struct VerifyingKeys(Vec<VerifyingKey>);

impl VerifyingKeys {
    /// Reads the keys that can be used; others are skipped, as RFC 7517 §5 asks.
    pub fn new(set: &Jwks) -> Self {
        Self(set.keys.iter().filter_map(|jwk| VerifyingKey::from_jwk(jwk).ok()).collect())
    }

    /// The first key with this id.
    pub fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.0.iter().find(|key| key.kid() == Some(kid))
    }

    /// The key that a token names; for a token that names none, the only key, if there is only one.
    ///
    /// # Errors
    /// [`JwtError`] up to [`JwtError::UnknownKey`]: nothing of the token is verified yet.
    pub fn key_of(&self, token: &str) -> Result<&VerifyingKey, JwtError> {
        self.key_of_parts(&Parts::split(token)?)
    }

    /// Verifies a token with the key that it names, and reads its claims. A token that names none is verified with
    /// the only key, if there is only one.
    ///
    /// # Errors
    /// [`JwtError`], each of which says that the checks before it were passed.
    pub fn verify<C: DeserializeOwned>(&self, token: &str, expect: &Expect<'_>) -> Result<C, JwtError> {
        let parts = Parts::split(token)?;
        self.key_of_parts(&parts)?.verify_parts(&parts, expect)
    }

    fn key_of_parts(&self, parts: &Parts<'_>) -> Result<&VerifyingKey, JwtError> {
        let key = match (&parts.kid, self.0.as_slice()) {
            (Some(kid), _) => self.get(kid),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        key.ok_or(JwtError::UnknownKey)
    }
}

#[cfg(test)]
mod tests;
