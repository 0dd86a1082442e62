//! gzip, deflate and raw deflate, in steps: each call takes some bytes and gives at most a piece, so that what unpacks to a thousand times its
//! size is held back like any other stream.

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};
use rquickjs::{Class, Ctx, Function, Object, Result, TypedArray};

use crate::natives::gzip::{self, Trailer};
use crate::natives::{bytes, made::List, opaque::opaque};

/// What one call gives at most.
pub(super) const PIECE_BYTES: usize = 64 << 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Gzip,
    /// With the header and check sum of zlib.
    Deflate,
    DeflateRaw,
}

impl Format {
    fn of(name: &str) -> Option<Self> {
        match name {
            "gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "deflate-raw" => Some(Self::DeflateRaw),
            _ => None,
        }
    }
}

struct Packer {
    format: Format,
    inner: Compress,
    check: Crc,
    /// Where it stands.
    has_head: bool,
    is_done: bool,
}

pub(super) struct Unpacker {
    format: Format,
    inner: Decompress,
    check: Crc,
    /// The head or trailer of gzip, as far as it came.
    held: Vec<u8>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Head,
    Body,
    Trailer,
    Done,
}

opaque!(Packer, "PackerHandle", rquickjs::class::Writable);
opaque!(Unpacker, "UnpackerHandle", rquickjs::class::Writable);

/// What a step did.
#[derive(Default, Debug)]
pub(super) struct Step {
    /// How many bytes it took.
    pub(super) taken: usize,
    pub(super) piece: Vec<u8>,
    pub(super) is_done: bool,
}

/// `packer(format)` and `unpacker(format)` give a handle, or undefined for another format. `pack(handle, bytes, isLast)` and `unpack(handle, bytes)` give
/// `[taken, piece, isDone]`; they are to be called again with the rest. What is no data of the format is undefined.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("packer", Function::new(ctx.clone(), packer)?)?;
    native.set("unpacker", Function::new(ctx.clone(), unpacker)?)?;
    native.set("pack", Function::new(ctx.clone(), pack)?)?;
    native.set("unpack", Function::new(ctx.clone(), unpack)?)
}

fn packer<'js>(ctx: Ctx<'js>, format: String) -> Result<Option<Class<'js, Packer>>> {
    Format::of(&format).map(|format| Class::instance(ctx, Packer::new(format))).transpose()
}

fn unpacker<'js>(ctx: Ctx<'js>, format: String) -> Result<Option<Class<'js, Unpacker>>> {
    Format::of(&format).map(|format| Class::instance(ctx, Unpacker::new(format))).transpose()
}

fn pack<'js>(ctx: Ctx<'js>, packer: Class<'js, Packer>, data: TypedArray<'js, u8>, is_last: bool) -> Result<List<'js>> {
    let step = packer.borrow_mut().step(bytes::of(&data), is_last);
    give(ctx, step)
}

fn unpack<'js>(ctx: Ctx<'js>, unpacker: Class<'js, Unpacker>, data: TypedArray<'js, u8>) -> Result<Option<List<'js>>> {
    let step = unpacker.borrow_mut().step(bytes::of(&data));
    step.map(|step| give(ctx, step)).transpose()
}

fn give<'js>(ctx: Ctx<'js>, step: Step) -> Result<List<'js>> {
    List::new(&ctx)?.with(step.taken)?.with(TypedArray::<u8>::new(ctx, step.piece)?)?.with(step.is_done)
}

impl Packer {
    fn new(format: Format) -> Self {
        let inner = Compress::new(Compression::default(), format == Format::Deflate);
        Self { format, inner, check: Crc::new(), has_head: format != Format::Gzip, is_done: false }
    }

    fn step(&mut self, data: &[u8], is_last: bool) -> Step {
        let mut step = Step { piece: Vec::with_capacity(PIECE_BYTES), ..Step::default() };
        if self.is_done {
            return Step { is_done: true, ..step };
        }
        if !std::mem::replace(&mut self.has_head, true) {
            step.piece.extend(gzip::HEAD);
        }
        let before = self.inner.total_in();
        let flush = if is_last { FlushCompress::Finish } else { FlushCompress::None };
        let status = self.inner.compress_vec(data, &mut step.piece, flush).expect("compressing can't fail");
        step.taken = usize::try_from(self.inner.total_in() - before).expect("no more than was given");
        if self.format == Format::Gzip {
            self.check.update(&data[..step.taken]);
        }
        if status == Status::StreamEnd {
            self.is_done = true;
            step.is_done = true;
            if self.format == Format::Gzip {
                step.piece.extend(Trailer::of(&self.check).bytes());
            }
        }
        step
    }
}

impl Unpacker {
    pub(super) fn new(format: Format) -> Self {
        let stage = if format == Format::Gzip { Stage::Head } else { Stage::Body };
        Self { format, inner: Decompress::new(format == Format::Deflate), check: Crc::new(), held: Vec::new(), stage }
    }

    /// None if the data is wrong, as anything behind the end is.
    pub(super) fn step(&mut self, data: &[u8]) -> Option<Step> {
        let step = match self.stage {
            Stage::Head => self.head(data)?,
            Stage::Body => self.body(data)?,
            Stage::Trailer => self.trailer(data)?,
            Stage::Done if data.is_empty() => Step::default(),
            Stage::Done => return None,
        };
        Some(Step { is_done: self.stage == Stage::Done, ..step })
    }

    fn head(&mut self, data: &[u8]) -> Option<Step> {
        let held_before = self.held.len();
        self.held.extend(data);
        match gzip::head_length(&self.held)? {
            None => Some(Step { taken: data.len(), ..Step::default() }),
            Some(length) => {
                self.held.clear();
                self.stage = Stage::Body;
                Some(Step { taken: length.saturating_sub(held_before), ..Step::default() })
            }
        }
    }

    fn body(&mut self, data: &[u8]) -> Option<Step> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let before = self.inner.total_in();
        let status = self.inner.decompress_vec(data, &mut piece, FlushDecompress::None).ok()?;
        let taken = usize::try_from(self.inner.total_in() - before).ok()?;
        if self.format == Format::Gzip {
            self.check.update(&piece);
        }
        if status == Status::StreamEnd {
            self.stage = if self.format == Format::Gzip { Stage::Trailer } else { Stage::Done };
        }
        Some(Step { taken, piece, is_done: false })
    }

    fn trailer(&mut self, data: &[u8]) -> Option<Step> {
        let taken = data.len().min(gzip::TRAILER_BYTES - self.held.len());
        self.held.extend(&data[..taken]);
        if self.held.len() == gzip::TRAILER_BYTES {
            (self.held == Trailer::of(&self.check).bytes()).then_some(())?;
            self.stage = Stage::Done;
        }
        Some(Step { taken, ..Step::default() })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Format, PIECE_BYTES, Packer, Unpacker};

    const FORMATS: [Format; 3] = [Format::Gzip, Format::Deflate, Format::DeflateRaw];

    /// All of some data in a format.
    pub(in crate::natives) fn packed(format: Format, mut data: &[u8]) -> Vec<u8> {
        let (mut packer, mut all) = (Packer::new(format), Vec::new());
        loop {
            let step = packer.step(data, true);
            data = &data[step.taken..];
            all.extend(step.piece);
            if step.is_done {
                return all;
            }
        }
    }

    /// What comes of data that arrives in parts of a length, and whether it came to its end.
    fn unpacked(format: Format, data: &[u8], part_bytes: usize) -> Option<(Vec<u8>, bool)> {
        let (mut unpacker, mut all, mut is_done) = (Unpacker::new(format), Vec::new(), false);
        for mut part in data.chunks(part_bytes) {
            loop {
                let step = unpacker.step(part)?;
                part = &part[step.taken..];
                is_done = step.is_done;
                assert!(step.piece.len() <= PIECE_BYTES);
                let was_idle = step.piece.is_empty() && part.is_empty();
                all.extend(step.piece);
                if was_idle {
                    break;
                }
            }
        }
        Some((all, is_done))
    }

    #[test]
    fn what_was_packed_comes_back_in_parts_of_any_length() {
        let text = "some text, some more text; ".repeat(9000);
        for format in FORMATS {
            let packed = packed(format, text.as_bytes());
            assert!(packed.len() < 4000);
            for part_bytes in [1, 7, 100_000] {
                assert_eq!(unpacked(format, &packed, part_bytes), Some((text.clone().into_bytes(), true)), "{format:?}");
            }
        }
    }

    #[test]
    fn what_is_cut_changed_or_too_long_is_refused() {
        for format in FORMATS {
            let packed = packed(format, b"some text");
            assert!(
                !unpacked(format, &packed[..packed.len() - 1], 100).expect("what came is right").1,
                "{format:?} is not at its end"
            );
            assert!(unpacked(format, &[&packed[..], b"x"].concat(), 100).is_none(), "{format:?} with more behind");
        }
        for format in [Format::Gzip, Format::Deflate] {
            let mut changed = packed(format, b"some text");
            let last = changed.len() - 1;
            changed[last] ^= 1;
            assert!(unpacked(format, &changed, 100).is_none(), "{format:?} with another check sum");
        }
        assert!(unpacked(Format::Gzip, b"no gzip at all", 100).is_none());
    }
}
