//! From a neutral request to the body of a call.

use std::borrow::Cow;

use interlingua_model::{
    CustomTool, Effort, Error, ErrorKind, Fields, Format, FunctionTool, Request, Retention, SchemaFormat,
    Tool, ToolChoice, ToolMode, Warning,
};
use serde::Serialize;

use super::body::{
    self, AllowedTools, CacheOptions, Choice, CustomFormat, CustomSpec, FunctionSpec, GrammarSpec, KnownTool,
    Labels, Name, NamedTool, Plain, ReasoningObject, ResponseFormat, SchemaSpec, StreamOptions,
    TemplateSwitch, ThinkingType, Verbatim, raw,
};
use super::dialect::{
    AutomaticCache, CacheMarks, Dialect, EndUser, MaxTokens, ReasoningDisplay, ReasoningSwitch, RequiredWord,
    SamplingRule, Seed,
};
use super::messages::{Writing, cache_control};
use super::{FUNCTION_FIELD, PROTOCOL, STREAM_OPTIONS};
use crate::{Call, Encoded, Mode};

/// Writes a request. The order of fields is fixed; the messages come last, so that the body of a longer conversation
/// begins with the bytes of the shorter one.
///
/// # Errors
/// When a tool's name can never be accepted, or something is no JSON.
pub(super) fn encode(
    dialect: &Dialect,
    model: &str,
    request: &Request,
    mode: Mode,
) -> Result<Encoded, Error> {
    check_names(dialect, request)?;
    let extra = request.extra.fields(PROTOCOL);
    let mut asking = Asking { dialect, request, body: Body::new(extra), warnings: Vec::new() };
    asking.write(model, mode)?;
    let Asking { mut body, mut warnings, .. } = asking;
    body.extra(dialect, mode, &mut warnings)?;
    let mut writing = Writing::new(dialect);
    let messages = writing.messages(&request.messages);
    body.last("messages", &messages)?;
    warnings.extend(writing.warnings);
    Ok(Encoded::new(Call::post("/chat/completions", body.finish()), warnings))
}

fn check_names(dialect: &Dialect, request: &Request) -> Result<(), Error> {
    let Some(limit) = dialect.tool_name_limit else { return Ok(()) };
    for tool in &request.tools {
        let name = match tool {
            Tool::Function(_) | Tool::Custom(_) => tool.name(),
            _ => continue,
        };
        let valid = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if !valid || name.is_empty() || name.len() > usize::from(limit) {
            let message = format!("tool name `{name}` must be 1 to {limit} letters, digits, `_` or `-`");
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
    }
    Ok(())
}

/// The body as it is written, field by field. A field that `extra` has is left to it.
struct Body<'a> {
    out: Vec<u8>,
    extra: Option<&'a Fields>,
    names: Vec<&'static str>,
}

impl<'a> Body<'a> {
    fn new(extra: Option<&'a Fields>) -> Self {
        let mut out = Vec::with_capacity(256);
        out.push(b'{');
        Self { out, extra, names: Vec::new() }
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if self.extra.is_some_and(|extra| extra.get(name).is_some()) && name != STREAM_OPTIONS {
            return Ok(());
        }
        self.names.push(name);
        self.last(name, value)
    }

    fn option<T: Serialize>(&mut self, name: &'static str, value: Option<T>) -> Result<(), Error> {
        value.map_or(Ok(()), |value| self.field(name, &value))
    }

    fn last<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        let invalid = |error: serde_json::Error| {
            Error::new(ErrorKind::InvalidRequest, format!("`{name}` cannot be written: {error}"))
                .with_source(error)
        };
        if self.out.len() > 1 {
            self.out.push(b',');
        }
        serde_json::to_writer(&mut self.out, name).map_err(invalid)?;
        self.out.push(b':');
        serde_json::to_writer(&mut self.out, value).map_err(invalid)
    }

    /// The dialect's own fields, then those of the request.
    fn extra(&mut self, dialect: &Dialect, mode: Mode, warnings: &mut Vec<Warning>) -> Result<(), Error> {
        for (name, value) in &dialect.body {
            let set =
                self.names.contains(&&**name) || self.extra.is_some_and(|extra| extra.get(name).is_some());
            if !set {
                self.last(name, value)?;
            }
        }
        for (name, value) in self.extra.into_iter().flat_map(Fields::iter) {
            if name == "messages"
                || (name == STREAM_OPTIONS && (mode == Mode::Whole || self.names.contains(&name)))
            {
                continue;
            }
            if dialect.refused_fields.iter().any(|refused| refused == name) {
                warnings
                    .push(Warning::ignored(format!("extra.{name}"), "this service does not take the field"));
                continue;
            }
            self.last(name, &Plain::of(value))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }
}

struct Asking<'a> {
    dialect: &'a Dialect,
    request: &'a Request,
    body: Body<'a>,
    warnings: Vec<Warning>,
}

impl<'a> Asking<'a> {
    fn write(&mut self, model: &str, mode: Mode) -> Result<(), Error> {
        self.body.option("model", Some(model).filter(|model| !model.is_empty()))?;
        if mode == Mode::Stream {
            self.stream()?;
        }
        self.tools()?;
        self.format()?;
        self.max_output()?;
        self.effort()?;
        self.show_reasoning()?;
        self.sampling()?;
        self.stop()?;
        self.verbosity()?;
        self.cache()?;
        self.labels()
    }

    fn stream(&mut self) -> Result<(), Error> {
        self.body.field("stream", &true)?;
        let asked = self.body.extra.and_then(|extra| extra.get(STREAM_OPTIONS));
        if self.dialect.stream_usage && asked.is_none_or(|asked| asked.as_str() == "null") {
            self.body.field(STREAM_OPTIONS, &StreamOptions { include_usage: true })?;
        }
        Ok(())
    }

    fn tools(&mut self) -> Result<(), Error> {
        let request = self.request;
        let choice = request.tool_choice.as_ref();
        let mut tools: Vec<&'a Tool> = request.tools.iter().collect();
        if !self.dialect.tools && !tools.is_empty() {
            self.ignore("tools", "this service takes no tools");
            tools.clear();
        }
        match choice {
            Some(ToolChoice::Allowed { names, .. }) if !self.dialect.tool_choice.allowed => {
                tools.retain(|tool| names.iter().any(|name| name == tool.name()));
                self.adjust(
                    "tool_choice",
                    "this service takes no list of allowed tools: only those are sent",
                );
            }
            Some(ToolChoice::None) if !self.dialect.tool_choice.none && !tools.is_empty() => {
                tools.clear();
                self.adjust("tool_choice", "this service does not take `none`: no tools are sent");
            }
            _ => {}
        }
        let written: Vec<body::Tool<'a>> =
            tools.iter().enumerate().filter_map(|(index, tool)| self.tool(index, tool)).collect();
        let calls = || request.messages.iter().any(has_calls);
        if !written.is_empty() || (self.dialect.empty_tools && calls()) {
            self.body.field("tools", &written)?;
        }
        if written.is_empty() {
            if !matches!(choice, None | Some(ToolChoice::Auto | ToolChoice::None)) {
                self.ignore("tool_choice", "there are no tools to choose from");
            }
            return Ok(());
        }
        if let Some(choice) = choice.and_then(|choice| self.choice(choice)) {
            self.body.field("tool_choice", &choice)?;
        }
        match request.parallel_tool_calls {
            Some(_) if !self.dialect.parallel_tool_calls => {
                self.ignore("parallel_tool_calls", "this service does not take it");
                Ok(())
            }
            parallel => self.body.option("parallel_tool_calls", parallel),
        }
    }

    fn tool(&mut self, index: usize, tool: &'a Tool) -> Option<body::Tool<'a>> {
        match tool {
            Tool::Function(tool) => Some(body::Tool::Known(Box::new(self.function(index, tool)))),
            Tool::Custom(tool) if self.dialect.custom_tools => {
                Some(body::Tool::Known(Box::new(custom_tool(tool))))
            }
            Tool::Provider(tool) if tool.protocol == PROTOCOL && raw(&tool.value).is_some() => {
                raw(&tool.value).map(body::Tool::Verbatim)
            }
            tool => {
                let why = format!("the tool `{}` cannot be offered to this service", tool.name());
                self.warnings.push(Warning::dropped(format!("tools[{index}]"), why));
                None
            }
        }
    }

    fn function(&mut self, index: usize, tool: &'a FunctionTool) -> KnownTool<'a> {
        let cache_control = match (tool.cache, self.dialect.cache_marks) {
            (Some(retention), CacheMarks::CacheControl) => Some(cache_control(retention)),
            (Some(_), _) => {
                self.ignore_at(format!("tools[{index}].cache"), "a tool cannot carry a cache mark here");
                None
            }
            (None, _) => None,
        };
        if tool.strict == Some(true) && !self.dialect.strict {
            self.ignore_at(format!("tools[{index}].strict"), "this service has no strict tools");
        }
        let (mut inner, mut outer) = (Verbatim::default(), Verbatim::of(tool.extra.fields(PROTOCOL)));
        outer.0.retain(|(name, value)| match name.strip_prefix(FUNCTION_FIELD) {
            Some(name) => {
                inner.0.push((name, *value));
                false
            }
            None => true,
        });
        KnownTool {
            kind: "function",
            function: Some(FunctionSpec {
                name: &tool.name,
                description: tool.description.as_deref(),
                parameters: raw(&tool.input),
                strict: tool.strict.filter(|_| self.dialect.strict),
                extra: inner,
            }),
            custom: None,
            cache_control,
            extra: outer,
        }
    }

    fn choice(&mut self, choice: &'a ToolChoice) -> Option<Choice<'a>> {
        let words = self.dialect.tool_choice;
        match choice {
            ToolChoice::Auto => Some(Choice::Word("auto")),
            ToolChoice::None => Some(Choice::Word("none")),
            ToolChoice::Tool(name) if words.named => Some(Choice::Named(self.named(name))),
            ToolChoice::Tool(_) => {
                self.adjust("tool_choice", "this service cannot be told which tool to call");
                self.required()
            }
            ToolChoice::Allowed { mode, names } if words.allowed => {
                let mode = if *mode == ToolMode::Required { "required" } else { "auto" };
                let tools = names.iter().map(|name| self.named(name)).collect();
                Some(Choice::Allowed { kind: "allowed_tools", allowed_tools: AllowedTools { mode, tools } })
            }
            ToolChoice::Required | ToolChoice::Allowed { mode: ToolMode::Required, .. } => self.required(),
            _ => None,
        }
    }

    fn required(&mut self) -> Option<Choice<'a>> {
        match self.dialect.tool_choice.required {
            RequiredWord::Required => Some(Choice::Word("required")),
            RequiredWord::Any => Some(Choice::Word("any")),
            RequiredWord::Refused => {
                self.ignore("tool_choice", "this service cannot be told that a tool must be called");
                None
            }
        }
    }

    fn named(&self, name: &'a str) -> NamedTool<'a> {
        let custom =
            self.request.tools.iter().any(|tool| matches!(tool, Tool::Custom(custom) if custom.name == name));
        let name = Some(Name { name });
        if custom {
            NamedTool { kind: "custom", function: None, custom: name }
        } else {
            NamedTool { kind: "function", function: name, custom: None }
        }
    }

    fn format(&mut self) -> Result<(), Error> {
        let Some(format) = &self.request.format else { return Ok(()) };
        let object = ResponseFormat { kind: "json_object", json_schema: None };
        match format {
            Format::Text => {
                self.body.field("response_format", &ResponseFormat { kind: "text", json_schema: None })
            }
            Format::Json if self.dialect.json_object => self.body.field("response_format", &object),
            Format::Schema(schema) if self.dialect.json_schema => self.schema(schema),
            Format::Schema(_) if self.dialect.json_object => {
                self.adjust("format", "this service takes no schema: it is asked for some JSON object");
                self.body.field("response_format", &object)
            }
            _ => {
                self.ignore("format", "this service cannot be asked for JSON");
                Ok(())
            }
        }
    }

    fn schema(&mut self, schema: &'a SchemaFormat) -> Result<(), Error> {
        let Some(text) = raw(&schema.schema) else {
            return Err(Error::new(ErrorKind::InvalidRequest, "the schema of the answer is not valid JSON"));
        };
        let json_schema = Some(SchemaSpec {
            name: &schema.name,
            description: schema.description.as_deref(),
            schema: text,
            strict: schema.strict,
        });
        self.body.field("response_format", &ResponseFormat { kind: "json_schema", json_schema })
    }

    fn max_output(&mut self) -> Result<(), Error> {
        let Some(tokens) = self.request.max_output else { return Ok(()) };
        match self.dialect.max_tokens {
            MaxTokens::MaxTokens => self.body.field("max_tokens", &tokens),
            MaxTokens::MaxCompletionTokens => self.body.field("max_completion_tokens", &tokens),
            MaxTokens::Refused => {
                self.ignore("max_output", "this service takes no limit");
                Ok(())
            }
        }
    }

    fn effort(&mut self) -> Result<(), Error> {
        let budget = self.request.reasoning_budget;
        let takes_budget = matches!(
            self.dialect.reasoning,
            ReasoningSwitch::ReasoningObject | ReasoningSwitch::EnableThinking
        );
        if budget.is_some() && !takes_budget {
            self.ignore("reasoning_budget", "this service takes no number of reasoning tokens");
        }
        let effort = self.effort_beside_tools();
        let on = effort.map(|effort| effort != Effort::None);
        match self.dialect.reasoning {
            ReasoningSwitch::Effort => {
                let word = effort.map(|effort| self.effort_word(effort));
                self.body.option("reasoning_effort", word)
            }
            ReasoningSwitch::ReasoningObject => self.reasoning_object(effort, budget),
            ReasoningSwitch::EnableThinking => {
                self.body.option("enable_thinking", on.or(budget.map(|_| true)))?;
                self.body.option("thinking_budget", budget)?;
                self.level(effort)
            }
            ReasoningSwitch::ReasoningEnabled => {
                let switch = on
                    .map(|enabled| ReasoningObject { enabled: Some(enabled), ..ReasoningObject::default() });
                self.body.option("reasoning", switch)?;
                self.level(effort)
            }
            ReasoningSwitch::ThinkingType => {
                let switch = on.map(|on| ThinkingType { kind: if on { "enabled" } else { "disabled" } });
                self.body.option("thinking", switch)?;
                self.level(effort)
            }
            ReasoningSwitch::ChatTemplateEnableThinking => {
                let switch = on.map(|_| TemplateSwitch { enable_thinking: on, thinking: None });
                self.body.option("chat_template_kwargs", switch)?;
                self.level(effort)
            }
            ReasoningSwitch::ChatTemplateThinking => {
                let switch = on.map(|_| TemplateSwitch { enable_thinking: None, thinking: on });
                self.body.option("chat_template_kwargs", switch)?;
                self.level(effort)
            }
            ReasoningSwitch::PromptMode if on == Some(false) => {
                self.ignore("effort", "this model always reasons");
                Ok(())
            }
            ReasoningSwitch::PromptMode => self.body.option("prompt_mode", on.map(|_| "reasoning")),
            ReasoningSwitch::Refused => {
                if effort.is_some() {
                    self.ignore("effort", "reasoning cannot be switched here");
                }
                Ok(())
            }
        }
    }

    fn effort_beside_tools(&mut self) -> Option<Effort> {
        let effort = self.request.effort?;
        let both = effort != Effort::None && !self.request.tools.is_empty();
        if !both || self.dialect.effort_with_tools {
            return Some(effort);
        }
        self.adjust("effort", "this model takes no tools beside reasoning here: reasoning is off");
        Some(Effort::None)
    }

    /// The level beside a switch that knows only on and off.
    fn level(&mut self, effort: Option<Effort>) -> Result<(), Error> {
        let Some(effort) = effort.filter(|effort| *effort != Effort::None) else { return Ok(()) };
        if self.dialect.effort_words.is_empty() {
            self.adjust("effort", "this service can only switch reasoning on and off: it is on");
            return Ok(());
        }
        let word = self.effort_word(effort);
        self.body.field("reasoning_effort", &word)
    }

    fn reasoning_object(&mut self, effort: Option<Effort>, budget: Option<u32>) -> Result<(), Error> {
        let mut object = ReasoningObject { max_tokens: budget, ..ReasoningObject::default() };
        match effort {
            Some(Effort::None) => object.enabled = Some(false),
            Some(_) if budget.is_some() => {
                self.ignore("effort", "the budget of reasoning tokens takes its place");
            }
            Some(effort) => object.effort = Some(self.effort_word(effort)),
            None => {}
        }
        object.exclude = self.request.show_reasoning.map(|show| !show);
        let said = effort.is_some() || budget.is_some() || object.exclude.is_some();
        self.body.option("reasoning", said.then_some(object))
    }

    /// The word for a level, or for the one that is nearest to it.
    fn effort_word(&mut self, effort: Effort) -> Cow<'a, str> {
        let words = &self.dialect.effort_words;
        if words.is_empty() {
            return Cow::Borrowed(effort.as_str());
        }
        let rank = |effort: Effort| Effort::ALL.iter().position(|other| *other == effort).unwrap_or(0);
        let candidates =
            words.iter().filter(|(level, _)| (*level == Effort::None) == (effort == Effort::None));
        let nearest = candidates.min_by_key(|(level, _)| rank(*level).abs_diff(rank(effort)));
        let Some((level, word)) = nearest.or_else(|| words.iter().next()) else {
            return Cow::Borrowed(effort.as_str());
        };
        if *level != effort {
            let detail = format!("this service has no level `{effort}`: `{level}` takes its place");
            self.warnings.push(Warning::adjusted("effort", detail));
        }
        Cow::Borrowed(word)
    }

    fn show_reasoning(&mut self) -> Result<(), Error> {
        let Some(show) = self.request.show_reasoning else { return Ok(()) };
        match (self.dialect.reasoning_display, show) {
            (ReasoningDisplay::IncludeReasoning, show) => self.body.field("include_reasoning", &show),
            _ if self.dialect.reasoning == ReasoningSwitch::ReasoningObject => Ok(()),
            (ReasoningDisplay::Always, false) => {
                self.ignore("show_reasoning", "this service always returns the reasoning");
                Ok(())
            }
            (ReasoningDisplay::Never, true) => {
                self.ignore("show_reasoning", "this service never returns the reasoning");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn sampling(&mut self) -> Result<(), Error> {
        let sampling = &self.request.sampling;
        let allowed = match self.dialect.sampling {
            SamplingRule::Accepted => true,
            SamplingRule::WithoutReasoning => self.request.effort == Some(Effort::None),
            SamplingRule::Refused => false,
        };
        let temperature = sampling.temperature.map(|temperature| self.temperature(temperature));
        self.knob("temperature", "sampling.temperature", temperature, allowed)?;
        self.knob("top_p", "sampling.top_p", sampling.top_p, allowed)?;
        self.knob("top_k", "sampling.top_k", sampling.top_k, self.dialect.top_k)?;
        let seed = if self.dialect.seed == Seed::RandomSeed { "random_seed" } else { "seed" };
        self.knob(seed, "sampling.seed", sampling.seed, self.dialect.seed != Seed::Refused)?;
        let penalties = self.dialect.penalties;
        self.knob("presence_penalty", "sampling.presence_penalty", sampling.presence_penalty, penalties)?;
        self.knob("frequency_penalty", "sampling.frequency_penalty", sampling.frequency_penalty, penalties)?;
        self.knob("logprobs", "sampling.logprobs", sampling.logprobs.map(|_| true), self.dialect.logprobs)?;
        let top = sampling.logprobs.filter(|top| *top > 0 && self.dialect.logprobs);
        self.body.option("top_logprobs", top)
    }

    fn temperature(&mut self, temperature: f64) -> f64 {
        match self.dialect.max_temperature {
            Some(highest) if temperature > highest => {
                let detail = format!("this service takes at most {highest}");
                self.warnings.push(Warning::adjusted("sampling.temperature", detail));
                highest
            }
            _ => temperature,
        }
    }

    fn stop(&mut self) -> Result<(), Error> {
        let stop = &self.request.sampling.stop;
        let limit = self.dialect.stop_limit.map_or(usize::MAX, usize::from);
        if stop.is_empty() {
            return Ok(());
        }
        if limit == 0 {
            self.ignore("sampling.stop", "this service takes no stop sequences");
            return Ok(());
        }
        if stop.len() > limit {
            let detail = format!("this service takes at most {limit}: the first {limit} are sent");
            self.warnings.push(Warning::adjusted("sampling.stop", detail));
        }
        self.body.field("stop", stop.get(..limit.min(stop.len())).unwrap_or_default())
    }

    fn verbosity(&mut self) -> Result<(), Error> {
        let word = self.request.verbosity.map(interlingua_model::Verbosity::as_str);
        self.knob("verbosity", "verbosity", word, self.dialect.verbosity)?;
        let tier = self.request.service_tier.as_deref();
        self.knob("service_tier", "service_tier", tier, self.dialect.service_tier)
    }

    fn cache(&mut self) -> Result<(), Error> {
        let cache = &self.request.cache;
        self.knob("prompt_cache_key", "cache.key", cache.key.as_deref(), self.dialect.prompt_cache_key)?;
        let Some(retention) = cache.automatic else { return Ok(()) };
        match (self.dialect.automatic_cache, retention) {
            (AutomaticCache::Retention, Retention::Short) => {
                self.body.field("prompt_cache_retention", "in_memory")
            }
            (AutomaticCache::Retention, Retention::Long) => self.body.field("prompt_cache_retention", "24h"),
            (AutomaticCache::Options, retention) => {
                if retention == Retention::Long {
                    self.adjust("cache.automatic", "the whole prompt is kept for 30 minutes at most");
                }
                let ttl = (retention != Retention::Default).then_some("30m");
                self.body.field("prompt_cache_options", &CacheOptions { mode: "implicit", ttl })
            }
            (AutomaticCache::Refused, Retention::Short | Retention::Long) => {
                self.ignore("cache.automatic", "the time to live of a cached prompt cannot be chosen here");
                Ok(())
            }
            // Such a service caches by itself, as long as it likes.
            _ => Ok(()),
        }
    }

    fn labels(&mut self) -> Result<(), Error> {
        let labels = Some(&*self.request.metadata).filter(|labels| !labels.is_empty()).map(Labels);
        self.knob("metadata", "metadata", labels, self.dialect.metadata)?;
        let field = match self.dialect.end_user {
            EndUser::SafetyIdentifier => "safety_identifier",
            EndUser::User | EndUser::Refused => "user",
        };
        let accepted = self.dialect.end_user != EndUser::Refused;
        self.knob(field, "end_user", self.request.end_user.as_deref(), accepted)
    }

    /// A setting that is written where it is accepted, and reported where it is not.
    fn knob<T: Serialize>(
        &mut self,
        field: &'static str,
        setting: &'static str,
        value: Option<T>,
        accepted: bool,
    ) -> Result<(), Error> {
        if value.is_some() && !accepted {
            self.ignore(setting, "this service does not take it");
            return Ok(());
        }
        self.body.option(field, value)
    }

    fn ignore(&mut self, setting: &'static str, why: &'static str) {
        self.warnings.push(Warning::ignored(setting, why));
    }

    fn ignore_at(&mut self, setting: String, why: &'static str) {
        self.warnings.push(Warning::ignored(setting, why));
    }

    fn adjust(&mut self, setting: &'static str, why: &'static str) {
        self.warnings.push(Warning::adjusted(setting, why));
    }
}

fn custom_tool(tool: &CustomTool) -> KnownTool<'_> {
    let format = tool.grammar.as_ref().map(|grammar| CustomFormat {
        kind: "grammar",
        grammar: GrammarSpec { syntax: &grammar.syntax, definition: &grammar.definition },
    });
    KnownTool {
        kind: "custom",
        custom: Some(CustomSpec { name: &tool.name, description: tool.description.as_deref(), format }),
        extra: Verbatim::of(tool.extra.fields(PROTOCOL)),
        ..KnownTool::default()
    }
}

fn has_calls(message: &interlingua_model::Message) -> bool {
    let interlingua_model::Message::Assistant(assistant) = message else { return false };
    assistant.parts.iter().any(|part| matches!(part, interlingua_model::Output::ToolCall(_)))
}
