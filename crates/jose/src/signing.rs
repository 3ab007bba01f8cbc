//! Signing with ES256 (RFC 7518 §3.4).

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::jwk::Jwk;
use crate::token::encode;

/// Characters of a key id: 72 bits of the thumbprint tell keys apart; they need not resist anybody.
const KID_LENGTH: usize = 12;

/// A private P-256 key with its id and its public half.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
    jwk: Jwk,
    kid: String,
    /// The header of every token, encoded.
    header: String,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`KeyError`] if the system gives no random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| KeyError("a key could not be generated"))?;
        Self::from_pkcs8(document.as_ref())
    }

    /// Reads a key that [`Self::to_pkcs8`] wrote.
    ///
    /// # Errors
    /// [`KeyError`] for anything but a P-256 key in PKCS#8.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
            .map_err(|_| KeyError("this is no P-256 key in PKCS#8"))?;
        // An uncompressed point: 0x04, then both coordinates in full length.
        let point = pair.public_key().as_ref();
        let mut jwk = Jwk {
            kty: "EC".to_owned(),
            crv: Some("P-256".to_owned()),
            alg: Some("ES256".to_owned()),
            x: Some(URL_SAFE_NO_PAD.encode(&point[1..33])),
            y: Some(URL_SAFE_NO_PAD.encode(&point[33..65])),
            ..Jwk::default()
        };
        let mut kid = jwk.thumbprint().ok_or(KeyError("the key has no thumbprint"))?;
        kid.truncate(KID_LENGTH);
        jwk.kid = Some(kid.clone());
        let header = header(&kid)?;
        Ok(Self { pair, pkcs8: Zeroizing::new(pkcs8.to_vec()), jwk, kid, header })
    }

    /// The same key under an id that somebody else chose, such as a company that issued it.
    ///
    /// # Errors
    /// [`KeyError`] if the header cannot be written.
    pub fn with_kid(mut self, kid: &str) -> Result<Self, KeyError> {
        kid.clone_into(&mut self.kid);
        self.jwk.kid = Some(kid.to_owned());
        self.header = header(kid)?;
        Ok(self)
    }

    /// The private key, to be sealed.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    /// The key id: the first 12 characters of the thumbprint of the public key (RFC 7638), unless another was given.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, for a key set.
    pub fn public_jwk(&self) -> Jwk {
        self.jwk.clone()
    }

    /// Signs claims; the result is a JWS in compact form whose header has `alg` and `kid` and nothing else.
    ///
    /// # Errors
    /// [`KeyError`] if the claims cannot be written as JSON, or the system gives no random bytes.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, KeyError> {
        // Room for usual claims at once.
        let mut payload = Vec::with_capacity(1024);
        serde_json::to_writer(&mut payload, claims).map_err(|_| KeyError("the claims are not JSON"))?;
        self.sign_payload(&payload)
    }

    /// Signs whatever it is given.
    pub(crate) fn sign_payload(&self, payload: &[u8]) -> Result<String, KeyError> {
        let mut token = String::with_capacity(self.header.len() + payload.len() * 4 / 3 + 96);
        token.push_str(&self.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self
            .pair
            .sign(&SystemRandom::new(), token.as_bytes())
            .map_err(|_| KeyError("the claims could not be signed"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }
}

/// The header of every token of a key.
fn header(kid: &str) -> Result<String, KeyError> {
    encode(&json!({"alg": "ES256", "kid": kid})).map_err(|_| KeyError("the header is not JSON"))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
