//! What Web Crypto computes. The rules of the interface (names, usages, formats, errors) are the prelude's, in `prelude/crypto`.
//!
//! A native that can't do what it is asked, because a key, a signature or a length is wrong, gives undefined, and the prelude throws what the
//! standard says. All ciphers are RustCrypto's.

mod aes;
mod ec;
mod ed25519;
mod hash;
mod kdf;
mod keys;
mod okp;
mod random;
mod rsa;
mod x25519;

use rquickjs::{Ctx, Object, Result};

/// The natives of each topic.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    random::install(ctx, native)?;
    hash::install(ctx, native)?;
    aes::install(ctx, native)?;
    kdf::install(ctx, native)?;
    keys::install(ctx, native)
}
