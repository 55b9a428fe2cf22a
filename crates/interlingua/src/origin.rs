use std::net::IpAddr;

use http::Uri;

/// Scheme, host and port: whom a key is meant for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of a URL, if it has a host.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
        Some(Self { port, host: uri.host()?.trim_end_matches('.').to_ascii_lowercase(), scheme })
    }

    /// The origin of a URL in text.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        Self::of(&url.parse().ok()?)
    }

    /// Whether nothing leaves this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether others on the way can read along.
    pub(crate) fn is_plain(&self) -> bool {
        self.scheme == "http"
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        let usual = if self.scheme == "http" { 80 } else { 443 };
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let last = bare.rsplit('.').next().unwrap_or(bare);
    last.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_and_the_spelling_do_not_fool() {
        assert_eq!(Origin::parse("https://A.example/v1"), Origin::parse("https://a.example.:443/x"));
        assert_ne!(Origin::parse("https://a.example"), Origin::parse("http://a.example"));
        assert_ne!(Origin::parse("https://a.example"), Origin::parse("https://a.example:8443"));
        assert_ne!(Origin::parse("https://a.example"), Origin::parse("https://a.example.evil"));
    }

    #[test]
    fn loopback_is_this_machine_alone() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "LOCALHOST", "x.localhost", "0.0.0.0"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.evil", "10.0.0.1", "127.0.0.1.nip.io", "example.com"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
