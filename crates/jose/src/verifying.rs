//! Verification: the key decides the algorithm, the header must agree.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

use crate::claims::{Expect, JwtError};
use crate::jwk::Jwk;
use crate::signing::KeyError;
use crate::token::Parts;

/// A public key, ready to verify.
pub struct VerifyingKey {
    alg: &'static str,
    key: ParsedPublicKey,
}

impl VerifyingKey {
    /// Reads a P-256 key.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        if (jwk.kty.as_str(), jwk.crv.as_deref()) != ("EC", Some("P-256"))
            || jwk.alg.as_deref().is_some_and(|alg| alg != "ES256")
        {
            return Err(KeyError("only P-256 keys for ES256 are known"));
        }
        let coordinate = |text: &Option<String>| {
            let bytes = URL_SAFE_NO_PAD.decode(text.as_deref().unwrap_or_default()).unwrap_or_default();
            if bytes.len() == 32 { Ok(bytes) } else { Err(KeyError("a coordinate is not 32 bytes long")) }
        };
        let point = [vec![4], coordinate(&jwk.x)?, coordinate(&jwk.y)?].concat();
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .map_err(|_| KeyError("the coordinates are not a point of the curve"))?;
        Ok(Self { alg: "ES256", key })
    }

    /// Verifies a token: signature, issuer, audience, times.
    pub fn verify<C: DeserializeOwned>(&self, token: &str, expect: &Expect<'_>) -> Result<C, JwtError> {
        let parts = Parts::split(token)?;
        if parts.alg != self.alg {
            return Err(JwtError::BadSignature);
        }
        self.key.verify_sig(parts.signed.as_bytes(), &parts.signature).map_err(|_| JwtError::BadSignature)?;
        expect.check(&parts.payload)?;
        serde_json::from_slice(&parts.payload).map_err(|_| JwtError::Malformed)
    }
}
