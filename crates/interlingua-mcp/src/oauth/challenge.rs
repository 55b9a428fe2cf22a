//! `WWW-Authenticate`, by RFC 9110 and RFC 6750: what a server wants of whoever it refuses.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// The most of a challenge that is read, in bytes.
const MOST: usize = 8 << 10;

/// The parameters of a `Bearer` challenge.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) metadata: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) error: Option<String>,
}

impl Challenge {
    /// The first `Bearer` challenge of an answer; an empty one where there is none.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        values.filter(|value| value.len() <= MOST).find_map(Self::parse).unwrap_or_default()
    }

    fn parse(value: &str) -> Option<Self> {
        let (mut found, mut scheme) = (None::<Self>, "");
        for part in split(value) {
            let (first, rest) = part.split_once(' ').unwrap_or((part, ""));
            let starts = !first.contains('=') && !rest.trim_start().starts_with('=');
            if starts {
                if found.is_some() {
                    break;
                }
                scheme = first;
            }
            if scheme.eq_ignore_ascii_case("bearer") {
                found.get_or_insert_default().take(if starts { rest } else { part });
            }
        }
        found
    }

    fn take(&mut self, parameter: &str) {
        let Some((name, value)) = parameter.split_once('=') else { return };
        let value = Some(unquoted(value.trim()));
        match name.trim().to_ascii_lowercase().as_str() {
            "resource_metadata" => self.metadata = value,
            "scope" => self.scope = value,
            "error" => self.error = value,
            _ => {}
        }
    }
}

/// The parts between commas that stand outside of quotes.
fn split(value: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = value.split(move |letter| {
        let is_plain = !std::mem::take(&mut is_escaped);
        match letter {
            '\\' if is_quoted && is_plain => is_escaped = true,
            '"' if is_plain => is_quoted = !is_quoted,
            _ => {}
        }
        letter == ',' && !is_quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let (mut out, mut letters) = (String::new(), inner.chars());
    while let Some(letter) = letters.next() {
        out.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> (Option<String>, Option<String>, Option<String>) {
        let found = Challenge::parse(value).unwrap_or_default();
        (found.metadata, found.scope, found.error)
    }

    #[test]
    fn bearer_challenges_are_read() {
        let text = |text: &str| Some(text.to_owned());
        let url = "https://a.test/.well-known/oauth-protected-resource";
        for (value, expected) in [
            (format!("Bearer resource_metadata=\"{url}\""), (text(url), None, None)),
            (
                format!(
                    "bearer error = insufficient_scope , scope=\"a b,\\\"c\", Resource_Metadata=\"{url}\""
                ),
                (text(url), text("a b,\"c"), text("insufficient_scope")),
            ),
            (
                format!("Basic realm=\"Bearer, scope=no\", Bearer scope=\"x\", resource_metadata=\"{url}\""),
                (text(url), text("x"), None),
            ),
            ("Bearer scope=x, Digest scope=y".to_owned(), (None, text("x"), None)),
            ("Bearer".to_owned(), (None, None, None)),
            ("Basic realm=\"x\", scope=y".to_owned(), (None, None, None)),
            ("\"".to_owned(), (None, None, None)),
        ] {
            assert_eq!(parsed(&value), expected, "{value}");
        }
    }
}
