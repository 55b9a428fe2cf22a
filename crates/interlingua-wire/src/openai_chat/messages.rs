//! From neutral messages to those of the wire.

use std::borrow::Cow;

use interlingua_model::{
    Assistant, Content as ResultContent, Extra, Fields, Input, Json, Media, MediaKind, Message as Neutral,
    Output, Reasoning, Retention, Source, System, Text, ToolCall, ToolKind, ToolResult, User, Warning,
};

use super::body::{
    Address, AnyCall, Breakpoint, CacheControl, Call, Content, Custom, Detail, File, Function, KnownPart,
    Message, Part, Plain, Sound, StoredAudio, Verbatim, raw,
};
use super::calls::{CALL_KIND, LEGACY};
use super::dialect::{CacheMarks, Dialect, EmptyContent, FileParts, ReasoningEcho, SystemRole, ToolCallIds};
use super::media::{audio_format, data_url};
use super::reasoning::{DETAILS, FIELD, SIGNATURE};
use super::{MESSAGE_FIELD, PROTOCOL, REPLAYED};

/// The kind of a citation that names sources by their numbers, and the field that holds them.
pub(super) const REFERENCE: &str = "reference";
pub(super) const REFERENCE_IDS: &str = "reference_ids";

/// Put between a tool result and a user message where a service demands an assistant's.
const INTERLUDE: &str = "I have processed the tool results.";

/// Before the name of a field in the `extra` of media: the field stands beside the address.
pub(super) const IMAGE_FIELD: &str = "image_url.";

/// Writes the messages of one request, and notes what is lost.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    dialect: &'a Dialect,
    /// The message and the part that are being written, for the paths of warnings.
    message: usize,
    part: usize,
    /// What is lost.
    pub(super) warnings: Vec<Warning>,
}

impl<'a> Writing<'a> {
    pub(super) fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, message: 0, part: 0, warnings: Vec::new() }
    }

    /// All messages.
    pub(super) fn messages(&mut self, messages: &'a [Neutral]) -> Vec<Message<'a>> {
        let mut written = Vec::with_capacity(messages.len());
        for (index, message) in messages.iter().enumerate() {
            (self.message, self.part) = (index, 0);
            match message {
                Neutral::System(system) => written.push(self.system(system)),
                Neutral::User(user) => self.user(user, &mut written),
                Neutral::Assistant(assistant) => {
                    let last = index + 1 == messages.len();
                    written.push(self.assistant(assistant, last));
                }
                _ => self.drop_part("this kind of message is unknown to the protocol"),
            }
        }
        written
    }

    fn system(&mut self, system: &'a System) -> Message<'a> {
        let role = match self.dialect.system_role {
            SystemRole::System => "system",
            SystemRole::Developer => "developer",
        };
        let parts = self.inputs(&system.parts);
        Message {
            role,
            content: Some(self.content(parts)),
            extra: Verbatim::of(system.extra.fields(PROTOCOL)),
            ..Message::default()
        }
    }

    /// Results of tools are messages of their own and come first; their media follow in the user's message.
    fn user(&mut self, user: &'a User, written: &mut Vec<Message<'a>>) {
        let mut moved = Vec::new();
        for (index, part) in user.parts.iter().enumerate() {
            self.part = index;
            if let Input::ToolResult(result) = part {
                written.push(self.tool_result(result, &mut moved));
            }
        }
        let mut parts = moved;
        parts.extend(self.inputs(&user.parts));
        let results = user.parts.iter().any(|part| matches!(part, Input::ToolResult(_)));
        if results && parts.is_empty() {
            return;
        }
        if self.dialect.assistant_after_tool && written.last().is_some_and(|message| message.role == "tool") {
            let content = Some(Content::Text(Cow::Borrowed(INTERLUDE)));
            written.push(Message { role: "assistant", content, ..Message::default() });
        }
        written.push(Message {
            role: "user",
            content: Some(self.content(parts)),
            extra: Verbatim::of(user.extra.fields(PROTOCOL)),
            ..Message::default()
        });
    }

    fn inputs(&mut self, inputs: &'a [Input]) -> Vec<Part<'a>> {
        let mut parts = Vec::with_capacity(inputs.len());
        for (index, input) in inputs.iter().enumerate() {
            self.part = index;
            let part = match input {
                Input::Text(text) => Some(self.text(text)),
                Input::Media(media) => self.media(media),
                Input::Custom(custom) => self.custom(&custom.protocol, &custom.kind, &custom.value),
                Input::ToolResult(_) => None,
                _ => {
                    self.drop_part("this kind of part is unknown to the protocol");
                    None
                }
            };
            parts.extend(part);
        }
        parts
    }

    fn tool_result(&mut self, result: &'a ToolResult, moved: &mut Vec<Part<'a>>) -> Message<'a> {
        let mut parts = Vec::new();
        let mut pictures = Vec::new();
        for content in &result.content {
            match content {
                ResultContent::Text(text) => parts.push(self.text(text)),
                ResultContent::Media(media) => pictures.extend(self.media(media)),
                ResultContent::Custom(custom) => {
                    parts.extend(self.custom(&custom.protocol, &custom.kind, &custom.value));
                }
                _ => self.drop_part("this kind of part is unknown to the protocol"),
            }
        }
        if !pictures.is_empty() {
            self.adjust("results of tools are text only here: its media follow in a user message");
            moved.push(known(KnownPart {
                kind: "text",
                text: Some(Cow::Owned(format!("Media of the result of tool call {}:", result.call))),
                ..KnownPart::default()
            }));
            moved.extend(pictures);
        }
        if result.is_error {
            self.mark_error(&mut parts);
        }
        self.mark_last(result.cache, &mut parts);
        let legacy = result.extra.get(PROTOCOL, LEGACY).is_some();
        let name = (legacy || self.dialect.tool_result_name).then_some(&*result.name);
        let extra = result.extra.fields(PROTOCOL);
        let mut extra = Verbatim::of(extra);
        extra.0.retain(|(field, _)| *field != LEGACY);
        Message {
            role: if legacy { "function" } else { "tool" },
            tool_call_id: (!legacy).then(|| self.call_id(&result.call)),
            name: name.filter(|name| !name.is_empty()),
            content: Some(self.content(parts)),
            extra,
            ..Message::default()
        }
    }

    /// There is no error flag: the text says so.
    fn mark_error(&mut self, parts: &mut Vec<Part<'a>>) {
        self.adjust("results of tools have no error flag here: the text begins with \"Error: \"");
        let first = parts.iter_mut().find_map(|part| match part {
            Part::Known(part) => part.text.as_mut(),
            Part::Verbatim(_) => None,
        });
        match first {
            Some(text) => *text = Cow::Owned(format!("Error: {text}")),
            None => parts.insert(0, known(text_part(Cow::Borrowed("Error: the tool failed")))),
        }
    }

    /// The mark of a result is the mark of its last part.
    fn mark_last(&mut self, cache: Option<Retention>, parts: &mut [Part<'a>]) {
        if cache.is_none() {
            return;
        }
        let (control, breakpoint) = self.cache_mark(cache);
        if let Some(Part::Known(part)) = parts.last_mut() {
            part.cache_control = control;
            part.prompt_cache_breakpoint = breakpoint;
        }
    }

    fn assistant(&mut self, assistant: &'a Assistant, last: bool) -> Message<'a> {
        let mut message = Message { role: "assistant", ..Message::default() };
        let mut parts = Vec::new();
        let mut refusals = Vec::new();
        for (index, part) in assistant.parts.iter().enumerate() {
            self.part = index;
            Self::replay(part, &mut message);
            match part {
                Output::Text(text) => {
                    if !message.tool_calls.is_empty() {
                        self.adjust("text after tool calls goes before them here");
                    }
                    if text.refusal {
                        refusals.push(&*text.text);
                    } else {
                        parts.push(self.text(text));
                    }
                    parts.extend(self.references(text));
                }
                Output::Reasoning(reasoning) => self.reasoning(reasoning, &mut message, &mut parts),
                Output::ToolCall(call) => self.tool_call(call, &mut message),
                Output::Media(media) => self.output_media(media, &mut message, &mut parts),
                Output::Custom(custom) => match self.custom(&custom.protocol, &custom.kind, &custom.value) {
                    Some(Part::Verbatim(call)) if custom.kind.starts_with(CALL_KIND) => {
                        message.tool_calls.push(AnyCall::Verbatim(call));
                    }
                    part => parts.extend(part),
                },
                Output::ToolResult(_) => {
                    self.drop_part("results of the provider's own tools cannot go back here");
                }
                _ => self.drop_part("this kind of part is unknown to the protocol"),
            }
        }
        refuse(refusals, &mut message, &mut parts);
        message.content = self.assistant_content(parts, &message);
        message.extra.0.extend(Verbatim::of(assistant.extra.fields(PROTOCOL)).0);
        message.prefix = last && self.dialect.prefix;
        if self.dialect.reasoning_echo_empty && !has_reasoning(&message) {
            message.reasoning_content = Some(String::new());
        }
        message
    }

    /// The references of a text, where they stand among the content.
    fn references(&self, text: &'a Text) -> impl Iterator<Item = Part<'a>> {
        let own =
            text.citations.iter().filter(|citation| self.dialect.references && citation.kind == REFERENCE);
        own.map(|citation| {
            let reference_ids = citation.extra.get(PROTOCOL, REFERENCE_IDS).and_then(raw);
            known(KnownPart { kind: REFERENCE, reference_ids, ..KnownPart::default() })
        })
    }

    fn assistant_content(&mut self, parts: Vec<Part<'a>>, message: &Message<'a>) -> Option<Content<'a>> {
        if !parts.is_empty() {
            return Some(self.content(parts));
        }
        let calls = !message.tool_calls.is_empty() || message.function_call.is_some();
        if !calls && message.audio.is_none() && message.refusal.is_none() {
            return Some(Content::Text(Cow::Borrowed("")));
        }
        match self.dialect.empty_content {
            EmptyContent::Null => Some(Content::Null(())),
            EmptyContent::EmptyString => Some(Content::Text(Cow::Borrowed(""))),
            EmptyContent::Omitted => None,
        }
    }

    /// Seals that came with the message as a whole go back with it.
    fn replay(part: &'a Output, message: &mut Message<'a>) {
        let extra: &Extra = match part {
            Output::Text(text) => &text.extra,
            Output::Reasoning(reasoning) => &reasoning.extra,
            Output::ToolCall(call) => &call.extra,
            Output::Media(media) => &media.extra,
            _ => return,
        };
        for (name, value) in extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter) {
            let Some(name) = name.strip_prefix(MESSAGE_FIELD) else { continue };
            if REPLAYED.contains(&name) {
                message.extra.0.push((name, Plain::of(value)));
            }
        }
    }

    fn reasoning(&mut self, part: &'a Reasoning, message: &mut Message<'a>, parts: &mut Vec<Part<'a>>) {
        let field = part.extra.read::<String>(PROTOCOL, FIELD).unwrap_or_default();
        let details = part.extra.get(PROTOCOL, DETAILS);
        let signature = part.extra.get(PROTOCOL, SIGNATURE);
        let sealed = details.is_some_and(is_sealed) || signature.is_some();
        let way = match self.dialect.reasoning_echo {
            ReasoningEcho::Sealed if !sealed => ReasoningEcho::Never,
            ReasoningEcho::Sealed | ReasoningEcho::AsReceived if details.is_some() => ReasoningEcho::Details,
            ReasoningEcho::Sealed | ReasoningEcho::AsReceived if field == "thinking" => {
                ReasoningEcho::ThinkingChunks
            }
            ReasoningEcho::Sealed | ReasoningEcho::AsReceived if field == "reasoning" => {
                ReasoningEcho::Reasoning
            }
            ReasoningEcho::Sealed | ReasoningEcho::AsReceived => ReasoningEcho::ReasoningContent,
            way => way,
        };
        match way {
            ReasoningEcho::Details => push_details(details, part, message),
            ReasoningEcho::ThinkingChunks => parts.push(known(KnownPart {
                kind: "thinking",
                thinking: vec![text_part(Cow::Borrowed(&part.text))],
                signature: signature.and_then(raw),
                ..KnownPart::default()
            })),
            ReasoningEcho::Reasoning => message.reasoning.get_or_insert_default().push_str(&part.text),
            ReasoningEcho::ReasoningContent if field == "reasoning_text" => {
                message.reasoning_text.get_or_insert_default().push_str(&part.text);
            }
            ReasoningEcho::ReasoningContent => {
                message.reasoning_content.get_or_insert_default().push_str(&part.text);
            }
            _ if part.text.is_empty() && !sealed => {}
            _ => self.drop_part("reasoning of earlier turns is not sent back to this service"),
        }
    }

    fn tool_call(&mut self, call: &'a ToolCall, message: &mut Message<'a>) {
        if !call.run_by.is_caller() {
            self.drop_part("calls of the provider's own tools cannot go back here");
            return;
        }
        if call.cache.is_some() {
            self.ignore("cache", "a tool call cannot carry a cache mark here");
        }
        let mut extra = Verbatim::of(call.extra.fields(PROTOCOL));
        extra.0.retain(|(name, _)| *name != LEGACY && !name.starts_with(MESSAGE_FIELD));
        let arguments = || if call.input.is_blank() { "{}" } else { call.input.as_str() };
        if call.extra.get(PROTOCOL, LEGACY).is_some() && message.function_call.is_none() {
            message.function_call =
                Some(Function { name: &call.name, arguments: Cow::Borrowed(arguments()) });
            return;
        }
        let id = self.call_id(&call.id);
        let written = match call.kind {
            ToolKind::Custom if self.dialect.custom_tools => {
                let custom = Custom { name: &call.name, input: call.input.as_str() };
                Call { id, kind: "custom", function: None, custom: Some(custom), extra }
            }
            ToolKind::Custom => {
                self.adjust(
                    "this service has no tools of free text: the text is the argument `input` of a function",
                );
                let arguments = Cow::Owned(format!("{{\"input\":{}}}", Json::string(call.input.as_str())));
                let function = Function { name: &call.name, arguments };
                Call { id, kind: "function", function: Some(function), custom: None, extra }
            }
            _ => {
                let function = Function { name: &call.name, arguments: Cow::Borrowed(arguments()) };
                Call { id, kind: "function", function: Some(function), custom: None, extra }
            }
        };
        message.tool_calls.push(AnyCall::Known(Box::new(written)));
    }

    /// Sound goes back by the id under which the service keeps it; pictures go back as parts.
    fn output_media(&mut self, media: &'a Media, message: &mut Message<'a>, parts: &mut Vec<Part<'a>>) {
        if media.kind() != MediaKind::Audio {
            parts.extend(self.media(media));
            return;
        }
        match media.extra.get(PROTOCOL, "id").and_then(raw) {
            Some(id) => message.audio = Some(StoredAudio { id }),
            None => self.drop_part("sound of earlier turns can go back only by the service's own id"),
        }
    }

    fn text(&mut self, text: &'a Text) -> Part<'a> {
        let (cache_control, prompt_cache_breakpoint) = self.cache_mark(text.cache);
        let mut extra = Verbatim::of(text.extra.fields(PROTOCOL));
        extra.0.retain(|(name, _)| !name.starts_with(MESSAGE_FIELD));
        known(KnownPart {
            cache_control,
            prompt_cache_breakpoint,
            extra,
            ..text_part(Cow::Borrowed(&text.text))
        })
    }

    fn custom(&mut self, protocol: &str, kind: &str, value: &'a Json) -> Option<Part<'a>> {
        let value = raw(value).filter(|_| protocol == PROTOCOL);
        if value.is_none() {
            self.drop_part(&format!("a {kind} part of {protocol} cannot be said here"));
        }
        value.map(Part::Verbatim)
    }

    fn media(&mut self, media: &'a Media) -> Option<Part<'a>> {
        if self.dialect.string_content {
            self.drop_part("this service takes text only");
            return None;
        }
        let mut part = match (media.kind(), &media.source) {
            (_, Source::File(id)) if self.dialect.files == FileParts::DocumentUrl => {
                KnownPart { kind: "file", file_id: Some(id), ..KnownPart::default() }
            }
            (_, Source::File(id)) if self.dialect.files != FileParts::Refused => {
                file_part(media, None, Some(id))
            }
            (MediaKind::Image, source) if self.dialect.images => image_part(media, source)?,
            (MediaKind::Video, source) if self.dialect.video => {
                KnownPart { kind: "video_url", video_url: address(media, source), ..KnownPart::default() }
            }
            // A sound with a name came as a file, and may be in a format that `input_audio` does not take.
            (MediaKind::Audio, Source::Bytes(data))
                if media.name.is_some() && self.dialect.files == FileParts::File =>
            {
                file_part(media, Some(data_url(&media.mime, data)), None)
            }
            (MediaKind::Audio, Source::Bytes(data)) if self.dialect.audio => KnownPart {
                kind: "input_audio",
                input_audio: Some(Sound { data: data.to_base64(), format: audio_format(&media.mime) }),
                ..KnownPart::default()
            },
            (MediaKind::Document, source) => self.document(media, source)?,
            (_, _) => {
                self.drop_part("this service takes no such media, or not from there");
                return None;
            }
        };
        (part.cache_control, part.prompt_cache_breakpoint) = self.cache_mark(media.cache);
        part.extra = Verbatim::of(media.extra.fields(PROTOCOL));
        part.extra.0.retain(|(name, _)| {
            *name != "detail" && !name.starts_with(MESSAGE_FIELD) && !name.starts_with(IMAGE_FIELD)
        });
        Some(known(part))
    }

    fn document(&mut self, media: &'a Media, source: &'a Source) -> Option<KnownPart<'a>> {
        match (self.dialect.files, source) {
            (FileParts::File, Source::Bytes(data)) => {
                Some(file_part(media, Some(data_url(&media.mime, data)), None))
            }
            (FileParts::DocumentUrl, source) => Some(KnownPart {
                kind: "document_url",
                document_url: address(media, source).map(|address| address.url),
                document_name: media.name.as_deref(),
                ..KnownPart::default()
            }),
            _ => {
                self.drop_part("this service takes no such document, or not from there");
                None
            }
        }
    }

    /// A lone plain text stands for itself; several parts are an array, or one text where a service demands it.
    fn content(&mut self, mut parts: Vec<Part<'a>>) -> Content<'a> {
        if self.dialect.string_content && parts.len() != 1 {
            let texts = parts.iter().filter_map(|part| match part {
                Part::Known(part) => part.text.as_deref(),
                Part::Verbatim(_) => None,
            });
            return Content::Text(Cow::Owned(texts.collect::<Vec<_>>().join("\n")));
        }
        match parts.as_mut_slice() {
            [] => Content::Text(Cow::Borrowed("")),
            [Part::Known(part)] if part.is_plain() || self.dialect.string_content => {
                Content::Text(part.text.take().unwrap_or_default())
            }
            _ => Content::Parts(parts),
        }
    }

    fn cache_mark(&mut self, cache: Option<Retention>) -> (Option<CacheControl>, Option<Breakpoint>) {
        let Some(retention) = cache else { return (None, None) };
        match self.dialect.cache_marks {
            CacheMarks::CacheControl => (Some(cache_control(retention)), None),
            CacheMarks::Breakpoint => {
                let ttl = match retention {
                    Retention::Short => Some("30m"),
                    Retention::Long => Some("12h"),
                    _ => None,
                };
                (None, Some(Breakpoint { mode: "explicit", ttl }))
            }
            CacheMarks::Refused => {
                self.ignore("cache", "this service takes no cache marks");
                (None, None)
            }
        }
    }

    fn call_id(&self, id: &'a str) -> Cow<'a, str> {
        let token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        match self.dialect.tool_call_ids {
            ToolCallIds::Any => Cow::Borrowed(id),
            ToolCallIds::Token64 if id.len() <= 64 && id.chars().all(token) => Cow::Borrowed(id),
            ToolCallIds::Token64 => Cow::Owned(format!("call_{}", digest(id, 11))),
            ToolCallIds::Alphanumeric9 if id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric()) => {
                Cow::Borrowed(id)
            }
            ToolCallIds::Alphanumeric9 => Cow::Owned(digest(id, 9)),
        }
    }

    fn path(&self) -> String {
        format!("messages[{}].parts[{}]", self.message, self.part)
    }

    fn drop_part(&mut self, why: &str) {
        self.warnings.push(Warning::dropped(self.path(), why.to_owned()));
    }

    fn adjust(&mut self, why: &'static str) {
        self.warnings.push(Warning::adjusted(self.path(), why));
    }

    fn ignore(&mut self, what: &str, why: &'static str) {
        self.warnings.push(Warning::ignored(format!("{}.{what}", self.path()), why));
    }
}

impl KnownPart<'_> {
    /// Whether it is a text and nothing else.
    fn is_plain(&self) -> bool {
        self.kind == "text"
            && self.cache_control.is_none()
            && self.prompt_cache_breakpoint.is_none()
            && self.extra.0.is_empty()
    }
}

/// A cache mark in Anthropic's words.
pub(super) fn cache_control(retention: Retention) -> CacheControl {
    let ttl = match retention {
        Retention::Short => Some("5m"),
        Retention::Long => Some("1h"),
        _ => None,
    };
    CacheControl { kind: "ephemeral", ttl }
}

/// One refusal has a field of its own; several are parts.
fn refuse<'a>(mut refusals: Vec<&'a str>, message: &mut Message<'a>, parts: &mut Vec<Part<'a>>) {
    if refusals.len() == 1 {
        message.refusal = refusals.pop();
        return;
    }
    parts.extend(
        refusals.into_iter().map(|refusal| {
            known(KnownPart { kind: "refusal", refusal: Some(refusal), ..KnownPart::default() })
        }),
    );
}

fn push_details<'a>(details: Option<&'a Json>, part: &'a Reasoning, message: &mut Message<'a>) {
    match details.and_then(|details| serde_json::from_str::<Vec<_>>(details.as_str()).ok()) {
        Some(items) => message.reasoning_details.extend(items.into_iter().map(Detail::Verbatim)),
        None => message.reasoning_details.push(Detail::Text { kind: "reasoning.text", text: &part.text }),
    }
}

/// Whether details hold a signature or something encrypted.
fn is_sealed(details: &Json) -> bool {
    #[derive(serde::Deserialize)]
    struct Item {
        #[serde(default)]
        signature: Option<String>,
        #[serde(default)]
        data: Option<String>,
    }
    let items: Vec<Item> = details.parse().unwrap_or_default();
    items.iter().any(|item| [&item.signature, &item.data].into_iter().flatten().any(|seal| !seal.is_empty()))
}

fn has_reasoning(message: &Message<'_>) -> bool {
    message.reasoning_content.is_some()
        || message.reasoning.is_some()
        || !message.reasoning_details.is_empty()
}

fn known(part: KnownPart<'_>) -> Part<'_> {
    Part::Known(Box::new(part))
}

fn text_part(text: Cow<'_, str>) -> KnownPart<'_> {
    KnownPart { kind: "text", text: Some(text), ..KnownPart::default() }
}

fn image_part<'a>(media: &'a Media, source: &'a Source) -> Option<KnownPart<'a>> {
    let image_url = Some(address(media, source)?);
    Some(KnownPart { kind: "image_url", image_url, ..KnownPart::default() })
}

fn address<'a>(media: &'a Media, source: &'a Source) -> Option<Address<'a>> {
    let url = match source {
        Source::Bytes(data) => Cow::Owned(data_url(&media.mime, data)),
        Source::Url(url) => Cow::Borrowed(&**url),
        _ => return None,
    };
    let detail = media.extra.get(PROTOCOL, "detail").and_then(raw);
    let mut extra = Verbatim::of(media.extra.fields(PROTOCOL));
    extra.0 = extra
        .0
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(IMAGE_FIELD)?, value)))
        .collect();
    Some(Address { url, detail, extra })
}

fn file_part<'a>(media: &'a Media, data: Option<String>, id: Option<&'a str>) -> KnownPart<'a> {
    let file = File { filename: media.name.as_deref(), data, id };
    KnownPart { kind: "file", file: Some(file), ..KnownPart::default() }
}

/// A short name for a long id: FNV-1a in letters and digits, the same every time.
fn digest(id: &str, length: usize) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let letters = (0..length).map(|_| {
        let letter = usize::try_from(hash % 62).ok().and_then(|at| LETTERS.get(at)).copied().unwrap_or(b'0');
        hash /= 62;
        char::from(letter)
    });
    letters.collect()
}
