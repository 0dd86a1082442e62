//! Keys on the curves P-256 and P-384: ECDSA and ECDH.

use super::keys::{Key, Pair, PrivateKey, PublicKey, Scheme};
use super::random::HostRng;

/// Both curves are one text: RustCrypto's generics need more bounds than this has lines.
macro_rules! curve {
    ($curve:ident, $field_bytes:literal) => {
        pub(super) mod $curve {
            use super::{HostRng, Key, Pair, PrivateKey, PublicKey, Scheme, padded};
            use $curve::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
            use $curve::ecdsa::{Signature, SigningKey, VerifyingKey};
            use $curve::elliptic_curve::Generate;
            use $curve::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};

            const FIELD_BYTES: usize = $field_bytes;

            struct Private {
                secret: $curve::SecretKey,
                /// The same, ready to sign.
                signing: SigningKey,
            }

            struct Public($curve::PublicKey);

            fn private(secret: $curve::SecretKey) -> Private {
                Private { signing: SigningKey::from(&secret), secret }
            }

            /// `x`, `y`.
            fn coordinates(public: &$curve::PublicKey) -> Vec<Vec<u8>> {
                let point = public.to_sec1_bytes();
                point[1..].chunks(FIELD_BYTES).map(<[u8]>::to_vec).collect()
            }

            /// Multiplies the curve's base point once, which makes the table of its multiples.
            pub(in super::super) fn warm() {
                let mut one = $curve::FieldBytes::default();
                one[FIELD_BYTES - 1] = 1;
                let secret = $curve::SecretKey::from_bytes(&one).expect("one is a secret key, if not a good one");
                std::hint::black_box(secret.public_key());
            }

            pub(in super::super) fn generate(rng: &mut HostRng) -> Option<Pair> {
                let secret = $curve::SecretKey::generate_from_rng(rng);
                let public = secret.public_key();
                Some((Box::new(private(secret)), Box::new(Public(public))))
            }

            pub(in super::super) fn import(format: &str, data: &[u8]) -> Option<Key> {
                match format {
                    "raw" => $curve::PublicKey::from_sec1_bytes(data).ok().map(|public| Key::Public(Box::new(Public(public)))),
                    "spki" => {
                        $curve::PublicKey::from_public_key_der(data).ok().map(|public| Key::Public(Box::new(Public(public))))
                    }
                    "pkcs8" => $curve::SecretKey::from_pkcs8_der(data).ok().map(|secret| Key::Private(Box::new(private(secret)))),
                    _ => None,
                }
            }

            /// `x`, `y` and, of a private key, `d`, which has to belong to them.
            pub(in super::super) fn from_parts(is_private: bool, parts: &[&[u8]]) -> Option<Key> {
                let [x, y, rest @ ..] = parts else { return None };
                if x.len() != FIELD_BYTES || y.len() != FIELD_BYTES {
                    return None;
                }
                let public = $curve::PublicKey::from_sec1_bytes(&[&[4], *x, *y].concat()).ok()?;
                if !is_private {
                    return Some(Key::Public(Box::new(Public(public))));
                }
                let d = rest.first().filter(|d| d.len() == FIELD_BYTES)?;
                let secret = $curve::SecretKey::from_slice(d).ok()?;
                (secret.public_key() == public).then(|| Key::Private(Box::new(private(secret))))
            }

            impl PrivateKey for Private {
                fn pkcs8(&self) -> Option<Vec<u8>> {
                    Some(self.secret.to_pkcs8_der().ok()?.as_bytes().to_vec())
                }

                fn parts(&self) -> Vec<Vec<u8>> {
                    let mut parts = coordinates(&self.secret.public_key());
                    parts.push(self.secret.to_bytes().to_vec());
                    parts
                }

                fn sign(&self, scheme: Scheme, data: &[u8], _: Option<&mut HostRng>) -> Option<Vec<u8>> {
                    let signature: Signature = self.signing.sign_prehash(&padded(scheme.hash?.digest(data), FIELD_BYTES)).ok()?;
                    Some(signature.to_bytes().to_vec())
                }

                fn agree(&self, public: &[u8]) -> Option<Vec<u8>> {
                    let public = $curve::PublicKey::from_sec1_bytes(public).ok()?;
                    Some(self.secret.diffie_hellman(&public).raw_secret_bytes().to_vec())
                }
            }

            impl PublicKey for Public {
                fn spki(&self) -> Option<Vec<u8>> {
                    Some(self.0.to_public_key_der().ok()?.as_bytes().to_vec())
                }

                fn parts(&self) -> Vec<Vec<u8>> {
                    coordinates(&self.0)
                }

                fn raw(&self) -> Option<Vec<u8>> {
                    Some(self.0.to_sec1_bytes().to_vec())
                }

                fn verify(&self, scheme: Scheme, signature: &[u8], data: &[u8]) -> bool {
                    let (Some(hash), Ok(signature)) = (scheme.hash, Signature::from_slice(signature)) else { return false };
                    VerifyingKey::from(&self.0).verify_prehash(&padded(hash.digest(data), FIELD_BYTES), &signature).is_ok()
                }
            }
        }
    };
}

curve!(p256, 32);
curve!(p384, 48);

/// A digest that is shorter than the curve's numbers is a number all the same: with zeros in front.
fn padded(digest: Vec<u8>, field_bytes: usize) -> Vec<u8> {
    if digest.len() >= field_bytes {
        return digest;
    }
    let mut number = vec![0; field_bytes - digest.len()];
    number.extend(digest);
    number
}

#[cfg(test)]
mod tests {
    use super::super::hash::Hash;
    use super::super::keys::{Key, Scheme};
    use data_encoding::HEXUPPER;

    /// RFC 6979, A.2.5: P-256, SHA-256, message "sample".
    #[test]
    fn a_signature_is_that_of_rfc_6979_and_verifies() {
        let part = |text: &str| HEXUPPER.decode(text.as_bytes()).expect("hexadecimal");
        let x = part("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6");
        let y = part("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
        let d = part("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
        let scheme = Scheme { hash: Some(Hash::Sha256), salt_length: None };
        let Some(Key::Private(private)) = super::p256::from_parts(true, &[&x, &y, &d]) else {
            panic!("the parts belong together")
        };
        let signature = private.sign(scheme, b"sample", None).expect("it can sign");
        assert_eq!(
            HEXUPPER.encode(&signature),
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
        );
        let Some(Key::Public(public)) = super::p256::from_parts(false, &[&x, &y]) else { panic!("the point is on the curve") };
        assert!(public.verify(scheme, &signature, b"sample"));
        assert!(!public.verify(scheme, &signature, b"simple"));
        assert!(super::p256::from_parts(false, &[&y, &x]).is_none(), "this point is not on the curve");
        assert!(super::p256::from_parts(true, &[&x, &y, &x]).is_none(), "this secret belongs to another point");
    }
}
