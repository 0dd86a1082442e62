//! The rules for the end of objects.

use std::time::Duration;

use ports::StoreError;
use types::{
    Timestamp,
    object::{BucketName, LifecycleRule, VersionId},
};

use super::{Bucket, State};

fn is_over(since: Timestamp, span: Option<Duration>, now: Timestamp) -> bool {
    span.is_some_and(|span| since.plus(span.into()) <= now)
}

/// What goes by a rule: key, and version if it goes for ever.
type Going = Vec<(String, Option<VersionId>)>;

/// What a rule ends now, and whether that counts.
type Step = (fn(&Bucket, &LifecycleRule, Timestamp) -> Going, bool);

impl State {
    /// Follows the rules, each step on what the one before has left: objects, old versions, lone delete markers, uploads.
    pub(super) fn sweep(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let rules: Vec<(BucketName, LifecycleRule)> = (self.buckets.iter())
            .flat_map(|(name, bucket)| bucket.config.lifecycle.iter().map(|rule| (name.clone(), rule.clone())))
            .filter(|(_, rule)| rule.enabled)
            .collect();
        let mut gone = 0;
        let steps: [Step; 3] = [(expired, true), (old, true), (lone_markers, false)];
        for (find, counts) in steps {
            for (name, rule) in &rules {
                for (key, version) in find(self.bucket(name)?, rule, now) {
                    let is_marker = version.is_some()
                        && self.bucket(name)?.version(&key, version.as_ref()).is_some_and(|found| found.info.is_delete_marker);
                    self.delete(name, &key, version.as_ref(), now)?;
                    gone += u64::from(counts && !is_marker);
                }
            }
        }
        for (name, rule) in &rules {
            let is_kept = |key: &str, began| !(key.starts_with(&rule.prefix) && is_over(began, rule.abort_uploads, now));
            self.bucket(name)?.uploads.retain(|(key, _), unfinished| is_kept(key, unfinished.upload.began));
        }
        Ok(gone)
    }
}

fn expired(bucket: &Bucket, rule: &LifecycleRule, now: Timestamp) -> Going {
    let newest = bucket.keys.iter().filter_map(|(key, versions)| Some((key, versions.last()?)));
    let going = newest.filter(|(key, newest)| {
        key.starts_with(&rule.prefix) && !newest.info.is_delete_marker && is_over(newest.info.modified, rule.expire, now)
    });
    going.map(|(key, _)| (key.clone(), None)).collect()
}

fn old(bucket: &Bucket, rule: &LifecycleRule, now: Timestamp) -> Going {
    let of_rule = bucket.keys.iter().filter(|(key, _)| key.starts_with(&rule.prefix));
    let versions = of_rule.flat_map(|(key, versions)| versions.iter().map(move |version| (key, version)));
    let going = versions.filter(|(_, version)| version.old_since.is_some_and(|since| is_over(since, rule.expire_old, now)));
    going.map(|(key, version)| (key.clone(), Some(version.info.version.clone()))).collect()
}

fn lone_markers(bucket: &Bucket, rule: &LifecycleRule, now: Timestamp) -> Going {
    let lone = bucket.keys.iter().filter_map(|(key, versions)| match &versions[..] {
        [only] if only.info.is_delete_marker && key.starts_with(&rule.prefix) => Some((key, only)),
        _ => None,
    });
    let going = lone.filter(|(_, marker)| is_over(marker.info.modified, rule.expire, now));
    going.map(|(key, marker)| (key.clone(), Some(marker.info.version.clone()))).collect()
}
