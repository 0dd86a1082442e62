//! Bodies of the host's as JavaScript reads them. What came with a content coding (RFC 9110, 8.4) is unpacked piece by piece when it is read, and stays
//! packed when it is handed on as it came: whether it is read at all is not known when it arrives.

use super::compression::{Format, Step, Unpacker};
use crate::host::http::Body;
use crate::host::http_types::Read;

/// A body, and what unpacks it.
pub(super) struct Source {
    body: Body,
    packing: Option<Packing>,
}

impl Source {
    pub(super) fn new(body: Body) -> Self {
        Self { body, packing: None }
    }

    /// From now on reading unpacks. False for a coding that is not known here: then the body stays as it is.
    pub(super) fn unpack(&mut self, coding: &str, length: Option<String>) -> bool {
        self.packing = Coding::of(coding).map(|coding| Packing::new(coding, length));
        self.packing.is_some()
    }

    /// How it is packed and the length that it came with, until something of it was read.
    pub(super) fn packed(&self) -> Option<(&'static str, Option<&str>)> {
        let Packing { coding, length, is_begun, .. } = self.packing.as_ref()?;
        (!is_begun).then_some((coding.name(), length.as_deref()))
    }

    /// From now on reading gives what came.
    pub(super) fn leave_packed(&mut self) {
        self.packing = None;
    }

    pub(super) fn read(&mut self) -> Read {
        match &mut self.packing {
            None => self.body.read(),
            Some(packing) => packing.read(|| self.body.read()),
        }
    }
}

/// The codings that are unpacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    fn of(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// "deflate" is the format of zlib, but some servers leave its frame out. A frame's first byte ends in the number of its method, 8.
    fn format(self, first: u8) -> Format {
        match self {
            Self::Gzip => Format::Gzip,
            Self::Deflate if first & 0x0f == 8 => Format::Deflate,
            Self::Deflate => Format::DeflateRaw,
        }
    }
}

struct Packing {
    coding: Coding,
    length: Option<String>,
    is_begun: bool,
    /// None before the first byte, and behind the end.
    unpacker: Option<Unpacker>,
    /// A piece that came, and how much of it was taken.
    piece: Vec<u8>,
    taken: usize,
    /// The last step gave something, so that another may too.
    has_more: bool,
    /// What comes behind the end is passed over, as browsers do, unless it is more gzip.
    is_done: bool,
}

impl Packing {
    fn new(coding: Coding, length: Option<String>) -> Self {
        Self { coding, length, is_begun: false, unpacker: None, piece: Vec::new(), taken: 0, has_more: false, is_done: false }
    }

    fn read(&mut self, mut more: impl FnMut() -> Read) -> Read {
        self.is_begun = true;
        loop {
            while self.has_more || self.taken < self.piece.len() {
                match self.step() {
                    None => return self.failed("is none"),
                    Some(unpacked) if unpacked.is_empty() => {}
                    Some(unpacked) => return Read::Bytes(unpacked),
                }
            }
            match more() {
                Read::Bytes(bytes) => (self.piece, self.taken) = (bytes, 0),
                Read::End if self.unpacker.is_some() => return self.failed("ends too early"),
                other => return other,
            }
        }
    }

    /// Unpacks a bit. None if the data is wrong.
    fn step(&mut self) -> Option<Vec<u8>> {
        let rest = &self.piece[self.taken..];
        if self.unpacker.is_none() {
            let first = *rest.first()?;
            if self.is_done && !(self.coding == Coding::Gzip && first == GZIP_FIRST_BYTE) {
                self.taken = self.piece.len();
                return Some(Vec::new());
            }
            self.unpacker = Some(Unpacker::new(self.coding.format(first)));
        }
        let Step { taken, piece, is_done } = self.unpacker.as_mut()?.step(rest)?;
        if taken == 0 && piece.is_empty() && !rest.is_empty() && !is_done {
            return None;
        }
        self.taken += taken;
        self.has_more = !piece.is_empty() && !is_done;
        if is_done {
            self.is_done = true;
            self.unpacker = None;
        }
        Some(piece)
    }

    fn failed(&self, how: &str) -> Read {
        Read::Failed(format!("its header says content-encoding: {}, and its data {how}", self.coding.name()))
    }
}

const GZIP_FIRST_BYTE: u8 = 0x1f;

#[cfg(test)]
mod tests {
    use super::{Coding, Packing, Read};
    use crate::natives::compression::tests::packed;
    use crate::natives::compression::{Format, PIECE_BYTES};

    /// What is read of data that arrives in parts of a length.
    fn read(coding: Coding, data: &[u8], part_bytes: usize) -> Result<Vec<u8>, String> {
        let (mut packing, mut all) = (Packing::new(coding, None), Vec::new());
        let mut parts = data.chunks(part_bytes);
        loop {
            match packing.read(|| parts.next().map_or(Read::End, |part| Read::Bytes(part.to_vec()))) {
                Read::Bytes(bytes) => {
                    assert!(!bytes.is_empty() && bytes.len() <= PIECE_BYTES, "{} bytes at once", bytes.len());
                    all.extend(bytes);
                }
                Read::End => return Ok(all),
                Read::Failed(why) => return Err(why),
                Read::Wait(_) => unreachable!("the parts are there"),
            }
        }
    }

    #[test]
    fn what_came_packed_is_read_in_parts_of_any_length() {
        let text = "some text, some more text; ".repeat(9000).into_bytes();
        for (coding, format) in
            [(Coding::Gzip, Format::Gzip), (Coding::Deflate, Format::Deflate), (Coding::Deflate, Format::DeflateRaw)]
        {
            let packed = packed(format, &text);
            for part_bytes in [1, 7, 100_000] {
                assert_eq!(read(coding, &packed, part_bytes), Ok(text.clone()), "{format:?} in parts of {part_bytes}");
            }
        }
    }

    #[test]
    fn gzip_may_have_members_and_something_behind_them_and_may_be_nothing_at_all() {
        let two = [packed(Format::Gzip, b"one"), packed(Format::Gzip, b"two"), b"\0\0".to_vec()].concat();
        for part_bytes in [1, 100] {
            assert_eq!(read(Coding::Gzip, &two, part_bytes), Ok(b"onetwo".to_vec()));
        }
        assert_eq!(read(Coding::Gzip, b"", 1), Ok(Vec::new()));
        assert_eq!(read(Coding::Deflate, b"", 1), Ok(Vec::new()));
    }

    #[test]
    fn what_is_cut_or_something_else_is_an_error_that_says_so() {
        let packed = packed(Format::Gzip, b"some text");
        let cut = read(Coding::Gzip, &packed[..packed.len() - 1], 100).expect_err("it is cut");
        assert_eq!(cut, "its header says content-encoding: gzip, and its data ends too early");
        let other = read(Coding::Gzip, b"plain text", 100).expect_err("it is no gzip");
        assert_eq!(other, "its header says content-encoding: gzip, and its data is none");
    }
}
