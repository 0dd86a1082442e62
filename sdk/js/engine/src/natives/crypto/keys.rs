//! Keys of public-key ciphers, parsed once and held behind `CryptoKey` objects. Secrets of symmetric ciphers are no such: the prelude has their bytes.

use rquickjs::{Class, Ctx, Function, Object, Result};

use super::hash::{Bytes, Hash, give};
use super::random::HostRng;
use super::{ec, ed25519, rsa, x25519};
use crate::natives::bytes;
use crate::natives::made::List;
use crate::natives::opaque::opaque;

/// The half of a pair that is kept secret. What a cipher can't do gives `None`.
pub(super) trait PrivateKey {
    /// As PKCS #8.
    fn pkcs8(&self) -> Option<Vec<u8>>;
    /// What a JSON Web Key holds, in the order that `prelude/crypto/jwk.js` knows.
    fn parts(&self) -> Vec<Vec<u8>>;
    fn sign(&self, _scheme: Scheme, _data: &[u8], _rng: Option<&mut HostRng>) -> Option<Vec<u8>> {
        None
    }
    /// The secret that is shared with the owner of a public key, given raw.
    fn agree(&self, _public: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn decrypt(&self, _hash: Hash, _label: &[u8], _data: &[u8], _rng: &mut HostRng) -> Option<Vec<u8>> {
        None
    }
}

/// The half that anybody may know.
pub(super) trait PublicKey {
    /// As SubjectPublicKeyInfo.
    fn spki(&self) -> Option<Vec<u8>>;
    fn parts(&self) -> Vec<Vec<u8>>;
    fn raw(&self) -> Option<Vec<u8>> {
        None
    }
    fn verify(&self, _scheme: Scheme, _signature: &[u8], _data: &[u8]) -> bool {
        false
    }
    fn encrypt(&self, _hash: Hash, _label: &[u8], _data: &[u8], _rng: &mut HostRng) -> Option<Vec<u8>> {
        None
    }
}

/// How data becomes what is signed. Ed25519 asks for none of it.
#[derive(Clone, Copy)]
pub(super) struct Scheme {
    pub(super) hash: Option<Hash>,
    /// Of RSA-PSS; `None` is PKCS #1 version 1.5.
    pub(super) salt_length: Option<usize>,
}

/// One half.
pub(super) enum Key {
    Private(Box<dyn PrivateKey>),
    Public(Box<dyn PublicKey>),
}

/// Both halves.
pub(super) type Pair = (Box<dyn PrivateKey>, Box<dyn PublicKey>);

opaque!(Key, "KeyHandle", rquickjs::class::Readable);

type Handle<'js> = Class<'js, Key>;

/// `keyGenerate(kind, bits, exponent)` gives `[private, public]`; `keyImport(kind, format, bytes)`; `keyFromParts(kind, isPrivate, parts)`; `keyExport(key, format)`;
/// `keyParts(key)`; `keySign(key, hash, salt, data)`, `keyVerify(key, hash, salt, signature, data)`, where salt -1 means none; `keyAgree(private, public)`;
/// `keyEncrypt(key, hash, label, data)`, `keyDecrypt(…)`.
///
/// The tables of the curves are made here, at setup: they are part of the image that every function begins with.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    ec::p256::warm();
    ec::p384::warm();
    native.set("keyGenerate", Function::new(ctx.clone(), generate)?)?;
    native.set("keyImport", Function::new(ctx.clone(), import)?)?;
    native.set("keyFromParts", Function::new(ctx.clone(), from_parts)?)?;
    native.set("keyExport", Function::new(ctx.clone(), export)?)?;
    native.set("keyParts", Function::new(ctx.clone(), parts)?)?;
    native.set("keySign", Function::new(ctx.clone(), sign)?)?;
    native.set("keyVerify", Function::new(ctx.clone(), verify)?)?;
    native.set("keyAgree", Function::new(ctx.clone(), agree)?)?;
    native.set("keyEncrypt", Function::new(ctx.clone(), encrypt)?)?;
    native.set("keyDecrypt", Function::new(ctx.clone(), decrypt)?)
}

fn generate<'js>(ctx: Ctx<'js>, kind: String, bits: usize, exponent: u32) -> Result<Option<List<'js>>> {
    let mut rng = HostRng::new(&ctx)?;
    let pair = match kind.as_str() {
        "P-256" => ec::p256::generate(&mut rng),
        "P-384" => ec::p384::generate(&mut rng),
        "RSA" => rsa::generate(&mut rng, bits, exponent),
        "Ed25519" => ed25519::generate(&mut rng),
        "X25519" => x25519::generate(&mut rng),
        _ => None,
    };
    let Some((private, public)) = pair else { return Ok(None) };
    let (private, public) =
        (Class::instance(ctx.clone(), Key::Private(private))?, Class::instance(ctx.clone(), Key::Public(public))?);
    List::new(&ctx)?.with(private)?.with(public).map(Some)
}

fn import<'js>(ctx: Ctx<'js>, kind: String, format: String, data: Bytes<'js>) -> Result<Option<Handle<'js>>> {
    let data = bytes::of(&data);
    let key = match kind.as_str() {
        "P-256" => ec::p256::import(&format, data),
        "P-384" => ec::p384::import(&format, data),
        "RSA" => rsa::import(&format, data),
        "Ed25519" => ed25519::import(&format, data),
        "X25519" => x25519::import(&format, data),
        _ => None,
    };
    key.map(|key| Class::instance(ctx, key)).transpose()
}

fn from_parts<'js>(ctx: Ctx<'js>, kind: String, is_private: bool, parts: Vec<Bytes<'js>>) -> Result<Option<Handle<'js>>> {
    let parts: Vec<&[u8]> = parts.iter().map(bytes::of).collect();
    let key = match kind.as_str() {
        "P-256" => ec::p256::from_parts(is_private, &parts),
        "P-384" => ec::p384::from_parts(is_private, &parts),
        "RSA" => rsa::from_parts(is_private, &parts),
        "Ed25519" => ed25519::from_parts(is_private, &parts),
        "X25519" => x25519::from_parts(is_private, &parts),
        _ => None,
    };
    key.map(|key| Class::instance(ctx, key)).transpose()
}

fn export<'js>(ctx: Ctx<'js>, key: Handle<'js>, format: String) -> Result<Option<Bytes<'js>>> {
    let exported = match (&*key.borrow(), format.as_str()) {
        (Key::Private(key), "pkcs8") => key.pkcs8(),
        (Key::Public(key), "spki") => key.spki(),
        (Key::Public(key), "raw") => key.raw(),
        _ => None,
    };
    give(ctx, exported)
}

fn parts<'js>(ctx: Ctx<'js>, key: Handle<'js>) -> Result<List<'js>> {
    let parts = match &*key.borrow() {
        Key::Private(key) => key.parts(),
        Key::Public(key) => key.parts(),
    };
    let mut list = List::new(&ctx)?;
    for part in parts {
        list.push(give(ctx.clone(), Some(part))?)?;
    }
    Ok(list)
}

fn scheme(hash: u32, salt: i32) -> Scheme {
    Scheme { hash: Hash::of(hash), salt_length: usize::try_from(salt).ok() }
}

fn sign<'js>(ctx: Ctx<'js>, key: Handle<'js>, hash: u32, salt: i32, data: Bytes<'js>) -> Result<Option<Bytes<'js>>> {
    let scheme = scheme(hash, salt);
    // What has a salt can't do without chance; for others it only hides how long a computation takes, and at deploy nobody looks.
    let mut rng = if scheme.salt_length.is_some() { Some(HostRng::new(&ctx)?) } else { HostRng::if_serving() };
    let signature = match &*key.borrow() {
        Key::Private(key) => key.sign(scheme, bytes::of(&data), rng.as_mut()),
        Key::Public(_) => None,
    };
    give(ctx, signature)
}

fn verify<'js>(key: Handle<'js>, hash: u32, salt: i32, signature: Bytes<'js>, data: Bytes<'js>) -> bool {
    match &*key.borrow() {
        Key::Public(key) => key.verify(scheme(hash, salt), bytes::of(&signature), bytes::of(&data)),
        Key::Private(_) => false,
    }
}

fn agree<'js>(ctx: Ctx<'js>, private: Handle<'js>, public: Handle<'js>) -> Result<Option<Bytes<'js>>> {
    let secret = match (&*private.borrow(), &*public.borrow()) {
        (Key::Private(private), Key::Public(public)) => public.raw().and_then(|public| private.agree(&public)),
        _ => None,
    };
    give(ctx, secret)
}

fn encrypt<'js>(ctx: Ctx<'js>, key: Handle<'js>, hash: u32, label: Bytes<'js>, data: Bytes<'js>) -> Result<Option<Bytes<'js>>> {
    let mut rng = HostRng::new(&ctx)?;
    let encrypted = match (&*key.borrow(), Hash::of(hash)) {
        (Key::Public(key), Some(hash)) => key.encrypt(hash, bytes::of(&label), bytes::of(&data), &mut rng),
        _ => None,
    };
    give(ctx, encrypted)
}

fn decrypt<'js>(ctx: Ctx<'js>, key: Handle<'js>, hash: u32, label: Bytes<'js>, data: Bytes<'js>) -> Result<Option<Bytes<'js>>> {
    let mut rng = HostRng::new(&ctx)?;
    let text = match (&*key.borrow(), Hash::of(hash)) {
        (Key::Private(key), Some(hash)) => key.decrypt(hash, bytes::of(&label), bytes::of(&data), &mut rng),
        _ => None,
    };
    give(ctx, text)
}
