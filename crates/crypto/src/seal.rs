//! Sealing at rest: AES-256-GCM under a master key that carries an id, so that keys can be rotated. What is sealed is
//! bound to a context, the place where it belongs, so that it cannot be moved to another row and opened there.
//!
//! Form: one byte with the length of the key id, the id, 12 bytes of nonce, ciphertext with its tag of 16 bytes.
//! Nonces are random, which is sound for 2³² seals under one key (NIST SP 800-38D §8.3).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::{Zeroize, Zeroizing};

use crate::random::Random;

/// Why something could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Sealed with a key that is not here.
    #[error("it was sealed with a key that is not among the master keys")]
    UnknownKey,
    /// Changed, sealed for another purpose, or with another key of the same id.
    #[error("it was changed, sealed for another purpose, or with another key of the same id")]
    Broken,
}

/// Keys that seal secrets at rest. Clones share them; they are wiped when the last is dropped.
#[derive(Clone)]
pub struct MasterKeys(Arc<[MasterKey]>);

struct MasterKey {
    id: String,
    key: LessSafeKey,
}

impl MasterKeys {
    /// The first key seals; all of them open. `None` without a key, and for ids that are empty, longer than 255 bytes
    /// or there twice.
    pub fn new(keys: Vec<(String, [u8; 32])>) -> Option<Self> {
        let mut ready: Vec<MasterKey> = Vec::with_capacity(keys.len());
        for (id, mut bytes) in keys {
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).expect("a key of 32 bytes"));
            bytes.zeroize();
            if !(1..=255).contains(&id.len()) || ready.iter().any(|other| other.id == id) {
                return None;
            }
            ready.push(MasterKey { id, key });
        }
        if ready.is_empty() { None } else { Some(Self(ready.into())) }
    }

    /// Seals for a context, with the first key.
    pub fn seal(&self, context: &str, plaintext: &[u8]) -> Vec<u8> {
        let MasterKey { id, key } = self.current();
        let mut nonce = [0; NONCE_LEN];
        Random::system().fill(&mut nonce);
        let mut sealed =
            Vec::with_capacity(1 + id.len() + NONCE_LEN + plaintext.len() + AES_256_GCM.tag_len());
        sealed.push(u8::try_from(id.len()).expect("ids have at most 255 bytes"));
        sealed.extend_from_slice(id.as_bytes());
        sealed.extend_from_slice(&nonce);
        let start = sealed.len();
        sealed.extend_from_slice(plaintext);
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context.as_bytes()),
                &mut sealed[start..],
            )
            .expect("what fits in memory is short enough for AES-GCM");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what was sealed for the same context.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`] if the key is not here, [`SealError::Broken`] for everything else that is wrong.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (id, rest) = split(sealed).ok_or(SealError::Broken)?;
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN).ok_or(SealError::Broken)?;
        let key = self.0.iter().find(|key| key.id.as_bytes() == id).ok_or(SealError::UnknownKey)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Broken)?;
        let mut opened = Zeroizing::new(rest.to_vec());
        let length = key
            .key
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut opened)
            .map_err(|_| SealError::Broken)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }

    /// Whether another key than the first one sealed this, so that it should be sealed again before that key goes.
    pub fn needs_reseal(&self, sealed: &[u8]) -> bool {
        split(sealed).is_none_or(|(id, _)| id != self.current().id.as_bytes())
    }

    fn current(&self) -> &MasterKey {
        &self.0[0]
    }
}

/// The id of the key, and what follows.
fn split(sealed: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = sealed.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys")?;
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(ids: &[(&str, u8)]) -> MasterKeys {
        MasterKeys::new(ids.iter().map(|(id, byte)| ((*id).to_owned(), [*byte; 32])).collect()).unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_for_its_context_only() {
        let keys = keys(&[("a", 1)]);
        for plaintext in [&b""[..], b"secret", &[7; 5000]] {
            let sealed = keys.seal("totp:ada", plaintext);
            assert_eq!(keys.open("totp:ada", &sealed).unwrap().as_slice(), plaintext);
            assert_eq!(keys.open("totp:bob", &sealed), Err(SealError::Broken));
            assert_ne!(sealed, keys.seal("totp:ada", plaintext), "nonces differ");
        }
    }

    #[test]
    fn old_keys_open_and_the_first_one_seals() {
        let (old, new, both) = (keys(&[("a", 1)]), keys(&[("b", 2)]), keys(&[("b", 2), ("a", 1)]));
        let sealed = old.seal("x", b"secret");
        assert!(both.needs_reseal(&sealed) && !old.needs_reseal(&sealed));
        assert_eq!(new.open("x", &sealed), Err(SealError::UnknownKey));
        let opened = both.open("x", &sealed).unwrap();
        let resealed = both.seal("x", &opened);
        assert!(!both.needs_reseal(&resealed));
        assert_eq!(new.open("x", &resealed).unwrap().as_slice(), b"secret");
        assert_eq!(keys(&[("a", 9)]).open("x", &sealed), Err(SealError::Broken), "same id, another key");
        assert!(keys(&[("ab", 1)]).needs_reseal(&sealed));
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let keys = keys(&[("key", 1)]);
        let sealed = keys.seal("x", b"secret");
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(keys.open("x", &changed).is_err(), "{position}");
            assert!(keys.open("x", &sealed[..position]).is_err(), "{position}");
        }
        assert!(keys.needs_reseal(&[]));
        assert!(keys.needs_reseal(&[200, 1]));
    }

    #[test]
    fn no_key_and_ambiguous_keys_are_refused_and_none_is_shown() {
        assert!(MasterKeys::new(Vec::new()).is_none());
        for ids in [vec![String::new()], vec!["a".repeat(256)], vec!["a".to_owned(), "a".to_owned()]] {
            assert!(MasterKeys::new(ids.into_iter().map(|id| (id, [1; 32])).collect()).is_none());
        }
        assert_eq!(format!("{:?}", keys(&[("b", 2), ("a", 1)])), r#"MasterKeys["b", "a"]"#);
    }
}
