//! Journals at rest are sealed with a key of their app: AES-256-GCM-SIV (RFC 8452), which forgives a repeated nonce.
//!
//! Form: `dfj1`, 12 bytes of nonce, then the encrypted postcard encoding of the [`Journal`] with its tag. The invocation's id is
//! authenticated along, so a journal can't be passed off as another's.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bytes::Bytes;
use types::{Code, InvocationId, Problem, journal::Journal, revision::AppKey};

const MAGIC: &[u8; 4] = b"dfj1";

/// The node's master key for journals; each app's key is derived from it.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// The key of these bytes, which must come from a random source and stay secret.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What tells whether a secret was another one, and nothing else of it: a hash under a key that leaves the node never.
    pub(crate) fn digest(&self, app: &AppKey, value: &[u8]) -> types::Digest {
        let mut derive = blake3::Hasher::new_derive_key("dayfly 2026-11-21 hashes of one app's secrets");
        derive.update(&self.0).update(app.to_string().as_bytes());
        types::Digest::from_bytes(*blake3::keyed_hash(derive.finalize().as_bytes(), value).as_bytes())
    }

    fn of(&self, app: &AppKey) -> LessSafeKey {
        let mut derive = blake3::Hasher::new_derive_key("dayfly 2026-11-21 journal of one app");
        derive.update(&self.0).update(app.to_string().as_bytes());
        let key = UnboundKey::new(&AES_256_GCM_SIV, derive.finalize().as_bytes()).expect("the key has 32 bytes");
        LessSafeKey::new(key)
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(…)")
    }
}

/// Seals a journal for storage.
pub(crate) fn seal(key: &SealKey, app: &AppKey, journal: &Journal, nonce: [u8; NONCE_LEN]) -> Bytes {
    let mut body = postcard::to_stdvec(journal).expect("a journal holds nothing that postcard can't encode");
    let aad = Aad::from(*journal.invoke.id.as_bytes());
    let nonce_used = Nonce::assume_unique_for_key(nonce);
    key.of(app).seal_in_place_append_tag(nonce_used, aad, &mut body).expect("a journal is smaller than the cipher's limit");
    [MAGIC.as_slice(), &nonce, &body].concat().into()
}

/// Opens a sealed journal.
///
/// # Errors
/// `E0806` if it is damaged, of another invocation, or sealed with another key.
pub(crate) fn open(key: &SealKey, app: &AppKey, id: InvocationId, sealed: &[u8]) -> Result<Journal, Problem> {
    let damaged = |why: &str| Problem::new(Code::E0806, format!("the journal of {id} can't be read: {why}"));
    let (magic, rest) = sealed.split_at_checked(MAGIC.len()).ok_or_else(|| damaged("it is cut short"))?;
    if magic != MAGIC {
        return Err(damaged("it does not begin as journals do"));
    }
    let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or_else(|| damaged("it is cut short"))?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged("it is cut short"))?;
    let mut body = body.to_vec();
    let opened = key.of(app).open_in_place(nonce, Aad::from(*id.as_bytes()), &mut body);
    let opened = opened.map_err(|_| damaged("it was changed, or sealed with another key"))?;
    postcard::from_bytes(opened).map_err(|error| damaged(&error.to_string()))
}
