//! A request to the wire.

use std::borrow::Cow;

use interlingua_model::{
    Assistant, Content, Effort, Extra, Fields, Format, FunctionTool, Input, Json, Media, MediaKind, Message,
    Output, Reasoning, Request, Retention, SchemaFormat, Source, System, Text, Tool, ToolCall, ToolChoice,
    ToolMode, ToolResult, User, Warning,
};
use serde::Serialize;
use serde::ser::SerializeMap as _;
use serde_json::value::RawValue;

use super::P;
use super::dialect::{
    AutomaticCache, CacheMarks, Dialect, EndUser, Instructions, ReasoningEcho, SamplingRule, Store,
    SystemRole,
};
use super::types::{
    AudioOut, Breakpoint, ChoiceOut, ChosenTool, CustomOut, FormatOut, FunctionOut, GrammarOut, MediaPart,
    MessageContent, MessageItem, OutputItem, ReasoningOut, Rest, Screenshot, ShellOutcome, ShellOutput,
    TextOut, TextPart, Verbatim,
};
use super::write::{self, Group, Side, verbatim, word};
use crate::places::Words;
use crate::{Mode, schema};

/// Writes the body of a request and says what is lost in it.
pub(super) fn body(dialect: &Dialect, model: &str, request: &Request, mode: Mode) -> (Vec<u8>, Vec<Warning>) {
    let mut writer = Writer { dialect, request, warnings: Vec::new(), body: Body::default() };
    writer.write(model, mode);
    let Writer { warnings, body, .. } = writer;
    (serde_json::to_vec(&body).unwrap_or_default(), warnings)
}

/// The settings of a request as they would be written, by name: what an answer repeats of them.
pub(super) fn settings(request: &Request) -> Vec<(String, Box<RawValue>)> {
    let dialect = Dialect { store: Store::Omitted, encrypted_reasoning: false, ..Dialect::openai() };
    let mut writer = Writer { dialect: &dialect, request, warnings: Vec::new(), body: Body::default() };
    writer.settings();
    writer.body.0.into_iter().map(|(name, value)| (name.into_owned(), value)).collect()
}

/// The fields of the body in order; a field that is set again keeps its place.
#[derive(Default)]
struct Body<'a>(Vec<(Cow<'a, str>, Box<RawValue>)>);

struct Writer<'a> {
    dialect: &'a Dialect,
    request: &'a Request,
    warnings: Vec<Warning>,
    body: Body<'a>,
}

impl<'a> Body<'a> {
    fn set(&mut self, name: impl Into<Cow<'a, str>>, value: &(impl Serialize + ?Sized)) {
        self.put(name.into(), verbatim(value));
    }

    #[inline(never)]
    fn put(&mut self, name: Cow<'a, str>, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(known, _)| known != name);
        self.0.len() != before
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'a> Writer<'a> {
    /// What stays the same from turn to turn comes first and `input` last, so that the body of a longer conversation
    /// begins with the bytes of the shorter one.
    fn write(&mut self, model: &str, mode: Mode) {
        self.body.set("model", model);
        if mode == Mode::Stream {
            self.body.set("stream", &true);
        }
        let messages = self.settings();
        let items = Items::new(self, messages).write();
        self.body.set("input", &items);
        self.refuse();
    }

    /// Everything but the conversation, of which the messages are returned that are still to be written.
    fn settings(&mut self) -> &'a [Message] {
        self.state();
        self.limits();
        self.sampling();
        self.reasoning();
        self.text();
        self.cache();
        self.labels();
        self.tools();
        let (instructions, messages) = self.instructions();
        if let Some(instructions) = instructions {
            self.body.set("instructions", instructions);
        }
        self.own_fields();
        messages
    }

    #[inline(never)]
    fn ignore(&mut self, is_set: bool, setting: &'static str, why: &'static str) {
        if is_set {
            self.warnings.push(Warning::ignored(setting, why));
        }
    }

    fn own(&self, name: &str) -> Option<&'a Json> {
        self.request.extra.get(P, name)
    }

    /// Whether the answer will be kept by the service.
    fn is_stored(&self) -> bool {
        match self.own("store").map(Json::as_str) {
            Some("true") => true,
            Some("false") => false,
            _ => self.dialect.store != Store::Never,
        }
    }

    fn state(&mut self) {
        match self.dialect.store {
            Store::Never => self.body.set("store", &false),
            Store::Always => self.body.set("store", &true),
            Store::Omitted => {}
        }
        let mut include: Vec<Cow<'_, str>> = Vec::new();
        if self.dialect.encrypted_reasoning && !self.is_stored() {
            include.push("reasoning.encrypted_content".into());
        }
        if self.request.sampling.logprobs.is_some() && self.dialect.logprobs {
            include.push("message.output_text.logprobs".into());
        }
        let more: Vec<String> = self.own("include").and_then(|json| json.parse().ok()).unwrap_or_default();
        for word in more {
            if !include.contains(&Cow::Borrowed(&*word)) {
                include.push(word.into());
            }
        }
        if self.dialect.include && !include.is_empty() {
            self.body.set("include", &include);
        }
    }

    fn limits(&mut self) {
        let Some(asked) = self.request.max_output else { return };
        if !self.dialect.max_output {
            return self.ignore(true, "max_output", "the service takes no limit of output");
        }
        let least = self.dialect.min_max_output.unwrap_or(0);
        if asked < least {
            let detail = format!("raised from {asked} to {least}, the least that the service takes");
            self.warnings.push(Warning::adjusted("max_output", detail));
        }
        self.body.set("max_output_tokens", &asked.max(least));
    }

    fn sampling(&mut self) {
        let sampling = &self.request.sampling;
        let refused = match self.dialect.sampling {
            SamplingRule::Accepted => None,
            SamplingRule::WithoutReasoning if self.request.effort == Some(Effort::None) => None,
            SamplingRule::WithoutReasoning => Some("the model takes it only when the effort is none"),
            SamplingRule::Refused => Some("the model refuses it"),
        };
        let knobs = [
            ("temperature", "sampling.temperature", sampling.temperature),
            ("top_p", "sampling.top_p", sampling.top_p),
        ];
        for (name, setting, value) in knobs {
            match (value, refused) {
                (Some(value), None) => self.body.set(name, &value),
                (value, Some(why)) => self.ignore(value.is_some(), setting, why),
                (None, None) => {}
            }
        }
        let none = "the protocol has no such field";
        self.ignore(sampling.top_k.is_some(), "sampling.top_k", none);
        self.ignore(sampling.seed.is_some(), "sampling.seed", none);
        self.ignore(sampling.presence_penalty.is_some(), "sampling.presence_penalty", none);
        self.ignore(sampling.frequency_penalty.is_some(), "sampling.frequency_penalty", none);
        self.ignore(!sampling.stop.is_empty(), "sampling.stop", none);
        match sampling.logprobs {
            Some(count) if self.dialect.logprobs && self.dialect.include => {
                self.body.set("top_logprobs", &count);
            }
            logprobs => self.ignore(logprobs.is_some(), "sampling.logprobs", "the service refuses it"),
        }
    }

    fn reasoning(&mut self) {
        let request = self.request;
        self.ignore(
            request.reasoning_budget.is_some(),
            "reasoning_budget",
            "the protocol takes an effort, no figure",
        );
        let shown = request.show_reasoning == Some(true);
        let effort = match request.effort {
            Some(effort) if self.dialect.effort => Some(self.effort_word(effort)),
            effort => {
                self.ignore(effort.is_some(), "effort", "the service refuses `reasoning.effort`");
                None
            }
        };
        self.ignore(
            shown && !self.dialect.reasoning_summary,
            "show_reasoning",
            "the service refuses `reasoning.summary`",
        );
        let summary = (shown && self.dialect.reasoning_summary).then_some("auto");
        if effort.is_some() || summary.is_some() {
            self.body.set("reasoning", &ReasoningOut { effort: effort.as_deref(), summary });
        }
    }

    fn effort_word(&mut self, effort: Effort) -> Cow<'a, str> {
        let words = &self.dialect.effort_words;
        if words.is_empty() {
            return Cow::Borrowed(effort.as_str());
        }
        if let Some(word) = words.get(&effort) {
            return Cow::Borrowed(word);
        }
        let distance = |other: &Effort| (*other as i16 - effort as i16).unsigned_abs();
        let Some((_, word)) = words.iter().min_by_key(|(other, _)| distance(other)) else {
            return Cow::Borrowed(effort.as_str());
        };
        let detail = format!("the service has no `{effort}`; `{word}` is the nearest");
        self.warnings.push(Warning::adjusted("effort", detail));
        Cow::Borrowed(word)
    }

    fn text(&mut self) {
        let format = self.request.format.as_ref().and_then(|format| self.format(format));
        let verbosity = self.request.verbosity.map(interlingua_model::Verbosity::as_str);
        self.ignore(verbosity.is_some() && !self.dialect.verbosity, "verbosity", "the service refuses it");
        let verbosity = verbosity.filter(|_| self.dialect.verbosity);
        if format.is_some() || verbosity.is_some() {
            self.body.set("text", &TextOut { format, verbosity });
        }
    }

    fn format(&mut self, format: &'a Format) -> Option<FormatOut<'a>> {
        let bare = |kind| FormatOut { kind, name: None, description: None, schema: None, strict: None };
        match format {
            Format::Text => Some(bare("text")),
            Format::Schema(schema) if self.dialect.json_schema => Some(self.schema(schema)),
            Format::Schema(_) if self.dialect.json_object => {
                let detail = "the service takes no schema; it is asked for some JSON object";
                self.warnings.push(Warning::adjusted("format", detail));
                Some(bare("json_object"))
            }
            Format::Json if self.dialect.json_object => Some(bare("json_object")),
            _ => {
                self.ignore(true, "format", "the service takes no form of answer");
                None
            }
        }
    }

    fn schema(&mut self, format: &'a SchemaFormat) -> FormatOut<'a> {
        let strict = format.strict.filter(|_| self.dialect.strict);
        self.ignore(
            format.strict == Some(true) && strict.is_none(),
            "format.strict",
            "the service refuses it",
        );
        FormatOut {
            kind: "json_schema",
            name: Some(&format.name),
            description: format.description.as_deref(),
            schema: Some(self.json_schema("format.schema", &format.schema, strict == Some(true))),
            strict,
        }
    }

    /// A schema as it stands, or as strict mode takes it. An empty one is that of an object without properties.
    fn json_schema(&mut self, place: &str, schema: &Json, strict: bool) -> Box<RawValue> {
        let empty = Json::from_text(r#"{"type":"object","properties":{}}"#);
        let schema = if schema.is_blank() { &empty } else { schema };
        if !strict {
            return verbatim(&Verbatim(schema));
        }
        let (strict, warnings) = schema::for_openai(schema);
        for mut warning in warnings {
            warning.setting = format!("{place}{}", warning.setting).into();
            self.warnings.push(warning);
        }
        verbatim(&Verbatim(&strict))
    }

    fn cache(&mut self) {
        let cache = &self.request.cache;
        match &cache.key {
            Some(key) if self.dialect.prompt_cache_key => {
                let short: String = key.chars().take(64).collect();
                if short.len() < key.len() {
                    self.warnings.push(Warning::adjusted("cache.key", "cut to 64 characters"));
                }
                self.body.set("prompt_cache_key", &short);
            }
            key => self.ignore(key.is_some(), "cache.key", "the service refuses `prompt_cache_key`"),
        }
        let Some(retention) = cache.automatic else { return };
        match self.dialect.automatic_cache {
            AutomaticCache::Refused => {
                self.ignore(true, "cache.automatic", "the service caches by itself or not at all");
            }
            AutomaticCache::Retention => {
                let word = if retention == Retention::Long { "24h" } else { "in_memory" };
                self.body.set("prompt_cache_retention", word);
            }
            AutomaticCache::Options => {
                let ttl = write::breakpoint(retention).ttl;
                self.body.set("prompt_cache_options", &Breakpoint { mode: "implicit", ttl });
            }
        }
    }

    fn labels(&mut self) {
        let request = self.request;
        match &request.service_tier {
            Some(tier) if self.dialect.service_tier => self.body.set("service_tier", &**tier),
            tier => self.ignore(tier.is_some(), "service_tier", "the service refuses it"),
        }
        if !request.metadata.is_empty() {
            if self.dialect.metadata {
                self.body.set("metadata", &Pairs(&request.metadata));
            }
            self.ignore(!self.dialect.metadata, "metadata", "the service refuses it");
        }
        let Some(user) = &request.end_user else { return };
        match self.dialect.end_user {
            EndUser::User => self.body.set("user", &**user),
            EndUser::SafetyIdentifier => self.body.set("safety_identifier", &**user),
            EndUser::Refused => self.ignore(true, "end_user", "the service refuses it"),
        }
    }

    fn tools(&mut self) {
        let mut allowed = None;
        if let Some(ToolChoice::Allowed { names, .. }) = &self.request.tool_choice
            && !self.dialect.allowed_tools
        {
            allowed = Some(names);
            self.warnings.push(Warning::adjusted(
                "tool_choice",
                "the service takes no subset: only those tools are sent",
            ));
        }
        let mut tools = Vec::new();
        for (at, tool) in self.request.tools.iter().enumerate() {
            if allowed.is_none_or(|names| names.iter().any(|name| name == tool.name())) {
                tools.extend(self.tool(at, tool));
            }
        }
        if !tools.is_empty() {
            self.body.set("tools", &tools);
        }
        self.tool_choice();
        if let Some(parallel) = self.request.parallel_tool_calls {
            if self.dialect.parallel_tool_calls {
                self.body.set("parallel_tool_calls", &parallel);
            }
            self.ignore(!self.dialect.parallel_tool_calls, "parallel_tool_calls", "the service refuses it");
        }
    }

    fn tool(&mut self, at: usize, tool: &'a Tool) -> Option<Box<RawValue>> {
        let dropped = |why: &'static str| Warning::dropped(format!("tools[{at}]"), why);
        match tool {
            Tool::Function(function) => Some(self.function(at, function)),
            Tool::Custom(custom) if self.dialect.custom_tools => Some(verbatim(&CustomOut {
                kind: "custom",
                name: &custom.name,
                description: custom.description.as_deref(),
                format: custom.grammar.as_ref().map(|grammar| GrammarOut {
                    kind: "grammar",
                    syntax: &grammar.syntax,
                    definition: &grammar.definition,
                }),
                rest: Rest::of(&custom.extra, &[]),
            })),
            Tool::Custom(_) => {
                self.warnings.push(dropped("the service takes no tools with free text"));
                None
            }
            Tool::Provider(own) if own.protocol == P => Some(verbatim(&Verbatim(&own.value))),
            _ => {
                self.warnings.push(dropped("the tool is one of another protocol"));
                None
            }
        }
    }

    fn function(&mut self, at: usize, tool: &'a FunctionTool) -> Box<RawValue> {
        if tool.cache.is_some() {
            let detail = "the protocol takes no cache mark on a tool";
            self.warnings.push(Warning::ignored(format!("tools[{at}].cache"), detail));
        }
        let strict = tool.strict == Some(true);
        if strict && !self.dialect.strict {
            let detail = "the service refuses it";
            self.warnings.push(Warning::ignored(format!("tools[{at}].strict"), detail));
        }
        let said = tool.extra.get(P, "strict").is_some();
        verbatim(&FunctionOut {
            kind: "function",
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: self.json_schema(
                &format!("tools[{at}].input"),
                &tool.input,
                strict && self.dialect.strict,
            ),
            strict: (self.dialect.strict && !said).then_some(strict),
            rest: Rest::of(&tool.extra, &[]),
        })
    }

    fn tool_choice(&mut self) {
        let Some(choice) = &self.request.tool_choice else { return };
        let choice = match choice {
            ToolChoice::None => ChoiceOut::Word("none"),
            ToolChoice::Required => ChoiceOut::Word("required"),
            ToolChoice::Tool(name) if self.dialect.named_tool => ChoiceOut::One(self.chosen(name)),
            ToolChoice::Tool(_) => {
                let detail = "the service takes no name: some tool must be called";
                self.warnings.push(Warning::adjusted("tool_choice", detail));
                ChoiceOut::Word("required")
            }
            ToolChoice::Allowed { mode, names } if self.dialect.allowed_tools => ChoiceOut::Allowed {
                kind: "allowed_tools",
                mode: mode_word(*mode),
                tools: names.iter().map(|name| self.chosen(name)).collect(),
            },
            ToolChoice::Allowed { mode, .. } => ChoiceOut::Word(mode_word(*mode)),
            _ => ChoiceOut::Word("auto"),
        };
        self.body.set("tool_choice", &choice);
    }

    fn chosen(&self, name: &'a str) -> ChosenTool<'a> {
        match self.request.tools.iter().find(|tool| tool.name() == name) {
            Some(Tool::Provider(_)) => ChosenTool { kind: name, name: None },
            Some(Tool::Custom(_)) => ChosenTool { kind: "custom", name: Some(name) },
            _ => ChosenTool { kind: "function", name: Some(name) },
        }
    }

    /// A first system message of one plain text is the instructions; the rest are items.
    fn instructions(&self) -> (Option<&'a str>, &'a [Message]) {
        let messages = &*self.request.messages;
        if self.dialect.instructions == Instructions::Items || self.own("instructions").is_some() {
            return (None, messages);
        }
        match messages.split_first() {
            Some((Message::System(system), rest)) => match plain_system(system) {
                Some(text) => (Some(text), rest),
                None => (None, messages),
            },
            _ => (None, messages),
        }
    }

    /// Fields that only this protocol knows take the place of what was written, in the order in which they stand.
    fn own_fields(&mut self) {
        for (name, value) in &self.dialect.body {
            self.body.set(&**name, value);
        }
        for (name, value) in self.request.extra.fields(P).into_iter().flat_map(Fields::iter) {
            if name != "include" {
                self.body.remove(name);
                self.body.set(name, &Verbatim(value));
            }
        }
        let foreign: Vec<String> =
            self.request.extra.protocols().filter(|protocol| *protocol != P).map(ToOwned::to_owned).collect();
        for protocol in foreign {
            self.warnings.push(Warning::ignored(format!("extra.{protocol}"), "fields of another protocol"));
        }
    }

    fn refuse(&mut self) {
        for name in &self.dialect.refused_fields {
            if self.body.remove(name) {
                self.warnings.push(Warning::ignored(name.clone(), "the service answers it with an error"));
            }
        }
    }
}

/// Labels as an object, in order.
struct Pairs<'a>(&'a [(String, String)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

const fn mode_word(mode: ToolMode) -> &'static str {
    match mode {
        ToolMode::Required => "required",
        _ => "auto",
    }
}

/// The text of a system message that is nothing but text.
fn plain_system(system: &System) -> Option<&str> {
    match &*system.parts {
        [Input::Text(text)] if system.extra.is_empty() => plain(text),
        _ => None,
    }
}

fn plain(text: &Text) -> Option<&str> {
    (text.cache.is_none() && text.extra.is_empty()).then_some(&*text.text)
}

/// Writes messages as items.
struct Items<'w, 'a> {
    dialect: &'a Dialect,
    messages: &'a [Message],
    /// How many messages went elsewhere, so that warnings count as the caller does.
    skipped: usize,
    stored: bool,
    warnings: &'w mut Vec<Warning>,
    written: Vec<Box<RawValue>>,
    ids: Words,
    /// The item types of the calls of the provider's own kinds, by call id.
    hosted: Words,
    hosted_kinds: Vec<Cow<'a, str>>,
}

impl<'w, 'a> Items<'w, 'a> {
    fn new(writer: &'w mut Writer<'a>, messages: &'a [Message]) -> Self {
        Self {
            dialect: writer.dialect,
            messages,
            skipped: writer.request.messages.len() - messages.len(),
            stored: writer.is_stored(),
            warnings: &mut writer.warnings,
            written: Vec::new(),
            ids: Words::default(),
            hosted: Words::default(),
            hosted_kinds: Vec::new(),
        }
    }

    fn write(mut self) -> Vec<Box<RawValue>> {
        for (at, message) in self.messages.iter().enumerate() {
            let at = at + self.skipped;
            match message {
                Message::System(system) => self.system(at, system),
                Message::User(user) => self.user(at, user),
                Message::Assistant(assistant) => self.assistant(at, assistant),
                _ => {}
            }
        }
        self.written
    }

    #[cold]
    fn drop(&mut self, place: String, why: &'static str) {
        self.warnings.push(Warning::dropped(place, why));
    }

    fn system(&mut self, at: usize, system: &'a System) {
        let role = match self.dialect.system_role {
            SystemRole::System => "system",
            SystemRole::Developer => "developer",
        };
        let role = word(&system.extra, "role").unwrap_or(Cow::Borrowed(role));
        self.inputs(at, &role, &system.parts, &system.extra);
    }

    fn user(&mut self, at: usize, user: &'a User) {
        self.inputs(at, "user", &user.parts, &user.extra);
    }

    /// Results of tools are items of their own; what stands between them makes messages.
    fn inputs(&mut self, at: usize, role: &str, parts: &'a [Input], extra: &'a Extra) {
        let mut content = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let place = || format!("messages[{at}].parts[{number}]");
            match part {
                Input::ToolResult(result) => {
                    self.message(role, &std::mem::take(&mut content), extra);
                    self.result(&place(), result);
                }
                Input::Custom(custom) if custom.protocol == P && extra.get(P, "items").is_some() => {
                    self.written.extend(write::custom(custom));
                }
                Input::Custom(custom) => match write::custom(custom) {
                    Some(part) => content.push(InputPart::Other(part)),
                    None => self.drop(place(), "the part is one of another protocol"),
                },
                Input::Text(text) => content.push(InputPart::Text(text)),
                Input::Media(media) => content.extend(self.media(&place(), media).map(InputPart::Other)),
                _ => {}
            }
        }
        if parts.is_empty() {
            self.drop(format!("messages[{at}]"), "a message without content cannot be sent");
        }
        self.message(role, &content, extra);
    }

    fn message(&mut self, role: &str, content: &[InputPart<'a>], extra: &'a Extra) {
        if content.is_empty() {
            return;
        }
        let content = match content {
            [InputPart::Text(text)] if plain(text).is_some() => MessageContent::Text(&text.text),
            parts => MessageContent::Parts(parts.iter().map(|part| self.input_part(part)).collect()),
        };
        self.written.push(verbatim(&MessageItem {
            kind: "message",
            id: None,
            role,
            status: None,
            phase: None,
            content,
            rest: Rest::of(extra, &["role", "items"]),
        }));
    }

    fn input_part(&self, part: &InputPart<'a>) -> Box<RawValue> {
        match part {
            InputPart::Text(text) => self.text(text),
            InputPart::Other(raw) => raw.clone(),
        }
    }

    fn text(&self, text: &Text) -> Box<RawValue> {
        verbatim(&TextPart {
            kind: "input_text",
            text: &text.text,
            annotations: None,
            logprobs: None,
            prompt_cache_breakpoint: self.mark(text.cache),
            rest: Rest::of(&text.extra, &[]),
        })
    }

    fn mark(&self, retention: Option<Retention>) -> Option<Breakpoint> {
        retention.filter(|_| self.dialect.cache_marks == CacheMarks::Breakpoint).map(write::breakpoint)
    }

    fn media(&mut self, place: &str, media: &'a Media) -> Option<Box<RawValue>> {
        let kind = media.kind();
        let taken = match kind {
            MediaKind::Image => self.dialect.images,
            MediaKind::Audio => self.dialect.audio && matches!(media.source, Source::Bytes(_)),
            MediaKind::Document => self.dialect.files,
            _ => false,
        };
        if !taken {
            self.drop(place.to_owned(), "the service takes no media of this kind");
            return None;
        }
        let mut part = MediaPart {
            kind: "input_file",
            detail: None,
            image_url: None,
            file_id: None,
            file_url: None,
            filename: media.name.as_deref().map(Cow::Borrowed),
            file_data: None,
            input_audio: None,
            prompt_cache_breakpoint: self.mark(media.cache),
            rest: Rest::of(&media.extra, &[]),
        };
        match kind {
            MediaKind::Image => image_part(&mut part, media),
            MediaKind::Audio => audio_part(&mut part, media),
            _ => file_part(&mut part, media),
        }
        Some(verbatim(&part))
    }

    fn result(&mut self, place: &str, result: &'a ToolResult) {
        if let Some(item) = result.extra.get(P, "item") {
            self.written.push(verbatim(&Verbatim(item)));
            return;
        }
        let kind = match self.hosted.get(&result.call).and_then(|at| self.hosted_kinds.get(at)) {
            Some(kind) => format!("{kind}_output"),
            None if result.kind.is_function() => "function_call_output".to_owned(),
            None => "custom_tool_call_output".to_owned(),
        };
        let (status, output) = match &*kind {
            "shell_call_output" => (None, shell_output(result)),
            "computer_call_output" => (None, screenshot(result)),
            "apply_patch_call_output" => {
                (Some(if result.is_error { "failed" } else { "completed" }), write::json_text(&result.text()))
            }
            _ => (None, self.output(place, result)),
        };
        self.written.push(verbatim(&OutputItem {
            kind: &kind,
            call_id: write::call_id(&result.call),
            status,
            output,
            rest: Rest::of(&result.extra, &[]),
        }));
    }

    /// The output of a tool: one text, or a list of parts.
    fn output(&mut self, place: &str, result: &'a ToolResult) -> Box<RawValue> {
        let prefix = if result.is_error { write::ERROR_PREFIX } else { "" };
        if result.is_error {
            let detail = "the protocol has no mark for a tool that failed: its text says so";
            self.warnings.push(Warning::adjusted(format!("{place}.is_error"), detail));
        }
        match &*result.content {
            [] => return write::json_text(prefix),
            [Content::Text(text)] if plain(text).is_some() && self.mark(result.cache).is_none() => {
                return write::json_text(&format!("{prefix}{}", text.text));
            }
            _ => {}
        }
        if !self.dialect.rich_tool_results {
            let texts: Vec<&str> = result.content.iter().filter_map(content_text).collect();
            if texts.len() < result.content.len() {
                self.drop(format!("{place}.content"), "the service takes text alone as the output of a tool");
            }
            return write::json_text(&format!("{prefix}{}", texts.join("\n")));
        }
        let mut parts: Vec<Box<RawValue>> = Vec::new();
        if result.is_error {
            parts.push(self.text(&Text::new(prefix)));
        }
        let last = result.content.len().saturating_sub(1);
        for (number, content) in result.content.iter().enumerate() {
            let cache = result.cache.filter(|_| number == last);
            parts.extend(self.output_part(&format!("{place}.content[{number}]"), content, cache));
        }
        verbatim(&parts)
    }

    fn output_part(
        &mut self,
        place: &str,
        content: &'a Content,
        cache: Option<Retention>,
    ) -> Option<Box<RawValue>> {
        match content {
            Content::Text(text) if cache.is_some() => {
                let mut text = text.clone();
                text.cache = text.cache.or(cache);
                Some(self.text(&text))
            }
            Content::Text(text) => Some(self.text(text)),
            Content::Media(media) => self.media(place, media),
            Content::Custom(custom) => {
                let part = write::custom(custom);
                if part.is_none() {
                    self.drop(place.to_owned(), "the part is one of another protocol");
                }
                part
            }
            _ => None,
        }
    }

    fn assistant(&mut self, at: usize, assistant: &'a Assistant) {
        let next = self.messages.get(at + 1 - self.skipped);
        let followed = matches!(next, Some(Message::Assistant(_)));
        let groups = write::groups(&assistant.parts, Side::History);
        let last = groups.len().saturating_sub(1);
        for (number, (first, group)) in groups.into_iter().enumerate() {
            let place = format!("messages[{at}].parts[{first}]");
            match group {
                Group::Message(parts) => self.said(&parts),
                Group::Reasoning(parts) => self.reasoning(place, &parts, number == last && !followed),
                Group::Single(part) => self.single(place, part),
            }
        }
    }

    fn said(&mut self, parts: &[&'a Output]) {
        let extra = parts.iter().find_map(|part| match part {
            Output::Text(text) => Some(&text.extra),
            _ => None,
        });
        let id = extra.and_then(|extra| self.id(extra));
        let item = write::message(parts, id, Side::History, self.dialect.phase);
        self.written.push(item);
    }

    /// The id of an item, where ids go back, each once.
    fn id(&mut self, extra: &'a Extra) -> Option<Cow<'a, str>> {
        let id = write::item_id(extra)?;
        let sent = self.dialect.item_ids && id.len() <= 64 && self.ids.set(&id, 0).is_none();
        sent.then_some(id)
    }

    fn reasoning(&mut self, place: String, parts: &[&'a Reasoning], is_last: bool) {
        let own = parts.iter().any(|part| part.extra.fields(P).is_some());
        let sealed = parts.iter().any(|part| part.extra.get(P, "encrypted_content").is_some());
        let why = match self.dialect.reasoning_echo {
            ReasoningEcho::Never => Some("the service takes no reasoning of earlier turns"),
            ReasoningEcho::Sealed if !own => Some("the reasoning was not written by this service"),
            ReasoningEcho::Sealed if !sealed && !self.stored => Some(
                "the reasoning carries no encrypted content, without which a service that keeps nothing cannot use it",
            ),
            ReasoningEcho::Sealed if is_last => Some("reasoning that nothing follows is refused"),
            _ => None,
        };
        if let Some(why) = why {
            return self.drop(place, why);
        }
        let Some(first) = parts.first() else { return };
        let id = self.id(&first.extra);
        self.written.push(write::reasoning(parts, id, None));
    }

    fn single(&mut self, place: String, part: &'a Output) {
        let item = match part {
            Output::ToolCall(call) => self.call(&place, call),
            Output::Media(media) => {
                let id = self.id(&media.extra);
                media.extra.fields(P).and_then(|_| write::image(media, id))
            }
            Output::Custom(custom) => write::custom(custom),
            _ => None,
        };
        match item {
            Some(item) => self.written.push(item),
            None => self.drop(place, "the protocol has no item for it"),
        }
    }

    fn call(&mut self, place: &str, call: &'a ToolCall) -> Option<Box<RawValue>> {
        if call.cache.is_some() {
            let detail = "the protocol takes no cache mark on a call";
            self.warnings.push(Warning::ignored(format!("{place}.cache"), detail));
        }
        if !call.run_by.is_caller() && call.extra.fields(P).is_none() {
            return None;
        }
        if call.run_by.is_caller()
            && let Some(kind) = word(&call.extra, "type")
        {
            self.hosted.set(&call.id, self.hosted_kinds.len());
            self.hosted_kinds.push(kind);
        }
        let id = self.id(&call.extra);
        Some(write::call(call, id, Side::History))
    }
}

/// A part of the content of a message that the model reads.
enum InputPart<'a> {
    Text(&'a Text),
    Other(Box<RawValue>),
}

fn content_text(content: &Content) -> Option<&str> {
    match content {
        Content::Text(text) => Some(&text.text),
        _ => None,
    }
}

fn data_url(media: &Media) -> Option<String> {
    match &media.source {
        Source::Bytes(data) => Some(format!("data:{};base64,{}", media.mime, data.to_base64())),
        _ => None,
    }
}

fn image_part<'a>(part: &mut MediaPart<'a>, media: &'a Media) {
    part.kind = "input_image";
    part.filename = None;
    // The detail is mandatory in the types of the protocol, and some servers insist.
    part.detail = media.extra.get(P, "detail").is_none().then_some("auto");
    match &media.source {
        Source::Url(url) => part.image_url = Some(Cow::Borrowed(url)),
        Source::File(id) => part.file_id = Some(id),
        _ => part.image_url = data_url(media).map(Cow::Owned),
    }
}

fn audio_part<'a>(part: &mut MediaPart<'a>, media: &'a Media) {
    part.kind = "input_audio";
    part.filename = None;
    if let Source::Bytes(data) = &media.source {
        let format = media.mime.rsplit('/').next().unwrap_or_default();
        let format = if format == "mpeg" { "mp3" } else { format };
        part.input_audio = Some(AudioOut { data: data.to_base64(), format });
    }
}

fn file_part<'a>(part: &mut MediaPart<'a>, media: &'a Media) {
    match &media.source {
        Source::Url(url) => part.file_url = Some(url),
        Source::File(id) => part.file_id = Some(id),
        _ => {
            part.file_data = data_url(media);
            // Content is refused without a name.
            let ending = media.mime.rsplit('/').next().filter(|ending| *ending != "*").unwrap_or("bin");
            part.filename.get_or_insert_with(|| Cow::Owned(format!("file.{ending}")));
        }
    }
}

fn shell_output(result: &ToolResult) -> Box<RawValue> {
    let text = result.text();
    let (stdout, stderr) = if result.is_error { ("", &*text) } else { (&*text, "") };
    let outcome = ShellOutcome { kind: "exit", exit_code: u8::from(result.is_error) };
    verbatim(&[ShellOutput { stdout, stderr, outcome }])
}

fn screenshot(result: &ToolResult) -> Box<RawValue> {
    let media = result.content.iter().find_map(|content| match content {
        Content::Media(media) => Some(media),
        _ => None,
    });
    let (image_url, file_id) = match media.map(|media| (&media.source, media)) {
        Some((Source::Url(url), _)) => (Some(Cow::Borrowed(&**url)), None),
        Some((Source::File(id), _)) => (None, Some(&**id)),
        Some((_, media)) => (data_url(media).map(Cow::Owned), None),
        None => (None, None),
    };
    verbatim(&Screenshot { kind: "computer_screenshot", image_url, file_id })
}
