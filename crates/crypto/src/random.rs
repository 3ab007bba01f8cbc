//! Randomness as a value: the operating system's, or for tests a stream that is the same in each run.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use uuid::{Builder, Uuid};

use crate::mac::hmac_sha256;

/// Crockford base 32 in lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of a token: 225 bits.
const TOKEN_LENGTH: usize = 45;

/// A source of random bytes. Clones share it.
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Stream>),
}

/// The HMAC of a counter, keyed by the seed.
struct Stream {
    seed: u64,
    blocks: AtomicU64,
}

impl Random {
    /// The operating system's.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A stream that depends on the seed alone: for tests, and nothing else.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Stream { seed, blocks: AtomicU64::new(0) })))
    }

    /// Fills a buffer.
    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.0 {
            Source::System => {
                SystemRandom::new().fill(bytes).expect("the operating system gives random bytes");
            }
            Source::Seeded(stream) => stream.fill(bytes),
        }
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// 45 characters of [`base32`], 225 random bits.
    pub fn token(&self) -> String {
        self.base32(TOKEN_LENGTH)
    }

    /// `length` characters of [`base32`], 5 random bits each.
    pub fn base32(&self, length: usize) -> String {
        let mut bytes = vec![0; (length * 5).div_ceil(8)];
        self.fill(&mut bytes);
        let mut text = base32(&bytes);
        text.truncate(length);
        text
    }
}

impl Stream {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let number = self.blocks.fetch_add(1, Ordering::Relaxed);
            let block = hmac_sha256(&self.seed.to_be_bytes(), &number.to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Random::system()",
            Source::Seeded(_) => "Random::seeded(..)",
        })
    }
}

/// Writes bytes in Crockford base 32, lower case, without padding.
pub fn base32(bytes: &[u8]) -> String {
    in_base32(bytes, ALPHABET)
}

/// Writes bytes in base 32 with these letters, without padding (RFC 4648 §6).
pub(crate) fn in_base32(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let mut out = String::with_capacity((bytes.len() * 8).div_ceil(5));
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(alphabet[(buffer >> bits) as usize & 31]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(char::from(alphabet[(buffer << (5 - bits)) as usize & 31]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_agrees_with_rfc_4648_up_to_the_alphabet() {
        // RFC 4648 §10, its alphabet exchanged for Crockford's.
        let rfc = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        for (bytes, expected) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            let index = |c: u8| rfc.iter().position(|known| *known == c).unwrap();
            let expected: String = expected.bytes().map(|c| char::from(ALPHABET[index(c)])).collect();
            assert_eq!(base32(bytes.as_bytes()), expected);
        }
    }

    #[test]
    fn tokens_have_45_characters_and_are_never_the_same() {
        let random = Random::system();
        let token = random.token();
        assert_eq!(token.len(), 45);
        assert!(token.bytes().all(|byte| ALPHABET.contains(&byte)), "{token}");
        assert_ne!(token, random.clone().token());
        assert_eq!(random.base32(0), "");
        assert_eq!(random.base32(7).len(), 7);
        assert_eq!(random.uuid().get_version_num(), 4);
    }

    #[test]
    fn a_seeded_stream_repeats_itself_in_the_next_run_only() {
        let (one, again, other) = (Random::seeded(1), Random::seeded(1), Random::seeded(2));
        let (first, second) = (one.token(), one.clone().token());
        assert_ne!(first, second, "a clone goes on where the original is");
        assert_eq!((first.clone(), second), (again.token(), again.token()));
        assert_ne!(first, other.token());
    }
}
