//! Ed25519: signatures.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::keys::{Key, Pair, PrivateKey, PublicKey, Scheme};
use super::okp::{self, Kind};
use super::random::HostRng;

struct Private(SigningKey);

struct Public(VerifyingKey);

pub(super) fn generate(rng: &mut HostRng) -> Option<Pair> {
    let key = SigningKey::generate(rng);
    let public = key.verifying_key();
    Some((Box::new(Private(key)), Box::new(Public(public))))
}

pub(super) fn import(format: &str, data: &[u8]) -> Option<Key> {
    okp::import(Kind::Ed25519, format, data, private, public)
}

/// `x` and, of a private key, `d`.
pub(super) fn from_parts(is_private: bool, parts: &[&[u8]]) -> Option<Key> {
    okp::from_parts(is_private, parts, private, public)
}

fn private(secret: [u8; 32]) -> Option<Key> {
    Some(Key::Private(Box::new(Private(SigningKey::from_bytes(&secret)))))
}

fn public(point: [u8; 32]) -> Option<Key> {
    VerifyingKey::from_bytes(&point).ok().map(|key| Key::Public(Box::new(Public(key))))
}

impl PrivateKey for Private {
    fn pkcs8(&self) -> Option<Vec<u8>> {
        Some(okp::pkcs8(Kind::Ed25519, self.0.as_bytes()))
    }

    fn parts(&self) -> Vec<Vec<u8>> {
        vec![self.0.verifying_key().to_bytes().to_vec(), self.0.to_bytes().to_vec()]
    }

    fn sign(&self, _: Scheme, data: &[u8], _: Option<&mut HostRng>) -> Option<Vec<u8>> {
        Some(self.0.sign(data).to_bytes().to_vec())
    }
}

impl PublicKey for Public {
    fn spki(&self) -> Option<Vec<u8>> {
        Some(okp::spki(Kind::Ed25519, self.0.as_bytes()))
    }

    fn parts(&self) -> Vec<Vec<u8>> {
        vec![self.0.to_bytes().to_vec()]
    }

    fn raw(&self) -> Option<Vec<u8>> {
        Some(self.0.to_bytes().to_vec())
    }

    fn verify(&self, _: Scheme, signature: &[u8], data: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(data, &signature).is_ok())
    }
}
