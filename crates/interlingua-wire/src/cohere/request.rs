//! Request to wire.

use interlingua_model::{Effort, Format, Json, Request, Tool, ToolChoice, ToolMode, Verbosity, Warning};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::dialect::Dialect;
use super::messages::Messages;
use crate::draft::{Draft, array};
use crate::{Call, Encoded, Mode, tool_object};

/// Most stop sequences that a request may have.
const STOPS: usize = 5;

/// Writes a request. The messages come last, so that the body of a longer conversation begins with the bytes of the
/// shorter one.
pub(super) fn encode(dialect: &Dialect, model: &str, request: &Request, mode: Mode) -> Encoded {
    let mut writer = Writer { dialect, request, body: Draft::default(), messages: Messages::new(dialect) };
    let messages = writer.messages.write(&request.messages);
    writer.settings(model, mode);
    writer.thinking();
    writer.sampling();
    writer.tools();
    writer.format();
    writer.ignored();
    let documents = writer.documents();
    let mut body = writer.body.extra(&request.extra, PROTOCOL);
    if let Some(documents) = documents {
        body = body.set("documents", documents);
    }
    let body = body.set("messages", messages);
    Encoded::new(Call::post("/v2/chat", body.body()), writer.messages.warnings)
}

struct Writer<'a> {
    dialect: &'a Dialect,
    request: &'a Request,
    body: Draft,
    messages: Messages<'a>,
}

impl Writer<'_> {
    fn settings(&mut self, model: &str, mode: Mode) {
        self.body.put("model", model);
        if mode == Mode::Stream {
            self.body.put("stream", &true);
        }
        if let Some(most) = self.request.max_output {
            self.body.put("max_tokens", &most);
        }
        let stop = &self.request.sampling.stop;
        if stop.len() > STOPS {
            self.warn(Warning::ignored("sampling.stop", "only the first five stop sequences are taken"));
        }
        if !stop.is_empty() {
            self.body.put("stop_sequences", stop.get(..STOPS).unwrap_or(stop));
        }
    }

    /// Reasoning is on or off, with a number of tokens at most.
    fn thinking(&mut self) {
        let (effort, budget) = (self.request.effort, self.request.reasoning_budget);
        if effort.is_none() && budget.is_none() {
            return self.hidden();
        }
        if !self.dialect.thinking {
            return self.warn(Warning::ignored("effort", "this model does not take settings of reasoning"));
        }
        let thinking = match (effort, budget) {
            (Some(Effort::None), _) => Draft::of("disabled"),
            (_, Some(budget)) => Draft::of("enabled").figure("token_budget", budget),
            (_, None) => Draft::of("enabled"),
        };
        if effort.is_some_and(|effort| effort != Effort::None) {
            let why = "the protocol has no levels: the model reasons, as much as its budget allows";
            self.warn(Warning::adjusted("effort", why));
        }
        self.body = std::mem::take(&mut self.body).set("thinking", thinking.json());
        self.hidden();
    }

    fn hidden(&mut self) {
        if self.request.show_reasoning == Some(false) {
            self.warn(Warning::ignored("show_reasoning", "reasoning is always shown"));
        }
    }

    fn sampling(&mut self) {
        let sampling = &self.request.sampling;
        self.share("temperature", "sampling.temperature", sampling.temperature);
        self.share("frequency_penalty", "sampling.frequency_penalty", sampling.frequency_penalty);
        self.share("presence_penalty", "sampling.presence_penalty", sampling.presence_penalty);
        if let Some(seed) = sampling.seed {
            self.body.put("seed", &seed);
        }
        if let Some(top_k) = sampling.top_k {
            self.body.put("k", &top_k);
        }
        if let Some(top_p) = sampling.top_p {
            self.body.put("p", &top_p);
        }
        if let Some(alternatives) = sampling.logprobs {
            if alternatives > 0 {
                let why = "probabilities are those of the chosen tokens alone";
                self.warn(Warning::adjusted("sampling.logprobs", why));
            }
            self.body.put("logprobs", &true);
        }
    }

    /// A setting that goes from 0 to 1.
    fn share(&mut self, name: &str, setting: &'static str, asked: Option<f64>) {
        let Some(asked) = asked else { return };
        let taken = asked.clamp(0.0, 1.0);
        if (taken - asked).abs() > f64::EPSILON {
            self.warn(Warning::adjusted(setting, format!("it goes from 0 to 1; {taken} is asked for")));
        }
        self.body.put(name, &taken);
    }

    fn tools(&mut self) {
        let request = self.request;
        if request.parallel_tool_calls == Some(false) {
            self.warn(Warning::ignored("parallel_tool_calls", "the protocol does not have it"));
        }
        if request.tools.is_empty() {
            if request.tool_choice.is_some() {
                self.warn(Warning::ignored("tool_choice", "there are no tools to choose from"));
            }
            return;
        }
        let wanted = self.wanted();
        let mut tools = Vec::new();
        for (index, tool) in request.tools.iter().enumerate() {
            if wanted.as_ref().is_none_or(|names| names.iter().any(|name| name == tool.name())) {
                tools.extend(self.tool(tool, index));
            }
        }
        self.body = std::mem::take(&mut self.body).set("tools", array(&tools));
        self.strict();
        match &request.tool_choice {
            Some(ToolChoice::None) => self.body.put("tool_choice", "NONE"),
            Some(
                ToolChoice::Required
                | ToolChoice::Tool(_)
                | ToolChoice::Allowed { mode: ToolMode::Required, .. },
            ) => self.body.put("tool_choice", "REQUIRED"),
            _ => {}
        }
    }

    /// The tools that may be called, where these are not all.
    fn wanted(&mut self) -> Option<Vec<String>> {
        let names = match &self.request.tool_choice {
            Some(ToolChoice::Tool(name)) => vec![name.clone()],
            Some(ToolChoice::Allowed { names, .. }) => names.clone(),
            _ => return None,
        };
        let why = "a choice cannot name tools: the others are left out of the request";
        self.warn(Warning::adjusted("tool_choice", why));
        Some(names)
    }

    fn tool(&mut self, tool: &Tool, index: usize) -> Option<Json> {
        match tool {
            Tool::Function(tool) => {
                self.messages.unmarked(tool.cache.is_some());
                Some(tool_object::write(tool, PROTOCOL))
            }
            Tool::Custom(tool) => {
                let why = "a custom tool becomes a function with one text, and its grammar is not enforced";
                self.warn(Warning::adjusted(format!("tools[{index}]"), why));
                Some(tool_object::write(&tool_object::of_free_text(tool), PROTOCOL))
            }
            Tool::Provider(tool) if tool.protocol == PROTOCOL => Some(tool.value.clone()),
            _ => {
                self.warn(Warning::dropped(format!("tools[{index}]"), "a tool of another protocol"));
                None
            }
        }
    }

    /// Strictness holds for all tools or for none.
    fn strict(&mut self) {
        let functions = self.request.tools.iter().filter_map(|tool| match tool {
            Tool::Function(tool) => Some(tool.strict),
            _ => None,
        });
        let asked: Vec<Option<bool>> = functions.collect();
        let Some(first) = asked.iter().copied().find(Option::is_some).flatten() else { return };
        if !self.dialect.strict_tools {
            return self
                .warn(Warning::ignored("tools[].strict", "this service does not take `strict_tools`"));
        }
        let strict = first || asked.contains(&Some(true));
        if asked.iter().any(|other| *other != Some(strict)) {
            let why = format!("it holds for all tools of a request: {strict}");
            self.warn(Warning::adjusted("tools[].strict", why));
        }
        self.body.put("strict_tools", &strict);
    }

    fn format(&mut self) {
        let format = match &self.request.format {
            None => return,
            Some(Format::Text) => Draft::of("text"),
            Some(Format::Json) => Draft::of("json_object"),
            Some(Format::Schema(format)) => {
                Draft::of("json_object").set("json_schema", format.schema.clone())
            }
            Some(_) => return self.warn(Warning::ignored("format", "the protocol does not have it")),
        };
        let is_alone = self.request.tools.is_empty() && self.messages.documents.is_empty();
        if !is_alone && !self.dialect.format_with_tools && self.request.format != Some(Format::Text) {
            let why = "an answer cannot be bound to a form where there are tools or documents";
            return self.warn(Warning::ignored("format", why));
        }
        self.body = std::mem::take(&mut self.body).set("response_format", format.json());
    }

    /// The documents of all messages, behind those that the caller set.
    fn documents(&self) -> Option<Json> {
        if self.messages.documents.is_empty() {
            return None;
        }
        let own = self.request.extra.get(PROTOCOL, "documents");
        let own: Vec<&RawValue> =
            own.and_then(|own| serde_json::from_str(own.as_str()).ok()).unwrap_or_default();
        let documents = own.into_iter().map(Json::from).chain(self.messages.documents.iter().cloned());
        Some(array(&documents.collect::<Vec<_>>()))
    }

    fn ignored(&mut self) {
        let request = self.request;
        let settings = [
            ("verbosity", request.verbosity.is_some_and(|verbosity| verbosity != Verbosity::Medium)),
            ("cache", request.cache.automatic.is_some()),
            ("cache.key", request.cache.key.is_some()),
            ("service_tier", request.service_tier.is_some()),
            ("metadata", !request.metadata.is_empty()),
            ("end_user", request.end_user.is_some()),
        ];
        for (setting, _) in settings.into_iter().filter(|(_, asked)| *asked) {
            self.warn(Warning::ignored(setting, "the protocol does not have it"));
        }
    }

    fn warn(&mut self, warning: Warning) {
        self.messages.warnings.push(warning);
    }
}
