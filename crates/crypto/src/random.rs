//! Randomness.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use uuid::Builder;
use uuid::Uuid;

/// A source of random bytes.
#[derive(Clone, Debug)]
pub struct Random;

/// Crockford base 32 in lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes bytes in Crockford base 32, lower case, without padding.
pub fn base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(ALPHABET[(buffer >> bits) as usize & 31]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(char::from(ALPHABET[(buffer << (5 - bits)) as usize & 31]));
    }
    out
}

impl Random {
    /// The operating system's.
    pub const fn system() -> Self {
        Self
    }

    /// Fills a buffer.
    pub fn fill(&self, bytes: &mut [u8]) {
        SystemRandom::new().fill(bytes).expect("the operating system gives random bytes");
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// 45 characters of Crockford base 32, lower case.
    pub fn token(&self) -> String {
        let mut bytes = [0; 29];
        self.fill(&mut bytes);
        let mut text = base32(&bytes);
        text.truncate(45);
        text
    }
}
