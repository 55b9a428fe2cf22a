//! Forms, queries and addresses.

use std::fmt::Write as _;

use http::Uri;

/// Names and values as `application/x-www-form-urlencoded`.
pub(super) fn encoded(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    pairs.join("&")
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The value of a name in a query.
pub(super) fn value(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|pair| pair.0 == name)
        .map(|pair| plain(pair.1))
}

fn plain(text: &str) -> String {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [byte, after @ ..] = rest {
        rest = after;
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'+', _) => out.push(b' '),
            (b'%', Some(value)) => {
                out.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            (other, _) => out.push(*other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An address that may be asked: `https`, or `http` on this machine where the server itself is on this machine.
pub(super) fn allowed(address: &str, server: &str) -> Result<Uri, String> {
    let uri: Uri = address.parse().map_err(|_| "it names an address that is no URL".to_owned())?;
    let is_near = |uri: &Uri| matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let has_near_server = || server.parse::<Uri>().is_ok_and(|server| is_near(&server));
    match uri.scheme_str() {
        _ if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) => {
            Err("it names an address without a host, or with a user".into())
        }
        Some("https") if !is_near(&uri) || has_near_server() => Ok(uri),
        Some("http") if is_near(&uri) && has_near_server() => Ok(uri),
        _ => Err("it names an address that is not https: logging in goes over https alone".into()),
    }
}

/// Scheme, host and port.
pub(super) fn origin(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str()).to_ascii_lowercase();
    let scheme = uri.scheme_str().unwrap_or_default();
    let usual = if scheme == "https" { ":443" } else { ":80" };
    format!("{scheme}://{}", authority.strip_suffix(usual).unwrap_or(&authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_go_there_and_back() {
        let query = encoded(&[("a", "x y+z%&=é"), ("b", "")]);
        assert_eq!(query, "a=x%20y%2Bz%25%26%3D%C3%A9&b=");
        assert_eq!(value(&query, "a").unwrap(), "x y+z%&=é");
        assert_eq!(value("c=%zz+%4", "c").unwrap(), "%zz %4");
        assert_eq!(value(&query, "c"), None);
    }

    #[test]
    fn only_https_is_asked_or_this_machine_by_a_server_on_it() {
        let near = "http://127.0.0.1:1/mcp";
        let far = "https://a.test/mcp";
        for (address, server, is_allowed) in [
            ("https://b.test", far, true),
            ("http://b.test", far, false),
            ("http://127.0.0.1:9/x", far, false),
            ("http://127.0.0.1:9/x", near, true),
            ("https://a@b.test", far, false),
            ("/x", far, false),
        ] {
            assert_eq!(allowed(address, server).is_ok(), is_allowed, "{address}");
        }
    }
}
