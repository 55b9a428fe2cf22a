//! Where tokens come from: the key of a service account, a login of gcloud, the machine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};
use serde::Deserialize;

use super::{Token, jwt};
use crate::machine::{Asking, contents, fetch, home, set};
use crate::{Lookup, Secret};

/// The variable that names a file with credentials.
pub(super) const FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
const LOGIN: &str = "gcloud/application_default_credentials.json";
/// Where tokens are given out, when the file does not say.
const SERVICE: &str = "https://oauth2.googleapis.com/token";
const MACHINE: &str = "metadata.google.internal";
const PLACE: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
const TIME: Duration = Duration::from_secs(10);
/// Away from Google's machines nobody answers; that must not take long.
const SHORT: Duration = Duration::from_secs(2);
/// How long a token lasts when nobody says.
const HOUR: u64 = 3_600;

/// A file with credentials, of any kind.
#[derive(Deserialize)]
pub(super) struct Written {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    pub(super) client_email: String,
    #[serde(default)]
    pub(super) private_key: String,
    #[serde(default)]
    pub(super) private_key_id: String,
    #[serde(default)]
    pub(super) token_uri: Option<String>,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    refresh_token: String,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

/// Asks every place. A file that is there and gives no token ends the search: another place would be somebody else's.
pub(super) async fn find(asking: Asking<'_>, now: SystemTime) -> Result<Token, String> {
    let mut said = Vec::new();
    match set(asking.lookup, FILE).map(PathBuf::from) {
        Some(path) => return file(asking, &path, now).await,
        None => said.push(format!("{FILE} is not set")),
    }
    match login(asking.lookup).filter(|path| path.exists()) {
        Some(path) => return file(asking, &path, now).await,
        None => said.push("there is no login of gcloud".to_owned()),
    }
    machine(asking, now).await.map_err(|why| {
        said.push(why);
        said.join("; ")
    })
}

/// The file that `gcloud auth application-default login` leaves.
fn login(lookup: &Lookup) -> Option<PathBuf> {
    let own = set(lookup, "CLOUDSDK_CONFIG")
        .map(|folder| Path::new(&folder).join("application_default_credentials.json"));
    let windows = || set(lookup, "APPDATA").map(|folder| Path::new(&folder).join(LOGIN));
    own.or_else(windows).or_else(|| Some(home(lookup)?.join(".config").join(LOGIN)))
}

async fn file(asking: Asking<'_>, path: &Path, now: SystemTime) -> Result<Token, String> {
    let failed = |what: String| format!("{} {what}", path.display());
    let text = zeroize::Zeroizing::new(contents(path)?);
    // What a parser says may quote the file.
    let written: Written =
        serde_json::from_str(&text).map_err(|_| failed("holds no credentials".to_owned()))?;
    let service = written.token_uri.as_deref().unwrap_or(SERVICE);
    let form = match &*written.kind {
        "service_account" => {
            let assertion = jwt::signed(&written, service, now).map_err(&failed)?;
            form(&[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", &assertion)])
        }
        "authorized_user" => form(&[
            ("grant_type", "refresh_token"),
            ("client_id", &written.client_id),
            ("client_secret", &written.client_secret),
            ("refresh_token", &written.refresh_token),
        ]),
        kind => {
            return Err(failed(format!("holds credentials of the kind `{kind}`, which is not supported")));
        }
    };
    let mut request = Request::post(service)
        .body(Bytes::from(form))
        .map_err(|_| failed("names an odd service".to_owned()))?;
    if request.uri().scheme_str() != Some("https")
        && !crate::origin::is_loopback(request.uri().host().unwrap_or_default())
    {
        return Err(failed("names a service that would be asked without TLS".to_owned()));
    }
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    given(asking, request, TIME, now)
        .await
        .map_err(|what| failed(format!("is not taken: the service {what}")))
}

async fn machine(asking: Asking<'_>, now: SystemTime) -> Result<Token, String> {
    let host = set(asking.lookup, "GCE_METADATA_HOST").unwrap_or_else(|| MACHINE.to_owned());
    let request =
        Request::get(format!("http://{host}{PLACE}")).header("metadata-flavor", "Google").body(Bytes::new());
    let request = request.map_err(|_| "GCE_METADATA_HOST is no host".to_owned())?;
    let given = given(asking, request, SHORT, now).await;
    given.map_err(|what| format!("this is no machine of Google's, or its metadata service {what}"))
}

/// The token that a service gives.
async fn given(
    asking: Asking<'_>,
    request: Request<Bytes>,
    time: Duration,
    now: SystemTime,
) -> Result<Token, String> {
    let (status, body) = fetch(asking.http, request, time).await?;
    if !status.is_success() {
        return Err(format!("answers {status}"));
    }
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| "gives no token".to_owned())?;
    let lasts = Duration::from_secs(answer.expires_in.unwrap_or(HOUR));
    let expires = now.checked_add(lasts).ok_or("gives a token without end")?;
    Ok(Token { secret: Secret::new(answer.access_token), expires })
}

/// The body of a form.
fn form(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend([name, "="]);
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                // Writing into a text does not fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}
