//! Identities of other services, which Google exchanges for tokens of its own (workload identity federation).
//!
//! Sources: [Google, Obtain credentials for an external account](https://google.aip.dev/auth/4117) and RFC 8693.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request};
use serde::Deserialize;
use serde_json::Value;

use super::source::{SCOPE, TIME, given, posted};
use super::{Token, impersonation};
use crate::Secret;
use crate::machine::{Asking, contents, fetch, form};

const SERVICE: &str = "https://sts.googleapis.com/v1/token";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What a file says of an identity of another service.
#[derive(Deserialize)]
pub(super) struct External {
    audience: String,
    subject_token_type: String,
    #[serde(default)]
    token_url: Option<String>,
    credential_source: Place,
    #[serde(default)]
    service_account_impersonation_url: Option<String>,
    #[serde(default)]
    service_account_impersonation: Option<Lifetime>,
    #[serde(default)]
    workforce_pool_user_project: Option<String>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    client_secret: Option<String>,
}

#[derive(Deserialize)]
struct Lifetime {
    #[serde(default)]
    token_lifetime_seconds: Option<u64>,
}

/// Where the token of the other service is.
#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    format: Format,
    #[serde(default)]
    environment_id: Option<String>,
}

/// How the token is written there.
#[derive(Default, Deserialize)]
struct Format {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    subject_token_field_name: String,
}

impl External {
    /// A token of Google for the token of the other service.
    pub(super) async fn token(&self, asking: Asking<'_>, now: SystemTime) -> Result<Token, String> {
        let subject = self.credential_source.token(asking).await?;
        let token = self.exchanged(asking, &subject, now).await?;
        let Some(address) = &self.service_account_impersonation_url else { return Ok(token) };
        let lifetime = self.service_account_impersonation.as_ref();
        let lifetime = lifetime.and_then(|lifetime| lifetime.token_lifetime_seconds);
        impersonation::token(asking, address, &token.secret, lifetime, &[]).await
    }

    async fn exchanged(
        &self,
        asking: Asking<'_>,
        subject: &Secret,
        now: SystemTime,
    ) -> Result<Token, String> {
        let options = self.workforce_pool_user_project.as_ref();
        let options = options.map(|project| serde_json::json!({ "userProject": project }).to_string());
        let mut fields = vec![
            ("grant_type", EXCHANGE),
            ("audience", &*self.audience),
            ("scope", SCOPE),
            ("requested_token_type", ACCESS),
            ("subject_token", subject.expose()),
            ("subject_token_type", &*self.subject_token_type),
        ];
        fields.extend(options.as_deref().map(|options| ("options", options)));
        let mut request = posted(self.token_url.as_deref().unwrap_or(SERVICE), form(&fields))?;
        if let (Some(id), Some(secret)) = (&self.client_id, &self.client_secret) {
            let pair = STANDARD.encode(format!("{id}:{secret}"));
            let mut value = HeaderValue::from_str(&format!("Basic {pair}"))
                .map_err(|_| "names an odd client".to_owned())?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let given = given(asking, request, TIME, now).await;
        given.map_err(|what| format!("is not taken: the service {what}"))
    }
}

impl Place {
    async fn token(&self, asking: Asking<'_>) -> Result<Secret, String> {
        let text = match (&self.environment_id, &self.file, &self.url) {
            (Some(id), ..) => {
                return Err(format!(
                    "takes its identity from `{id}`, which is not supported: use a file or a URL"
                ));
            }
            (None, Some(file), _) => {
                contents(Path::new(file)).map_err(|what| format!("has a token in {what}"))?
            }
            (None, None, Some(url)) => self.fetched(asking, url).await?,
            (None, None, None) => {
                return Err(
                    "takes its identity from a program or a certificate, which is not supported: use a \
                            file or a URL"
                        .to_owned(),
                );
            }
        };
        self.format.read(text.trim()).map(Secret::new).ok_or_else(|| self.format.complaint())
    }

    async fn fetched(&self, asking: Asking<'_>, url: &str) -> Result<String, String> {
        let mut request =
            Request::get(url).body(Bytes::new()).map_err(|_| "has a token at an odd address".to_owned())?;
        for (name, value) in &self.headers {
            let odd = || format!("has a malformed header `{name}`");
            let name = HeaderName::try_from(&**name).map_err(|_| odd())?;
            let mut value = HeaderValue::try_from(&**value).map_err(|_| odd())?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        let failed = |what: String| format!("has a token at an address that {what}");
        let (status, body) = fetch(asking.http, request, TIME).await.map_err(failed)?;
        if !status.is_success() {
            return Err(failed(format!("answers {status}")));
        }
        String::from_utf8(body).map_err(|_| failed("answers something that is no text".to_owned()))
    }
}

impl Format {
    fn read(&self, text: &str) -> Option<String> {
        if self.kind != "json" {
            return Some(text.to_owned()).filter(|text| !text.is_empty());
        }
        let object: BTreeMap<String, Value> = serde_json::from_str(text).ok()?;
        object.get(&self.subject_token_field_name)?.as_str().map(ToOwned::to_owned)
    }

    fn complaint(&self) -> String {
        match &*self.kind {
            "json" => format!("has a token in JSON without the field `{}`", self.subject_token_field_name),
            _ => "has an empty token".to_owned(),
        }
    }
}
