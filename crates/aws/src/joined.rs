//! Checksums of objects that came in parts, from those of their parts: either of the checksums one after the other, or, where the
//! arithmetic allows it, of all bytes without reading them again.

use crc_fast::CrcAlgorithm;
use data_encoding::BASE64;

use crate::checksum::{Algorithm, Hasher};

/// What a checksum of a joined object is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All bytes.
    Whole,
    /// The checksums of the parts; their number follows after `-`.
    OfParts,
}

impl Kind {
    /// What S3 takes when a client says nothing.
    pub(crate) fn by_default(algorithm: Algorithm) -> Self {
        if algorithm == Algorithm::Crc64Nvme { Self::Whole } else { Self::OfParts }
    }
}

/// The checksum of an object of these parts, given as checksum and size; `None` if there is none of this kind.
pub(crate) fn join(algorithm: Algorithm, kind: Kind, parts: &[(&str, u64)]) -> Option<String> {
    match kind {
        Kind::OfParts => {
            let mut hasher = Hasher::new(algorithm);
            for (checksum, _) in parts {
                hasher.update(&algorithm.decode(checksum)?);
            }
            Some(format!("{}-{}", hasher.finish(), parts.len()))
        }
        Kind::Whole => {
            let crc = match algorithm {
                Algorithm::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
                Algorithm::Crc32c => CrcAlgorithm::Crc32Iscsi,
                Algorithm::Crc64Nvme => CrcAlgorithm::Crc64Nvme,
                Algorithm::Sha1 | Algorithm::Sha256 => return None,
            };
            let mut whole = 0;
            for (index, (checksum, bytes)) in parts.iter().enumerate() {
                let checksum = number(&algorithm.decode(checksum)?);
                whole = if index == 0 { checksum } else { crc_fast::checksum_combine(crc, whole, checksum, *bytes) };
            }
            let bytes = whole.to_be_bytes();
            Some(BASE64.encode(if algorithm == Algorithm::Crc64Nvme { &bytes } else { &bytes[4..] }))
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    #[test]
    fn a_joined_crc_is_that_of_all_bytes() {
        let (first, second, third) = (vec![1; 1000], vec![2; 77], vec![3; 5000]);
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let each: Vec<_> = [&first, &second, &third].map(|part| (of(algorithm, part), part.len() as u64)).into();
            let each: Vec<_> = each.iter().map(|(checksum, bytes)| (checksum.as_str(), *bytes)).collect();
            let all = [first.as_slice(), &second, &third].concat();
            assert_eq!(join(algorithm, Kind::Whole, &each), Some(of(algorithm, &all)), "{algorithm:?}");
        }
        assert_eq!(join(Algorithm::Sha256, Kind::Whole, &[]), None);
    }

    #[test]
    fn a_checksum_of_checksums_counts_its_parts() {
        let part = of(Algorithm::Sha256, b"x");
        let joined = join(Algorithm::Sha256, Kind::OfParts, &[(&part, 1), (&part, 1)]).expect("a checksum");
        let inner = Algorithm::Sha256.decode(&part).expect("base 64");
        assert_eq!(joined, format!("{}-2", of(Algorithm::Sha256, &[inner.clone(), inner].concat())));
    }
}
