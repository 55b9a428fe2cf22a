//! Credentials of a machine (EC2), by the second version of its metadata service.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request};

use super::chain::{Found, read};
use crate::machine::{Asking, fetch, set};

/// Away from Amazon's machines nobody answers; that must not take long.
const TIME: Duration = Duration::from_secs(1);
const SERVICE: &str = "http://169.254.169.254";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

pub(super) async fn ask(asking: Asking<'_>) -> Result<Found, String> {
    if set(asking.lookup, "AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        return Ok(Found::Nothing("AWS_EC2_METADATA_DISABLED is set".to_owned()));
    }
    let own = set(asking.lookup, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let service = own.unwrap_or_else(|| SERVICE.to_owned());
    let service = service.trim_end_matches('/');
    let Ok(token) = text(asking, Method::PUT, &format!("{service}/latest/api/token"), None).await else {
        return Ok(Found::Nothing(
            "this is no machine of Amazon's, or its metadata service does not answer".to_owned(),
        ));
    };
    let failed = |what: String| format!("the machine's metadata service {what}");
    let roles = text(asking, Method::GET, &format!("{service}{ROLES}"), Some(&token)).await;
    let Some(role) = roles.ok().and_then(|roles| roles.lines().next().map(|role| role.trim().to_owned()))
    else {
        return Ok(Found::Nothing("this machine has no role".to_owned()));
    };
    let found = text(asking, Method::GET, &format!("{service}{ROLES}{role}"), Some(&token)).await;
    found.and_then(|text| read(text.as_bytes())).map(Found::Credentials).map_err(failed)
}

/// What the service says at an address.
async fn text(
    asking: Asking<'_>,
    method: Method,
    address: &str,
    token: Option<&str>,
) -> Result<String, String> {
    let odd = || "has an odd address".to_owned();
    let mut request = Request::builder().method(method).uri(address).body(Bytes::new()).map_err(|_| odd())?;
    let headers = request.headers_mut();
    match token {
        Some(token) => {
            let mut value = HeaderValue::from_str(token).map_err(|_| odd())?;
            value.set_sensitive(true);
            headers.insert("x-aws-ec2-metadata-token", value)
        }
        None => headers.insert("x-aws-ec2-metadata-token-ttl-seconds", HeaderValue::from_static("300")),
    };
    let (status, body) = fetch(asking.http, request, TIME).await?;
    if !status.is_success() {
        return Err(format!("answers {status}"));
    }
    String::from_utf8(body).map_err(|_| "answers something that is no text".to_owned())
}
