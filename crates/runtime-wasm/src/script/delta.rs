//! One file told as its difference from another of nearly the same shape.
//!
//! The compiled memory images of scripts differ from that of the empty engine in a few pages, and in those pages in a few bytes. So what is
//! kept is which pages differ, and those pages combined with the ones of the base by exclusive or, compressed: mostly zeros. Reading one back
//! is a copy of the base with some pages changed.

use types::ByteCount;

/// The grain of a difference, which is also that of memory.
pub(crate) const PAGE: usize = 4 << 10;
/// The level at which differences are compressed: they are written at deploy, while somebody waits.
const LEVEL: i32 = 3;
const WORD: usize = 4;

/// A difference, unpacked.
pub(crate) struct Delta {
    /// The length of the file that it makes.
    bytes: usize,
    /// The pages that differ, in ascending order.
    pages: Vec<u32>,
    /// Their bytes, combined with those of the base.
    changes: Vec<u8>,
}

impl Delta {
    /// What makes `file` of `base`.
    pub(crate) fn between(base: &[u8], file: &[u8]) -> Self {
        let (mut pages, mut changes) = (Vec::new(), Vec::new());
        for (number, page) in (0_u32..).zip(file.chunks(PAGE)) {
            let old = page_of(base, number);
            if is_same(page, old) {
                continue;
            }
            pages.push(number);
            changes.extend((0..PAGE).map(|at| byte(page, at) ^ byte(old, at)));
        }
        Self { bytes: file.len(), pages, changes }
    }

    /// The difference for the disk.
    pub(crate) fn pack(&self) -> std::io::Result<Vec<u8>> {
        let Self { bytes, pages, changes } = self;
        let mut plain = Vec::with_capacity((2 + pages.len()) * WORD + changes.len());
        [word(*bytes), word(pages.len())].iter().chain(pages).for_each(|number| plain.extend(number.to_le_bytes()));
        plain.extend(changes);
        zstd::bulk::compress(&plain, LEVEL)
    }

    /// The difference from the disk; nothing if it isn't one, or would make a file of more than `bytes_max`.
    pub(crate) fn unpack(packed: &[u8], bytes_max: ByteCount) -> Option<Self> {
        // Each page that differs has its bytes and its number.
        let plain_max = bytes_max.as_usize().div_ceil(PAGE).checked_mul(PAGE + WORD)?.checked_add(2 * WORD)?;
        let mut plain = zstd::bulk::decompress(packed, plain_max.min(announced(packed)?)).ok()?;
        let (bytes, count) = (number(&plain, 0)?, number(&plain, 1)?);
        let numbers_end = count.checked_mul(WORD)?.checked_add(2 * WORD)?;
        let pages: Vec<u32> = (2..count + 2).map(|index| number(&plain, index).map(word)).collect::<Option<_>>()?;
        let ascending = pages.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = pages.last().is_none_or(|last| (*last as usize) < bytes.div_ceil(PAGE));
        let fits = bytes <= bytes_max.as_usize() && plain.len() - numbers_end == count * PAGE;
        plain.drain(..numbers_end);
        (ascending && inside && fits).then_some(Self { bytes, pages, changes: plain })
    }

    /// The length of the file that it makes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The pages that differ, in ascending order.
    pub(crate) fn pages(&self) -> &[u32] {
        &self.pages
    }

    /// Gives the pages of the file that differ from those of `base`, neighbours at once, each stretch with its place: written over a copy of the
    /// base that was cut or lengthened to the file's length, they make the file.
    ///
    /// # Errors
    /// Those of `write`.
    pub(crate) fn apply<E>(&self, base: &[u8], mut write: impl FnMut(usize, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut changes = self.changes.chunks_exact(PAGE);
        let mut mixed = Vec::new();
        for stretch in self.pages.chunk_by(|one, next| one + 1 == *next) {
            mixed.clear();
            for (number, change) in stretch.iter().zip(&mut changes) {
                let begin = mixed.len();
                mixed.extend_from_slice(change);
                combine(&mut mixed[begin..], page_of(base, *number));
            }
            let begin = stretch[0] as usize * PAGE;
            write(begin, &mixed[..mixed.len().min(self.bytes - begin)])?;
        }
        Ok(())
    }
}

/// The stretches of pages that are not all zero, each with its place.
pub(crate) fn stretches(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut found: Vec<(usize, &[u8])> = Vec::new();
    for (number, page) in bytes.chunks(PAGE).enumerate().filter(|(_, page)| !is_zero(page)) {
        let begin = number * PAGE;
        match found.last_mut() {
            Some((first, stretch)) if *first + stretch.len() == begin => *stretch = &bytes[*first..begin + page.len()],
            _ => found.push((begin, page)),
        }
    }
    found
}

/// Whether all bytes are zero.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|byte| *byte == 0)
}

/// Combines the bytes with others by exclusive or, sixteen at once.
fn combine(bytes: &mut [u8], others: &[u8]) {
    let both = bytes.len().min(others.len());
    let (words, rest) = bytes[..both].as_chunks_mut::<16>();
    let (other_words, other_rest) = others[..both].as_chunks::<16>();
    for (word, other) in words.iter_mut().zip(other_words) {
        *word = (u128::from_ne_bytes(*word) ^ u128::from_ne_bytes(*other)).to_ne_bytes();
    }
    rest.iter_mut().zip(other_rest).for_each(|(byte, other)| *byte ^= other);
}

fn page_of(base: &[u8], number: u32) -> &[u8] {
    let begin = (number as usize * PAGE).min(base.len());
    &base[begin..(begin + PAGE).min(base.len())]
}

/// Whether two pages are alike, with zeros behind the end of each.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let both = one.len().min(other.len());
    one[..both] == other[..both] && is_zero(&one[both..]) && is_zero(&other[both..])
}

fn byte(page: &[u8], at: usize) -> u8 {
    page.get(at).copied().unwrap_or(0)
}

/// The size that a frame says it has unpacked. What it unpacks to is held to it.
fn announced(packed: &[u8]) -> Option<usize> {
    zstd::zstd_safe::get_frame_content_size(packed).ok()??.try_into().ok()
}

fn word(count: usize) -> u32 {
    u32::try_from(count).expect("images are smaller than 4 GiB")
}

fn number(bytes: &[u8], index: usize) -> Option<usize> {
    let word = bytes.get(index * WORD..(index + 1) * WORD)?;
    word.try_into().ok().map(|word| u32::from_le_bytes(word) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: ByteCount = ByteCount::mib(1);

    fn applied(delta: &Delta, base: &[u8]) -> Vec<u8> {
        let mut file = base.to_vec();
        file.resize(delta.bytes(), 0);
        let write = |at: usize, bytes: &[u8]| {
            file[at..at + bytes.len()].copy_from_slice(bytes);
            Ok::<_, std::convert::Infallible>(())
        };
        match delta.apply(base, write) {
            Ok(()) => file,
        }
    }

    fn check(base: &[u8], file: &[u8], pages: usize) {
        let packed = Delta::between(base, file).pack().expect("packed");
        let delta = Delta::unpack(&packed, MAX).expect("a difference");
        assert_eq!(delta.pages.len(), pages);
        assert!(applied(&delta, base) == file);
    }

    #[test]
    fn a_file_comes_back_whatever_differs() {
        let base: Vec<u8> = (0..5 * PAGE + 100).map(|at| if at / PAGE == 2 { 0 } else { at as u8 | 1 }).collect();
        check(&base, &base, 0);
        check(&base, &base[..3 * PAGE + 7], 1);
        let mut changed = base.clone();
        (changed[5], changed[2 * PAGE], changed[5 * PAGE + 99]) = (200, 1, 200);
        check(&base, &changed, 3);
        changed.extend([0; 3 * PAGE]);
        check(&base, &changed, 3);
        changed.extend([9; 10]);
        check(&base, &changed, 4);
        check(&[], &base, 5);
        check(&base, &[], 0);
    }

    #[test]
    fn a_few_changed_bytes_are_a_few_kept_bytes() {
        let base: Vec<u8> = (0..1_u32 << 18).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let mut changed = base.clone();
        (0..64).for_each(|page| changed[page * 2 * PAGE + 77] ^= 0x55);
        let packed = Delta::between(&base, &changed).pack().expect("packed");
        assert!(packed.len() < 2_000, "{}", packed.len());
    }

    #[test]
    fn damage_is_found_or_makes_another_file_and_never_panics() {
        let base = vec![7; 3 * PAGE];
        let mut file = base.clone();
        file[PAGE] = 1;
        let whole = Delta::between(&base, &file);
        let packed = whole.pack().expect("packed");
        for end in 0..packed.len() {
            assert!(Delta::unpack(&packed[..end], MAX).is_none(), "{end}");
        }
        for at in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[at] ^= 0xff;
            if let Some(delta) = Delta::unpack(&damaged, MAX) {
                let _ = applied(&delta, &base);
            }
        }
        assert!(Delta::unpack(&packed, ByteCount(2)).is_none(), "more than is allowed");
    }
}
