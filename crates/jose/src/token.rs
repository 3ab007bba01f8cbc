//! The compact form of a JWS (RFC 7515 §7.1), taken apart strictly: three parts, base64url without padding and
//! without stray bits, so that each part has one spelling only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::JwtError;

/// Longer texts are no tokens of anybody we know, bytes.
pub(crate) const MAX_LENGTH: usize = 16 * 1024;

/// What a header may say (RFC 7515 §4.1). A member that occurs twice is refused.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    jwk: bool,
    #[serde(default, deserialize_with = "present")]
    jku: bool,
    #[serde(default, deserialize_with = "present")]
    x5u: bool,
    #[serde(default, deserialize_with = "present")]
    x5c: bool,
}

/// True for whatever is there, `null` included.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
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
        // A fourth part would leave a dot in the payload, which is not base64url.
        let (header, payload) = signed.split_once('.').ok_or(JwtError::Malformed)?;
        let header: Header =
            serde_json::from_slice(&decode_object(header)?).map_err(|_| JwtError::Malformed)?;
        if header.jwk || header.jku || header.x5u || header.x5c {
            return Err(JwtError::BringsKey);
        }
        if header.crit {
            return Err(JwtError::UnknownExtension);
        }
        let (payload, signature) = (decode_object(payload)?, decode(signature)?);
        Ok(Self { alg: header.alg, kid: header.kid, payload, signed, signature })
    }
}

fn decode(part: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed)
}

/// Decodes a part that must be a JSON object. Said here because serde reads arrays into structs, too.
fn decode_object(part: &str) -> Result<Vec<u8>, JwtError> {
    let bytes = decode(part)?;
    if bytes.trim_ascii_start().starts_with(b"{") { Ok(bytes) } else { Err(JwtError::Malformed) }
}

/// Writes a part: the value as JSON, in base64url.
pub(crate) fn encode(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(value)?))
}

/// The claims of a token, unverified: for looking up keys and for explaining refusals, never for deciding.
pub fn peek_claims(token: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&Parts::split(token).ok()?.payload).ok()
}

/// The key id of a token, unverified.
pub fn peek_kid(token: &str) -> Option<String> {
    Parts::split(token).ok()?.kid
}
