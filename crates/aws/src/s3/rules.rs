//! Settings of buckets: versions, and the pages of other origins that may call them.

use ports::objects::BucketConfig;
use s3s::{
    S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        BucketVersioningStatus, CORSRule, DeleteBucketCorsInput, DeleteBucketCorsOutput, GetBucketCorsInput, GetBucketCorsOutput,
        GetBucketVersioningInput, GetBucketVersioningOutput, PutBucketCorsInput, PutBucketCorsOutput, PutBucketVersioningInput,
        PutBucketVersioningOutput,
    },
    s3_error,
};
use types::object::{CorsRule, Versioning};

use super::{Api, refuse};
use crate::error;

/// Rules for other origins that a bucket may have.
const CORS_RULES: usize = 100;
/// The methods that such a rule may name.
const CORS_METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];

impl Api {
    /// Changes a bucket's settings.
    pub(super) async fn reconfigure<T>(
        &self,
        req: &S3Request<T>,
        name: &str,
        change: impl FnOnce(&mut BucketConfig),
    ) -> S3Result<()> {
        let bucket = self.bucket(req, name)?;
        let mut config = self.config(&bucket).await?;
        change(&mut config);
        self.objects.configure(&bucket, config).await.map_err(|error| error::of_store(error, S3ErrorCode::NoSuchBucket))
    }
}

pub(super) async fn versioning(
    api: &Api,
    req: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let config = api.config(&api.bucket(&req, &req.input.bucket)?).await?;
    let status = match config.versioning {
        Versioning::Off => None,
        Versioning::On => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    let status = status.map(BucketVersioningStatus::from_static);
    Ok(S3Response::new(GetBucketVersioningOutput { mfa_delete: None, status }))
}

pub(super) async fn put_versioning(
    api: &Api,
    req: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let asked = &req.input.versioning_configuration;
    refuse("MFA delete", asked.mfa_delete.as_ref().is_some_and(|mfa| mfa.as_str() == "Enabled"))?;
    let versioning = match asked.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::On,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => return Err(s3_error!(MalformedXML, "The Versioning element must be specified: Enabled or Suspended")),
    };
    api.reconfigure(&req, &req.input.bucket, |config| config.versioning = versioning).await?;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}

pub(super) async fn cors(api: &Api, req: S3Request<GetBucketCorsInput>) -> S3Result<S3Response<GetBucketCorsOutput>> {
    let config = api.config(&api.bucket(&req, &req.input.bucket)?).await?;
    if config.cors.is_empty() {
        return Err(s3_error!(NoSuchCORSConfiguration, "The CORS configuration does not exist"));
    }
    Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(config.cors.into_iter().map(written).collect()) }))
}

pub(super) async fn put_cors(api: &Api, req: S3Request<PutBucketCorsInput>) -> S3Result<S3Response<PutBucketCorsOutput>> {
    let given = &req.input.cors_configuration.cors_rules;
    if given.is_empty() || given.len() > CORS_RULES {
        return Err(s3_error!(MalformedXML, "{} rules, allowed 1 to {CORS_RULES}", given.len()));
    }
    let rules = given.iter().map(checked).collect::<S3Result<Vec<_>>>()?;
    api.reconfigure(&req, &req.input.bucket, |config| config.cors = rules).await?;
    Ok(S3Response::new(PutBucketCorsOutput::default()))
}

pub(super) async fn delete_cors(
    api: &Api,
    req: S3Request<DeleteBucketCorsInput>,
) -> S3Result<S3Response<DeleteBucketCorsOutput>> {
    api.reconfigure(&req, &req.input.bucket, |config| config.cors.clear()).await?;
    Ok(S3Response::with_status(DeleteBucketCorsOutput::default(), http::StatusCode::NO_CONTENT))
}

fn checked(rule: &CORSRule) -> S3Result<CorsRule> {
    let headers = rule.allowed_headers.clone().unwrap_or_default();
    if let Some(method) = rule.allowed_methods.iter().find(|method| !CORS_METHODS.contains(&method.as_str())) {
        return Err(s3_error!(InvalidRequest, "Found unsupported HTTP method in CORS config. Unsupported method is {method}"));
    }
    if rule.allowed_methods.is_empty() || rule.allowed_origins.is_empty() {
        return Err(s3_error!(MalformedXML, "A rule names at least one method and one origin"));
    }
    if let Some(pattern) = rule.allowed_origins.iter().chain(&headers).find(|pattern| pattern.matches('*').count() > 1) {
        return Err(s3_error!(InvalidRequest, "{pattern:?} can not have more than one wildcard."));
    }
    Ok(CorsRule {
        origins: rule.allowed_origins.clone(),
        methods: rule.allowed_methods.clone(),
        headers,
        expose: rule.expose_headers.clone().unwrap_or_default(),
        max_age: rule.max_age_seconds.and_then(|seconds| u32::try_from(seconds).ok()),
    })
}

fn written(rule: CorsRule) -> CORSRule {
    let some = |all: Vec<String>| (!all.is_empty()).then_some(all);
    CORSRule {
        allowed_headers: some(rule.headers),
        allowed_methods: rule.methods,
        allowed_origins: rule.origins,
        expose_headers: some(rule.expose),
        id: None,
        max_age_seconds: rule.max_age.and_then(|seconds| i32::try_from(seconds).ok()),
    }
}
