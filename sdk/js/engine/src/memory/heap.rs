//! Blocks of memory: small ones by size, large ones by address.

use core::ptr;

/// In front of each block stands its size class, or its size if it is large. With it a small block's size is told.
const HEADER: usize = 4;
/// A large block's size is told with this much in front of it, so that blocks which follow each other are as far apart as they are large.
const HEADER_LARGE: usize = GRAIN;
/// Blocks are aligned to this, and their sizes are multiples of it, header included.
const GRAIN: usize = 8;
/// Up to here there is a class for each size.
const LINEAR_MAX: usize = 1 << 10;
const LINEAR_CLASSES: usize = LINEAR_MAX / GRAIN;
/// From there on four classes for each doubling, up to here.
const SMALL_MAX: usize = 32 << 10;
const CLASSES: usize = LINEAR_CLASSES + 1 + 4 * (SMALL_MAX / LINEAR_MAX).ilog2() as usize;
/// What small blocks are cut from.
const CHUNK: usize = 64 << 10;
const PAGE: usize = 4 << 10;

/// Where more memory comes from: the address of so many fresh zeroed bytes, a multiple of [`GRAIN`], which follow what was given last.
pub(super) type Grow = fn(usize) -> Option<usize>;

/// All blocks.
pub(super) struct Heap {
    grow: Grow,
    /// The first free block of each class; a free block holds the address of the next.
    free: [usize; CLASSES],
    /// Small blocks are cut from here …
    next: usize,
    /// … to here.
    limit: usize,
    /// Free large blocks, by address.
    large: usize,
    /// The end of what was given last.
    end: usize,
}

impl Heap {
    pub(super) const fn new(grow: Grow) -> Self {
        Self { grow, free: [0; CLASSES], next: 0, limit: 0, large: 0, end: 0 }
    }

    /// A block of at least so many bytes, aligned to 8; 0 if there is no memory left.
    pub(super) fn allocate(&mut self, bytes: usize) -> usize {
        match size_of_block(bytes) {
            None => 0,
            Some(size) if size > SMALL_MAX => self.allocate_large(size),
            Some(size) => self.allocate_small(class_of(size)),
        }
    }

    /// # Safety
    ///
    /// The block is one of this heap, and nobody uses it any more.
    pub(super) unsafe fn release(&mut self, block: usize) {
        // SAFETY: each block has its header in front of it, and is large enough for an address.
        unsafe {
            let tag = header(block);
            if tag < CLASSES {
                write(block, self.free[tag]);
                self.free[tag] = block;
            } else {
                self.insert(block, tag);
            }
        }
    }

    /// The same bytes in a block of another size; 0 if there is no memory left, and the block stays as it is.
    ///
    /// # Safety
    ///
    /// As for [`Heap::release`].
    pub(super) unsafe fn resize(&mut self, block: usize, bytes: usize) -> usize {
        let Some(size) = size_of_block(bytes) else { return 0 };
        // SAFETY: as the caller says; both blocks hold as many bytes as are copied, and do not overlap.
        unsafe {
            let room = usable(block);
            let is_near = bytes <= room && (bytes >= room / 2 || room <= 64);
            if is_near || (size > SMALL_MAX && header(block) >= CLASSES && self.stretch(block, size)) {
                return block;
            }
            let other = self.allocate(bytes);
            if other != 0 {
                ptr::copy_nonoverlapping(block as *const u8, other as *mut u8, room.min(bytes));
                self.release(block);
            }
            other
        }
    }

    /// Ends the time before the image: what is free is zeroed, and blocks to come begin on a page of their own.
    ///
    /// # Safety
    ///
    /// Nobody uses free blocks.
    pub(super) unsafe fn seal(&mut self) {
        // SAFETY: each free block is as long as its class or header says.
        unsafe {
            for tag in 0..CLASSES {
                let mut block = core::mem::take(&mut self.free[tag]);
                while block != 0 {
                    let next = read(block);
                    ptr::write_bytes((block - HEADER) as *mut u8, 0, class_size(tag));
                    block = next;
                }
            }
            let mut block = self.large;
            while block != 0 {
                let size = header(block) - HEADER_LARGE - size_of::<usize>();
                ptr::write_bytes((block + size_of::<usize>()) as *mut u8, 0, size);
                block = read(block);
            }
        }
        self.next = (self.next.next_multiple_of(PAGE) + HEADER).min(self.limit);
    }

    fn allocate_small(&mut self, tag: usize) -> usize {
        let block = self.free[tag];
        if block != 0 {
            // SAFETY: a free block holds the address of the next.
            self.free[tag] = unsafe { read(block) };
            return block;
        }
        let size = class_size(tag);
        if self.limit - self.next < size && !self.refill(size) {
            return 0;
        }
        let block = self.next + HEADER;
        self.next += size;
        // SAFETY: the chunk is ours, and has room for the block.
        unsafe { set_header(block, tag) };
        block
    }

    /// More to cut small blocks from. What is left of the old chunk is given up, unless the new one follows it.
    #[cold]
    fn refill(&mut self, size: usize) -> bool {
        let wanted = CHUNK.max(size + GRAIN);
        let Some(start) = self.fresh(wanted) else { return false };
        // Blocks are aligned behind their headers, so both ends are 4 off.
        if start != self.limit + HEADER {
            self.next = start + HEADER;
        }
        self.limit = start + wanted - HEADER;
        true
    }

    fn allocate_large(&mut self, size: usize) -> usize {
        // SAFETY: the list holds free blocks only, and each says how large it is and which is the next.
        unsafe {
            let mut link = &raw mut self.large;
            while *link != 0 {
                let block = *link;
                let found = header(block);
                if found >= size {
                    *link = read(block);
                    self.split(block, found, size);
                    return block;
                }
                link = block as *mut usize;
            }
        }
        let Some(start) = self.fresh(size) else { return 0 };
        let block = start + HEADER_LARGE;
        // SAFETY: the memory is fresh.
        unsafe { set_header(block, size) };
        block
    }

    /// Gives back what a block has too much, if that is a large block by itself.
    ///
    /// # Safety
    ///
    /// The block is in use, and was `found` bytes long.
    unsafe fn split(&mut self, block: usize, found: usize, size: usize) {
        if found - size <= SMALL_MAX {
            return;
        }
        // SAFETY: the rest lies within the block.
        unsafe {
            set_header(block, size);
            let rest = block + size;
            set_header(rest, found - size);
            self.insert(rest, found - size);
        }
    }

    /// Makes a large block larger or smaller where it is, if it can.
    ///
    /// # Safety
    ///
    /// The block is in use.
    unsafe fn stretch(&mut self, block: usize, size: usize) -> bool {
        // SAFETY: as in `allocate_large`; what follows the block is free or fresh.
        unsafe {
            let have = header(block);
            if size <= have {
                self.split(block, have, size);
                return true;
            }
            let behind = block + have;
            let mut link = &raw mut self.large;
            while *link != 0 && *link < behind {
                link = *link as *mut usize;
            }
            if *link == behind && have + header(behind) >= size {
                let found = have + header(behind);
                *link = read(behind);
                set_header(block, found);
                self.split(block, found, size);
                return true;
            }
            if behind - HEADER_LARGE == self.end && self.fresh(size - have).is_some() {
                set_header(block, size);
                return true;
            }
        }
        false
    }

    /// Puts a large block among the free ones, and joins it with those beside it.
    ///
    /// # Safety
    ///
    /// Nobody uses the block, and it is `size` bytes long.
    unsafe fn insert(&mut self, block: usize, size: usize) {
        // SAFETY: as in `allocate_large`.
        unsafe {
            let (mut link, mut before) = (&raw mut self.large, 0);
            while *link != 0 && *link < block {
                before = *link;
                link = before as *mut usize;
            }
            let mut next = *link;
            let mut size = size;
            if next == block + size {
                size += header(next);
                next = read(next);
            }
            if before != 0 && before + header(before) == block {
                set_header(before, header(before) + size);
                write(before, next);
            } else {
                set_header(block, size);
                write(block, next);
                *link = block;
            }
        }
    }

    fn fresh(&mut self, bytes: usize) -> Option<usize> {
        let bytes = bytes.next_multiple_of(GRAIN);
        let start = (self.grow)(bytes)?;
        self.end = start + bytes;
        Some(start)
    }
}

/// How many bytes a block has.
///
/// # Safety
///
/// The block is one of a heap, in use.
pub(super) unsafe fn usable(block: usize) -> usize {
    // SAFETY: as the caller says.
    let tag = unsafe { header(block) };
    if tag < CLASSES { class_size(tag) - HEADER } else { tag - HEADER_LARGE }
}

/// The size of a block with its header. `None` if no memory is so large.
fn size_of_block(bytes: usize) -> Option<usize> {
    const SIZE_MAX: usize = 1 << 30;
    if bytes > SIZE_MAX {
        return None;
    }
    let small = (bytes + HEADER).next_multiple_of(GRAIN).max(2 * GRAIN);
    Some(if small <= SMALL_MAX { small } else { (bytes + HEADER_LARGE).next_multiple_of(GRAIN) })
}

fn class_of(size: usize) -> usize {
    if size <= LINEAR_MAX {
        return size / GRAIN;
    }
    // The doubling that it is in, and the quarter of that.
    let doubling = (size - 1).ilog2();
    let quarter = ((size - 1) >> (doubling - 2)) & 3;
    LINEAR_CLASSES + 1 + 4 * (doubling as usize - LINEAR_MAX.ilog2() as usize) + quarter
}

fn class_size(tag: usize) -> usize {
    if tag <= LINEAR_CLASSES {
        return tag * GRAIN;
    }
    let index = tag - LINEAR_CLASSES - 1;
    let quarter = LINEAR_MAX << (index / 4) >> 2;
    (LINEAR_MAX << (index / 4)) + quarter * (index % 4 + 1)
}

unsafe fn header(block: usize) -> usize {
    // SAFETY: the caller has a block.
    unsafe { *((block - HEADER) as *const u32) as usize }
}

unsafe fn set_header(block: usize, tag: usize) {
    // SAFETY: the caller has a block; a block is shorter than a 32-bit memory.
    unsafe { *((block - HEADER) as *mut u32) = tag as u32 };
}

unsafe fn read(block: usize) -> usize {
    // SAFETY: the caller has a free block.
    unsafe { *(block as *const usize) }
}

unsafe fn write(block: usize, value: usize) {
    // SAFETY: the caller has a free block.
    unsafe { *(block as *mut usize) = value };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// The memory of a test: its thread's own.
    const MEMORY: usize = 64 << 20;

    thread_local! {
        static TOP: Cell<usize> = const { Cell::new(0) };
        static END: Cell<usize> = const { Cell::new(0) };
    }

    fn heap() -> Heap {
        let memory: &'static mut [u64] = Box::leak(vec![0; MEMORY / 8].into_boxed_slice());
        TOP.set(memory.as_ptr() as usize);
        END.set(memory.as_ptr() as usize + MEMORY);
        Heap::new(|bytes| {
            let start = TOP.get();
            TOP.set(start + bytes);
            (start + bytes <= END.get()).then_some(start)
        })
    }

    #[test]
    fn classes_hold_what_they_are_for() {
        for bytes in 0..SMALL_MAX - HEADER {
            let size = size_of_block(bytes).expect("it is small");
            let tag = class_of(size);
            assert!(tag < CLASSES && class_size(tag) >= bytes + HEADER, "{bytes}");
            assert!(size <= LINEAR_MAX || class_size(tag) <= size + size / 4 + GRAIN, "{bytes} wastes much");
        }
    }

    /// Blocks of random sizes are filled, resized and released: each keeps its bytes, aligned and apart from the others.
    #[test]
    fn blocks_keep_their_bytes() {
        let (mut heap, mut seed) = (heap(), 7_u64);
        let mut next = move |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let mut live: Vec<(usize, usize, u8)> = Vec::new();
        for round in 0..60_000 {
            let bytes = usize::try_from(if next(20) == 0 { next(200_000) } else { next(600) }).expect("it is small");
            // SAFETY: what is used, resized and released is in `live`.
            unsafe {
                if round % 16 == 0 {
                    heap.seal();
                }
                if live.len() > 300 || (next(3) == 0 && !live.is_empty()) {
                    let index = usize::try_from(next(live.len() as u64)).expect("it is small");
                    let (block, length, fill) = live.swap_remove(index);
                    let held = core::slice::from_raw_parts(block as *const u8, length);
                    assert!(held.iter().all(|byte| *byte == fill), "round {round}");
                    if next(2) == 0 {
                        heap.release(block);
                        continue;
                    }
                    let other = heap.resize(block, bytes);
                    let held = core::slice::from_raw_parts(other as *const u8, length.min(bytes));
                    assert!(held.iter().all(|byte| *byte == fill), "round {round}");
                    fill_in(&mut live, other, bytes, fill);
                } else {
                    let block = heap.allocate(bytes);
                    assert!(block != 0, "round {round}");
                    fill_in(&mut live, block, bytes, u8::try_from(round % 251).expect("it is small"));
                }
            }
        }
    }

    unsafe fn fill_in(live: &mut Vec<(usize, usize, u8)>, block: usize, bytes: usize, fill: u8) {
        // SAFETY: the block has so many bytes.
        unsafe {
            assert!(block.is_multiple_of(GRAIN) && usable(block) >= bytes, "{block:x} has {} of {bytes}", usable(block));
            core::ptr::write_bytes(block as *mut u8, fill, bytes);
        }
        live.push((block, bytes, fill));
    }

    #[test]
    fn large_blocks_are_joined_and_used_again() {
        let mut heap = heap();
        // SAFETY: each block is released once.
        unsafe {
            for _ in 0..100 {
                let blocks: Vec<usize> = (0..10).map(|_| heap.allocate(1 << 20)).collect();
                assert!(!blocks.contains(&0));
                blocks.into_iter().for_each(|block| heap.release(block));
                let one = heap.allocate(10 << 20);
                assert!(one != 0, "what was freed in pieces is one piece");
                heap.release(one);
            }
        }
        assert_eq!(heap.allocate(MEMORY), 0, "what there is not is not given");
    }

    #[test]
    fn after_the_seal_blocks_begin_on_a_page_of_their_own() {
        let mut heap = heap();
        let freed = heap.allocate(100);
        // SAFETY: it is used no more.
        unsafe {
            heap.release(freed);
            heap.seal();
        }
        let (first, second) = (heap.allocate(100), heap.allocate(100));
        assert!(first / PAGE != freed / PAGE && first % PAGE == GRAIN && second - first == 104, "{freed:x} {first:x} {second:x}");
    }
}
