//! When objects end by themselves. Rules that would do what the platform does not are refused as a whole: a rule that is half
//! kept deletes too much or too little.

use std::time::Duration;

use s3s::{
    S3Request, S3Response, S3Result,
    dto::{
        AbortIncompleteMultipartUpload, DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput, ExpirationStatus,
        GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput, LifecycleExpiration, LifecycleRule as Given,
        LifecycleRuleFilter, NoncurrentVersionExpiration, PutBucketLifecycleConfigurationInput,
        PutBucketLifecycleConfigurationOutput,
    },
    s3_error,
};
use types::object::LifecycleRule;

use super::{Api, refuse};

/// Rules that a bucket may have.
const RULES: usize = 1_000;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn get(
    api: &Api,
    req: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let config = api.config(&api.bucket(&req, &req.input.bucket)?).await?;
    if config.lifecycle.is_empty() {
        return Err(s3_error!(NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist"));
    }
    let rules = config.lifecycle.into_iter().map(written).collect();
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
        rules: Some(rules),
        transition_default_minimum_object_size: None,
    }))
}

pub(super) async fn put(
    api: &Api,
    req: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    let given = req.input.lifecycle_configuration.as_ref().map(|config| config.rules.as_slice()).unwrap_or_default();
    if given.is_empty() || given.len() > RULES {
        return Err(s3_error!(MalformedXML, "{} rules, allowed 1 to {RULES}", given.len()));
    }
    let rules = given.iter().enumerate().map(|(index, rule)| checked(index, rule)).collect::<S3Result<Vec<_>>>()?;
    if let Some(rule) = rules.iter().enumerate().find(|(index, rule)| rules[..*index].iter().any(|before| before.id == rule.id)) {
        return Err(s3_error!(InvalidArgument, "Rule ID must be unique. Found same ID for more than one rule: {:?}", rule.1.id));
    }
    api.reconfigure(&req, &req.input.bucket, |config| config.lifecycle = rules).await?;
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput::default()))
}

pub(super) async fn delete(
    api: &Api,
    req: S3Request<DeleteBucketLifecycleInput>,
) -> S3Result<S3Response<DeleteBucketLifecycleOutput>> {
    api.reconfigure(&req, &req.input.bucket, |config| config.lifecycle.clear()).await?;
    Ok(S3Response::with_status(DeleteBucketLifecycleOutput::default(), http::StatusCode::NO_CONTENT))
}

fn checked(index: usize, rule: &Given) -> S3Result<LifecycleRule> {
    refuse(
        "moving objects to another storage class",
        rule.transitions.is_some() || rule.noncurrent_version_transitions.is_some(),
    )?;
    let filter = rule.filter.clone().unwrap_or_default();
    let and = filter.and.clone().unwrap_or_default();
    let by_size =
        [filter.object_size_greater_than, filter.object_size_less_than, and.object_size_greater_than, and.object_size_less_than];
    refuse("a lifecycle rule by size", by_size.iter().any(Option::is_some))?;
    refuse("a lifecycle rule by tag", filter.tag.is_some() || and.tags.is_some_and(|tags| !tags.is_empty()))?;
    let expiration = rule.expiration.clone().unwrap_or_default();
    refuse("the end of objects at a date", expiration.date.is_some())?;
    refuse("removing delete markers by rule", expiration.expired_object_delete_marker == Some(true))?;
    let old = rule.noncurrent_version_expiration.clone().unwrap_or_default();
    refuse("keeping a number of old versions", old.newer_noncurrent_versions.is_some())?;
    let aborted = rule.abort_incomplete_multipart_upload.as_ref().and_then(|abort| abort.days_after_initiation);
    let checked = LifecycleRule {
        id: rule.id.clone().unwrap_or_else(|| format!("rule-{}", index + 1)),
        enabled: rule.status.as_str() == ExpirationStatus::ENABLED,
        prefix: filter.prefix.or(and.prefix).or_else(|| rule.prefix.clone()).unwrap_or_default(),
        expire: days(expiration.days)?,
        expire_old: days(old.noncurrent_days)?,
        abort_uploads: days(aborted)?,
    };
    match (checked.expire, checked.expire_old, checked.abort_uploads) {
        (None, None, None) => Err(s3_error!(InvalidRequest, "At least one action needs to be specified in a rule")),
        _ => Ok(checked),
    }
}

fn days(days: Option<i32>) -> S3Result<Option<Duration>> {
    let Some(days) = days else { return Ok(None) };
    let days = u32::try_from(days).ok().filter(|days| *days > 0);
    let days = days.ok_or_else(|| s3_error!(InvalidArgument, "'Days' must be a positive integer"))?;
    Ok(Some(DAY * days))
}

fn written(rule: LifecycleRule) -> Given {
    // Rules from a manifest count in any unit; S3 knows days, and a part of one counts as one.
    let days = |span: Duration| i32::try_from(span.as_secs().div_ceil(DAY.as_secs())).unwrap_or(i32::MAX);
    Given {
        id: Some(rule.id),
        status: ExpirationStatus::from_static(if rule.enabled { ExpirationStatus::ENABLED } else { ExpirationStatus::DISABLED }),
        filter: Some(LifecycleRuleFilter { prefix: Some(rule.prefix), ..LifecycleRuleFilter::default() }),
        expiration: rule.expire.map(|span| LifecycleExpiration { days: Some(days(span)), ..LifecycleExpiration::default() }),
        noncurrent_version_expiration: (rule.expire_old).map(|span| NoncurrentVersionExpiration {
            noncurrent_days: Some(days(span)),
            ..NoncurrentVersionExpiration::default()
        }),
        abort_incomplete_multipart_upload: (rule.abort_uploads)
            .map(|span| AbortIncompleteMultipartUpload { days_after_initiation: Some(days(span)) }),
        noncurrent_version_transitions: None,
        prefix: None,
        transitions: None,
    }
}
