//! Sealing at rest.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;

use crate::random::Random;

/// Why something could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Sealed with a key that is not here.
    #[error("it was sealed with a key that is not among the master keys")]
    UnknownKey,
    /// Changed, or sealed for another purpose.
    #[error("it was changed, or sealed for another purpose")]
    Broken,
}

/// Keys that seal secrets at rest.
#[derive(Clone)]
pub struct MasterKeys {
    current: String,
    keys: BTreeMap<String, [u8; 32]>,
}

impl MasterKeys {
    /// The first key seals; all of them open.
    pub fn new(keys: Vec<(String, [u8; 32])>) -> Option<Self> {
        let current = keys.first()?.0.clone();
        Some(Self { current, keys: keys.into_iter().collect() })
    }

    /// Seals for a purpose.
    pub fn seal(&self, context: &str, plaintext: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        Random::system().fill(&mut nonce);
        let mut sealed = plaintext.to_vec();
        key(&self.keys[&self.current])
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context.as_bytes()),
                &mut sealed,
            )
            .expect("AES-GCM seals");
        let mut out = vec![u8::try_from(self.current.len()).unwrap_or(0)];
        out.extend_from_slice(self.current.as_bytes());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// Whether another key than the current one sealed this.
    pub fn needs_reseal(&self, sealed: &[u8]) -> bool {
        let current = self.current.as_bytes();
        sealed.get(1..=current.len()) != Some(current)
            || sealed.first().map(|&length| usize::from(length)) != Some(current.len())
    }

    /// Opens what was sealed for the same purpose.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (length, rest) = sealed.split_first().ok_or(SealError::Broken)?;
        let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or(SealError::Broken)?;
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN).ok_or(SealError::Broken)?;
        let id = std::str::from_utf8(id).map_err(|_| SealError::Broken)?;
        let bytes = self.keys.get(id).ok_or(SealError::UnknownKey)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Broken)?;
        let mut opened = rest.to_vec();
        let length = key(bytes)
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut opened)
            .map_err(|_| SealError::Broken)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

fn key(bytes: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).expect("a key of 32 bytes"))
}

/// HMAC-SHA-256.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref());
    out
}
