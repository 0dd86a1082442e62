//! Pages of listings, by looking at every key.

use ports::StoreError;
use types::{
    limits,
    object::{BucketName, ObjectInfo, ObjectPage, ObjectQuery, VersionId},
};

use super::{ModelObjects, ObjectFlaw, Version};

/// What is listed.
#[derive(Clone, Copy)]
pub(super) enum Order<'a> {
    /// Objects that are there.
    Present,
    /// All versions, newest first within a key; the first page may begin after one of them.
    Versions(Option<&'a VersionId>),
}

/// What stands for all keys that share it up to the delimiter.
fn group<'a>(key: &'a str, query: &ObjectQuery) -> Option<&'a str> {
    let delimiter = query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
    let at = key.strip_prefix(query.prefix.as_str())?.find(delimiter)?;
    Some(&key[..query.prefix.len() + at + delimiter.len()])
}

/// The versions of a key that come after where the page begins.
fn rest<'a>(key: &str, versions: &'a [Version], query: &ObjectQuery, after: Option<&VersionId>) -> Vec<&'a Version> {
    let newest_first = versions.iter().rev();
    match &query.after {
        Some(last) if last == key => {
            let Some(after) = after else { return vec![] };
            let at = versions.iter().rev().position(|version| version.info.version == *after);
            newest_first.skip(at.map_or(0, |at| at + 1)).collect()
        }
        _ => newest_first.collect(),
    }
}

impl ModelObjects {
    pub(super) fn list(&self, bucket: &BucketName, query: &ObjectQuery, order: Order<'_>) -> Result<ObjectPage, StoreError> {
        let mut state = self.state.lock();
        let bucket = state.bucket(bucket)?;
        let limit = query.limit.min(limits::BUCKET_PAGE);
        let mut page = ObjectPage::default();
        let mut last: Option<String> = None;
        let after = query.after.as_deref();
        for (key, versions) in bucket.keys.iter().filter(|(key, _)| key.starts_with(&query.prefix)) {
            let group = group(key, query);
            let was_given = group.is_some() && group == after && !self.has(ObjectFlaw::RepeatsGroups);
            if was_given || after.is_some_and(|after| key.as_str() < after) {
                continue;
            }
            let found: Vec<&ObjectInfo> = match order {
                Order::Present if after == Some(key) => vec![],
                Order::Present => {
                    let newest = versions.last().map(|version| &version.info);
                    newest.filter(|info| !info.is_delete_marker || self.has(ObjectFlaw::ListsDeleted)).into_iter().collect()
                }
                Order::Versions(version) => {
                    rest(key, versions, query, version).into_iter().map(|version| &version.info).collect()
                }
            };
            for info in found {
                if group.is_some() && page.prefixes.last().map(String::as_str) == group {
                    break;
                }
                if page.objects.len() + page.prefixes.len() >= limit {
                    page.next = last;
                    return Ok(page);
                }
                match group {
                    Some(group) => page.prefixes.push(group.to_owned()),
                    None => page.objects.push(info.clone()),
                }
                last = Some(group.unwrap_or(key).to_owned());
            }
        }
        Ok(page)
    }
}
