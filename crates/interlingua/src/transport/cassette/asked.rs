use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderName, Uri};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mask::{self, Mask};
use super::tape::Content;

/// A request as far as it matters, without secrets.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Content>,
}

/// Most characters of a value that an error quotes.
const QUOTED: usize = 60;

impl Asked {
    pub(crate) fn of(call: &http::Request<Bytes>, own: &[HeaderName], mask: &Mask) -> Self {
        let kept = call
            .headers()
            .iter()
            .filter(|(name, value)| matters(name, own) && !mask::carries_key(name) && !value.is_sensitive());
        Self {
            method: call.method().to_string(),
            url: mask.url(call.uri()),
            headers: kept
                .filter_map(|(name, value)| Some((name.to_string(), mask.text(value.to_str().ok()?))))
                .collect(),
            body: (!call.body().is_empty()).then(|| mask.body(call.body())),
        }
    }

    /// What is not as in a recording, a phrase for each.
    pub(crate) fn differences(&self, recorded: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, asked: &str, recorded: &str| {
            if asked != recorded {
                found.push(format!("{what} is `{}`, recorded is `{}`", cut(asked), cut(recorded)));
            }
        };
        compare("the method", &self.method, &recorded.method);
        let (asked_place, recorded_place) = (Place::of(&self.url), Place::of(&recorded.url));
        compare("the host", &asked_place.host, &recorded_place.host);
        compare("the path", &asked_place.path, &recorded_place.path);
        compare("the query", &asked_place.query, &recorded_place.query);
        let names = self
            .headers
            .keys()
            .chain(recorded.headers.keys().filter(|name| !self.headers.contains_key(*name)));
        for name in names {
            let of = |asked: &Self| asked.headers.get(name).map_or("", String::as_str).to_owned();
            compare(&format!("the header {name}"), &of(self), &of(recorded));
        }
        match (&self.body, &recorded.body) {
            (Some(Content::Json(asked)), Some(Content::Json(recorded))) => {
                values("body", asked, recorded, &mut found);
            }
            (asked, recorded) if asked != recorded => found.push("the body".to_owned()),
            _ => {}
        }
        found
    }
}

impl PartialEq for Asked {
    fn eq(&self, other: &Self) -> bool {
        self.method == other.method
            && self.headers == other.headers
            && self.body == other.body
            && Place::of(&self.url) == Place::of(&other.url)
    }
}

/// Where a request goes. The scheme and the port are not part of it, so that servers on this machine can be recorded.
#[derive(PartialEq)]
struct Place {
    host: String,
    path: String,
    query: String,
}

impl Place {
    fn of(url: &str) -> Self {
        let uri = url.parse::<Uri>().unwrap_or_default();
        Self {
            host: uri.host().unwrap_or_default().to_owned(),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
        }
    }
}

fn matters(name: &HeaderName, own: &[HeaderName]) -> bool {
    let word = name.as_str();
    word == "content-type" || word.ends_with("-version") || word.ends_with("-beta") || own.contains(name)
}

/// Where two values differ, innermost first found.
fn values(place: &str, asked: &Value, recorded: &Value, found: &mut Vec<String>) {
    if asked == recorded {
        return;
    }
    match (asked, recorded) {
        (Value::Object(one), Value::Object(other)) => {
            for (name, value) in one {
                let inner = format!("{place}.{name}");
                match other.get(name) {
                    Some(recorded) => values(&inner, value, recorded, found),
                    None => found.push(format!("{inner} is not recorded")),
                }
            }
            let missing = other.keys().filter(|name| !one.contains_key(*name));
            found.extend(missing.map(|name| format!("{place}.{name} is recorded and not asked")));
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (value, recorded)) in one.iter().zip(other).enumerate() {
                values(&format!("{place}[{at}]"), value, recorded, found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            found.push(format!("{place} has {} elements, recorded are {}", one.len(), other.len()));
        }
        _ => found.push(format!(
            "{place} is `{}`, recorded is `{}`",
            cut(&asked.to_string()),
            cut(&recorded.to_string())
        )),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
