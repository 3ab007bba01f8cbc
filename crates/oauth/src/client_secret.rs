//! The secret of a client at a provider: a text, or, at Apple, a key that signs a new secret whenever one is needed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_jose::SigningKey;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::error::UpstreamError;
use crate::upstream::APPLE_ISSUER;

/// How long a signed secret is good for, seconds: it is used at once.
const LIFETIME_SECONDS: i64 = 5 * 60;

/// A secret as it stands in a configuration.
pub enum ClientSecret {
    /// The secret itself.
    Text(Zeroizing<String>),
    /// A key that Apple issued for signing in.
    AppleKey(Box<AppleKey>),
}

/// A key that Apple issued, with what Apple knows it by.
pub struct AppleKey {
    team_id: String,
    key: SigningKey,
}

/// The form of such a key in a configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppleKeyFile {
    team_id: String,
    key_id: String,
    private_key: String,
}

impl ClientSecret {
    /// Reads a secret. One that is a JSON object with `team_id`, `key_id` and `private_key`, the text of the `.p8` file,
    /// is a key of Apple's; anything else is the secret itself, such as one for Apple that somebody signed by hand.
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`] for an object that is no such key.
    pub fn parse(text: &str) -> Result<Self, UpstreamError> {
        if !text.trim_start().starts_with('{') {
            return Ok(Self::Text(Zeroizing::new(text.to_owned())));
        }
        let file: AppleKeyFile = serde_json::from_str(text).map_err(|_| {
            UpstreamError::Misconfigured("the key of Apple needs team_id, key_id and private_key")
        })?;
        let text = Zeroizing::new(file.private_key);
        let key = private_key(&text)
            .and_then(|pkcs8| SigningKey::from_pkcs8(&pkcs8).ok())
            .and_then(|key| key.with_kid(&file.key_id).ok())
            .ok_or(UpstreamError::Misconfigured("private_key is not a P-256 key in PEM"))?;
        Ok(Self::AppleKey(Box::new(AppleKey { team_id: file.team_id, key })))
    }

    /// The secret to be sent now.
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`] if it cannot be signed.
    pub fn at(&self, client_id: &str, now_seconds: i64) -> Result<Zeroizing<String>, UpstreamError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::AppleKey(apple) => apple
                .key
                .sign(&json!({
                    "iss": apple.team_id,
                    "iat": now_seconds,
                    "exp": now_seconds + LIFETIME_SECONDS,
                    "aud": APPLE_ISSUER,
                    "sub": client_id,
                }))
                .map(Zeroizing::new)
                .map_err(|_| UpstreamError::Misconfigured("the secret cannot be signed")),
        }
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::AppleKey(_) => "AppleKey(..)",
        })
    }
}

/// The bytes of a private key in PEM (RFC 7468 §10). Line ends may be gone, as they go in environment variables.
fn private_key(pem: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (inside, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let inside = inside.replace("\\n", "");
    let base64: Zeroizing<String> = Zeroizing::new(inside.chars().filter(|c| !c.is_whitespace()).collect());
    STANDARD.decode(base64.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use latchkey_jose::{Expect, VerifyingKey, peek_kid};
    use serde_json::Value;

    use super::*;

    fn pem(der: &[u8]) -> String {
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
    }

    fn file(private_key: &str) -> String {
        json!({"team_id": "TEAM", "key_id": "KEY", "private_key": private_key}).to_string()
    }

    #[test]
    fn apple_gets_a_secret_of_five_minutes_signed_by_its_key() {
        let key = SigningKey::generate().unwrap();
        for text in [
            pem(&key.to_pkcs8()),
            pem(&key.to_pkcs8()).replace('\n', "\\n"),
            pem(&key.to_pkcs8()).replace('\n', ""),
        ] {
            let secret = ClientSecret::parse(&file(&text)).unwrap();
            let token = secret.at("com.example.web", 1000).unwrap();
            assert_eq!(peek_kid(&token).as_deref(), Some("KEY"));
            let verifying = VerifyingKey::from_jwk(&key.public_jwk()).unwrap();
            let expect =
                Expect { issuers: &["TEAM"], audience: APPLE_ISSUER, now_seconds: 1000, leeway_seconds: 0 };
            let claims: Value = verifying.verify(&token, &expect).unwrap();
            assert_eq!(claims["sub"], "com.example.web");
            assert_eq!(claims["exp"], 1300);
            assert_ne!(*secret.at("com.example.web", 1001).unwrap(), *token);
        }
    }

    #[test]
    fn a_key_without_its_public_half_is_read_as_apple_writes_it() {
        // PKCS#8 around an EC private key of 32 bytes for P-256 and nothing else (RFC 5915 §3: the public key is
        // optional).
        let mut der =
            vec![0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d];
        der.extend([0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27]);
        der.extend([0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20]);
        der.extend([7; 32]);
        let secret = ClientSecret::parse(&file(&pem(&der))).unwrap();
        assert!(secret.at("a", 0).is_ok());
    }

    #[test]
    fn any_other_text_is_the_secret_itself() {
        for text in ["abc", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln", " x "] {
            assert_eq!(ClientSecret::parse(text).unwrap().at("id", 0).unwrap().as_str(), text);
        }
        assert_eq!(format!("{:?}", ClientSecret::parse("abc").unwrap()), "Text(..)");
    }

    #[test]
    fn what_wants_to_be_a_key_and_is_none_is_refused() {
        for text in
            ["{", "{}", "{\"team_id\":\"a\",\"key_id\":\"b\"}", &file(""), &file("abc"), &file(&pem(b"abc"))]
        {
            assert!(matches!(ClientSecret::parse(text), Err(UpstreamError::Misconfigured(_))), "{text}");
        }
    }
}
