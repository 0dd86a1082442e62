//! X25519: a secret that two share.

use ::rsa::rand_core::Rng;
use x25519_dalek::{PublicKey as Point, StaticSecret};

use super::keys::{Key, Pair, PrivateKey, PublicKey};
use super::okp::{self, Kind};
use super::random::HostRng;

struct Private(StaticSecret);

struct Public(Point);

pub(super) fn generate(rng: &mut HostRng) -> Option<Pair> {
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    let secret = StaticSecret::from(secret);
    let public = Point::from(&secret);
    Some((Box::new(Private(secret)), Box::new(Public(public))))
}

pub(super) fn import(format: &str, data: &[u8]) -> Option<Key> {
    okp::import(Kind::X25519, format, data, private, public)
}

/// `x` and, of a private key, `d`.
pub(super) fn from_parts(is_private: bool, parts: &[&[u8]]) -> Option<Key> {
    okp::from_parts(is_private, parts, private, public)
}

fn private(secret: [u8; 32]) -> Option<Key> {
    Some(Key::Private(Box::new(Private(StaticSecret::from(secret)))))
}

fn public(point: [u8; 32]) -> Option<Key> {
    Some(Key::Public(Box::new(Public(Point::from(point)))))
}

impl PrivateKey for Private {
    fn pkcs8(&self) -> Option<Vec<u8>> {
        Some(okp::pkcs8(Kind::X25519, self.0.as_bytes()))
    }

    fn parts(&self) -> Vec<Vec<u8>> {
        vec![Point::from(&self.0).to_bytes().to_vec(), self.0.to_bytes().to_vec()]
    }

    fn agree(&self, public: &[u8]) -> Option<Vec<u8>> {
        let public: [u8; 32] = public.try_into().ok()?;
        let shared = self.0.diffie_hellman(&Point::from(public));
        // A point of small order gives zeros, whatever the secret is.
        shared.was_contributory().then(|| shared.to_bytes().to_vec())
    }
}

impl PublicKey for Public {
    fn spki(&self) -> Option<Vec<u8>> {
        Some(okp::spki(Kind::X25519, self.0.as_bytes()))
    }

    fn parts(&self) -> Vec<Vec<u8>> {
        vec![self.0.to_bytes().to_vec()]
    }

    fn raw(&self) -> Option<Vec<u8>> {
        Some(self.0.to_bytes().to_vec())
    }
}
