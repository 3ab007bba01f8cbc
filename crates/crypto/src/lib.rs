//! Password hashing and verification, secrets, sealing at rest.

mod hash_format;
mod hasher;
pub mod password_rules;
mod random;
mod seal;
mod secret;
mod token_hash;

pub use hash_format::{ImportError, validate_bcrypt_import};
pub use hasher::{HashError, HashParams, PasswordHasher, Verdict};
pub use random::{Random, base32};
pub use seal::{MasterKeys, SealError, hmac_sha256};
pub use secret::Secret;
pub use token_hash::TokenHash;
