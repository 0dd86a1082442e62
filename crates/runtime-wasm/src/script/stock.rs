//! Memory files that already hold the base image, so that a script's first request waits only for what is different in its own.
//!
//! Filling one takes most of the time of loading a script. So a few lie ready, and whoever takes one has the next made beside it.

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
use rustix::fs::{MemfdFlags, SealFlags};

use super::delta::{self, Delta};

/// Files that lie ready.
const READY: usize = 4;

/// The base image and files that hold it.
pub(super) struct Stock {
    base: Vec<u8>,
    /// Bytes that a file with the base takes.
    bytes: u64,
    ready: Mutex<Vec<File>>,
    filling: AtomicBool,
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

    /// A sealed file that holds what the difference makes of the base, and about how many bytes of memory it takes.
    pub(super) fn file(self: &Arc<Self>, delta: &Delta) -> io::Result<(File, u64)> {
        let taken = self.ready.lock().pop();
        self.refill();
        let file = match taken {
            Some(file) => file,
            None => self.filled()?,
        };
        file.set_len(delta.bytes() as u64)?;
        let mut changed = 0;
        delta.apply(&self.base, |at, bytes| {
            changed += bytes.len() as u64;
            file.write_all_at(bytes, at as u64)
        })?;
        rustix::fs::fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok((file, self.bytes + changed))
    }

    fn filled(&self) -> io::Result<File> {
        let file = File::from(rustix::fs::memfd_create("dayfly-script", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
        file.set_len(self.base.len() as u64)?;
        for (at, stretch) in delta::stretches(&self.base) {
            file.write_all_at(stretch, at as u64)?;
        }
        Ok(file)
    }

    /// Has files made until enough lie ready, unless that is being done. Outside of a runtime none are made ahead.
    fn refill(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.filling.swap(true, Ordering::Relaxed) {
            return;
        }
        let stock = self.clone();
        runtime.spawn_blocking(move || {
            while stock.ready.lock().len() < READY {
                // Whoever needs one tries again, and tells why it fails.
                let Ok(file) = stock.filled() else { break };
                stock.ready.lock().push(file);
            }
            stock.filling.store(false, Ordering::Relaxed);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_file_holds_what_the_difference_makes_whether_it_lay_ready_or_not() {
        let base: Vec<u8> = (0..10 * delta::PAGE).map(|at| if at < 3 * delta::PAGE { 0 } else { at as u8 }).collect();
        let stock = Arc::new(Stock::new(base.clone()));
        let mut longer = base.clone();
        longer[5 * delta::PAGE] ^= 7;
        longer.extend([1, 2, 3]);
        for wanted in [&base[..], &longer, &base[..6 * delta::PAGE + 5]] {
            for is_ready in [false, true] {
                if is_ready {
                    stock.ready.lock().push(stock.filled().expect("a file"));
                }
                let (mut file, _) = stock.file(&Delta::between(&base, wanted)).expect("a file");
                let mut found = Vec::new();
                file.read_to_end(&mut found).expect("readable");
                assert!(found == wanted && file.write_all_at(&[1], 0).is_err(), "it is sealed");
            }
        }
    }
}
