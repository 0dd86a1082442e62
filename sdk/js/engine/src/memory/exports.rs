//! The C library's names for the allocator. What the library has by these names itself is not linked.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr;

use super::heap::{self, Heap};

const PAGE: usize = 64 << 10;
/// Set in the header of a block that was moved forward to be aligned; the rest of it is how far.
const MOVED: u32 = 1 << 31;
/// What the image has room for beyond what is used: so much a request allocates without asking for more memory.
const SLACK: usize = 1 << 20;

struct Global(UnsafeCell<State>);

struct State {
    heap: Heap,
    /// What lies beyond this is free. 0 before the first block.
    top: usize,
}

// SAFETY: an instance has one thread.
unsafe impl Sync for Global {}

static GLOBAL: Global = Global(UnsafeCell::new(State { heap: Heap::new(grow), top: 0 }));

fn heap() -> &'static mut Heap {
    // SAFETY: there is one thread, and nothing below calls back into the allocator.
    unsafe { &mut (*GLOBAL.0.get()).heap }
}

fn grow(bytes: usize) -> Option<usize> {
    unsafe extern "C" {
        static __heap_base: u8;
    }
    // SAFETY: there is one thread; the heap begins where the linker says that nothing else is.
    let top = unsafe { &mut (*GLOBAL.0.get()).top };
    if *top == 0 {
        *top = (&raw const __heap_base as usize).next_multiple_of(16);
    }
    let end = top.checked_add(bytes)?;
    let have = core::arch::wasm32::memory_size(0) * PAGE;
    if end > have && core::arch::wasm32::memory_grow(0, (end - have).div_ceil(PAGE)) == usize::MAX {
        return None;
    }
    let start = *top;
    *top = end;
    Some(start)
}

/// Prepares the memory to become an image. See [`super`].
pub(crate) fn seal() {
    // SAFETY: whoever frees a block does not use it.
    unsafe { heap().seal() };
    // SAFETY: as in `grow`.
    let top = unsafe { (*GLOBAL.0.get()).top };
    let missing = (top + SLACK).saturating_sub(core::arch::wasm32::memory_size(0) * PAGE);
    // If there is no more, a request will find out for itself.
    let _ = core::arch::wasm32::memory_grow(0, missing.div_ceil(PAGE));
}

/// Zeroes what earlier calls left on the stack, which lies below everything else: the image neither holds nor depends on it. Pages that
/// were not used are not touched.
#[inline(never)]
pub(crate) fn clear_stack() {
    /// Far more than this function needs itself.
    const OWN: usize = 1 << 10;
    const STEP: usize = 4 << 10;
    let here = core::hint::black_box(0_u32);
    let used = (&raw const here as usize).saturating_sub(OWN);
    // 0 is no address to Rust.
    let mut start = 8;
    while start < used {
        let end = (start + 1).next_multiple_of(STEP).min(used);
        // SAFETY: the stack grows downwards, so nothing below the present frame is in use.
        unsafe {
            if core::slice::from_raw_parts(start as *const u8, end - start).iter().any(|byte| *byte != 0) {
                ptr::write_bytes(start as *mut u8, 0, end - start);
            }
        }
        start = end;
    }
}

#[unsafe(no_mangle)]
extern "C" fn malloc(bytes: usize) -> *mut c_void {
    heap().allocate(bytes) as *mut c_void
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, bytes: usize) -> *mut c_void {
    let Some(bytes) = count.checked_mul(bytes) else { return ptr::null_mut() };
    let block = heap().allocate(bytes) as *mut c_void;
    if !block.is_null() {
        // SAFETY: the block has so many bytes.
        unsafe { ptr::write_bytes(block.cast::<u8>(), 0, bytes) };
    }
    block
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    if !block.is_null() {
        // SAFETY: the caller says that it is a block, and done with.
        unsafe { heap().release(origin(block as usize)) };
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, bytes: usize) -> *mut c_void {
    if block.is_null() {
        return heap().allocate(bytes) as *mut c_void;
    }
    let start = origin(block as usize);
    if start == block as usize {
        // SAFETY: the caller says that it is a block, and done with.
        return unsafe { heap().resize(start, bytes) } as *mut c_void;
    }
    let other = heap().allocate(bytes);
    if other != 0 {
        // SAFETY: both blocks have as many bytes.
        unsafe {
            ptr::copy_nonoverlapping(block.cast::<u8>(), other as *mut u8, malloc_usable_size(block).min(bytes));
            heap().release(start);
        }
    }
    other as *mut c_void
}

#[unsafe(no_mangle)]
extern "C" fn aligned_alloc(alignment: usize, bytes: usize) -> *mut c_void {
    if alignment <= 8 {
        return heap().allocate(bytes) as *mut c_void;
    }
    let Some(room) = bytes.checked_add(alignment) else { return ptr::null_mut() };
    let start = heap().allocate(room);
    let block = start.next_multiple_of(alignment);
    if block != start {
        // SAFETY: there are at least 8 bytes between the two, which are ours.
        unsafe { *((block - 4) as *mut u32) = MOVED | (block - start) as u32 };
    }
    block as *mut c_void
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(into: *mut *mut c_void, alignment: usize, bytes: usize) -> i32 {
    const NO_MEMORY: i32 = 48;
    let block = aligned_alloc(alignment, bytes);
    // SAFETY: the caller says where the address goes.
    unsafe { *into = block };
    if block.is_null() { NO_MEMORY } else { 0 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    if block.is_null() {
        return 0;
    }
    let start = origin(block as usize);
    // SAFETY: the caller says that it is a block.
    unsafe { heap::usable(start) - (block as usize - start) }
}

/// Where a block begins that may have been moved forward.
fn origin(block: usize) -> usize {
    // SAFETY: each block has a header of this size in front of it.
    let tag = unsafe { *((block - 4) as *const u32) };
    if tag & MOVED == 0 { block } else { block - (tag & !MOVED) as usize }
}
