//! Sealing: AES-256-GCM-SIV (RFC 8452), which forgives a repeated nonce, and keys that leave no trace in memory.
//!
//! A sealed text is 12 bytes of nonce, then the encrypted bytes with their tag. What it belongs to is authenticated along, so that it
//! can't be passed off as another's.

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};
use data_encoding::HEXLOWER;
use ports::StoreError;
use zeroize::Zeroizing;

const KEY_LEN: usize = 32;

/// A key. It is wiped from memory with its last use, and prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key(Zeroizing<[u8; KEY_LEN]>);

impl Key {
    /// A new key. Keys never come from `ports::Rng`: they must not repeat, whatever a test seeds.
    pub(super) fn random() -> Result<Self, StoreError> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        fill(&mut *bytes)?;
        Ok(Self(bytes))
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// A name that only this key has and that tells nothing of it: it also checks whether a key is the right one.
    pub(super) fn id(&self) -> String {
        let id = blake3::derive_key("dayfly 2026-11-21 id of a key for secrets", self.0.as_slice());
        HEXLOWER.encode(&id[..8])
    }

    /// Seals bytes that belong to `to`.
    pub(super) fn seal(&self, to: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        let mut body = plain.to_vec();
        let sealed = self.aead().seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(to), &mut body);
        sealed.map_err(|_| StoreError::Failed("the cipher refused to seal".into()))?;
        Ok([nonce.as_slice(), &body].concat())
    }

    /// Opens what was sealed for `to`; `None` if it was changed, or belongs to something else, or has another key.
    pub(super) fn open(&self, to: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self.aead().open_in_place(nonce, Aad::from(to), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }

    fn aead(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, self.0.as_slice()).expect("the key has 32 bytes"))
    }
}

/// Fills the buffer from the system's random source.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), StoreError> {
    rand::fill(bytes).map_err(|_| StoreError::Failed("the system gives no random bytes".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_belongs_there_and_was_not_changed() {
        let (key, other) = (Key::random().expect("random"), Key::random().expect("random"));
        let mut sealed = key.seal(b"here", b"text").expect("it seals");
        assert_eq!(key.open(b"here", &sealed).as_ref().map(|text| text.as_slice()), Some(b"text".as_slice()));
        assert!(key.open(b"there", &sealed).is_none() && other.open(b"here", &sealed).is_none());
        assert_ne!(key.seal(b"here", b"text").expect("it seals"), sealed, "nonces differ");
        for at in 0..sealed.len() {
            sealed[at] ^= 1;
            assert!(key.open(b"here", &sealed).is_none() && key.open(b"here", &sealed[..at]).is_none(), "byte {at}");
            sealed[at] ^= 1;
        }
        assert_ne!(key.id(), other.id());
    }
}
