//! Tokens, and how they are got for a code, a refresh token or a secret.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use interlingua::Secret;
use serde::{Deserialize, Serialize};

use super::ask::Asker;
use super::discover::Authority;
use super::form;

/// How long before its end a token is not used any more, in seconds.
const EARLY: u64 = 30;
const FORM: &str = "application/x-www-form-urlencoded";

/// Who we are for an authorization server.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) secret: Option<String>,
    /// Whether the secret stands in the form and not in a header.
    #[serde(default)]
    pub(super) is_in_form: bool,
}

/// What was given out for a server. It is never shown, and stored as a secret alone.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    /// Seconds since 1970.
    expires: Option<u64>,
    pub(super) scope: String,
    pub(super) resource: String,
    token_endpoint: String,
    identity: Identity,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
    refresh_token: Option<String>,
    scope: Option<String>,
}

/// What a grant is asked for.
pub(super) struct Wanted<'a> {
    pub(super) endpoint: &'a str,
    pub(super) resource: &'a str,
    pub(super) scope: &'a str,
    pub(super) identity: Identity,
}

impl Identity {
    pub(super) fn new(id: &str, secret: Option<&Secret>, authority: &Authority) -> Self {
        let methods = &authority.token_endpoint_auth_methods_supported;
        let knows = |wanted: &str| methods.iter().any(|method| method == wanted);
        let is_in_form = knows("client_secret_post") && !knows("client_secret_basic");
        Self { id: id.to_owned(), secret: secret.map(|secret| secret.expose().to_owned()), is_in_form }
    }

    fn header(&self) -> Option<Secret> {
        let secret = self.secret.as_ref().filter(|_| !self.is_in_form)?;
        let pair = format!("{}:{}", form::escaped(&self.id), form::escaped(secret));
        Some(Secret::new(format!("Basic {}", STANDARD.encode(pair))))
    }
}

impl Wanted<'_> {
    /// Asks for tokens with the parameters of a grant.
    pub(super) async fn get(self, asker: Asker<'_>, grant: &[(&str, &str)]) -> Result<Tokens, String> {
        let header = self.identity.header();
        let mut pairs = grant.to_vec();
        pairs.push(("resource", self.resource));
        if header.is_none() {
            pairs.push(("client_id", &self.identity.id));
            pairs.extend(self.identity.secret.as_deref().map(|secret| ("client_secret", secret)));
        }
        let given: Given = asker.post(self.endpoint, FORM, header.as_ref(), form::encoded(&pairs)).await?;
        if !given.token_type.eq_ignore_ascii_case("bearer") {
            return Err("the authorization server gives out other tokens than bearer tokens".into());
        }
        Ok(Tokens {
            access: given.access_token,
            refresh: given.refresh_token,
            expires: given.expires_in.map(|time| now().saturating_add(time)),
            scope: given.scope.unwrap_or_else(|| self.scope.to_owned()),
            resource: self.resource.to_owned(),
            token_endpoint: self.endpoint.to_owned(),
            identity: self.identity,
        })
    }
}

impl Tokens {
    pub(super) fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|end| now().saturating_add(EARLY) < end)
    }

    /// New tokens for the refresh token, which may be used up by it; `None` without one.
    pub(super) async fn renewed(&self, asker: Asker<'_>) -> Option<Result<Self, String>> {
        let refresh = self.refresh.as_deref()?;
        let wanted = Wanted {
            endpoint: &self.token_endpoint,
            resource: &self.resource,
            scope: &self.scope,
            identity: self.identity.clone(),
        };
        let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        let renewed = wanted.get(asker, &grant).await;
        Some(renewed.map(|mut tokens| {
            tokens.refresh.get_or_insert_with(|| refresh.to_owned());
            tokens
        }))
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
