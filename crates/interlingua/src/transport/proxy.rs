use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use interlingua_model::{Error, ErrorKind};
use tower_service::Service as _;

use crate::Lookup;
use crate::origin::is_loopback;
use crate::transport::stream::Connection;
use crate::transport::{connector, failure, tls};

/// Which calls go through a proxy.
#[derive(Debug)]
pub(crate) struct Proxies(Matcher);

/// A proxy that a call goes through.
#[derive(Debug)]
pub(crate) struct Proxy(Intercept);

impl Proxy {
    /// A connection through the proxy: a tunnel with TLS in it, or one in which the proxy reads the requests.
    pub(crate) async fn connect(self, tcp: HttpConnector, uri: &Uri) -> Result<Connection, Error> {
        let at = self.0.uri();
        if at.scheme_str() != Some("http") {
            let scheme = at.scheme_str().unwrap_or_default();
            let message = format!("a proxy of the scheme `{scheme}` is not supported, only `http`");
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        if uri.scheme_str() != Some("https") {
            return Ok(Connection::plain(connector::dial(tcp, at).await?, true));
        }
        let mut tunnel = Tunnel::new(at.clone(), tcp);
        if let Some(value) = self.0.basic_auth() {
            tunnel = tunnel.with_auth(value.clone());
        }
        let tcp = tunnel.call(uri.clone()).await.map_err(|error| failure::of_proxy(error, at))?;
        tls::connect(tcp, uri).await
    }
}

impl Proxies {
    /// Reads the usual variables; capitals first, as curl does, but for `http_proxy`, which a web server's client
    /// could set in capitals.
    pub(crate) fn new(lookup: &Lookup) -> Self {
        let first = |names: [&str; 2]| {
            names
                .into_iter()
                .find_map(|name| lookup(name).filter(|value| !value.is_empty()))
                .unwrap_or_default()
        };
        let is_cgi = lookup("REQUEST_METHOD").is_some();
        let http = if is_cgi {
            lookup("http_proxy").unwrap_or_default()
        } else {
            first(["HTTP_PROXY", "http_proxy"])
        };
        let matcher = Matcher::builder()
            .all(first(["ALL_PROXY", "all_proxy"]))
            .https(first(["HTTPS_PROXY", "https_proxy"]))
            .http(http)
            .no(first(["NO_PROXY", "no_proxy"]));
        Self(matcher.build())
    }

    /// The proxy that stands before a host, if any.
    pub(crate) fn intercept(&self, uri: &Uri) -> Option<Proxy> {
        if uri.host().is_some_and(is_loopback) {
            return None;
        }
        self.0.intercept(uri).map(Proxy)
    }

    /// What a proxy wants to see in a request that is not tunnelled.
    pub(crate) fn authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        if uri.scheme_str() != Some("http") {
            return None;
        }
        let mut value = self.intercept(uri)?.0.basic_auth()?.clone();
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(set: &'static [(&str, &str)]) -> Proxies {
        Proxies::new(&move |name: &str| {
            set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn through(proxies: &Proxies, uri: &'static str) -> Option<String> {
        proxies.intercept(&Uri::from_static(uri)).map(|proxy| proxy.0.uri().to_string())
    }

    #[test]
    fn each_scheme_has_its_variable() {
        let set =
            proxies(&[("HTTPS_PROXY", "http://a:1"), ("http_proxy", "http://b:2"), ("NO_PROXY", "in.house")]);
        assert_eq!(through(&set, "https://api.example/v1").as_deref(), Some("http://a:1/"));
        assert_eq!(through(&set, "http://api.example/v1").as_deref(), Some("http://b:2/"));
        assert_eq!(through(&set, "https://x.in.house/"), None);
        assert_eq!(through(&set, "http://localhost:11434/"), None);
        assert_eq!(
            through(&proxies(&[("ALL_PROXY", "http://c:3")]), "https://y/").as_deref(),
            Some("http://c:3/")
        );
    }

    #[test]
    fn a_program_behind_a_web_server_does_not_trust_a_header() {
        let set = proxies(&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil:1")]);
        assert_eq!(through(&set, "http://api.example/"), None);
    }

    #[test]
    fn a_proxy_s_password_goes_to_the_proxy_alone() {
        let set = proxies(&[("ALL_PROXY", "http://user:word@c:3")]);
        assert!(set.authorization(&Uri::from_static("http://y/")).is_some_and(|value| value.is_sensitive()));
        assert_eq!(set.authorization(&Uri::from_static("https://y/")), None, "the tunnel carries it");
    }
}
