//! Writing values into a growing buffer and taking them out again, without trust in what is read.

use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};

/// What was read is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damaged(pub(super) &'static str);

struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Appends the value in postcard's form.
pub(super) fn put(buffer: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    postcard::serialize_with_flavor(value, Append(buffer))
        .expect("plain data always encodes, and a buffer in memory takes all of it");
}

/// Appends bytes with their length before them.
pub(super) fn put_row(buffer: &mut Vec<u8>, row: &[u8]) {
    put(buffer, &row.len());
    buffer.extend_from_slice(row);
}

/// Takes values from the beginning of what is left.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next `n` bytes.
    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or(Damaged("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }
    /// The next `N` bytes as an array.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Damaged("it ends too early"))?;
        self.0 = rest;
        Ok(*taken)
    }
    /// A value in postcard's form.
    pub(super) fn value<T: DeserializeOwned>(&mut self) -> Result<T, Damaged> {
        let (value, rest) = postcard::take_from_bytes(self.0).map_err(|_| Damaged("a value can't be read"))?;
        self.0 = rest;
        Ok(value)
    }
    /// Bytes with their length before them.
    pub(super) fn row(&mut self) -> Result<&'a [u8], Damaged> {
        let len = self.value()?;
        self.take(len)
    }
}
