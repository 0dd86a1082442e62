//! The form of an object's file: its bytes, then a checksum of each block of them, so that what is read is right or an error.
//!
//! A block's checksum depends on the file's number and the block's, so that blocks and files that changed places are noticed too.

use std::{fs::File, io::Write as _, os::unix::fs::FileExt as _};

use ports::StoreError;

use super::{
    files::{Files, Temporary, failure},
    row::Piece,
};
use crate::failpoint::{Passed, Point};

/// What has one checksum: 64 KiB, the least that is read for a byte.
pub(super) const BLOCK: u64 = 64 * 1024;
/// What is read at once.
const WINDOW: u64 = 16 * BLOCK;
/// So often what was written is handed to the disk, so that the fsync at the end finds little to do.
const FLUSH: u64 = 8 << 20;
const SUM_BYTES: u64 = 4;

fn seed(file: u64, block: u64) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&file.to_le_bytes()), &block.to_le_bytes())
}

/// Writes a file from its beginning to its end.
pub(super) struct Writer {
    file: File,
    temporary: Temporary,
    bytes: u64,
    flushed: u64,
    sums: Vec<u8>,
    /// Of the block that is not full yet.
    sum: u32,
}

impl Writer {
    pub(super) fn new((file, temporary): (File, Temporary)) -> Self {
        let sum = seed(temporary.id, 0);
        Self { file, temporary, bytes: 0, flushed: 0, sums: vec![], sum }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = BLOCK - self.bytes % BLOCK;
            let (now, later) = rest.split_at(rest.len().min(usize::try_from(room).expect("a block fits into memory")));
            self.sum = crc32c::crc32c_append(self.sum, now);
            self.bytes += now.len() as u64;
            if self.bytes.is_multiple_of(BLOCK) {
                self.end_block();
            }
            rest = later;
        }
        self.append(bytes)?;
        if self.bytes - self.flushed >= FLUSH {
            // Begins to write what is dirty; a hint, so that its failure means nothing.
            let count = std::num::NonZeroU64::new(self.bytes - self.flushed);
            let _ = rustix::fs::fadvise(&self.file, self.flushed, count, rustix::fs::Advice::DontNeed);
            self.flushed = self.bytes;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| failure(&self.temporary.files().path(self.temporary.id), "write", &error))
    }

    fn end_block(&mut self) {
        self.sums.extend(self.sum.to_le_bytes());
        self.sum = seed(self.temporary.id, self.bytes.div_ceil(BLOCK));
    }

    /// Makes all of it durable.
    pub(super) fn finish(mut self) -> Result<(u64, Temporary), StoreError> {
        if !self.bytes.is_multiple_of(BLOCK) {
            self.end_block();
        }
        let sums = std::mem::take(&mut self.sums);
        self.append(&sums)?;
        let Self { file, temporary, bytes, .. } = self;
        let files = temporary.files();
        match files.failpoints.pass(Point::ObjectBeforeSync) {
            Passed::On => files.sync(&file, temporary.id)?,
            Passed::Skip => {}
            Passed::Fail => {
                let text = "a failpoint failed the fsync of an object".to_owned();
                files.stop.stop(&text);
                return Err(StoreError::Failed(text));
            }
        }
        files.failpoints.pass(Point::ObjectAfterSync);
        Ok((bytes, temporary))
    }
}

/// A file that is read.
pub(super) struct Opened {
    file: File,
    piece: Piece,
}

impl Opened {
    pub(super) fn open(files: &Files, piece: Piece) -> Result<Self, StoreError> {
        let path = files.path(piece.file);
        let file = File::open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::Damaged(format!("{} is gone", path.display())),
            _ => failure(&path, "open", &error),
        })?;
        Ok(Self { file, piece })
    }

    /// Reads verified bytes from `at` on: until `end`, and at most a window.
    pub(super) fn read(&self, files: &Files, at: u64, end: u64) -> Result<bytes::Bytes, StoreError> {
        let first = at / BLOCK;
        let from = first * BLOCK;
        let to = (from + WINDOW).min(end.div_ceil(BLOCK) * BLOCK).min(self.piece.bytes);
        let size = |count: u64| usize::try_from(count).expect("a window fits into memory");
        let (mut bytes, mut sums) = (vec![0; size(to - from)], vec![0; size((to - from).div_ceil(BLOCK) * SUM_BYTES)]);
        let read = |buffer: &mut [u8], at| {
            self.file.read_exact_at(buffer, at).map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => StoreError::Damaged(format!("the file {:016x} is cut", self.piece.file)),
                _ => failure(&files.path(self.piece.file), "read", &error),
            })
        };
        read(&mut bytes, from)?;
        read(&mut sums, self.piece.bytes + first * SUM_BYTES)?;
        if files.failpoints.pass(Point::ObjectVerify) != Passed::Skip {
            self.verify(first, &bytes, &sums)?;
        }
        let end = size(end.min(to) - from);
        Ok(bytes::Bytes::from(bytes).slice(size(at - from)..end))
    }

    fn verify(&self, first: u64, bytes: &[u8], sums: &[u8]) -> Result<(), StoreError> {
        let blocks = bytes.chunks(usize::try_from(BLOCK).expect("a block fits into memory"));
        for (block, (bytes, sum)) in (first..).zip(blocks.zip(sums.chunks_exact(4))) {
            if crc32c::crc32c_append(seed(self.piece.file, block), bytes).to_le_bytes() != sum {
                let place = block * BLOCK;
                return Err(StoreError::Damaged(format!("the file {:016x} behind byte {place}", self.piece.file)));
            }
        }
        Ok(())
    }
}
