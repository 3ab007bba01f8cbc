//! JWK, JWKS and JWT signing and verification: one implementation for the Latchkey server and its clients.
//!
//! Only what Latchkey needs, on aws-lc-rs: it signs with ES256, and verifies ES256, ES384, ES512, RS256, RS384,
//! RS512, PS256, PS384, PS512 and `EdDSA` with Ed25519. A key decides its algorithm; the header never does. Refused whatever the keys: `none`,
//! MACs, encrypted tokens, critical extensions, and tokens that bring their key with them.
//!
//! ```
//! use latchkey_jose::{Expect, JwtError, SigningKey, VerifyingKeys};
//! use serde_json::{Value, json};
//!
//! let key = SigningKey::generate()?;
//! let token = key.sign(&json!({"iss": "https://id.example", "aud": "shop", "sub": "ada", "exp": 1000}))?;
//!
//! let keys = VerifyingKeys::new(&serde_json::from_value(json!({"keys": [key.public_jwk()]})).unwrap());
//! let mut expect =
//!     Expect { issuers: &["https://id.example"], audience: "shop", now_seconds: 999, leeway_seconds: 0 };
//! assert_eq!(keys.verify::<Value>(&token, &expect).unwrap()["sub"], "ada");
//! expect.now_seconds = 1000;
//! assert_eq!(keys.verify::<Value>(&token, &expect), Err(JwtError::Expired));
//! # Ok::<(), latchkey_jose::KeyError>(())
//! ```

mod algorithm;
mod claims;
#[cfg(feature = "corpus")]
pub mod corpus;
mod error;
mod jwk;
mod signing;
mod token;
mod verifying;

pub use claims::Expect;
pub use error::{JwtError, KeyError};
pub use jwk::{Jwk, Jwks};
pub use signing::SigningKey;
pub use token::{peek_claims, peek_kid};
pub use verifying::{VerifyingKey, VerifyingKeys};
