//! Recorded traffic: what real services sent must be read, served again and asked again. One walk for every protocol.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderMap;
use interlingua_model::{Format, Json, Request, Response, Warning};
use interlingua_wire::{Call, Codec, Mode, Refusal, Serve};
use serde::Deserialize;
use serde_json::Value;

use crate::check::{Decoded, corpus, decode, decode_in_full, events_round_trip};

/// The files in which a recorded answer may lie.
const KINDS: [&str; 5] = ["sse", "ndjson", "eventstream", "json", "txt"];

/// What two answers come to that are held against each other: what was told, and what was heard of it.
pub(crate) type Compare<'a> = &'a dyn Fn(&Response, &Response, Mode) -> (Value, Value);

/// What reads and writes a body, if that can be read at all.
pub(crate) type CodecOf<'a> = &'a dyn Fn(&[u8]) -> Option<Box<dyn Serve>>;

/// The recordings of a protocol, and how they are held against what comes of them.
pub(crate) struct Recorded<'a> {
    /// The folder of the collection.
    pub(crate) folder: &'a str,
    /// The list of what is no whole answer: `tests/corpus/<list>.toml`.
    pub(crate) list: &'a str,
    /// What comes before the name of a recording in the list.
    pub(crate) prefix: &'a str,
}

/// How answers are read and served again.
pub(crate) struct Answers<'a> {
    pub(crate) reader: &'a dyn Codec,
    pub(crate) server: &'a dyn Serve,
    pub(crate) modes: &'a [Mode],
    /// How many bytes come at once.
    pub(crate) stride: usize,
    pub(crate) compare: Compare<'a>,
}

/// How requests are read and written again.
pub(crate) struct Requests<'a> {
    pub(crate) codec: CodecOf<'a>,
    /// Where a request goes, by what the recording says of it.
    pub(crate) path: &'a dyn Fn(Option<&str>) -> String,
    /// Makes a request one that the service takes.
    pub(crate) mend: &'a dyn Fn(&mut Request),
    /// Takes out of a request what need not come back.
    pub(crate) plain: &'a dyn Fn(&mut Request),
}

/// What a recording says of itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Meta {
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    streaming: bool,
}

#[derive(Deserialize)]
struct Explained {
    #[serde(default)]
    explained: Vec<Explanation>,
}

#[derive(Deserialize)]
struct Explanation {
    name: String,
    reason: String,
}

impl Recorded<'_> {
    /// Every answer is read, whole and in pieces, and served again.
    pub(crate) fn answers(&self, how: &Answers<'_>) {
        self.walk(&|folder, meta| how.check(folder, meta));
    }

    /// Every request is read and written again, and nothing of it is lost.
    pub(crate) fn requests(&self, how: &Requests<'_>) {
        self.walk(&|folder, meta| how.check(folder, meta));
    }

    /// What fails must be explained, and what is explained must fail.
    pub(crate) fn walk(&self, check: &dyn Fn(&Path, &Meta) -> Option<String>) {
        let explained = explained(self.list);
        assert!(explained.values().all(|reason| reason.len() > 10), "an explanation without a reason");
        let (mut count, mut failures) = (0, Vec::new());
        for folder in recordings(self.folder) {
            let meta: Meta = serde_json::from_slice(&fs::read(folder.join("meta.json")).unwrap()).unwrap();
            if meta.is_a_list() {
                continue;
            }
            count += 1;
            let (key, failure) = (format!("{}{}", self.prefix, name(&folder)), check(&folder, &meta));
            match (failure, explained.contains_key(&key)) {
                (Some(failure), false) => failures.push(format!("{key}: {failure}")),
                (None, true) => failures.push(format!("{key}: explained as a failure, yet it passes")),
                _ => {}
            }
        }
        println!("{}: {count} recordings", self.folder);
        assert!(failures.is_empty(), "{} of {count} fail:\n{}", failures.len(), failures.join("\n"));
    }
}

impl Answers<'_> {
    /// What is wrong with one recorded answer, if anything is.
    fn check(&self, folder: &Path, meta: &Meta) -> Option<String> {
        let served = |read: &Decoded| self.modes.iter().find_map(|mode| self.served(read, *mode));
        read(self.reader, self.stride, folder, meta).map_or_else(Some, |all| all.iter().find_map(served))
    }

    /// An answer that was read is served again, and read again it is the same.
    fn served(&self, read: &Decoded, mode: Mode) -> Option<String> {
        let again = events_round_trip(self.server, &Request::new("m"), mode, &read.events);
        if again.error.is_some() {
            return again.error;
        }
        let (told, heard) = (self.compare)(&read.response, &again.response, mode);
        (told != heard).then(|| format!("served again ({mode:?}), {told:#}\nbecame {heard:#}"))
    }
}

impl Requests<'_> {
    /// Reads one recorded request and writes it again; what got lost, if anything did.
    fn check(&self, folder: &Path, meta: &Meta) -> Option<String> {
        let body = fs::read(folder.join("request.json")).ok()?;
        if body.windows(12).any(|text| text == b"\"_not_json\":") {
            return None;
        }
        let codec = (self.codec)(&body)?;
        let path = (self.path)(meta.path.as_deref().filter(|path| !path.is_empty()));
        let (mut request, mode) = match codec.decode_request(&Call::post(path, body)) {
            Ok(read) => read,
            Err(error) => return Some(error.to_string()),
        };
        (self.mend)(&mut request);
        let encoded = codec.encode(&request, mode).unwrap();
        if !encoded.warnings.is_empty() {
            return Some(format!("{:?}", encoded.warnings));
        }
        let (mut again, mode_again) = codec.decode_request(&encoded.call).unwrap();
        assert_eq!(mode, mode_again);
        (self.plain)(&mut request);
        (self.plain)(&mut again);
        (request != again).then(|| format!("read, {request:#?}\nwritten and read again, {again:#?}"))
    }
}

impl Meta {
    /// Lists of stored answers lie beside the answers of Chat Completions.
    fn is_a_list(&self) -> bool {
        self.method.as_deref() == Some("GET") && self.operation.as_deref() == Some("chat.completions")
    }
}

fn recordings(folder: &str) -> Vec<PathBuf> {
    let Some(root) = corpus(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for provider in fs::read_dir(root).unwrap() {
        for recording in fs::read_dir(provider.unwrap().path()).unwrap() {
            found.push(recording.unwrap().path());
        }
    }
    found.sort();
    found
}

fn name(folder: &Path) -> String {
    let names: Vec<_> = folder.iter().rev().take(3).map(|name| name.to_string_lossy()).collect();
    names.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// The recordings that are known not to be whole answers, with our reason.
fn explained(list: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(list).with_extension("toml");
    let list: Explained = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    list.explained.into_iter().map(|explanation| (explanation.name, explanation.reason)).collect()
}

/// The answers of a recording, in which several may stand behind one another.
fn one_by_one(body: &[u8]) -> Vec<&[u8]> {
    const FIRST: [&[u8]; 2] = [b"event: message_start\n", b"event: response.created\n"];
    let begins = |at: &usize| FIRST.iter().any(|first| body[*at..].starts_with(first));
    let mut cuts: Vec<usize> = (0..body.len()).filter(begins).skip(1).collect();
    cuts.push(body.len());
    let mut from = 0;
    cuts.into_iter().map(|to| &body[std::mem::replace(&mut from, to)..to]).collect()
}

/// A refusal has a message of its own, or is a web page.
fn refused(codec: &dyn Codec, status: u16, body: &[u8]) -> Option<String> {
    let error = codec.refusal(&Refusal::new(status, &HeaderMap::new(), body));
    assert_eq!(error.status(), Some(status));
    assert!(!error.message().is_empty());
    let is_generic = error.message().contains("gave no reason") && !body.starts_with(b"<");
    is_generic.then(|| format!("no message in {}", String::from_utf8_lossy(body)))
}

/// Reads the answers of a recording, of which a refusal has none; or what is wrong with one.
pub(crate) fn read(
    codec: &dyn Codec,
    stride: usize,
    folder: &Path,
    meta: &Meta,
) -> Result<Vec<Decoded>, String> {
    let of_kind =
        |kind: &&'static str| Some((*kind, fs::read(folder.join("response").with_extension(kind)).ok()?));
    let Some((kind, body)) = KINDS.iter().find_map(of_kind) else { return Ok(Vec::new()) };
    let status = meta.status.unwrap_or(200);
    if status >= 400 {
        return refused(codec, status, &body).map_or(Ok(Vec::new()), Err);
    }
    let is_stream = meta.streaming || !matches!(kind, "json" | "txt");
    let mode = if is_stream { Mode::Stream } else { Mode::Whole };
    one_by_one(&body).into_iter().map(|answer| read_one(codec, mode, answer, stride, folder)).collect()
}

fn read_one(
    codec: &dyn Codec,
    mode: Mode,
    body: &[u8],
    stride: usize,
    folder: &Path,
) -> Result<Decoded, String> {
    let whole = decode(codec, mode, body, &[]);
    let full = decode_in_full(codec, mode, body);
    assert_eq!(whole.events, full.events, "{}: with every frame read in full", folder.display());
    let cuts: Vec<usize> = (1..body.len()).step_by(stride).collect();
    let pieces = decode(codec, mode, body, &cuts);
    assert_eq!(whole.events, pieces.events, "{}: cut into pieces, the events differ", folder.display());
    match &whole.error {
        Some(error) => Err(error.clone()),
        None if !whole.response.warnings.is_empty() => Err(format!("{:?}", whole.response.warnings)),
        None => Ok(whole),
    }
}

/// Both sides of an answer, each brought into the same form.
pub(crate) fn alike<'a>(
    canonical: impl Fn(Response) -> Response + 'a,
) -> impl Fn(&Response, &Response, Mode) -> (Value, Value) + 'a {
    move |told, heard, _| {
        let tree = |response: &Response| serde_json::to_value(canonical(response.clone())).unwrap();
        (tree(told), tree(heard))
    }
}

/// A schema is rewritten on its way out; once that is done it stays as it is.
pub(crate) fn rewrite(request: &mut Request, schema_for: fn(&Json) -> (Json, Vec<Warning>)) {
    if let Some(Format::Schema(format)) = &mut request.format {
        format.schema = schema_for(&format.schema).0;
    }
}
