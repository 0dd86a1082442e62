//! Bits that are derived from a secret: HKDF and PBKDF2.

use hkdf::Hkdf;
use pbkdf2::pbkdf2_hmac;
use rquickjs::{Ctx, Function, Object, Result};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::hash::{Bytes, Hash, give};
use crate::natives::bytes;

/// `hkdf(hash, secret, salt, info, length)` and `pbkdf2(hash, secret, salt, rounds, length)`; lengths are in bytes.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("hkdf", Function::new(ctx.clone(), hkdf)?)?;
    native.set("pbkdf2", Function::new(ctx.clone(), pbkdf2)?)
}

fn hkdf<'js>(
    ctx: Ctx<'js>,
    hash: u32,
    secret: Bytes<'js>,
    salt: Bytes<'js>,
    info: Bytes<'js>,
    length: usize,
) -> Result<Option<Bytes<'js>>> {
    let (secret, salt, info) = (bytes::of(&secret), Some(bytes::of(&salt)), bytes::of(&info));
    give(ctx, Hash::of(hash).and_then(|hash| expand(hash, secret, salt, info, length)))
}

fn expand(hash: Hash, secret: &[u8], salt: Option<&[u8]>, info: &[u8], length: usize) -> Option<Vec<u8>> {
    /// More than 255 digests there can't be.
    const LENGTH_MAX: usize = 255 * 64;
    let mut derived = vec![0; Some(length).filter(|length| *length <= LENGTH_MAX)?];
    match hash {
        Hash::Sha1 => Hkdf::<Sha1>::new(salt, secret).expand(info, &mut derived),
        Hash::Sha256 => Hkdf::<Sha256>::new(salt, secret).expand(info, &mut derived),
        Hash::Sha384 => Hkdf::<Sha384>::new(salt, secret).expand(info, &mut derived),
        Hash::Sha512 => Hkdf::<Sha512>::new(salt, secret).expand(info, &mut derived),
    }
    .ok()?;
    Some(derived)
}

fn pbkdf2<'js>(
    ctx: Ctx<'js>,
    hash: u32,
    secret: Bytes<'js>,
    salt: Bytes<'js>,
    rounds: u32,
    length: usize,
) -> Result<Option<Bytes<'js>>> {
    /// Nobody needs more, and it has to fit in memory.
    const LENGTH_MAX: usize = 1 << 20;
    if length > LENGTH_MAX {
        return Ok(None);
    }
    let (secret, salt) = (bytes::of(&secret), bytes::of(&salt));
    let mut derived = vec![0; length];
    match Hash::of(hash) {
        Some(Hash::Sha1) => pbkdf2_hmac::<Sha1>(secret, salt, rounds, &mut derived),
        Some(Hash::Sha256) => pbkdf2_hmac::<Sha256>(secret, salt, rounds, &mut derived),
        Some(Hash::Sha384) => pbkdf2_hmac::<Sha384>(secret, salt, rounds, &mut derived),
        Some(Hash::Sha512) => pbkdf2_hmac::<Sha512>(secret, salt, rounds, &mut derived),
        None => return Ok(None),
    }
    give(ctx, Some(derived))
}

#[cfg(test)]
mod tests {
    use super::{Hash, expand};
    use data_encoding::HEXLOWER;

    #[test]
    fn what_is_derived_is_that_of_rfc_5869() {
        let salt: Vec<u8> = (0..=12).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let derived = expand(Hash::Sha256, &[0x0b; 22], Some(&salt), &info, 42).expect("42 bytes are few");
        assert_eq!(
            HEXLOWER.encode(&derived),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
        assert_eq!(expand(Hash::Sha256, b"", None, b"", 255 * 32 + 1), None);
    }
}
