//! Links to objects, for people and programs without a key: signed as AWS clients sign them.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use ports::{
    AccessKeys, AwsEndpoint, Clock,
    presign::LinkWanted,
    secrets::{AccessKey, SecretValue},
};
use types::{AppKey, Code, Elapsed, Problem, Timestamp};

use crate::{encoding::percent_encode, signed::LINK_TIME_MAX};

/// Makes links to what the endpoint serves.
pub struct Links {
    address: SocketAddr,
    access_keys: Arc<dyn AccessKeys>,
    clock: Arc<dyn Clock>,
}

impl Links {
    /// Links to the endpoint at this address.
    #[must_use]
    pub fn new(address: SocketAddr, access_keys: Arc<dyn AccessKeys>, clock: Arc<dyn Clock>) -> Self {
        Self { address, access_keys, clock }
    }

    /// A key of the app that may do this; one is issued if there is none, so that a link can be had before a client was ever set up.
    async fn key(&self, app: &AppKey, writes: bool) -> Result<AccessKey, Problem> {
        let keys = self.access_keys.list(app).await?;
        match keys.into_iter().find(|key| !(writes && key.read_only)) {
            Some(key) => Ok(key),
            None => Ok(self.access_keys.issue(app, !writes).await?),
        }
    }
}

#[async_trait]
impl AwsEndpoint for Links {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn link(&self, app: &AppKey, wanted: &LinkWanted) -> Result<(String, Timestamp), Problem> {
        let writes = match wanted.method.as_str() {
            "GET" | "HEAD" => false,
            "PUT" | "DELETE" => true,
            method => {
                return Err(Problem::new(Code::E0202, format!("a link can't be used with {method:?}")).help("use GET or PUT"));
            }
        };
        if wanted.lasts.is_zero() || wanted.lasts > LINK_TIME_MAX {
            let measured = Elapsed::from(wanted.lasts);
            return Err(Problem::new(
                Code::E0604,
                format!("a link of {measured}, allowed up to {}", Elapsed::from(LINK_TIME_MAX)),
            ));
        }
        let key = self.key(app, writes).await?;
        let now = self.clock.now();
        let url = format!("{}/{}/{}", self.url(), percent_encode(&wanted.bucket), percent_encode(&wanted.key));
        let query = signed(&key, &wanted.method, &url, (now, wanted.lasts)).map_err(|cause| Problem::new(Code::E0601, cause))?;
        Ok((format!("{url}?{query}"), now.plus(Elapsed::from(wanted.lasts))))
    }
}

/// The query that makes a URL a link from `now` on.
fn signed(key: &AccessKey, method: &str, url: &str, (now, lasts): (Timestamp, Duration)) -> Result<String, String> {
    let SecretValue(secret) = &key.secret;
    let secret = std::str::from_utf8(secret).map_err(|_| "the access key is damaged".to_owned())?;
    let identity = Credentials::new(&key.id, secret, None, None, "dayfly").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(lasts);
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(now.unix_ns());
    let params =
        v4::SigningParams::builder().identity(&identity).region("us-east-1").name("s3").time(time).settings(settings).build();
    let params = params.map_err(|error| error.to_string())?.into();
    let request = SignableRequest::new(method, url, std::iter::empty(), SignableBody::UnsignedPayload)
        .map_err(|error| error.to_string())?;
    let (instructions, _) = sign(request, &params).map_err(|error| error.to_string())?.into_parts();
    let pairs = instructions.params().iter().map(|(name, value)| format!("{name}={}", percent_encode(value).replace('/', "%2F")));
    Ok(pairs.collect::<Vec<_>>().join("&"))
}
