//! AES: GCM, CBC and CTR, with keys of 128, 192 and 256 bits.

use aes::cipher::{
    BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher,
    block_padding::Pkcs7,
    consts::{U12, U16},
};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead::{AeadInOut, KeyInit};
use ctr::Ctr128BE;
use rquickjs::{Ctx, Function, Object, Result};
use subtle::ConstantTimeEq;

use super::hash::{Bytes, give};
use crate::natives::bytes;

/// `aesGcmEncrypt(key, nonce, data, associated, tagLength)`, `aesGcmDecrypt(…)`; `aesCbcEncrypt(key, iv, data)`, `aesCbcDecrypt(…)`;
/// `aesCtr(key, counter, counterBits, data)`. Lengths are in bytes, and a tag follows its text.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("aesGcmEncrypt", Function::new(ctx.clone(), gcm_encrypt)?)?;
    native.set("aesGcmDecrypt", Function::new(ctx.clone(), gcm_decrypt)?)?;
    native.set("aesCbcEncrypt", Function::new(ctx.clone(), cbc_encrypt)?)?;
    native.set("aesCbcDecrypt", Function::new(ctx.clone(), cbc_decrypt)?)?;
    native.set("aesCtr", Function::new(ctx.clone(), ctr)?)
}

const TAG_BYTES: usize = 16;

fn gcm_encrypt<'js>(
    ctx: Ctx<'js>,
    key: Bytes<'js>,
    nonce: Bytes<'js>,
    data: Bytes<'js>,
    associated: Bytes<'js>,
    tag_length: usize,
) -> Result<Option<Bytes<'js>>> {
    let mut text = bytes::of(&data).to_vec();
    let tag = seal(bytes::of(&key), bytes::of(&nonce), bytes::of(&associated), &mut text);
    give(ctx, tag.map(|tag| [text.as_slice(), &tag[..tag_length.min(TAG_BYTES)]].concat()))
}

fn gcm_decrypt<'js>(
    ctx: Ctx<'js>,
    key: Bytes<'js>,
    nonce: Bytes<'js>,
    data: Bytes<'js>,
    associated: Bytes<'js>,
    tag_length: usize,
) -> Result<Option<Bytes<'js>>> {
    give(ctx, open(bytes::of(&key), bytes::of(&nonce), bytes::of(&associated), bytes::of(&data), tag_length))
}

/// Calls a function with the cipher for a key and a nonce of these lengths. None if there is none.
macro_rules! with_cipher {
    ($key:expr, $nonce:expr, $function:ident($($argument:expr),*)) => {
        match ($key.len(), $nonce.len()) {
            (16, 12) => $function::<AesGcm<Aes128, U12>>($key, $nonce, $($argument),*),
            (16, 16) => $function::<AesGcm<Aes128, U16>>($key, $nonce, $($argument),*),
            (24, 12) => $function::<AesGcm<Aes192, U12>>($key, $nonce, $($argument),*),
            (24, 16) => $function::<AesGcm<Aes192, U16>>($key, $nonce, $($argument),*),
            (32, 12) => $function::<AesGcm<Aes256, U12>>($key, $nonce, $($argument),*),
            (32, 16) => $function::<AesGcm<Aes256, U16>>($key, $nonce, $($argument),*),
            _ => None,
        }
    };
}

/// Encrypts in place and gives the tag.
fn seal(key: &[u8], nonce: &[u8], associated: &[u8], text: &mut [u8]) -> Option<[u8; TAG_BYTES]> {
    with_cipher!(key, nonce, seal_with(associated, text))
}

fn seal_with<C: AeadInOut + KeyInit>(key: &[u8], nonce: &[u8], associated: &[u8], text: &mut [u8]) -> Option<[u8; TAG_BYTES]> {
    let cipher = C::new_from_slice(key).ok()?;
    let tag = cipher.encrypt_inout_detached(nonce.try_into().ok()?, associated, text.into()).ok()?;
    tag.as_slice().try_into().ok()
}

/// Decrypts, if the tag is right.
fn open(key: &[u8], nonce: &[u8], associated: &[u8], data: &[u8], tag_length: usize) -> Option<Vec<u8>> {
    let (encrypted, tag) = data.split_at(data.len().checked_sub(tag_length)?);
    if tag_length < TAG_BYTES {
        return open_with_part_of_tag(key, nonce, associated, encrypted, tag);
    }
    let mut text = encrypted.to_vec();
    with_cipher!(key, nonce, open_with(associated, &mut text, tag))?;
    Some(text)
}

fn open_with<C: AeadInOut + KeyInit>(key: &[u8], nonce: &[u8], associated: &[u8], text: &mut [u8], tag: &[u8]) -> Option<()> {
    let cipher = C::new_from_slice(key).ok()?;
    cipher.decrypt_inout_detached(nonce.try_into().ok()?, associated, text.into(), tag.try_into().ok()?).ok()
}

/// GCM's key stream is the same both ways, and the tag is that of the encrypted text: so the text is decrypted, encrypted again for its
/// tag, and the part of the tag that was sent is compared.
fn open_with_part_of_tag(key: &[u8], nonce: &[u8], associated: &[u8], encrypted: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
    let mut text = encrypted.to_vec();
    seal(key, nonce, associated, &mut text)?;
    let mut again = text.clone();
    let expected = seal(key, nonce, associated, &mut again)?;
    bool::from(expected[..tag.len()].ct_eq(tag)).then_some(text)
}

fn cbc_encrypt<'js>(ctx: Ctx<'js>, key: Bytes<'js>, iv: Bytes<'js>, data: Bytes<'js>) -> Result<Option<Bytes<'js>>> {
    let (key, iv, data) = (bytes::of(&key), bytes::of(&iv), bytes::of(&data));
    let encrypted = match key.len() {
        16 => cbc::Encryptor::<Aes128>::new_from_slices(key, iv).ok().map(|cipher| cipher.encrypt_padded_vec::<Pkcs7>(data)),
        24 => cbc::Encryptor::<Aes192>::new_from_slices(key, iv).ok().map(|cipher| cipher.encrypt_padded_vec::<Pkcs7>(data)),
        32 => cbc::Encryptor::<Aes256>::new_from_slices(key, iv).ok().map(|cipher| cipher.encrypt_padded_vec::<Pkcs7>(data)),
        _ => None,
    };
    give(ctx, encrypted)
}

fn cbc_decrypt<'js>(ctx: Ctx<'js>, key: Bytes<'js>, iv: Bytes<'js>, data: Bytes<'js>) -> Result<Option<Bytes<'js>>> {
    let (key, iv, data) = (bytes::of(&key), bytes::of(&iv), bytes::of(&data));
    let text = match key.len() {
        16 => cbc::Decryptor::<Aes128>::new_from_slices(key, iv)
            .ok()
            .and_then(|cipher| cipher.decrypt_padded_vec::<Pkcs7>(data).ok()),
        24 => cbc::Decryptor::<Aes192>::new_from_slices(key, iv)
            .ok()
            .and_then(|cipher| cipher.decrypt_padded_vec::<Pkcs7>(data).ok()),
        32 => cbc::Decryptor::<Aes256>::new_from_slices(key, iv)
            .ok()
            .and_then(|cipher| cipher.decrypt_padded_vec::<Pkcs7>(data).ok()),
        _ => None,
    };
    give(ctx, text)
}

fn ctr<'js>(
    ctx: Ctx<'js>,
    key: Bytes<'js>,
    counter: Bytes<'js>,
    counter_bits: u32,
    data: Bytes<'js>,
) -> Result<Option<Bytes<'js>>> {
    let counter: Option<[u8; 16]> = bytes::of(&counter).try_into().ok();
    give(ctx, counter.and_then(|counter| count(bytes::of(&key), u128::from_be_bytes(counter), counter_bits, bytes::of(&data))))
}

const BLOCK_BYTES: usize = 16;

/// Only the last `counter_bits` of the counter count, and begin anew at 0; the cipher counts with all bits, so it begins anew there too.
fn count(key: &[u8], counter: u128, counter_bits: u32, data: &[u8]) -> Option<Vec<u8>> {
    let mask = if counter_bits == 128 { u128::MAX } else { (1 << counter_bits) - 1 };
    let blocks = data.len().div_ceil(BLOCK_BYTES) as u128;
    if blocks > 0 && blocks - 1 > mask {
        return None;
    }
    let blocks_before = (mask - (counter & mask)).saturating_add(1);
    let bytes_before = usize::try_from(blocks_before)
        .ok()
        .and_then(|blocks| blocks.checked_mul(BLOCK_BYTES))
        .unwrap_or(data.len())
        .min(data.len());
    let mut text = data.to_vec();
    let (before, after) = text.split_at_mut(bytes_before);
    apply(key, counter, before)?;
    apply(key, counter & !mask, after)?;
    Some(text)
}

fn apply(key: &[u8], counter: u128, text: &mut [u8]) -> Option<()> {
    let counter = counter.to_be_bytes();
    match key.len() {
        16 => Ctr128BE::<Aes128>::new_from_slices(key, &counter).ok()?.apply_keystream(text),
        24 => Ctr128BE::<Aes192>::new_from_slices(key, &counter).ok()?.apply_keystream(text),
        32 => Ctr128BE::<Aes256>::new_from_slices(key, &counter).ok()?.apply_keystream(text),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{count, open, seal};

    #[test]
    fn what_is_sealed_opens_unless_anything_is_changed() {
        for (key, nonce) in [(16, 12), (24, 16), (32, 12)] {
            let (key, nonce) = (vec![7; key], vec![9; nonce]);
            let mut text = b"a text of some length".to_vec();
            let tag = seal(&key, &nonce, b"with", &mut text).expect("the lengths are supported");
            for tag_length in [16, 12, 4] {
                let sent = [&text, &tag[..tag_length]].concat();
                assert_eq!(open(&key, &nonce, b"with", &sent, tag_length).as_deref(), Some(b"a text of some length".as_slice()));
                assert_eq!(open(&key, &nonce, b"without", &sent, tag_length), None);
                let mut changed = sent;
                changed[3] ^= 1;
                assert_eq!(open(&key, &nonce, b"with", &changed, tag_length), None);
            }
        }
        assert_eq!(open(&[0; 16], &[0; 12], b"", b"short", 16), None);
    }

    #[test]
    fn a_counter_of_few_bits_begins_anew_and_never_repeats() {
        let long = vec![0; 16 * 4];
        let wrapped = count(&[1; 16], 0xff_03, 2, &long).expect("four blocks fit in two bits");
        let low = count(&[1; 16], 0xff_00, 2, &long).expect("as above");
        assert_eq!(wrapped[16..], low[..48]);
        assert_eq!(count(&[1; 16], 0, 2, &[0; 16 * 5]), None);
    }
}
