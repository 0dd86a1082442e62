//! What is refused before anything is written.

use std::collections::BTreeMap;

use ports::StoreError;
use types::{
    limits,
    object::{BucketConfig, ObjectAttributes},
};

use super::ingest::within;

fn sum<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> u64 {
    pairs.into_iter().map(|(name, value)| (name.len() + value.len()) as u64).sum()
}

pub(super) fn key(key: &str) -> Result<(), StoreError> {
    if key.is_empty() {
        return Err(StoreError::Denied("the key of an object can't be empty".into()));
    }
    within("key", key.len() as u64, limits::OBJECT_KEY)
}

pub(super) fn tags(tags: &BTreeMap<String, String>) -> Result<(), StoreError> {
    within("tags", sum(tags), limits::OBJECT_METADATA)
}

pub(super) fn attributes(attributes: &ObjectAttributes) -> Result<(), StoreError> {
    let ObjectAttributes { content_type, headers, metadata, tags: all } = attributes;
    let said = content_type.as_ref().map_or(0, |text| text.len() as u64) + sum(headers) + sum(metadata);
    within("metadata", said, limits::OBJECT_METADATA)?;
    tags(all)
}

pub(super) fn checksums(checksums: &[(String, String)]) -> Result<(), StoreError> {
    within("checksums", sum(checksums.iter().map(|(name, value)| (name, value))), limits::OBJECT_CHECKSUMS)
}

/// The settings as they are kept.
pub(super) fn settings(config: &BucketConfig) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(config).expect("plain data with text keys always serializes");
    within("settings", json.len() as u64, limits::BUCKET_SETTINGS)?;
    Ok(json)
}
