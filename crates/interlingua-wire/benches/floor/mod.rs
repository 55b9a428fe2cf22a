//! What every decoder must do at least: find the lines and read each with serde into borrowed structs.

use std::borrow::Cow;

use serde::Deserialize;

/// Text that is borrowed where it holds no escapes.
#[derive(Deserialize, Default)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

type Word<'a> = Option<Text<'a>>;

fn length(word: &Word<'_>) -> usize {
    word.as_ref().map_or(0, |text| text.0.len())
}

/// The data of each frame: behind `data: `, or a line that is JSON.
pub(crate) fn lines(bytes: &[u8], mut each: impl FnMut(&[u8])) {
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        let line = &bytes[from..end];
        if let Some(data) = line.strip_prefix(b"data: ").or(line.starts_with(b"{").then_some(line)) {
            each(data);
        }
        from = end + 1;
    }
}

/// How much text the frames of a protocol hold.
pub(crate) fn typed(protocol: &str, bytes: &[u8]) -> usize {
    let read: fn(&[u8]) -> Option<usize> = match protocol {
        "cohere" => |data| Some(serde_json::from_slice::<Cohere<'_>>(data).ok()?.delta?.message.length()),
        "ollama" => |data| Some(serde_json::from_slice::<Ollama<'_>>(data).ok()?.message.length()),
        "gemini" => |data| Some(serde_json::from_slice::<Gemini<'_>>(data).ok()?.length()),
        "interactions" => |data| Some(serde_json::from_slice::<Interactions<'_>>(data).ok()?.delta?.length()),
        _ => |data| Some(serde_json::from_slice::<Typed<'_>>(data).ok()?.length()),
    };
    let mut length = 0;
    lines(bytes, |data| length += read(data).unwrap_or_default());
    length
}

/// The least that Chat Completions, Responses and Messages need of a frame.
#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Fields<'a>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Delta<'a> {
    Text(#[serde(borrow)] Text<'a>),
    Fields(#[serde(borrow)] Fields<'a>),
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    content: Word<'a>,
    #[serde(borrow, default)]
    text: Word<'a>,
    #[serde(borrow, default)]
    partial_json: Word<'a>,
    #[serde(borrow, default)]
    tool_calls: Vec<Call<'a>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    arguments: Text<'a>,
}

impl Typed<'_> {
    fn length(&self) -> usize {
        let of = |fields: &Fields<'_>| {
            let calls: usize = fields.tool_calls.iter().map(|call| call.function.arguments.0.len()).sum();
            length(&fields.content) + length(&fields.text) + length(&fields.partial_json) + calls
        };
        let delta = match &self.delta {
            Some(Delta::Text(text)) => text.0.len(),
            Some(Delta::Fields(fields)) => of(fields),
            None => 0,
        };
        delta + self.choices.iter().map(|choice| of(&choice.delta)).sum::<usize>()
    }
}

/// The least of Cohere.
#[derive(Deserialize)]
struct Cohere<'a> {
    #[serde(borrow, default)]
    delta: Option<CohereDelta<'a>>,
}

#[derive(Deserialize)]
struct CohereDelta<'a> {
    #[serde(borrow)]
    message: CohereMessage<'a>,
}

#[derive(Deserialize)]
struct CohereMessage<'a> {
    #[serde(borrow, default)]
    content: Option<Content<'a>>,
    #[serde(borrow, default)]
    tool_calls: Option<Call<'a>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    text: Word<'a>,
}

impl CohereMessage<'_> {
    fn length(&self) -> usize {
        self.content.as_ref().map_or(0, |content| length(&content.text))
            + self.tool_calls.as_ref().map_or(0, |call| call.function.arguments.0.len())
    }
}

/// The least of Ollama.
#[derive(Deserialize)]
struct Ollama<'a> {
    #[serde(borrow)]
    message: OllamaMessage<'a>,
}

#[derive(Deserialize)]
struct OllamaMessage<'a> {
    #[serde(borrow, default)]
    content: Word<'a>,
    #[serde(borrow, default)]
    tool_calls: Vec<OllamaCall<'a>>,
}

#[derive(Deserialize)]
struct OllamaCall<'a> {
    #[serde(borrow)]
    function: OllamaFunction<'a>,
}

#[derive(Deserialize)]
struct OllamaFunction<'a> {
    #[serde(borrow)]
    arguments: &'a serde_json::value::RawValue,
}

impl OllamaMessage<'_> {
    fn length(&self) -> usize {
        let calls: usize = self.tool_calls.iter().map(|call| call.function.arguments.get().len()).sum();
        length(&self.content) + calls
    }
}

/// The least of Gemini.
#[derive(Deserialize)]
struct Gemini<'a> {
    #[serde(borrow, default)]
    candidates: Vec<Candidate<'a>>,
}

#[derive(Deserialize)]
struct Candidate<'a> {
    #[serde(borrow)]
    content: Parts<'a>,
}

#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow, default)]
    parts: Vec<Content<'a>>,
}

impl Gemini<'_> {
    fn length(&self) -> usize {
        let parts = self.candidates.iter().flat_map(|candidate| &candidate.content.parts);
        parts.map(|part| length(&part.text)).sum()
    }
}

/// The least of Gemini Interactions.
#[derive(Deserialize)]
struct Interactions<'a> {
    #[serde(borrow, default)]
    delta: Option<Step<'a>>,
}

#[derive(Deserialize)]
struct Step<'a> {
    #[serde(borrow, default)]
    text: Word<'a>,
    #[serde(borrow, default)]
    arguments: Word<'a>,
}

impl Step<'_> {
    fn length(&self) -> usize {
        length(&self.text) + length(&self.arguments)
    }
}
