//! Tokens at rest: keys, refresh tokens and codes are stored as hashes, so that whoever reads the database has none.

use aws_lc_rs::digest;

use crate::mac::constant_time_eq;

/// The SHA-256 hash of a token with enough entropy of its own; compared in constant time.
#[derive(Clone, Debug)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Hashes a token.
    pub fn of(token: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        Self(hash)
    }

    /// Takes what a keyed hash gave, for tokens with too little entropy of their own.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Reads a stored hash; `None` if it is not 32 bytes long.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The hash, to be stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for TokenHash {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha_256_and_survives_storage() {
        let hash = TokenHash::of("abc");
        // FIPS 180-2, appendix B.1.
        assert_eq!(hash.as_bytes()[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(TokenHash::from_bytes(hash.as_bytes()), Some(hash.clone()));
        assert_eq!(TokenHash::from_bytes(&hash.as_bytes()[..31]), None);
        assert_ne!(hash, TokenHash::of("abd"));
    }
}
