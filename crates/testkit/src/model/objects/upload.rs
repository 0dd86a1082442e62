//! Uploads in parts.

use std::collections::BTreeMap;

use bytes::Bytes;
use md5::{Digest as _, Md5};
use ports::StoreError;
use types::{
    limits,
    object::{BucketName, ObjectAttributes, ObjectInfo, Part, PutOptions, Upload},
};

use super::{Bucket, ModelObjects, ObjectFlaw, write::New};

pub(super) struct Unfinished {
    pub(super) upload: Upload,
    pub(super) parts: BTreeMap<u32, Written>,
}

#[derive(Clone)]
pub(super) struct Written {
    pub(super) part: Part,
    md5: [u8; 16],
    bytes: Bytes,
}

pub(super) fn check_number(number: u32) -> Result<(), StoreError> {
    match number {
        0 => Err(StoreError::Denied("parts are numbered from 1".into())),
        1..=limits::OBJECT_PARTS => Ok(()),
        _ => Err(StoreError::TooMany { what: "parts", measured: number.into(), allowed: limits::OBJECT_PARTS.into() }),
    }
}

impl Bucket {
    pub(super) fn upload(&mut self, id: &str) -> Result<&mut Unfinished, StoreError> {
        let found = self.uploads.iter_mut().find(|((_, other), _)| other == id);
        found.map(|(_, unfinished)| unfinished).ok_or_else(|| StoreError::Missing(format!("the upload {id}")))
    }
}

impl ModelObjects {
    pub(super) fn begin(&self, bucket: &BucketName, key: &str, attributes: ObjectAttributes) -> Result<Upload, StoreError> {
        let (mut state, began) = (self.state.lock(), self.clock.now());
        state.bucket(bucket)?;
        let upload = Upload { id: state.number(), key: key.to_owned(), began, attributes };
        let unfinished = Unfinished { upload: upload.clone(), parts: BTreeMap::new() };
        state.bucket(bucket)?.uploads.insert((key.to_owned(), upload.id.clone()), unfinished);
        Ok(upload)
    }

    pub(super) fn part(
        &self,
        bucket: &BucketName,
        upload: &str,
        number: u32,
        bytes: Bytes,
        checksums: Vec<(String, String)>,
    ) -> Result<Part, StoreError> {
        let (mut state, modified) = (self.state.lock(), self.clock.now());
        let unfinished = state.bucket(bucket)?.upload(upload)?;
        let md5 = Md5::digest(&bytes);
        let part = Part { number, bytes: bytes.len() as u64, etag: format!("{md5:x}"), modified, checksums };
        unfinished.parts.insert(number, Written { part: part.clone(), md5: md5.into(), bytes });
        Ok(part)
    }

    pub(super) fn complete(
        &self,
        bucket: &BucketName,
        upload: &str,
        named: &[(u32, String)],
        options: PutOptions,
    ) -> Result<ObjectInfo, StoreError> {
        let mut state = self.state.lock();
        let Unfinished { upload, parts } = state.bucket(bucket)?.upload(upload)?;
        let (found, chosen) = (upload.clone(), self.choose(parts, named)?);
        let mut md5 = Md5::new();
        chosen.iter().for_each(|part| md5.update(part.md5));
        let etag = format!("{:x}-{}", md5.finalize(), chosen.len());
        let bytes: Vec<u8> = chosen.iter().flat_map(|part| part.bytes.iter().copied()).collect();
        let parts = chosen.iter().map(|part| part.part.bytes).collect();
        let Upload { id, key, attributes, .. } = found;
        let new = New { key: key.clone(), etag, attributes, checksums: options.checksums, parts, bytes: bytes.into() };
        let info = self.write(&mut state, bucket, new, &options.condition)?;
        state.bucket(bucket)?.uploads.remove(&(key, id));
        Ok(info)
    }

    fn choose(&self, parts: &BTreeMap<u32, Written>, named: &[(u32, String)]) -> Result<Vec<Written>, StoreError> {
        let conflict = |what: String| Err(StoreError::Conflict(what));
        if named.is_empty() {
            return conflict("an upload without parts".into());
        }
        if !named.is_sorted_by(|a, b| a.0 < b.0) && !self.has(ObjectFlaw::IgnoresPartOrder) {
            return conflict("parts out of order".into());
        }
        let mut chosen = Vec::new();
        for (number, etag) in named {
            match parts.get(number) {
                Some(written) if written.part.etag == *etag => chosen.push(written.clone()),
                _ => return conflict(format!("part {number}")),
            }
        }
        Ok(chosen)
    }
}
