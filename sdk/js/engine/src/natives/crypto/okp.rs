//! How keys of Curve25519 are written (RFC 8410): an identifier and 32 bytes.

use p256::pkcs8::der::{Decode, asn1::OctetStringRef};
use p256::pkcs8::spki::SubjectPublicKeyInfoRef;
use p256::pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};

use super::keys::Key;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    X25519,
    Ed25519,
}

impl Kind {
    /// The last number of 1.3.101.x.
    fn arc(self) -> u8 {
        match self {
            Self::X25519 => 110,
            Self::Ed25519 => 112,
        }
    }

    fn identifier(self) -> ObjectIdentifier {
        ObjectIdentifier::from_arcs([1, 3, 101, u32::from(self.arc())]).expect("four small arcs are an identifier")
    }
}

type Make = fn([u8; 32]) -> Option<Key>;

/// A key from its standard forms.
pub(super) fn import(kind: Kind, format: &str, data: &[u8], private: Make, public: Make) -> Option<Key> {
    match format {
        "raw" => public(data.try_into().ok()?),
        "spki" => {
            let info = SubjectPublicKeyInfoRef::from_der(data).ok()?;
            check(kind, info.algorithm.oid, info.algorithm.parameters.is_none())?;
            public(info.subject_public_key.as_bytes()?.try_into().ok()?)
        }
        "pkcs8" => {
            let info = PrivateKeyInfoRef::from_der(data).ok()?;
            check(kind, info.algorithm.oid, info.algorithm.parameters.is_none())?;
            let secret: &OctetStringRef = <&OctetStringRef>::from_der(info.private_key.as_bytes()).ok()?;
            private(secret.as_bytes().try_into().ok()?)
        }
        _ => None,
    }
}

fn check(kind: Kind, identifier: ObjectIdentifier, is_bare: bool) -> Option<()> {
    (identifier == kind.identifier() && is_bare).then_some(())
}

/// A key from `x` and, of a private key, `d`, which has to belong to it.
pub(super) fn from_parts(is_private: bool, parts: &[&[u8]], private: Make, public: Make) -> Option<Key> {
    let [x, rest @ ..] = parts else { return None };
    if !is_private {
        return public((*x).try_into().ok()?);
    }
    let key = private((*rest.first()?).try_into().ok()?)?;
    let Key::Private(known) = &key else { return None };
    (known.parts().first()?.as_slice() == *x).then_some(key)
}

/// A secret as PKCS #8.
pub(super) fn pkcs8(kind: Kind, secret: &[u8; 32]) -> Vec<u8> {
    let head = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, kind.arc(), 0x04, 0x22, 0x04, 0x20];
    [&head[..], secret].concat()
}

/// A public key as SubjectPublicKeyInfo.
pub(super) fn spki(kind: Kind, point: &[u8; 32]) -> Vec<u8> {
    let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, kind.arc(), 0x03, 0x21, 0x00];
    [&head[..], point].concat()
}

#[cfg(test)]
mod tests {
    use super::{Kind, import, pkcs8, spki};
    use crate::natives::crypto::keys::Key;

    fn taken(data: [u8; 32]) -> Option<Key> {
        crate::natives::crypto::ed25519::from_parts(false, &[&data])
    }

    #[test]
    fn a_key_is_read_as_it_was_written_and_as_nothing_else() {
        let written = spki(Kind::Ed25519, &[0x58; 32]);
        assert!(import(Kind::X25519, "spki", &written, taken, taken).is_none(), "it is one of the other kind");
        let secret = pkcs8(Kind::Ed25519, &[7; 32]);
        assert!(crate::natives::crypto::ed25519::import("pkcs8", &secret).is_some());
        assert!(crate::natives::crypto::x25519::import("pkcs8", &secret).is_none());
        assert!(crate::natives::crypto::ed25519::import("pkcs8", &secret[..47]).is_none());
    }
}
