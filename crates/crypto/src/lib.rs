//! Password hashing and verification, secrets, sealing at rest.

mod hasher;
pub mod password_rules;
mod random;
mod seal;
mod secret;
mod token_hash;

pub use hasher::{HashError, HashParams, ImportError, PasswordHasher, Verdict, validate_bcrypt_import};
pub use random::{Random, base32};
pub use seal::{MasterKeys, SealError, hmac_sha256};
pub use secret::Secret;
pub use token_hash::TokenHash;
