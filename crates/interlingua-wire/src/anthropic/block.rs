//! Content blocks, both ways. Every field that has no place in the neutral part stays in its `extra` under its own
//! name, and goes back from there; a block that is not known stays whole.

use interlingua_model::{
    Citation, Content, Custom, Data, Extra, Fields, Input, Json, Media, MediaKind, Output, Place, Reasoning,
    Retention, RunBy, Source, Span, Text, ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::Object;
use crate::object::string;

/// How the name of a block ends that holds the result of a tool which the provider ran.
const RESULT: &str = "_tool_result";
const PDF: &str = "application/pdf";
const PLAIN: &str = "text/plain";

/// A block being written.
#[derive(Debug, Default)]
pub(super) struct Block(Fields);

impl Block {
    pub(super) fn new(kind: &str) -> Self {
        Self::default().text("type", kind)
    }

    #[inline(never)]
    pub(super) fn text(self, name: &str, text: &str) -> Self {
        self.set(name, Json::string(text))
    }

    #[inline(never)]
    pub(super) fn set(mut self, name: &str, value: Json) -> Self {
        self.0.set(name, value);
        self
    }

    fn maybe(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    pub(super) fn cache(self, cache: Option<Retention>) -> Self {
        match cache {
            Some(retention) => self.set("cache_control", cache_control(retention)),
            None => self,
        }
    }

    /// Adds the fields that only this protocol knows; they override the others.
    pub(super) fn extra(mut self, extra: &Extra) -> Self {
        for (name, value) in extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter) {
            self.0.set(name, value.clone());
        }
        self
    }

    /// Adds the fields of an object that has been written.
    pub(super) fn fields(mut self, object: &Json) -> Self {
        for (name, value) in Object::parse(object.as_str()).unwrap_or_default().iter() {
            self.0.set(name, Json::from(value));
        }
        self
    }

    pub(super) fn json(&self) -> Json {
        json(&self.0)
    }
}

/// Whether the input of a call is nothing, or an object of nothing.
pub(super) fn is_empty(input: &Json) -> bool {
    input.is_blank() || Object::parse(input.as_str()).is_ok_and(|object| object.is_empty())
}

/// An object of named values as JSON, each value as it stands.
pub(super) fn json(fields: &Fields) -> Json {
    Json::from_text(text(fields, 0, |_, _| true))
}

/// Those of the named values that are wanted, as the text of an object with room for more behind it.
pub(super) fn text(fields: &Fields, room: usize, wanted: impl Fn(&str, &Json) -> bool) -> String {
    let length = fields.iter().map(|(name, value)| name.len() + value.as_str().len() + 4).sum::<usize>();
    let mut text = String::with_capacity(length + 2 + room);
    text.push('{');
    for (name, value) in fields.iter().filter(|(name, value)| wanted(name, value)) {
        if text.len() > 1 {
            text.push(',');
        }
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            text.extend(["\"", name, "\":"]);
        } else {
            text.extend([Json::string(name).as_str(), ":"]);
        }
        text.push_str(value.as_str());
    }
    text.push('}');
    text
}

/// A list of JSON values, each as it stands.
pub(super) fn array(items: &[Json]) -> Json {
    let mut text = String::with_capacity(length(items));
    add_array(&mut text, items);
    Json::from_text(text)
}

/// How long the text of a list of JSON values is.
pub(super) fn length(items: &[Json]) -> usize {
    items.iter().map(|item| item.as_str().len() + 1).sum::<usize>() + 2
}

/// Adds a list of JSON values to a text.
pub(super) fn add_array(text: &mut String, items: &[Json]) {
    text.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(item.as_str());
    }
    text.push(']');
}

/// The mark that asks for caching.
pub(super) fn cache_control(retention: Retention) -> Json {
    Json::from_text(match retention {
        Retention::Short => r#"{"type":"ephemeral","ttl":"5m"}"#,
        Retention::Long => r#"{"type":"ephemeral","ttl":"1h"}"#,
        _ => r#"{"type":"ephemeral"}"#,
    })
}

/// Takes a cache mark out of an object; one of another shape stays there.
pub(super) fn take_cache(block: &mut Object<'_>) -> Option<Retention> {
    let mark: Object<'_> = block.peek("cache_control")?;
    let known =
        mark.iter().all(|(name, _)| matches!(name, "type" | "ttl")) && mark.peek("type") == Some("ephemeral");
    let retention = match (known, mark.peek::<&str>("ttl")) {
        (true, None) => Retention::Default,
        (true, Some("5m")) => Retention::Short,
        (true, Some("1h")) => Retention::Long,
        _ => return None,
    };
    block.take_raw("cache_control");
    Some(retention)
}

/// A block of an answer, or of an assistant's message.
pub(super) fn output(raw: &RawValue) -> Output {
    let Ok(block) = Object::parse(raw.get()) else { return Output::Custom(custom("unknown", raw)) };
    let kind = block.get("type").and_then(string).unwrap_or_default();
    let part = match &*kind {
        "text" => read_text(block).map(Output::Text),
        "thinking" | "redacted_thinking" => read_reasoning(block, &kind).map(Output::Reasoning),
        "tool_use" | "server_tool_use" | "mcp_tool_use" => read_call(block, &kind).map(Output::ToolCall),
        kind if kind.ends_with(RESULT) => read_run_result(block, kind).map(Output::ToolResult),
        "image" | "document" => read_media(block, &kind).map(Output::Media),
        _ => None,
    };
    part.unwrap_or_else(|| Output::Custom(custom(&kind, raw)))
}

/// A block of a user's or a system message.
pub(super) fn input(raw: &RawValue) -> Input {
    let Ok(block) = Object::parse(raw.get()) else { return Input::Custom(custom("unknown", raw)) };
    let kind: String = block.peek("type").unwrap_or_default();
    let part = match kind.as_str() {
        "text" => read_text(block).map(Input::Text),
        "tool_result" => read_result(block).map(Input::ToolResult),
        "image" | "document" => read_media(block, &kind).map(Input::Media),
        _ => None,
    };
    part.unwrap_or_else(|| Input::Custom(custom(&kind, raw)))
}

fn content(raw: &RawValue) -> Content {
    match input(raw) {
        Input::Text(text) => Content::Text(text),
        Input::Media(media) => Content::Media(media),
        Input::Custom(custom) => Content::Custom(custom),
        _ => Content::Custom(custom("tool_result", raw)),
    }
}

fn custom(kind: &str, raw: &RawValue) -> Custom {
    Custom::new(PROTOCOL, kind, Json::from(raw))
}

fn rest(mut block: Object<'_>) -> Extra {
    block.take_raw("type");
    let mut extra = Extra::default();
    block.rest_into(&mut extra, PROTOCOL);
    extra
}

fn read_text(mut block: Object<'_>) -> Option<Text> {
    let mut text = Text::new(string(block.take_raw("text")?)?);
    text.cache = take_cache(&mut block);
    if let Some(citations) = block.peek::<Vec<&RawValue>>("citations") {
        text.citations = citations.into_iter().filter_map(citation).collect();
    }
    block.take_raw("citations");
    text.extra = rest(block);
    Some(text)
}

fn read_reasoning(mut block: Object<'_>, kind: &str) -> Option<Reasoning> {
    let mut reasoning = Reasoning::new(block.take::<String>("thinking").ok()?.unwrap_or_default());
    if block.peek("signature") == Some("") {
        block.take_raw("signature");
    }
    reasoning.extra = rest(block);
    if kind == "redacted_thinking" {
        reasoning.extra.set(PROTOCOL, "type", Json::string(kind));
    }
    Some(reasoning)
}

fn read_call(mut block: Object<'_>, kind: &str) -> Option<ToolCall> {
    let (id, name): (String, String) = (block.take("id").ok()??, block.take("name").ok()??);
    let input = block.take_raw("input").map_or_else(|| Json::from_text(""), Json::from);
    let mut call = ToolCall::new(id, name, input);
    call.cache = take_cache(&mut block);
    call.extra = rest(block);
    if kind != "tool_use" {
        call.run_by = RunBy::Provider;
        call.extra.set(PROTOCOL, "type", Json::string(kind));
    }
    Some(call)
}

/// The result of a tool that the provider ran; its content is nobody's business but the provider's.
fn read_run_result(mut block: Object<'_>, kind: &str) -> Option<ToolResult> {
    let mut result = ToolResult::default();
    result.call = block.take("tool_use_id").ok()??;
    kind.strip_suffix(RESULT)?.clone_into(&mut result.name);
    let value = block.take_raw("content")?;
    let inner = Object::parse(value.get()).ok().and_then(|content| content.peek::<String>("type"));
    result.is_error =
        block.peek("is_error") == Some(true) || inner.is_some_and(|kind| kind.ends_with("_error"));
    result.content = vec![Content::Custom(custom(kind, value))];
    result.cache = take_cache(&mut block);
    result.extra = rest(block);
    result.extra.set(PROTOCOL, "type", Json::string(kind));
    Some(result)
}

fn read_result(mut block: Object<'_>) -> Option<ToolResult> {
    let mut result = ToolResult::default();
    result.call = block.take("tool_use_id").ok()??;
    result.is_error = block.take("is_error").ok()?.unwrap_or(false);
    result.cache = take_cache(&mut block);
    if let Some(raw) = block.take_raw("content") {
        result.content = contents(raw)?;
    }
    result.extra = rest(block);
    Some(result)
}

fn contents(raw: &RawValue) -> Option<Vec<Content>> {
    if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
        return Some(vec![Content::Text(Text::new(text))]);
    }
    let blocks: Option<Vec<&RawValue>> = serde_json::from_str(raw.get()).ok()?;
    Some(blocks.unwrap_or_default().into_iter().map(content).collect())
}

fn read_media(mut block: Object<'_>, kind: &str) -> Option<Media> {
    let mut media = source(block.take::<Object<'_>>("source").ok()??, kind)?;
    media.cache = take_cache(&mut block);
    if kind == "document" {
        media.name = block.take("title").ok()?;
    }
    media.extra = rest(block);
    Some(media)
}

/// Where an image or a document is; `None` for what has no neutral form, or more to it.
fn source(mut source: Object<'_>, kind: &str) -> Option<Media> {
    let wildcard = if kind == "image" { "image/*" } else { "application/pdf" };
    let mut take = |name| source.take::<String>(name).ok().flatten();
    let media = match take("type")?.as_str() {
        "base64" => Media::bytes(take("media_type")?, Data::from_base64(&take("data")?).ok()?),
        "text" => Media::bytes(take("media_type")?, take("data")?.into_bytes()),
        "url" => Media::url(wildcard, take("url")?),
        "file" => Media::file(wildcard, take("file_id")?),
        _ => return None,
    };
    let fits = match media.kind() {
        MediaKind::Image => kind == "image",
        MediaKind::Document => kind == "document",
        _ => false,
    };
    (fits && source.is_empty()).then_some(media)
}

/// A citation of a text block.
pub(super) fn citation(raw: &RawValue) -> Option<Citation> {
    let mut fields = Object::parse(raw.get()).ok()?;
    let mut citation = Citation::new(fields.take::<String>("type").ok()??);
    citation.quote = fields.take("cited_text").ok()?;
    citation.url = fields.take("url").ok()?;
    citation.file = fields.take("file_id").ok()?;
    citation.place = place(&mut fields, &citation.kind);
    // Some kinds have a `title`, others a `document_title`.
    for name in ["title", "document_title"] {
        citation.title = citation.title.or(fields.take(name).ok()?);
    }
    fields.rest_into(&mut citation.extra, PROTOCOL);
    Some(citation)
}

/// The names of the fields that tell a place, by kind of citation.
const fn place_fields(kind: &str) -> Option<[&'static str; 3]> {
    match kind.as_bytes() {
        b"char_location" => Some(["document_index", "start_char_index", "end_char_index"]),
        b"page_location" => Some(["document_index", "start_page_number", "end_page_number"]),
        b"content_block_location" => Some(["document_index", "start_block_index", "end_block_index"]),
        b"search_result_location" => Some(["search_result_index", "start_block_index", "end_block_index"]),
        _ => None,
    }
}

fn place(fields: &mut Object<'_>, kind: &str) -> Option<Place> {
    let [index_name, start_name, end_name] = place_fields(kind)?;
    let (document, start, end) = (fields.peek(index_name)?, fields.peek(start_name)?, fields.peek(end_name)?);
    for name in [index_name, start_name, end_name] {
        fields.take_raw(name);
    }
    let span = Span { start, end };
    Some(match kind {
        "char_location" => Place::Characters { document, span },
        "page_location" => Place::Pages { document, span },
        "content_block_location" => Place::Blocks { document, span },
        _ => Place::SearchResult { result: document, span },
    })
}

/// A citation as a field of a text block.
pub(super) fn write_citation(citation: &Citation) -> Json {
    let title = if place_fields(&citation.kind).is_some() && citation.kind != "search_result_location" {
        "document_title"
    } else {
        "title"
    };
    let mut block = Block::new(&citation.kind)
        .maybe("cited_text", citation.quote.as_deref())
        // The protocol wants the title even where it is null.
        .set(title, citation.title.as_deref().map_or_else(|| Json::from_text("null"), Json::string))
        .maybe("url", citation.url.as_deref())
        .maybe("file_id", citation.file.as_deref());
    let place = match citation.place {
        Some(
            Place::Characters { document, span }
            | Place::Pages { document, span }
            | Place::Blocks { document, span }
            | Place::SearchResult { result: document, span },
        ) => Some((document, span)),
        _ => None,
    };
    if let (Some(names), Some((document, span))) = (place_fields(&citation.kind), place) {
        for (name, number) in names.into_iter().zip([document, span.start, span.end]) {
            block = block.set(name, Json::from_text(number.to_string()));
        }
    }
    block.extra(&citation.extra).json()
}

/// Whether a citation is one of this protocol.
pub(super) fn is_own(citation: &Citation) -> bool {
    place_fields(&citation.kind).is_some() || citation.kind == "web_search_result_location"
}

/// A text block.
pub(super) fn write_text(text: &Text, cache: Option<Retention>, with_citations: bool) -> Json {
    let is_bare = cache.is_none() && text.citations.is_empty() && text.extra.is_empty();
    if is_bare {
        return Json::from_text(
            [r#"{"type":"text","text":"#, Json::string(&text.text).as_str(), "}"].concat(),
        );
    }
    let mut block = Block::new("text").text("text", &text.text).cache(cache);
    let citations: Vec<Json> = text
        .citations
        .iter()
        .filter(|citation| with_citations && is_own(citation))
        .map(write_citation)
        .collect();
    if !citations.is_empty() {
        block = block.set("citations", array(&citations));
    }
    block.extra(&text.extra).json()
}

/// A thinking block with its signature, or a redacted one; `None` when nothing seals it.
pub(super) fn write_reasoning(reasoning: &Reasoning) -> Option<Json> {
    let fields = reasoning.extra.fields(PROTOCOL)?;
    if fields.get("data").is_some() {
        return Some(Block::new("redacted_thinking").extra(&reasoning.extra).json());
    }
    fields.get("signature")?;
    Some(Block::new("thinking").text("thinking", &reasoning.text).extra(&reasoning.extra).json())
}

/// Thinking of a service that signs nothing; clients want the field.
pub(super) fn write_unsigned(reasoning: &Reasoning) -> Json {
    Block::new("thinking").text("thinking", &reasoning.text).text("signature", "").json()
}

/// A call. Input that is no object, which the protocol cannot carry, is wrapped; the caller has warned.
pub(super) fn write_call(call: &ToolCall) -> Json {
    let input = match () {
        () if call.input.is_blank() => Json::object(),
        () if call.input.is_object() && call.kind.is_function() => call.input.clone(),
        () => Block::default().text("input", call.input.as_str()).json(),
    };
    let block = Block::new("tool_use").text("id", &call.id).text("name", &call.name).set("input", input);
    block.cache(call.cache).extra(&call.extra).json()
}

/// The result of a tool that the provider ran.
pub(super) fn write_run_result(result: &ToolResult) -> Option<Json> {
    let [Content::Custom(content)] = result.content.as_slice() else { return None };
    result.extra.get(PROTOCOL, "type")?;
    let block =
        Block::new("tool_result").text("tool_use_id", &result.call).set("content", content.value.clone());
    Some(block.cache(result.cache).extra(&result.extra).json())
}

/// An image or a document; `None` for what the protocol cannot carry.
pub(super) fn write_media(media: &Media) -> Option<Json> {
    let (top, _) = media.mime.split_once('/')?;
    let kind = match top {
        "image" => "image",
        "audio" | "video" => return None,
        _ => "document",
    };
    let source = match &media.source {
        // Bytes of a document are a PDF or plain text.
        Source::Bytes(data) if kind == "document" && media.mime != PDF => {
            let text = std::str::from_utf8(data.as_bytes()).ok()?;
            Block::new("text").text("media_type", PLAIN).text("data", text)
        }
        Source::Bytes(data) => {
            Block::new("base64").text("media_type", &media.mime).text("data", &data.to_base64())
        }
        Source::Url(url) => Block::new("url").text("url", url),
        Source::File(id) => Block::new("file").text("file_id", id),
        _ => return None,
    };
    let mut block = Block::new(kind).set("source", source.json());
    if kind == "document" {
        block = block.maybe("title", media.name.as_deref());
    }
    Some(block.cache(media.cache).extra(&media.extra).json())
}

/// Whether a document will be taken for plain text, which it is not.
pub(super) fn is_flattened(media: &Media) -> bool {
    matches!(media.source, Source::Bytes(_))
        && media.kind() == MediaKind::Document
        && media.mime != PDF
        && media.mime != PLAIN
}

/// Whether a custom part is one of this protocol.
pub(super) fn is_known(custom: &Custom) -> bool {
    custom.protocol == PROTOCOL
}
