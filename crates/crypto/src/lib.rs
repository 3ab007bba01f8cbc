//! Password hashing and verification, secrets, sealing at rest, randomness, TOTP, what authenticators sign. The only
//! place where passwords are hashed and keys for secrets at rest are used. Tokens are in `latchkey-jose`.

mod hasher;
mod mac;
pub mod password_rules;
mod random;
mod seal;
mod secret;
mod token_hash;
mod totp;
pub mod webauthn;

pub use hasher::{HashError, HashParams, ImportError, PasswordHasher, Verdict, validate_bcrypt_import};
pub use mac::{constant_time_eq, hmac_sha256};
pub use random::{Random, base32};
pub use seal::{MasterKeys, SealError};
pub use secret::Secret;
pub use token_hash::TokenHash;
pub use totp::TotpSecret;
