//! Request to wire.

use interlingua_model::{Effort, Format, Json, Request, Tool, ToolChoice, ToolMode, Verbosity, Warning};

use super::dialect::Dialect;
use super::messages::Messages;
use super::{OPTIONS, PROTOCOL};
use crate::draft::{Draft, array};
use crate::{Call, Encoded, Mode, Object, tool_object};

/// Writes a request. The messages come last, so that the body of a longer conversation begins with the bytes of the
/// shorter one.
pub(super) fn encode(dialect: &Dialect, model: &str, request: &Request, mode: Mode) -> Encoded {
    let mut writer = Writer { dialect, request, body: Draft::default(), messages: Messages::new(dialect) };
    let messages = writer.messages.write(&request.messages);
    writer.body.put("model", model);
    // Streaming is what the service does unless it is told not to.
    writer.body.put("stream", &(mode == Mode::Stream));
    writer.tools();
    writer.format();
    writer.thinking();
    writer.logprobs();
    let options = writer.options();
    writer.ignored();
    let own = request.extra.fields(PROTOCOL).into_iter().flat_map(interlingua_model::Fields::iter);
    let mut body = writer.body.fields(own.filter(|(name, _)| *name != OPTIONS));
    if !options.is_empty() {
        body = body.set(OPTIONS, options.json());
    }
    let body = body.set("messages", messages);
    Encoded::new(Call::post("/chat", body.body()), writer.messages.warnings)
}

struct Writer<'a> {
    dialect: &'a Dialect,
    request: &'a Request,
    body: Draft,
    messages: Messages<'a>,
}

impl Writer<'_> {
    /// There is no choice of tools: those that may not be called are left out.
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
        if !tools.is_empty() {
            self.body = std::mem::take(&mut self.body).set("tools", array(&tools));
        }
    }

    /// The tools that may be called, where these are not all.
    fn wanted(&mut self) -> Option<Vec<String>> {
        let left_out = "there is no choice of tools here: those that may not be called are left out";
        let not_forced = "the model cannot be made to call a tool here; it may choose";
        let (names, is_forced) = match &self.request.tool_choice {
            Some(ToolChoice::Required) => (None, true),
            Some(ToolChoice::None) => (Some(Vec::new()), false),
            Some(ToolChoice::Tool(name)) => (Some(vec![name.clone()]), true),
            Some(ToolChoice::Allowed { mode, names }) => (Some(names.clone()), *mode == ToolMode::Required),
            _ => return None,
        };
        if names.is_some() {
            self.warn(Warning::adjusted("tool_choice", left_out));
        }
        if is_forced {
            self.warn(Warning::ignored("tool_choice", not_forced));
        }
        names
    }

    fn tool(&mut self, tool: &Tool, index: usize) -> Option<Json> {
        match tool {
            Tool::Function(tool) => {
                self.messages.unmarked(tool.cache.is_some());
                if tool.strict == Some(true) {
                    let why = "the protocol does not have it";
                    self.warn(Warning::ignored(format!("tools[{index}].strict"), why));
                }
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

    fn format(&mut self) {
        let format = match &self.request.format {
            None | Some(Format::Text) => return,
            Some(Format::Json) => Json::string("json"),
            Some(Format::Schema(format)) => format.schema.clone(),
            Some(_) => return self.warn(Warning::ignored("format", "the protocol does not have it")),
        };
        self.body = std::mem::take(&mut self.body).set("format", format);
    }

    /// Thinking is on or off, or at a level.
    fn thinking(&mut self) {
        let (effort, show) = (self.request.effort, self.request.show_reasoning);
        if self.request.reasoning_budget.is_some() {
            let why = "thinking takes no number of tokens here";
            self.warn(Warning::ignored("reasoning_budget", why));
        }
        if show == Some(false) && effort != Some(Effort::None) {
            self.warn(Warning::ignored("show_reasoning", "thinking that is done is shown"));
        }
        let asked = effort.is_some() || show == Some(true) || self.request.reasoning_budget.is_some();
        if !asked {
            return;
        }
        if !self.dialect.thinking {
            if effort != Some(Effort::None) {
                self.warn(Warning::ignored("effort", "this model does not think"));
            }
            return;
        }
        match effort {
            Some(Effort::None) => self.body.put("think", &false),
            Some(level) => self.level(level),
            None => self.body.put("think", &true),
        }
    }

    fn level(&mut self, asked: Effort) {
        let distance = |level: &&Effort| (**level as i8 - asked as i8).unsigned_abs();
        let Some(nearest) = self.dialect.efforts.iter().min_by_key(distance).copied() else {
            self.warn(Warning::adjusted("effort", "thinking has no levels here: it is on"));
            return self.body.put("think", &true);
        };
        if nearest != asked {
            let detail = format!("{asked} is not known here, {nearest} is asked for");
            self.warn(Warning::adjusted("effort", detail));
        }
        self.body.put("think", nearest.as_str());
    }

    fn logprobs(&mut self) {
        let Some(alternatives) = self.request.sampling.logprobs else { return };
        self.body.put("logprobs", &true);
        if alternatives > 0 {
            self.body.put("top_logprobs", &alternatives);
        }
    }

    /// The settings of the model, those that only this protocol has behind the others.
    fn options(&self) -> Draft {
        let sampling = &self.request.sampling;
        let mut options = Draft::default();
        if let Some(size) = self.dialect.num_ctx {
            options.put("num_ctx", &size);
        }
        if let Some(most) = self.request.max_output {
            options.put("num_predict", &most);
        }
        let shares = [
            ("temperature", sampling.temperature),
            ("top_p", sampling.top_p),
            ("presence_penalty", sampling.presence_penalty),
            ("frequency_penalty", sampling.frequency_penalty),
        ];
        for (name, share) in shares {
            if let Some(share) = share {
                options.put(name, &share);
            }
        }
        if let Some(top_k) = sampling.top_k {
            options.put("top_k", &top_k);
        }
        if let Some(seed) = sampling.seed {
            options.put("seed", &seed);
        }
        if !sampling.stop.is_empty() {
            options.put("stop", &sampling.stop);
        }
        let own = self.request.extra.get(PROTOCOL, OPTIONS);
        for (name, value) in own.and_then(|own| Object::parse(own.as_str()).ok()).unwrap_or_default().iter() {
            options = options.set(name, Json::from(value));
        }
        options
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
