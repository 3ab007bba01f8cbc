//! Hostile tokens, for tests: of this crate, and of every server and client that accepts tokens. Builds them from one
//! genuine token, so that nothing but the attack is wrong with each. Panics on misuse, as tests do.
//!
//! [`forged`] needs what an attacker has: a genuine token and the public key. [`misused`] needs the private key: its
//! tokens are signed well and say the wrong thing.

mod forged;
mod misused;
mod public_key;
mod spelling;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

pub use self::forged::forged;
pub use self::misused::misused;
use crate::error::JwtError;

/// A token that must be refused.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// What is done, for the message of a failing test.
    pub name: String,
    /// The token.
    pub token: String,
    /// What [`crate::VerifyingKeys::verify`] answers, with several keys in the set. `None`: any refusal but
    /// [`JwtError::Expired`], which would say that the token was once good.
    pub refusal: Option<JwtError>,
}

impl Hostile {
    fn new(name: impl Into<String>, token: impl Into<String>, refusal: JwtError) -> Self {
        Self { name: name.into(), token: token.into(), refusal: Some(refusal) }
    }

    fn refused_anyhow(name: impl Into<String>, token: impl Into<String>) -> Self {
        Self { name: name.into(), token: token.into(), refusal: None }
    }
}

/// The genuine token, taken apart.
struct Genuine<'t> {
    token: &'t str,
    header_text: &'t str,
    payload_text: &'t str,
    signature_text: &'t str,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

impl<'t> Genuine<'t> {
    fn read(token: &'t str) -> Self {
        let [header_text, payload_text, signature_text] =
            token.split('.').collect::<Vec<_>>().try_into().expect("a genuine token has three parts");
        let object =
            |text| serde_json::from_slice(&decode(text)).expect("header and payload are JSON objects");
        Self {
            token,
            header_text,
            payload_text,
            signature_text,
            header: object(header_text),
            claims: object(payload_text),
            signature: decode(signature_text),
        }
    }

    /// The header with one member set, or taken away by `None`.
    fn header_with(&self, name: &str, value: Option<Value>) -> String {
        let mut header = self.header.clone();
        match value {
            Some(value) => drop(header.insert(name.to_owned(), value)),
            None => drop(header.remove(name)),
        }
        encode(Value::Object(header).to_string())
    }

    /// The header that names another algorithm.
    fn header_alg(&self, alg: &str) -> String {
        self.header_with("alg", Some(alg.into()))
    }

    /// A token with another header, and the payload and signature as they were.
    fn under(&self, header: &str) -> String {
        format!("{header}.{}.{}", self.payload_text, self.signature_text)
    }

    /// A token with another signature.
    fn with_signature(&self, signature: &[u8]) -> String {
        format!("{}.{}.{}", self.header_text, self.payload_text, encode(signature))
    }

    /// A token with another header and a signature that fits it.
    fn signed(&self, header: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let signed = format!("{header}.{}", self.payload_text);
        let signature = encode(sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("a genuine token is base64url")
}

fn hs256(key: &[u8]) -> impl FnOnce(&[u8]) -> Vec<u8> {
    move |message| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}
