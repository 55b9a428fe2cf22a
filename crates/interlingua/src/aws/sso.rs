//! Credentials of a user who has logged in with `aws sso login`.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use ring::digest;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::chain::read;
use super::profile::{Files, Section};
use super::{Credentials, sigv4};
use crate::calendar::time;
use crate::machine::{Asking, contents, fetch, home, set};

const TIME: Duration = Duration::from_secs(10);

/// What the login left.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    access_token: String,
    expires_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    role_credentials: Box<RawValue>,
}

/// The credentials of the role that a profile names.
pub(super) async fn ask(asking: Asking<'_>, profile: &Section, files: &Files) -> Result<Credentials, String> {
    let session = profile.get("sso_session");
    let shared = session.and_then(|name| files.sessions.get(name));
    let field = |name: &str| profile.get(name).or_else(|| shared?.get(name));
    let wanted = |name: &str| field(name).ok_or_else(|| format!("names no {name}"));
    let (region, start) = (wanted("sso_region")?, wanted("sso_start_url")?);
    let (account, role) = (wanted("sso_account_id")?, wanted("sso_role_name")?);
    let token = login(asking, session.unwrap_or(start))?;
    let endpoint = set(asking.lookup, "AWS_ENDPOINT_URL_SSO")
        .unwrap_or_else(|| format!("https://portal.sso.{region}.amazonaws.com"));
    let address = format!("{endpoint}/federation/credentials?role_name={role}&account_id={account}");
    let request = Request::get(address).header("x-amz-sso_bearer_token", token).body(Bytes::new());
    let request = request.map_err(|_| "has an odd role, account or region".to_owned())?;
    let (status, body) =
        fetch(asking.http, request, TIME).await.map_err(|what| format!("has a login service that {what}"))?;
    if !status.is_success() {
        return Err(format!("is refused by the login service ({status}): run `aws sso login`"));
    }
    let answer: Answer = serde_json::from_slice(&body)
        .map_err(|_| "has a login service that gives no credentials".to_owned())?;
    read(answer.role_credentials.get().as_bytes()).map_err(|what| format!("has a login service that {what}"))
}

/// The token of the login, which lies in a file by the SHA-1 of the session's name.
fn login(asking: Asking<'_>, key: &str) -> Result<String, String> {
    let name = sigv4::hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes()).as_ref());
    let folder = home(asking.lookup).ok_or("needs HOME to be set")?;
    let path = folder.join(".aws/sso/cache").join(format!("{name}.json"));
    let text = contents(&path).map_err(|_| "is not logged in: run `aws sso login`".to_owned())?;
    let login: Login =
        serde_json::from_str(&text).map_err(|_| format!("has an odd login in {}", path.display()))?;
    let lasts = time(&login.expires_at).is_some_and(|expires| SystemTime::now() < expires);
    if lasts { Ok(login.access_token) } else { Err("is no longer logged in: run `aws sso login`".to_owned()) }
}
