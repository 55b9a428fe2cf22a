use std::ops::Range;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE};
use http::{HeaderName, Uri};
use serde_json::Value;

use super::tape::Content;
use crate::Secret;
use crate::plan::KEY_HEADERS;

/// Takes secrets out of what is written.
#[derive(Debug)]
pub(crate) struct Mask {
    /// The secrets in every spelling, the longest first.
    words: Vec<Secret>,
}

/// What stands in place of a secret of a request. In an answer it is as many asterisks, so that its pieces keep their length.
const MASK: &str = "[secret]";
/// Shorter keys are placeholders, which may be words of the conversation.
const SHORTEST: usize = 8;
/// An answer that is one bare word of so many bytes is a token; the name of a role is shorter.
const BARE: usize = 40;
/// Fields that carry credentials, in lower case and without underscores.
const FIELDS: [&str; 14] = [
    "accesstoken",
    "idtoken",
    "refreshtoken",
    "clientsecret",
    "assertion",
    "clientassertion",
    "subjecttoken",
    "privatekey",
    "secretaccesskey",
    "sessiontoken",
    "securitytoken",
    "accesskeyid",
    "apikey",
    "password",
];
/// Parts of the names of headers that carry keys.
const KEY_WORDS: [&str; 6] = ["key", "token", "auth", "secret", "cookie", "credential"];
/// Parameters of a query that carry keys.
const KEY_PARAMETERS: [&str; 8] =
    ["key", "token", "code", "sig", "signature", "xamzsignature", "xamzcredential", "xamzsecuritytoken"];

impl Mask {
    /// What is secret about a request.
    pub(crate) fn of(call: &http::Request<Bytes>, own: &[Secret]) -> Self {
        let mut mask = Self { words: Vec::new() };
        for secret in own {
            mask.add(secret.expose());
        }
        for (name, value) in
            call.headers().iter().filter(|(name, value)| carries_key(name) || value.is_sensitive())
        {
            mask.add_header(name, &String::from_utf8_lossy(value.as_bytes()));
        }
        for (_, value) in parameters(call.uri()).filter(|(name, _)| is_key_parameter(name)) {
            mask.add_long(value);
        }
        mask.words.sort_by_key(|word| std::cmp::Reverse(word.expose().len()));
        mask
    }

    /// Adds what a header carries: each cookie, or what follows the scheme.
    fn add_header(&mut self, name: &HeaderName, value: &str) {
        if *name == COOKIE {
            let cookies = value.split(';').filter_map(|pair| pair.split_once('='));
            cookies.for_each(|(_, value)| self.add_long(value.trim()));
        } else {
            self.add_long(value.split_once(' ').map_or(value, |(_, key)| key).trim());
        }
    }

    fn add_long(&mut self, word: &str) {
        if word.len() >= SHORTEST {
            self.add(word);
        }
    }

    /// Adds a secret as it is, and as JSON and addresses spell it.
    fn add(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        let json = Value::from(word).to_string();
        for spelling in [word, json.trim_matches('"'), &encoded(word), &decoded(word)] {
            if !self.words.iter().any(|known| known.expose() == spelling) {
                self.words.push(Secret::new(spelling));
            }
        }
    }

    pub(crate) fn text(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, word| {
            if text.contains(word.expose()) { text.replace(word.expose(), MASK) } else { text }
        })
    }

    pub(crate) fn url(&self, uri: &Uri) -> String {
        let host = uri.authority().map_or("", |whole| whole.as_str().rsplit('@').next().unwrap_or_default());
        let scheme = uri.scheme_str().unwrap_or("http");
        let query: Vec<_> = parameters(uri)
            .map(|(name, value)| match value {
                "" => name.to_owned(),
                _ if is_key_parameter(name) => format!("{name}=***"),
                _ => format!("{name}={value}"),
            })
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        // Brackets are no part of an address.
        self.text(&format!("{scheme}://{host}{}{mark}{}", uri.path(), query.join("&"))).replace(MASK, "***")
    }

    /// The body of a request.
    pub(crate) fn body(&self, body: &[u8]) -> Content {
        if let Ok(mut value) = serde_json::from_slice(body) {
            self.value(&mut value);
            return Content::Json(value);
        }
        let Ok(text) = std::str::from_utf8(body) else {
            let mut bytes = body.to_vec();
            self.hide(&mut bytes);
            return Content::of(&bytes);
        };
        let mut text = text.to_owned();
        for range in fields(text.as_bytes(), false).into_iter().rev() {
            text.replace_range(range, MASK);
        }
        Content::Text(self.text(&text))
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(all) => all.iter_mut().for_each(|value| self.value(value)),
            Value::Object(all) => {
                for (name, value) in all {
                    match value {
                        Value::String(text) if is_field(name.as_bytes(), false) => MASK.clone_into(text),
                        value => self.value(value),
                    }
                }
            }
            _ => {}
        }
    }

    /// Covers the body of an answer, whose length stays. What a model says is covered where it says a key and nowhere else.
    pub(crate) fn answer(&self, body: &mut [u8], credential: bool) {
        if credential {
            // A bare word is a token; lists of names, which are read before, have lines of them.
            let is_bare = !matches!(body.trim_ascii_start().first(), Some(b'{' | b'[' | b'<'));
            if is_bare && body.len() >= BARE {
                body.fill(b'*');
            }
            for range in fields(body, true) {
                cover(body, range);
            }
        }
        self.hide(body);
    }

    fn hide(&self, bytes: &mut [u8]) {
        for word in self.words.iter().map(|word| word.expose().as_bytes()) {
            let places: Vec<_> = bytes
                .windows(word.len())
                .enumerate()
                .filter(|(_, part)| *part == word)
                .map(|(at, _)| at)
                .collect();
            for at in places {
                cover(bytes, at..at + word.len());
            }
        }
    }
}

/// Whether a header of a request carries a key.
pub(crate) fn carries_key(name: &HeaderName) -> bool {
    KEY_HEADERS.contains(&name.as_str()) || KEY_WORDS.iter().any(|word| name.as_str().contains(word))
}

/// Whether a request asks for credentials, as those of clouds and logins do.
pub(crate) fn is_credential(call: &http::Request<Bytes>) -> bool {
    let path = call.uri().path().to_ascii_lowercase();
    let is_form = call
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form"));
    let is_sts = call.uri().host().is_some_and(|host| host.starts_with("sts."));
    is_form
        || is_sts
        || ["/token", "accesstoken"].iter().any(|end| path.ends_with(end))
        || path.contains("credentials")
}

fn cover(bytes: &mut [u8], range: Range<usize>) {
    bytes.get_mut(range).unwrap_or_default().fill(b'*');
}

fn parameters(uri: &Uri) -> impl Iterator<Item = (&str, &str)> {
    let query = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    query.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn is_key_parameter(name: &str) -> bool {
    let name = plain(name.as_bytes());
    KEY_PARAMETERS.contains(&&*name) || FIELDS.contains(&&*name)
}

fn is_field(name: &[u8], credential: bool) -> bool {
    let name = plain(name);
    FIELDS.contains(&&*name) || (credential && name == "token")
}

/// A name in lower case, letters alone.
fn plain(name: &[u8]) -> String {
    name.iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect()
}

/// Where the values of fields stand that carry credentials, in JSON, XML or a form.
fn fields(bytes: &[u8], credential: bool) -> Vec<Range<usize>> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_joint =
        |byte: &u8| matches!(byte, b'"' | b'\\' | b':' | b'=' | b'>') || byte.is_ascii_whitespace();
    let is_end = |byte: &u8| matches!(byte, b'"' | b'\\' | b'&' | b'<' | b'\n');
    let run = |from: usize, holds: &dyn Fn(&u8) -> bool| {
        from + bytes.iter().skip(from).take_while(|byte| holds(byte)).count()
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let name = run(at, &|byte| !is_name(byte));
        let end = run(name, &is_name);
        at = end.max(name + 1);
        if !bytes.get(name..end).is_some_and(|name| is_field(name, credential)) {
            continue;
        }
        let value = run(end, &is_joint);
        let joint = bytes.get(end..value).unwrap_or_default();
        if joint.iter().any(|byte| matches!(byte, b':' | b'=' | b'>')) {
            at = run(value, &|byte| !is_end(byte));
            found.push(value..at);
        }
    }
    found
}

/// A word as a query spells it.
fn encoded(word: &str) -> String {
    use std::fmt::Write as _;
    word.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// A word out of a query.
fn decoded(word: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
