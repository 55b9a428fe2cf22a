//! Who gives out tokens for a server (RFC 9728), and where (RFC 8414, `OpenID` Connect Discovery).

use http::Uri;
use serde::Deserialize;

use super::ask::{Asker, host};
use super::form;

/// What a server says of itself.
#[derive(Deserialize)]
pub(super) struct Protected {
    pub(super) resource: String,
    #[serde(default)]
    authorization_servers: Vec<String>,
    #[serde(default)]
    pub(super) scopes_supported: Vec<String>,
}

/// What an authorization server says of itself.
#[derive(Deserialize)]
pub(super) struct Authority {
    pub(super) issuer: String,
    #[serde(default)]
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) registration_endpoint: Option<String>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    pub(super) token_endpoint_auth_methods_supported: Vec<String>,
    /// Whether the browser comes back with the issuer's name (RFC 9207).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl Protected {
    /// Finds it where the challenge says, or at the well-known addresses.
    pub(super) async fn find(asker: Asker<'_>, told: Option<&str>) -> Result<Self, String> {
        let server = form::allowed(asker.server, asker.server)?;
        let places = told.map_or_else(
            || well_known(&server, "oauth-protected-resource", true),
            |told| vec![told.to_owned()],
        );
        for place in places {
            if let Some(found) = asker.get::<Self>(&place).await? {
                found.check(&server)?;
                return Ok(found);
            }
        }
        Err("it does not say who gives out its tokens (RFC 9728): set a token in its headers".into())
    }

    /// A server may speak for itself alone, or for all that is below an address that is its own.
    fn check(&self, server: &Uri) -> Result<(), String> {
        let named: Uri = self.resource.parse().map_err(|_| "its metadata name no resource".to_owned())?;
        let (path, below) = (server.path().trim_end_matches('/'), named.path().trim_end_matches('/'));
        let is_own = path.strip_prefix(below).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if is_own && form::origin(&named) == form::origin(server) {
            return Ok(());
        }
        Err(format!("its metadata are those of another resource, at {}", host(&self.resource)))
    }

    /// Who gives out tokens: the first that is named.
    pub(super) fn issuer(&self) -> Result<&str, String> {
        self.authorization_servers
            .first()
            .map(String::as_str)
            .ok_or_else(|| "its metadata name no authorization server".into())
    }
}

impl Authority {
    pub(super) async fn find(asker: Asker<'_>, issuer: &str) -> Result<Self, String> {
        let uri = form::allowed(issuer, asker.server)?;
        let mut places = well_known(&uri, "oauth-authorization-server", false);
        places.extend(well_known(&uri, "openid-configuration", false));
        places.push(format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')));
        places.dedup();
        for place in places {
            let Some(found) = asker.get::<Self>(&place).await? else { continue };
            if found.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
                return Err(format!("{} calls itself another issuer than the server says", host(issuer)));
            }
            return Ok(found);
        }
        Err(format!("{} does not say where it gives out tokens (RFC 8414)", host(issuer)))
    }

    /// Checks that codes are bound to whoever asked for them.
    pub(super) fn check_codes(&self) -> Result<(), String> {
        if self.code_challenge_methods_supported.iter().any(|method| method == "S256") {
            return Ok(());
        }
        Err(format!("{} does not say that it knows PKCE with S256", host(&self.issuer)))
    }
}

/// The well-known addresses of a document: with the path behind, and without it if wanted.
fn well_known(uri: &Uri, document: &str, has_root: bool) -> Vec<String> {
    let root = format!("{}/.well-known/{document}", form::origin(uri));
    let path = uri.path().trim_end_matches('/');
    if path.is_empty() {
        return vec![root];
    }
    let mut places = vec![format!("{root}{path}")];
    places.extend(has_root.then_some(root));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_addresses_stand_before_the_path() {
        let uri: Uri = "https://A.test:443/one/two/".parse().unwrap();
        assert_eq!(
            well_known(&uri, "x", true),
            ["https://a.test/.well-known/x/one/two", "https://a.test/.well-known/x"]
        );
        assert_eq!(
            well_known(&"https://a.test".parse().unwrap(), "x", true),
            ["https://a.test/.well-known/x"]
        );
    }

    #[test]
    fn a_resource_is_the_server_or_above_it() {
        let server: Uri = "https://a.test/one/two".parse().unwrap();
        for (resource, is_own) in [
            ("https://a.test/one/two", true),
            ("https://a.test/one", true),
            ("https://a.test", true),
            ("https://a.test/on", false),
            ("https://a.test/one/two/three", false),
            ("https://b.test/one/two", false),
            ("http://a.test/one/two", false),
        ] {
            let resource = Protected {
                resource: resource.into(),
                authorization_servers: vec![],
                scopes_supported: vec![],
            };
            assert_eq!(resource.check(&server).is_ok(), is_own, "{}", resource.resource);
        }
    }
}
