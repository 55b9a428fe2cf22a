//! What stands in for proxies where they are not part of the program: where one is asked for, no call goes past it in silence.

use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use interlingua_model::{Error, ErrorKind};

use crate::Lookup;
use crate::origin::is_loopback;
use crate::transport::stream::Connection;

/// The variable that asks for a proxy, if one does.
#[derive(Debug)]
pub(crate) struct Proxies(Option<&'static str>);

/// A proxy that a call should go through.
#[derive(Debug)]
pub(crate) struct Proxy(&'static str);

impl Proxies {
    pub(crate) fn new(lookup: &Lookup) -> Self {
        const NAMES: [&str; 5] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "http_proxy"];
        let has_none = |name: &str| lookup(name).is_some_and(|value| value.trim() == "*");
        if has_none("NO_PROXY") || has_none("no_proxy") {
            return Self(None);
        }
        Self(NAMES.into_iter().find(|name| lookup(name).is_some_and(|value| !value.is_empty())))
    }

    /// Whether a call to a host should go through a proxy.
    pub(crate) fn intercept(&self, uri: &Uri) -> Option<Proxy> {
        if uri.host().is_some_and(is_loopback) {
            return None;
        }
        self.0.map(Proxy)
    }

    #[expect(clippy::unused_self, reason = "its twin needs it")]
    pub(crate) const fn authorization(&self, _uri: &Uri) -> Option<HeaderValue> {
        None
    }
}

impl Proxy {
    #[expect(clippy::unused_async, reason = "its twin waits")]
    pub(crate) async fn connect(self, _tcp: HttpConnector, _uri: &Uri) -> Result<Connection, Error> {
        let message = format!(
            "{} asks for a proxy, which is not part of this program: build it with the feature `proxy`, or set \
             NO_PROXY=* to go without",
            self.0
        );
        Err(Error::new(ErrorKind::Configuration, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(set: &'static [(&str, &str)], uri: &'static str) -> Option<&'static str> {
        let lookup =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Proxies::new(&lookup).intercept(&Uri::from_static(uri)).map(|proxy| proxy.0)
    }

    #[tokio::test]
    async fn a_proxy_that_is_asked_for_is_an_error_and_not_passed_by() {
        let set: &[(&str, &str)] = &[("https_proxy", "http://a:1")];
        assert_eq!(asked(set, "https://api.example/v1"), Some("https_proxy"));
        assert_eq!(asked(set, "http://localhost:11434/"), None);
        assert_eq!(asked(&[("ALL_PROXY", "")], "https://api.example/v1"), None);
        assert_eq!(asked(&[("ALL_PROXY", "http://a:1"), ("NO_PROXY", "*")], "https://api.example/v1"), None);
        let error = Proxy("ALL_PROXY").connect(HttpConnector::new(), &Uri::from_static("https://x/")).await;
        let error = error.map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.message().starts_with("ALL_PROXY asks for a proxy"), "{error}");
    }
}
