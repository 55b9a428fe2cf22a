//! Credentials of a role, given by Amazon's Security Token Service.
//!
//! Source: [AWS, AssumeRole](https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).

use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Uri};

use super::chain::Found;
use super::profile::Section;
use super::{Credentials, Signer};
use crate::calendar::time;
use crate::machine::{Asking, contents, fetch, form, set};
use crate::origin::is_loopback;
use crate::{Lookup, Secret};

const TIME: Duration = Duration::from_secs(10);
const VERSION: &str = "2011-06-15";
/// Who takes the role on, where nobody says.
const SESSION: &str = "interlingua";
/// The variables of a machine that proves who it is by a token in a file.
pub(super) const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
const ROLE: &str = "AWS_ROLE_ARN";
const SESSION_NAME: &str = "AWS_ROLE_SESSION_NAME";

/// The role of a profile, taken on with credentials of its source.
pub(super) async fn assume(
    asking: Asking<'_>,
    profile: &Section,
    credentials: Credentials,
) -> Result<Credentials, String> {
    if profile.contains_key("mfa_serial") {
        return Err("wants a code of a device (mfa_serial), which is not asked for: set credential_process"
            .to_owned());
    }
    let field = |name: &str| profile.get(name).map(String::as_str);
    let mut fields = vec![
        ("Action", "AssumeRole"),
        ("Version", VERSION),
        ("RoleArn", field("role_arn").unwrap_or_default()),
        ("RoleSessionName", field("role_session_name").unwrap_or(SESSION)),
    ];
    fields.extend(field("external_id").map(|id| ("ExternalId", id)));
    fields.extend(field("duration_seconds").map(|seconds| ("DurationSeconds", seconds)));
    let region = region(asking.lookup);
    let mut request = request(asking.lookup, &region, &fields)?;
    let signer = Signer { credentials, region, service: "sts".to_owned() };
    signer
        .sign(&mut request, SystemTime::now())
        .map_err(|error| format!("cannot be signed for: {}", error.message()))?;
    given(asking, request).await
}

/// The role of a profile, taken on with the token in a file that the profile names.
pub(super) async fn of_profile(asking: Asking<'_>, profile: &Section) -> Result<Credentials, String> {
    let field = |name: &str| profile.get(name).map(String::as_str);
    let role = field("role_arn").ok_or("names a web_identity_token_file and no role_arn")?;
    let file = field("web_identity_token_file").unwrap_or_default();
    identify(asking, role, field("role_session_name"), file).await
}

/// The role that the environment names, taken on with the token in a file.
pub(super) async fn of_environment(asking: Asking<'_>) -> Result<Found, String> {
    let Some(file) = set(asking.lookup, TOKEN_FILE) else {
        return Ok(Found::Nothing(format!("{TOKEN_FILE} is not set")));
    };
    let failed = |what: String| format!("the role of {TOKEN_FILE} {what}");
    let role = set(asking.lookup, ROLE).ok_or_else(|| failed(format!("is not named: set {ROLE}")))?;
    let session = set(asking.lookup, SESSION_NAME);
    let found = identify(asking, &role, session.as_deref(), &file).await;
    found.map(Found::Credentials).map_err(failed)
}

async fn identify(
    asking: Asking<'_>,
    role: &str,
    session: Option<&str>,
    file: &str,
) -> Result<Credentials, String> {
    let token = contents(Path::new(file)).map_err(|what| format!("has a token in {what}"))?;
    let token = Secret::new(token.trim());
    let fields = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", VERSION),
        ("RoleArn", role),
        ("RoleSessionName", session.unwrap_or(SESSION)),
        ("WebIdentityToken", token.expose()),
    ];
    given(asking, request(asking.lookup, &region(asking.lookup), &fields)?).await
}

fn region(lookup: &Lookup) -> String {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| set(lookup, name));
    named.unwrap_or_else(|| "us-east-1".to_owned())
}

fn request(lookup: &Lookup, region: &str, fields: &[(&str, &str)]) -> Result<Request<Bytes>, String> {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let own = set(lookup, "AWS_ENDPOINT_URL_STS");
    let address = own.unwrap_or_else(|| format!("https://sts.{region}.{domain}/"));
    let uri: Uri = address.parse().map_err(|_| "is given by a service with an odd address".to_owned())?;
    let host = uri.host().unwrap_or_default();
    if uri.scheme_str() != Some("https") && !is_loopback(host) {
        return Err(format!("would be asked for at {host} without TLS"));
    }
    let mut request =
        Request::post(uri).body(Bytes::from(form(fields))).map_err(|_| "has an odd name".to_owned())?;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(request)
}

async fn given(asking: Asking<'_>, request: Request<Bytes>) -> Result<Credentials, String> {
    let (status, body) = fetch(asking.http, request, TIME)
        .await
        .map_err(|what| format!("is given by a service that {what}"))?;
    let text = String::from_utf8_lossy(&body);
    if !status.is_success() {
        let code =
            element(&text, "Code").filter(|code| code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        return Err(format!("is not given: {} ({status})", code.unwrap_or("the service says no")));
    }
    read(&text).ok_or_else(|| "is given by a service whose answer holds no credentials".to_owned())
}

fn read(text: &str) -> Option<Credentials> {
    let given = element(text, "Credentials")?;
    let field = |name| element(given, name).filter(|value| !value.is_empty());
    Some(Credentials {
        id: field("AccessKeyId")?.to_owned(),
        secret: Secret::new(field("SecretAccessKey")?),
        token: Some(Secret::new(field("SessionToken")?)),
        expires: Some(time(field("Expiration")?)?),
    })
}

/// What stands in the first element of a name. None of those that are read holds anything that is escaped.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0.trim())
}
