//! The shape of refresh tokens. A token is 45 characters: the first 20 name the family (the session) and stay the
//! same through rotations, the other 25 change with each. So the database needs one row a session and still knows
//! every token that was ever rotated away: right family, wrong rest.
//!
//! The successor of a token is a keyed hash of it. All racers with the same token compute the same successor, and
//! nobody without the deployment's rotation key can.

use latchkey_crypto::{Random, TokenHash, base32, hmac_sha256};

const LENGTH: usize = 45;
const FAMILY: usize = 20;

/// A refresh token as a client holds it.
pub struct RefreshToken(String);

impl RefreshToken {
    /// A token of a new family.
    pub fn generate(random: &Random) -> Self {
        Self(random.token())
    }

    /// Reads what a client sent; `None` if it cannot be a token of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let ours = text.len() == LENGTH
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        ours.then(|| Self(text.to_owned()))
    }

    /// The hash by which the session is found.
    pub fn family_hash(&self) -> TokenHash {
        TokenHash::of(&self.0[..FAMILY])
    }

    /// The hash that tells this token from the others of its family.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }

    /// The token that replaces this one.
    pub fn successor(&self, rotation_key: &[u8]) -> Self {
        let digest = hmac_sha256(rotation_key, self.0.as_bytes());
        let mut next = self.0[..FAMILY].to_owned();
        next.push_str(&base32(&digest)[..LENGTH - FAMILY]);
        Self(next)
    }

    /// The text for the client.
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_keeps_the_family_and_changes_the_rest() {
        let token = RefreshToken::generate(&Random::system());
        let next = token.successor(b"key");
        assert_eq!(next.0.len(), LENGTH);
        assert!(RefreshToken::parse(&next.0).is_some());
        assert!(token.family_hash() == next.family_hash());
        assert!(token.hash() != next.hash());
    }

    #[test]
    fn every_racer_gets_the_same_successor_and_other_keys_get_others() {
        let token = RefreshToken::generate(&Random::system());
        assert_eq!(token.successor(b"key").0, token.successor(b"key").0);
        assert_ne!(token.successor(b"key").0, token.successor(b"another").0);
    }

    #[test]
    fn what_is_not_a_token_is_not_parsed() {
        for text in ["", "abc", &"a".repeat(44), &"a".repeat(46), &"A".repeat(45), &"é".repeat(22)] {
            assert!(RefreshToken::parse(text).is_none(), "{text}");
        }
    }
}
