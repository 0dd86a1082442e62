//! RSA: signatures by PKCS #1 version 1.5 and PSS, and encryption by OAEP.

use ::rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ::rsa::traits::{PrivateKeyParts, PublicKeyParts};
use ::rsa::{BoxedUint, Oaep, Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::hash::Hash;
use super::keys::{Key, Pair, PrivateKey, PublicKey, Scheme};
use super::random::HostRng;

/// The lengths of a modulus that are taken, in bits.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 1024..=8192;
/// The longest that is made: longer ones take minutes.
const GENERATED_BITS_MAX: usize = 4096;

pub(super) fn generate(rng: &mut HostRng, bits: usize, exponent: u32) -> Option<Pair> {
    if !MODULUS_BITS.contains(&bits) || bits > GENERATED_BITS_MAX {
        return None;
    }
    let key = RsaPrivateKey::new_with_exp(rng, bits, BoxedUint::from(exponent)).ok()?;
    let public = key.to_public_key();
    Some((Box::new(key), Box::new(public)))
}

pub(super) fn import(format: &str, data: &[u8]) -> Option<Key> {
    match format {
        "spki" => RsaPublicKey::from_public_key_der(data).ok().map(|key| Key::Public(Box::new(key))),
        "pkcs8" => RsaPrivateKey::from_pkcs8_der(data).ok().map(|key| Key::Private(Box::new(key))),
        _ => None,
    }
}

/// `n`, `e` and, of a private key, `d`, `p`, `q`; what a JSON Web Key holds beyond that follows from it.
pub(super) fn from_parts(is_private: bool, parts: &[&[u8]]) -> Option<Key> {
    let [n, e, rest @ ..] = parts else { return None };
    if n.len() * 8 > *MODULUS_BITS.end() {
        return None;
    }
    let (n, e) = (number(n), number(e));
    if !is_private {
        return RsaPublicKey::new(n, e).ok().map(|key| Key::Public(Box::new(key)));
    }
    let [d, p, q, ..] = rest else { return None };
    let key = RsaPrivateKey::from_components(n, e, number(d), vec![number(p), number(q)]).ok()?;
    Some(Key::Private(Box::new(key)))
}

fn number(bytes: &[u8]) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(bytes)
}

fn bytes_of(number: &BoxedUint) -> Vec<u8> {
    number.to_be_bytes_trimmed_vartime().to_vec()
}

impl PrivateKey for RsaPrivateKey {
    fn pkcs8(&self) -> Option<Vec<u8>> {
        Some(self.to_pkcs8_der().ok()?.as_bytes().to_vec())
    }

    /// `n`, `e`, `d`, `p`, `q`, `dp`, `dq`, `qi`.
    fn parts(&self) -> Vec<Vec<u8>> {
        let mut parts = PublicKey::parts(&self.to_public_key());
        parts.push(bytes_of(self.d()));
        parts.extend(self.primes().iter().map(|prime| bytes_of(prime)));
        parts.extend([self.dp(), self.dq()].into_iter().flatten().map(bytes_of));
        parts.extend(self.crt_coefficient().as_ref().map(bytes_of));
        parts
    }

    fn sign(&self, scheme: Scheme, data: &[u8], rng: Option<&mut HostRng>) -> Option<Vec<u8>> {
        let hash = scheme.hash?;
        let digest = hash.digest(data);
        let Some(salt_length) = scheme.salt_length else {
            let padding = pkcs1(hash);
            return match rng {
                Some(rng) => self.sign_with_rng(rng, padding, &digest).ok(),
                None => RsaPrivateKey::sign(self, padding, &digest).ok(),
            };
        };
        let rng = rng?;
        match hash {
            Hash::Sha1 => self.sign_with_rng(rng, Pss::<Sha1>::new_with_salt(salt_length), &digest).ok(),
            Hash::Sha256 => self.sign_with_rng(rng, Pss::<Sha256>::new_with_salt(salt_length), &digest).ok(),
            Hash::Sha384 => self.sign_with_rng(rng, Pss::<Sha384>::new_with_salt(salt_length), &digest).ok(),
            Hash::Sha512 => self.sign_with_rng(rng, Pss::<Sha512>::new_with_salt(salt_length), &digest).ok(),
        }
    }

    fn decrypt(&self, hash: Hash, label: &[u8], data: &[u8], rng: &mut HostRng) -> Option<Vec<u8>> {
        match hash {
            Hash::Sha1 => self.decrypt_blinded(rng, Oaep::<Sha1>::new_with_label(label), data).ok(),
            Hash::Sha256 => self.decrypt_blinded(rng, Oaep::<Sha256>::new_with_label(label), data).ok(),
            Hash::Sha384 => self.decrypt_blinded(rng, Oaep::<Sha384>::new_with_label(label), data).ok(),
            Hash::Sha512 => self.decrypt_blinded(rng, Oaep::<Sha512>::new_with_label(label), data).ok(),
        }
    }
}

impl PublicKey for RsaPublicKey {
    fn spki(&self) -> Option<Vec<u8>> {
        Some(self.to_public_key_der().ok()?.as_bytes().to_vec())
    }

    /// `n`, `e`.
    fn parts(&self) -> Vec<Vec<u8>> {
        vec![bytes_of(self.n()), bytes_of(self.e())]
    }

    fn verify(&self, scheme: Scheme, signature: &[u8], data: &[u8]) -> bool {
        let Some(hash) = scheme.hash else { return false };
        let digest = hash.digest(data);
        let Some(salt_length) = scheme.salt_length else {
            return RsaPublicKey::verify(self, pkcs1(hash), &digest, signature).is_ok();
        };
        match hash {
            Hash::Sha1 => RsaPublicKey::verify(self, Pss::<Sha1>::new_with_salt(salt_length), &digest, signature),
            Hash::Sha256 => RsaPublicKey::verify(self, Pss::<Sha256>::new_with_salt(salt_length), &digest, signature),
            Hash::Sha384 => RsaPublicKey::verify(self, Pss::<Sha384>::new_with_salt(salt_length), &digest, signature),
            Hash::Sha512 => RsaPublicKey::verify(self, Pss::<Sha512>::new_with_salt(salt_length), &digest, signature),
        }
        .is_ok()
    }

    fn encrypt(&self, hash: Hash, label: &[u8], data: &[u8], rng: &mut HostRng) -> Option<Vec<u8>> {
        match hash {
            Hash::Sha1 => RsaPublicKey::encrypt(self, rng, Oaep::<Sha1>::new_with_label(label), data).ok(),
            Hash::Sha256 => RsaPublicKey::encrypt(self, rng, Oaep::<Sha256>::new_with_label(label), data).ok(),
            Hash::Sha384 => RsaPublicKey::encrypt(self, rng, Oaep::<Sha384>::new_with_label(label), data).ok(),
            Hash::Sha512 => RsaPublicKey::encrypt(self, rng, Oaep::<Sha512>::new_with_label(label), data).ok(),
        }
    }
}

fn pkcs1(hash: Hash) -> Pkcs1v15Sign {
    match hash {
        Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
        Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
        Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
        Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
    }
}
