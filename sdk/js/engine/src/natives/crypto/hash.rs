//! Digests and HMAC.

use hmac::{Hmac, KeyInit, Mac};
use rquickjs::{Ctx, Function, Object, Result, TypedArray};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use crate::natives::bytes;

/// A hash function, by the number that the prelude uses for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) fn of(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Sha1),
            256 => Some(Self::Sha256),
            384 => Some(Self::Sha384),
            512 => Some(Self::Sha512),
            _ => None,
        }
    }

    pub(super) fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha384 => Sha384::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => hmac::<Hmac<Sha1>>(key, data),
            Self::Sha256 => hmac::<Hmac<Sha256>>(key, data),
            Self::Sha384 => hmac::<Hmac<Sha384>>(key, data),
            Self::Sha512 => hmac::<Hmac<Sha512>>(key, data),
        }
    }
}

fn hmac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

/// `digest(hash, data)`, `hmac(hash, key, data)`, `hmacVerify(hash, key, signature, data)`.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("digest", Function::new(ctx.clone(), digest)?)?;
    native.set("hmac", Function::new(ctx.clone(), sign)?)?;
    native.set("hmacVerify", Function::new(ctx.clone(), verify)?)
}

/// Bytes of JavaScript's, as natives take and give them.
pub(super) type Bytes<'js> = TypedArray<'js, u8>;

/// New bytes of JavaScript's, if there are any.
pub(super) fn give<'js>(ctx: Ctx<'js>, data: Option<impl AsRef<[u8]>>) -> Result<Option<Bytes<'js>>> {
    data.map(|data| TypedArray::new_copy(ctx, data)).transpose()
}

fn digest<'js>(ctx: Ctx<'js>, hash: u32, data: Bytes<'js>) -> Result<Option<Bytes<'js>>> {
    give(ctx, Hash::of(hash).map(|hash| hash.digest(bytes::of(&data))))
}

fn sign<'js>(ctx: Ctx<'js>, hash: u32, key: Bytes<'js>, data: Bytes<'js>) -> Result<Option<Bytes<'js>>> {
    give(ctx, Hash::of(hash).map(|hash| hash.hmac(bytes::of(&key), bytes::of(&data))))
}

fn verify<'js>(hash: u32, key: Bytes<'js>, signature: Bytes<'js>, data: Bytes<'js>) -> bool {
    let expected = Hash::of(hash).map(|hash| hash.hmac(bytes::of(&key), bytes::of(&data)));
    expected.is_some_and(|expected| bool::from(expected.as_slice().ct_eq(bytes::of(&signature))))
}

#[cfg(test)]
mod tests {
    use super::Hash;
    use data_encoding::HEXLOWER;

    #[test]
    fn digests_and_codes_are_those_of_the_standards() {
        assert_eq!(HEXLOWER.encode(&Hash::Sha1.digest(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        // RFC 4231, test case 2.
        let code = Hash::Sha256.hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(HEXLOWER.encode(&code), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
