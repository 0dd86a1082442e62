//! The frame of gzip around deflate (RFC 1952).

use flate2::Crc;

/// The head that we write: deflate, no fields, no time, an unknown system.
pub(crate) const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
pub(crate) const TRAILER_BYTES: usize = 8;

/// More than this no name or comment needs.
const HEAD_BYTES_MAX: usize = 64 << 10;

const HAS_HEAD_CHECK: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

/// The length of a head: `Some(None)` if there is not all of it yet, `None` if it is none.
pub(crate) fn head_length(data: &[u8]) -> Option<Option<usize>> {
    let fixed = &data[..data.len().min(3)];
    if !HEAD.starts_with(fixed) || data.get(3).is_some_and(|flags| flags & RESERVED != 0) {
        return None;
    }
    let length = full_length(data);
    (length.is_some() || data.len() <= HEAD_BYTES_MAX).then_some(length)
}

fn full_length(data: &[u8]) -> Option<usize> {
    let flags = *data.get(3)?;
    let mut at = HEAD.len();
    if flags & HAS_EXTRA != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*data.get(at)?, *data.get(at + 1)?]));
    }
    for field in [HAS_NAME, HAS_COMMENT] {
        if flags & field != 0 {
            at += data.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    if flags & HAS_HEAD_CHECK != 0 {
        at += 2;
    }
    (data.len() >= at).then_some(at)
}

/// What stands at the end: the check sum and the length of what was packed, both of 32 bits.
pub(crate) struct Trailer {
    sum: u32,
    length: u32,
}

impl Trailer {
    pub(crate) fn of(check: &Crc) -> Self {
        Self { sum: check.sum(), length: check.amount() }
    }

    pub(crate) fn bytes(&self) -> [u8; TRAILER_BYTES] {
        let mut bytes = [0; TRAILER_BYTES];
        bytes[..4].copy_from_slice(&self.sum.to_le_bytes());
        bytes[4..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{HEAD, head_length};

    #[test]
    fn a_head_ends_behind_its_fields() {
        assert_eq!(head_length(&HEAD), Some(Some(10)));
        assert_eq!(head_length(&HEAD[..9]), Some(None));
        let mut named = HEAD.to_vec();
        named[3] = 4 | 8;
        named.extend(b"\x02\x00xxname\0body");
        assert_eq!(head_length(&named), Some(Some(19)));
        assert_eq!(head_length(&named[..18]), Some(None));
        named[3] = 0xff;
        assert_eq!(head_length(&named), None);
    }
}
