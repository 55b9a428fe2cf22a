use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

use interlingua_model::{Error, ErrorKind, Json};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Object;
use crate::date::rfc3339;
use crate::fields::fields;
use crate::provider::{Header, Text};

fields! {
    from Self::new(""); needs "url";

    /// Where and in which shape a provider lists its models.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Listing {
        /// The path below [`Provider::root`](crate::Provider::root), or a whole URL.
        pub url: Text,
        /// The field that holds the list; empty when the body is the list itself.
        pub items: Text,
        /// The field of an entry that holds the model's name.
        pub id: Text,
        /// What the names begin with and requests leave out.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        pub prefix: Text,
        /// Headers that this call needs besides those of the provider.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub headers: Vec<Header>,
        /// How the next page is asked for, when the list comes in pages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub page: Option<Page>,
    }
}

fields! {
    from Self::new("", ""); needs "cursor", "parameter";

    /// How the next page of a list is asked for.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Page {
        /// The field of the answer that names the place where the next page begins.
        pub cursor: Text,
        /// The query parameter that takes it.
        pub parameter: Text,
        /// The field of the answer that says whether there is a next page; empty when the cursor alone says so.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        pub more: Text,
    }
}

/// One page of a list of models.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Models {
    /// The models, in the order in which they came.
    pub list: Vec<ModelInfo>,
    /// The query, without `?`, that asks for the next page; `None` at the last one.
    pub next: Option<String>,
}

/// What a provider says about one of its models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelInfo {
    /// The name that requests use.
    pub id: String,
    /// The name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was made, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// The context window, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// The most tokens of one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// Who made or serves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The whole entry, verbatim.
    pub raw: Json,
}

impl Listing {
    /// A list in the usual shape: `{"data": [{"id": …}, …]}`.
    pub fn new(url: impl Into<Text>) -> Self {
        Self {
            url: url.into(),
            items: Self::items(),
            id: Self::id(),
            prefix: Text::default(),
            headers: Vec::new(),
            page: None,
        }
    }

    /// Reads one page. An entry without a name is left out; facts that an entry lacks are `None`.
    ///
    /// ```
    /// use interlingua_wire::Listing;
    ///
    /// let body = br#"{ "data": [{ "id": "small-1", "context_length": 8192 }] }"#;
    /// let models = Listing::new("/models").read(body)?;
    /// assert_eq!(models.list[0].id, "small-1");
    /// assert_eq!(models.list[0].context, Some(8192));
    /// assert_eq!(models.next, None);
    /// # Ok::<(), interlingua_model::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when the body holds no list.
    pub fn read(&self, body: &[u8]) -> Result<Models, Error> {
        let text = std::str::from_utf8(body).map_err(|error| no_list(&error.to_string()))?;
        if text.trim_start().starts_with('[') {
            let entries = serde_json::from_str(text).map_err(|error| no_list(&error.to_string()))?;
            return Ok(Models { list: self.entries(entries), next: None });
        }
        let object = Object::parse(text).map_err(|error| no_list(&error.to_string()))?;
        let entries = object.peek(&self.items).ok_or_else(|| no_list(&format!("no `{}`", self.items)))?;
        Ok(Models { list: self.entries(entries), next: self.next(&object) })
    }

    fn entries(&self, entries: Vec<&RawValue>) -> Vec<ModelInfo> {
        entries.into_iter().filter_map(|raw| self.entry(raw)).collect()
    }

    fn entry(&self, raw: &RawValue) -> Option<ModelInfo> {
        if let Ok(id) = serde_json::from_str::<String>(raw.get()) {
            return Some(ModelInfo { raw: Json::from(raw), ..ModelInfo::new(id) });
        }
        let entry = Object::parse(raw.get()).ok()?;
        let id: String = entry.peek(&self.id)?;
        let id = id.strip_prefix(&*self.prefix).map_or_else(|| id.clone(), ToOwned::to_owned);
        let mut info = ModelInfo { raw: Json::from(raw), ..ModelInfo::new(id) };
        info.name = first(&entry, &["display_name", "displayName", "name", "modelName"]);
        info.name = info.name.filter(|name| *name != info.id && self.id != "name");
        info.created = created(&entry);
        info.context = limit(&entry, &CONTEXT);
        info.output = limit(&entry, &OUTPUT);
        info.owner = first(&entry, &["owned_by", "organization", "publisher", "providerName"]);
        Some(info)
    }

    fn next(&self, body: &Object<'_>) -> Option<String> {
        let page = self.page.as_ref()?;
        let more = page.more.is_empty() || body.peek(&page.more).unwrap_or(false);
        let cursor: String = body.peek(&page.cursor)?;
        (more && !cursor.is_empty()).then(|| format!("{}={}", page.parameter, escaped(&cursor)))
    }

    const fn items() -> Text {
        Cow::Borrowed("data")
    }

    const fn id() -> Text {
        Cow::Borrowed("id")
    }
}

impl Page {
    /// A page that is asked for by the cursor in a field of the answer.
    pub fn new(cursor: impl Into<Text>, parameter: impl Into<Text>) -> Self {
        Self { cursor: cursor.into(), parameter: parameter.into(), more: Text::default() }
    }
}

impl ModelInfo {
    /// A model of which nothing but the id is known.
    pub fn new(id: impl Into<String>) -> Self {
        let raw = Json::object();
        Self { id: id.into(), name: None, created: None, context: None, output: None, owner: None, raw }
    }
}

/// The places in which services say how large the context window is, the most telling first.
const CONTEXT: [&[&str]; 9] = [
    &["context_length"],
    &["context_window"],
    &["max_context_length"],
    &["max_model_len"],
    &["max_input_tokens"],
    &["inputTokenLimit"],
    &["limits", "max_input_tokens"],
    &["capabilities", "limits", "max_context_window_tokens"],
    &["meta", "n_ctx_train"],
];

/// The places in which services say how long one answer may be, the most telling first.
const OUTPUT: [&[&str]; 8] = [
    &["max_completion_tokens"],
    &["max_output_tokens"],
    &["outputTokenLimit"],
    &["top_provider", "max_completion_tokens"],
    &["limits", "max_output_tokens"],
    &["capabilities", "limits", "max_output_tokens"],
    &["max_output_length"],
    &["max_tokens"],
];

fn first(entry: &Object<'_>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| entry.peek::<String>(name)).filter(|text| !text.is_empty())
}

fn limit(entry: &Object<'_>, places: &[&[&str]]) -> Option<u64> {
    places.iter().find_map(|path| at(entry, path)).filter(|tokens| *tokens > 0)
}

fn at(entry: &Object<'_>, path: &[&str]) -> Option<u64> {
    let (name, rest) = path.split_first()?;
    if rest.is_empty() { entry.peek(name) } else { at(&entry.peek::<Object<'_>>(name)?, rest) }
}

/// Seconds since 1970; zero is how services say that they do not know.
fn created(entry: &Object<'_>) -> Option<u64> {
    let seconds = entry.peek::<f64>("created").filter(|seconds| *seconds >= 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and a cast saturates"
    )]
    let seconds = seconds.map(|seconds| seconds as u64);
    seconds.or_else(|| first(entry, &["created_at"]).and_then(|date| seconds_of(&date)))
}

fn seconds_of(date: &str) -> Option<u64> {
    let time = rfc3339(date)?.duration_since(UNIX_EPOCH).ok()?;
    Some(time.as_secs())
}

fn escaped(cursor: &str) -> String {
    let mut text = String::with_capacity(cursor.len());
    for byte in cursor.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn no_list(why: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("the answer is no list of models: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_dates_are_read() {
        let mut listing = Listing::new("/v1/models");
        listing.page = Some(Page { more: "has_more".into(), ..Page::new("last_id", "after_id") });
        let body = br#"{"data":[{"type":"model","id":"a-1","display_name":"A One","created_at":"2026-05-28T00:00:01Z",
            "max_input_tokens":1000,"max_tokens":10}],"has_more":true,"last_id":"a/1"}"#;
        let models = listing.read(body).unwrap();
        assert_eq!(models.next.as_deref(), Some("after_id=a%2F1"));
        let info = &models.list[0];
        assert_eq!((info.name.as_deref(), info.created), (Some("A One"), Some(1_779_926_401)));
        assert_eq!((info.context, info.output), (Some(1000), Some(10)));
        let last = listing.read(br#"{"data":[],"has_more":false,"last_id":"a"}"#).unwrap();
        assert_eq!(last.next, None);
    }

    #[test]
    fn lists_of_every_shape_are_read() {
        let bare =
            Listing::new("/models").read(br#"[{"id":"x","organization":"O","context_length":5}, "y"]"#);
        let bare = bare.unwrap().list;
        assert_eq!((bare[0].owner.as_deref(), bare[0].context, &*bare[1].id), (Some("O"), Some(5), "y"));

        let mut named = Listing::new("/models");
        (named.items, named.id, named.prefix) = ("models".into(), "name".into(), "models/".into());
        let body =
            br#"{"models":[{"name":"models/g-1","displayName":"G","outputTokenLimit":7},{"other":1}]}"#;
        let named = named.read(body).unwrap().list;
        assert_eq!((named.len(), &*named[0].id, named[0].output), (1, "g-1", Some(7)));
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for body in [&b"<html>"[..], b"{}", b"\xff", br#"{"data":3}"#] {
            assert_eq!(Listing::new("/models").read(body).unwrap_err().kind(), ErrorKind::Protocol);
        }
    }
}
