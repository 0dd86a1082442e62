//! Memory files that already hold the base image, so that a script's first request waits only for what is different in its own.
//!
//! Filling one takes longer than all else of loading a script, and freeing one nearly as long. So files are used again: when a script leaves memory,
//! its file waits here for the next, which writes the pages in which the two differ and no more. Before there are any, a few are made ahead.
//!
//! A file is written to only between two scripts: [`Lease`] is what keeps the second from beginning before the first is gone.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use rustix::fs::{FallocateFlags, MemfdFlags};

use super::delta::{self, Delta, PAGE};

/// Files that are made ahead, as soon as fewer than half of them lie ready.
const READY: usize = 4;
/// Files that are kept when scripts give them back.
const READY_MAX: usize = 8;

/// The base image and files that hold it.
pub(super) struct Stock {
    base: Vec<u8>,
    /// Bytes that a file with the base takes.
    bytes: u64,
    ready: Mutex<Vec<Blank>>,
    filling: AtomicBool,
}

/// A file that nobody reads.
struct Blank {
    file: File,
    /// The pages that may hold something else than the base, in ascending order.
    stale: Vec<u32>,
}

/// A script's file in memory.
pub(super) struct Filled {
    /// It, to be mapped.
    pub(super) file: File,
    /// About how many bytes of memory it takes.
    pub(super) bytes: u64,
    /// To be kept for as long as anything maps the file.
    pub(super) lease: Lease,
}

/// The right to a file's content. When it is dropped the file may be overwritten: whoever holds it drops all that maps the file before.
pub(crate) struct Lease {
    stock: Arc<Stock>,
    blank: Option<Blank>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(blank) = self.blank.take() else { return };
        let mut ready = self.stock.ready.lock();
        if ready.len() < READY_MAX {
            ready.push(blank);
        }
    }
}

impl Stock {
    pub(super) fn new(base: Vec<u8>) -> Self {
        let bytes = delta::stretches(&base).iter().map(|(_, stretch)| stretch.len() as u64).sum();
        Self { base, bytes, ready: Mutex::default(), filling: AtomicBool::new(false) }
    }

    /// The base.
    pub(super) fn base(&self) -> &[u8] {
        &self.base
    }

    /// A file that holds what the difference makes of the base.
    pub(super) fn file(self: &Arc<Self>, delta: &Delta) -> io::Result<Filled> {
        let taken = self.take();
        let Blank { file, stale } = match taken {
            Some(blank) => blank,
            None => self.blank()?,
        };
        file.set_len(delta.bytes() as u64)?;
        self.restore(&file, &stale, delta)?;
        let mut changed = 0;
        delta.apply(&self.base, |at, bytes| {
            changed += bytes.len() as u64;
            file.write_all_at(bytes, at as u64)
        })?;
        // Where the file is shorter than the base, the next one finds nothing.
        let cut = word(delta.bytes() / PAGE)..word(self.base.len().div_ceil(PAGE));
        let stale = delta.pages().iter().copied().filter(|page| !cut.contains(page)).chain(cut.clone()).collect();
        let lease = Lease { stock: self.clone(), blank: Some(Blank { file: file.try_clone()?, stale }) };
        Ok(Filled { file, bytes: self.bytes + changed, lease })
    }

    /// A file that lies ready. Others are made beside if few are left.
    fn take(self: &Arc<Self>) -> Option<Blank> {
        let (taken, left) = {
            let mut ready = self.ready.lock();
            (ready.pop(), ready.len())
        };
        if left < READY / 2 {
            self.refill();
        }
        taken
    }

    /// Writes the base over what another script left, except where this one's difference is written anyway.
    fn restore(&self, file: &File, stale: &[u32], delta: &Delta) -> io::Result<()> {
        let own = delta.pages();
        for page in stale.iter().filter(|page| own.binary_search(page).is_err()) {
            let begin = *page as usize * PAGE;
            let length = PAGE.min(delta.bytes().saturating_sub(begin));
            if length == 0 {
                break;
            }
            let base = self.base.get(begin..).map_or(&[][..], |rest| &rest[..PAGE.min(rest.len())]);
            if delta::is_zero(base) {
                // A page of zeros takes no memory, which must not grow from one script to the next.
                let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
                rustix::fs::fallocate(file, flags, begin as u64, PAGE as u64)?;
                continue;
            }
            let mut whole = [0; PAGE];
            whole[..base.len()].copy_from_slice(base);
            file.write_all_at(&whole[..length], begin as u64)?;
        }
        Ok(())
    }

    /// A new file with the base.
    fn blank(&self) -> io::Result<Blank> {
        let file = File::from(rustix::fs::memfd_create("dayfly-script", MemfdFlags::CLOEXEC)?);
        file.set_len(self.base.len() as u64)?;
        for (at, stretch) in delta::stretches(&self.base) {
            file.write_all_at(stretch, at as u64)?;
        }
        Ok(Blank { file, stale: Vec::new() })
    }

    /// Has files made until enough lie ready, unless that is being done. Outside of a runtime none are made ahead.
    pub(super) fn refill(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.filling.swap(true, Ordering::Relaxed) {
            return;
        }
        let stock = self.clone();
        runtime.spawn_blocking(move || {
            while stock.ready.lock().len() < READY {
                // Whoever needs one tries again, and tells why it fails.
                let Ok(blank) = stock.blank() else { break };
                stock.ready.lock().push(blank);
            }
            stock.filling.store(false, Ordering::Relaxed);
        });
    }
}

fn word(page: usize) -> u32 {
    u32::try_from(page).expect("images are smaller than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A base of ten pages: zeros in the first three, and a part of a page at its end.
    fn base() -> Vec<u8> {
        (0..10 * PAGE + 77).map(|at| if at < 3 * PAGE { 0 } else { at as u8 }).collect()
    }

    fn content(file: &File) -> Vec<u8> {
        let mut found = vec![0; file.metadata().expect("a file").len() as usize];
        file.read_exact_at(&mut found, 0).expect("readable");
        found
    }

    #[test]
    fn a_file_holds_what_the_difference_makes_whatever_another_script_left_in_it() {
        let base = base();
        let stock = Arc::new(Stock::new(base.clone()));
        let mut longer = base.clone();
        (longer[5 * PAGE], longer[PAGE]) = (7, 7);
        longer.extend(vec![3; 2 * PAGE]);
        let mut sparse = base.clone();
        sparse[3 * PAGE..6 * PAGE].fill(0);
        let other: Vec<u8> = base.iter().map(|byte| !byte).collect();
        let wanted = [&base[..], &longer, &base[..6 * PAGE + 5], &sparse, &other[..9 * PAGE], &other, &[]];
        for first in wanted {
            for second in wanted {
                for third in wanted {
                    for script in [first, second, third] {
                        let Filled { file, bytes: _, lease } = stock.file(&Delta::between(&base, script)).expect("a file");
                        assert!(content(&file) == script);
                        drop(lease);
                    }
                }
            }
        }
        assert_eq!(stock.ready.lock().len(), 1, "all used the same");
    }

    #[test]
    fn memory_does_not_grow_from_one_script_to_the_next() {
        use std::os::unix::fs::MetadataExt;
        let base = base();
        let stock = Arc::new(Stock::new(base.clone()));
        let taken = |script: &[u8]| {
            let Filled { file, .. } = stock.file(&Delta::between(&base, script)).expect("a file");
            file.metadata().expect("a file").blocks() * 512
        };
        let empty = taken(&base);
        for page in 0..3 {
            let mut script = base.clone();
            script[page * PAGE] = 1;
            assert_eq!(taken(&script), empty + PAGE as u64);
        }
        assert_eq!(taken(&base), empty);
    }

    #[test]
    fn a_file_is_used_again_only_when_its_lease_is_gone_and_few_are_kept() {
        let stock = Arc::new(Stock::new(base()));
        let delta = Delta::between(stock.base(), stock.base());
        let held: Vec<_> = (0..2 * READY_MAX).map(|_| stock.file(&delta).expect("a file")).collect();
        assert_eq!(stock.ready.lock().len(), 0);
        drop(held);
        assert_eq!(stock.ready.lock().len(), READY_MAX);
    }
}
