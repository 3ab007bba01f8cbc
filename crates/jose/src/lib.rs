//! JWK, JWKS and JWT signing and verification: one implementation for the Latchkey server and its clients.

mod claims;
mod jwk;
mod signing;
mod token;
mod verifying;

pub use claims::{Expect, JwtError};
pub use jwk::{Jwk, Jwks};
pub use signing::{KeyError, SigningKey};
pub use token::{peek_claims, peek_kid};
pub use verifying::VerifyingKey;
