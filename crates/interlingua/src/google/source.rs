//! Where tokens come from: the key of a service account, a login of gcloud, an identity of another service, the machine.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::external::External;
use super::{Token, impersonation, jwt};
use crate::machine::{Asking, contents, fetch, form, home, set};
use crate::{Lookup, Secret};

/// The variable that names a file with credentials.
pub(super) const FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
const LOGIN: &str = "gcloud/application_default_credentials.json";
/// What a token is good for.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Where tokens are given out, when the file does not say.
const SERVICE: &str = "https://oauth2.googleapis.com/token";
const MACHINE: &str = "metadata.google.internal";
const PLACE: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
pub(super) const TIME: Duration = Duration::from_secs(10);
/// Away from Google's machines nobody answers; that must not take long.
const SHORT: Duration = Duration::from_secs(2);
/// How long a token lasts when nobody says.
const HOUR: u64 = 3_600;

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type", default)]
    kind: String,
}

/// The credentials of an account: those of a service, with a key, or of a user who has logged in.
#[derive(Deserialize)]
pub(super) struct Account {
    #[serde(default)]
    pub(super) client_email: String,
    #[serde(default)]
    pub(super) private_key: String,
    #[serde(default)]
    pub(super) private_key_id: String,
    #[serde(default)]
    token_uri: Option<String>,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    refresh_token: String,
}

/// The credentials of someone who acts as a service account.
#[derive(Deserialize)]
struct Acting {
    service_account_impersonation_url: String,
    #[serde(default)]
    delegates: Vec<String>,
    source_credentials: Box<RawValue>,
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
    let text = zeroize::Zeroizing::new(contents(path)?);
    let token = written(asking, &text, now).await;
    token.map_err(|what| format!("{} {what}", path.display()))
}

/// The token for credentials of any kind. What a parser says may quote them.
async fn written(asking: Asking<'_>, text: &str, now: SystemTime) -> Result<Token, String> {
    let none = |_| "holds no credentials".to_owned();
    let Kind { kind } = serde_json::from_str(text).map_err(none)?;
    if kind != "impersonated_service_account" {
        return own(asking, &kind, text, now).await;
    }
    let acting: Acting = serde_json::from_str(text).map_err(none)?;
    let source = acting.source_credentials.get();
    let Kind { kind } = serde_json::from_str(source).map_err(none)?;
    let token = own(asking, &kind, source, now).await?;
    let address = &acting.service_account_impersonation_url;
    impersonation::token(asking, address, &token.secret, None, &acting.delegates).await
}

/// The token for credentials that need no others.
async fn own(asking: Asking<'_>, kind: &str, text: &str, now: SystemTime) -> Result<Token, String> {
    let none = |_| "holds no credentials".to_owned();
    match kind {
        "service_account" | "authorized_user" => {
            let account: Account = serde_json::from_str(text).map_err(none)?;
            account.token(asking, kind == "service_account", now).await
        }
        "external_account" => {
            let external: External = serde_json::from_str(text).map_err(none)?;
            external.token(asking, now).await
        }
        kind => Err(format!("holds credentials of the kind `{kind}`, which is not supported")),
    }
}

impl Account {
    async fn token(&self, asking: Asking<'_>, is_service: bool, now: SystemTime) -> Result<Token, String> {
        let service = self.token_uri.as_deref().unwrap_or(SERVICE);
        let form = if is_service {
            let assertion = jwt::signed(self, service, now)?;
            form(&[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", &assertion)])
        } else {
            form(&[
                ("grant_type", "refresh_token"),
                ("client_id", &self.client_id),
                ("client_secret", &self.client_secret),
                ("refresh_token", &self.refresh_token),
            ])
        };
        let given = given(asking, posted(service, form)?, TIME, now).await;
        given.map_err(|what| format!("is not taken: the service {what}"))
    }
}

/// A form for a service.
pub(super) fn posted(address: &str, form: String) -> Result<Request<Bytes>, String> {
    let mut request = guarded(address, form.into())?;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(request)
}

/// What is sent to a service, which must not be read along.
pub(super) fn guarded(address: &str, body: Bytes) -> Result<Request<Bytes>, String> {
    let request = Request::post(address).body(body).map_err(|_| "names an odd service".to_owned())?;
    let host = request.uri().host().unwrap_or_default();
    if request.uri().scheme_str() != Some("https") && !crate::origin::is_loopback(host) {
        return Err("names a service that would be asked without TLS".to_owned());
    }
    Ok(request)
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
pub(super) async fn given(
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
