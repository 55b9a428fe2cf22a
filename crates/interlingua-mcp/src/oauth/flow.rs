//! The ways to a token: a person at a browser, or a secret of the program's own.

use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::ask::{Asker, host};
use super::challenge::Challenge;
use super::discover::{Authority, Protected};
use super::loopback::Loopback;
use super::tokens::{Identity, Tokens, Wanted};
use super::{Ask, McpLogin, Way, form, pkce};

#[derive(Deserialize)]
struct Registered {
    client_id: String,
    client_secret: Option<String>,
    #[serde(default)]
    token_endpoint_auth_method: String,
}

impl McpLogin {
    /// Logs in for a challenge. `scope` are the scopes to ask for; the server's own if it is empty.
    pub(super) async fn fresh(
        &self,
        asker: Asker<'_>,
        challenge: &Challenge,
        scope: &str,
    ) -> Result<Tokens, String> {
        let resource = Protected::find(asker, challenge.metadata.as_deref()).await?;
        let authority = Authority::find(asker, resource.issuer()?).await?;
        let all = resource.scopes_supported.join(" ");
        let scope = if scope.is_empty() { &all } else { scope };
        let login = Login { asker, authority: &authority, resource: &resource.resource, scope };
        match &self.way {
            Way::Machine(id, secret) => login.machine(Identity::new(id, Some(secret), &authority)).await,
            Way::Person(redirect, ask) => login.person(self, redirect.as_deref(), ask).await,
        }
    }
}

/// What a login is about.
#[derive(Clone, Copy)]
struct Login<'a> {
    asker: Asker<'a>,
    authority: &'a Authority,
    resource: &'a str,
    scope: &'a str,
}

/// One way to the browser and back.
struct Attempt<'a> {
    redirect: &'a str,
    client: &'a str,
    state: String,
    verifier: String,
}

impl<'a> Attempt<'a> {
    fn new(redirect: &'a str, client: &'a str) -> Result<Self, String> {
        Ok(Self { redirect, client, state: pkce::word()?, verifier: pkce::word()? })
    }
}

impl<'a> Login<'a> {
    fn wanted(self, identity: Identity) -> Wanted<'a> {
        Wanted {
            endpoint: &self.authority.token_endpoint,
            resource: self.resource,
            scope: self.scope,
            identity,
        }
    }

    async fn machine(self, identity: Identity) -> Result<Tokens, String> {
        let mut grant = vec![("grant_type", "client_credentials")];
        grant.extend((!self.scope.is_empty()).then_some(("scope", self.scope)));
        self.wanted(identity).get(self.asker, &grant).await
    }

    async fn person(self, login: &McpLogin, redirect: Option<&str>, ask: &Ask) -> Result<Tokens, String> {
        self.authority.check_codes()?;
        let loopback = if redirect.is_none() { Some(Loopback::open().await?) } else { None };
        let address = loopback.as_ref().map(|loopback| loopback.address.clone());
        let redirect = redirect.map(str::to_owned).or(address).unwrap_or_default();
        let identity = self.identity(login, &redirect).await?;
        let attempt = Attempt::new(&redirect, &identity.id)?;
        let page = self.page(&attempt)?;
        let coming = async {
            let came = ask(page).await.map_err(|why| format!("the login was given up: {why}"))?;
            if let Some(loopback) = loopback { loopback.wait().await } else { Ok(came) }
        };
        let late = |_| format!("nobody logged in within {:?}", login.limit);
        let came = timeout(login.limit, coming).await.map_err(late)??;
        let code = self.code(&attempt, &came)?;
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", &redirect),
            ("code_verifier", &attempt.verifier),
        ];
        self.wanted(identity.clone()).get(self.asker, &grant).await
    }

    /// Who we are: as configured, or registered for this login (RFC 7591).
    async fn identity(self, login: &McpLogin, redirect: &str) -> Result<Identity, String> {
        if let Some((id, secret)) = &login.client {
            return Ok(Identity::new(id, secret.as_ref(), self.authority));
        }
        let Some(endpoint) = &self.authority.registration_endpoint else {
            let host = host(&self.authority.issuer);
            return Err(format!(
                "{host} registers nobody by itself: register there, and set the client's id"
            ));
        };
        let body = json!({
            "client_name": login.name, "redirect_uris": [redirect], "response_types": ["code"],
            "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
            "application_type": "native",
        });
        let given: Registered = self.asker.post(endpoint, "application/json", None, body.to_string()).await?;
        let is_in_form = given.token_endpoint_auth_method == "client_secret_post";
        Ok(Identity { id: given.client_id, secret: given.client_secret, is_in_form })
    }

    /// The address for the browser.
    fn page(self, attempt: &Attempt<'_>) -> Result<String, String> {
        let endpoint = &self.authority.authorization_endpoint;
        form::allowed(endpoint, self.asker.server)?;
        let challenge = pkce::challenge(&attempt.verifier);
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", attempt.client),
            ("redirect_uri", attempt.redirect),
            ("state", &attempt.state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", self.resource),
        ];
        pairs.extend((!self.scope.is_empty()).then_some(("scope", self.scope)));
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{joint}{}", form::encoded(&pairs)))
    }

    /// The code in the address that the browser came back to, if it belongs to this attempt and this issuer.
    fn code(self, attempt: &Attempt<'_>, came: &str) -> Result<String, String> {
        let query = came.split_once('?').map_or("", |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        if form::value(query, "state").as_deref() != Some(&attempt.state) {
            return Err("the browser came back from another login (`state` differs): log in again".into());
        }
        let issuer = form::value(query, "iss");
        let is_missing = issuer.is_none() && self.authority.authorization_response_iss_parameter_supported;
        if is_missing || issuer.is_some_and(|issuer| issuer != self.authority.issuer) {
            return Err("the browser came back from another issuer (`iss` differs): log in again".into());
        }
        if let Some(error) = form::value(query, "error") {
            return Err(format!("the login was refused: {}", crate::text::line(&error, crate::text::NAME)));
        }
        form::value(query, "code").ok_or_else(|| "the browser came back without a code: log in again".into())
    }
}
