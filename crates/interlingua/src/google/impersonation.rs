//! Tokens of a service account for someone who may act as it.
//!
//! Source: [Google, generateAccessToken](https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken).

use bytes::Bytes;
use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::{Deserialize, Serialize};

use super::Token;
use super::source::{SCOPE, TIME, guarded};
use crate::Secret;
use crate::calendar::time;
use crate::machine::{Asking, fetch};

/// How long a token lasts, where nobody says.
const HOUR: u64 = 3_600;

#[derive(Serialize)]
struct Wanted<'a> {
    scope: [&'a str; 1],
    lifetime: String,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    delegates: &'a [String],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    access_token: String,
    expire_time: String,
}

/// The token of the account that an address names.
pub(super) async fn token(
    asking: Asking<'_>,
    address: &str,
    own: &Secret,
    lifetime: Option<u64>,
    delegates: &[String],
) -> Result<Token, String> {
    let failed = |what: &str| format!("may not act as its service account: the service {what}");
    let wanted = Wanted { scope: [SCOPE], lifetime: format!("{}s", lifetime.unwrap_or(HOUR)), delegates };
    let body = serde_json::to_vec(&wanted).map_err(|_| failed("cannot be asked"))?;
    let mut request = guarded(address, Bytes::from(body))?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", own.expose()))
        .map_err(|_| failed("takes no such token"))?;
    value.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, value);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let (status, body) = fetch(asking.http, request, TIME).await.map_err(|what| failed(&what))?;
    if !status.is_success() {
        return Err(failed(&format!("answers {status}")));
    }
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| failed("gives no token"))?;
    let expires = time(&answer.expire_time).ok_or_else(|| failed("gives a token without end"))?;
    Ok(Token { secret: Secret::new(answer.access_token), expires })
}
