//! Password hashing and verification, secrets, sealing at rest.

mod random;
mod seal;
mod secret;
mod token_hash;

pub use random::{Random, base32};
pub use seal::{MasterKeys, SealError, hmac_sha256};
pub use secret::Secret;
pub use token_hash::TokenHash;
