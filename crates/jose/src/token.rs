//! The compact form of a JWS (RFC 7515 §7.1), taken apart strictly.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::claims::JwtError;

/// Longer texts are no tokens of anybody we know.
const MAX_LENGTH: usize = 16 * 1024;

/// What a header may say. Anything that would bring a key with it is refused.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
    jwk: Option<Value>,
    jku: Option<Value>,
    x5u: Option<Value>,
    x5c: Option<Value>,
}

/// A token taken apart.
pub(crate) struct Parts<'t> {
    pub(crate) alg: String,
    pub(crate) kid: Option<String>,
    pub(crate) payload: Vec<u8>,
    pub(crate) signed: &'t str,
    pub(crate) signature: Vec<u8>,
}

impl<'t> Parts<'t> {
    pub(crate) fn split(token: &'t str) -> Result<Self, JwtError> {
        if token.len() > MAX_LENGTH {
            return Err(JwtError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwtError::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| JwtError::Malformed)?;
        let brings_key =
            header.jwk.is_some() || header.jku.is_some() || header.x5u.is_some() || header.x5c.is_some();
        if brings_key || header.crit.is_some() {
            return Err(JwtError::Malformed);
        }
        Ok(Self {
            alg: header.alg,
            kid: header.kid,
            payload: decode(payload)?,
            signed,
            signature: decode(signature)?,
        })
    }
}

/// The claims of a token, unverified: for looking up keys and for explaining refusals, never for deciding.
pub fn peek_claims(token: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&Parts::split(token).ok()?.payload).ok()
}

/// The key id of a token, unverified.
pub fn peek_kid(token: &str) -> Option<String> {
    Parts::split(token).ok()?.kid
}
