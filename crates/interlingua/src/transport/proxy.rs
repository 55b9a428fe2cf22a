use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::Lookup;
use crate::origin::is_loopback;

/// Which calls go through a proxy.
#[derive(Debug)]
pub(crate) struct Proxies(Matcher);

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
    pub(crate) fn intercept(&self, uri: &Uri) -> Option<Intercept> {
        if uri.host().is_some_and(is_loopback) {
            return None;
        }
        self.0.intercept(uri)
    }

    /// What a proxy wants to see in a request that is not tunnelled.
    pub(crate) fn authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        if uri.scheme_str() != Some("http") {
            return None;
        }
        let mut value = self.intercept(uri)?.basic_auth()?.clone();
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
        proxies.intercept(&Uri::from_static(uri)).map(|proxy| proxy.uri().to_string())
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
