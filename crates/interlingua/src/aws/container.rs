//! Credentials of a container: those of a task (ECS) or of a pod (EKS).

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Uri};

use super::chain::{Found, read};
use crate::machine::{Asking, contents, fetch, set};
use crate::origin::is_loopback;

const TIME: Duration = Duration::from_secs(2);
const TASKS: &str = "http://169.254.170.2";
/// The hosts beside this one that are asked without TLS.
const HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

pub(super) async fn ask(asking: Asking<'_>) -> Result<Found, String> {
    let relative = set(asking.lookup, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let whole = || set(asking.lookup, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let Some(address) = relative.map(|path| format!("{TASKS}{path}")).or_else(whole) else {
        return Ok(Found::Nothing("this is no container with a role".to_owned()));
    };
    let failed = |what: String| format!("the container's service {what}");
    credentials(asking, &address).await.map(Found::Credentials).map_err(failed)
}

async fn credentials(asking: Asking<'_>, address: &str) -> Result<super::Credentials, String> {
    let uri: Uri = address.parse().map_err(|_| "has an address that is none".to_owned())?;
    let host = uri.host().unwrap_or_default();
    if uri.scheme_str() != Some("https") && !is_loopback(host) && !HOSTS.contains(&host) {
        return Err(format!("would be asked at {host} without TLS"));
    }
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri;
    if let Some(token) = token(asking)? {
        let mut value = HeaderValue::from_str(token.trim()).map_err(|_| "has an odd token".to_owned())?;
        value.set_sensitive(true);
        request.headers_mut().insert("authorization", value);
    }
    let (status, body) = fetch(asking.http, request, TIME).await?;
    if status.is_success() { read(&body) } else { Err(format!("answers {status}")) }
}

fn token(asking: Asking<'_>) -> Result<Option<String>, String> {
    match set(asking.lookup, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(path) => contents(Path::new(&path)).map(Some).map_err(|what| format!("has a token in {what}")),
        None => Ok(set(asking.lookup, "AWS_CONTAINER_AUTHORIZATION_TOKEN")),
    }
}
