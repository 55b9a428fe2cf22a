//! Request to wire.

use interlingua_model::{
    Effort, Fields, Format, FunctionTool, Json, Request, Tool, ToolChoice, ToolMode, Verbosity, Warning,
};
use serde::Serialize;

use super::block::{self, Block, array};
use super::dialect::{CallForm, Dialect};
use super::messages::{Messages, Turn};
use super::{BETAS, PROTOCOL, place};
use crate::frame::Framing;
use crate::{Call, Encoded, Mode, Object, schema};

/// The field of the messages, which stands last.
const MESSAGES: &str = "messages";
const VERSION: http::HeaderName = http::HeaderName::from_static("anthropic-version");

/// The least budget that the protocol takes.
const LEAST_BUDGET: u32 = 1024;

/// Writes a request. The fields that never change come first and the messages last, so that the body of a longer
/// conversation begins with the bytes of the shorter one.
pub(super) fn encode(dialect: &Dialect, model: &str, request: &Request, mode: Mode) -> Encoded {
    let mut writer = Writer { dialect, request, body: Fields::default(), messages: Messages::new(dialect) };
    writer.settings(model, mode);
    writer.thinking();
    writer.sampling();
    writer.tools();
    writer.ignored();
    let (system, turns) = writer.messages.write(&request.messages);
    let mut body = writer.body;
    body.set_all(request.extra.fields(PROTOCOL));
    if let Some(system) = system {
        body.set("system", system);
    }
    // What goes over the wire: `null` takes a field out, and the beta features travel in a header.
    let room = turns.iter().map(Turn::length).sum::<usize>() + MESSAGES.len() + "\"\":[]".len();
    let wanted = |name: &str, value: &Json| !matches!(name, BETAS | MESSAGES) && value.as_str() != "null";
    let mut sent = block::text(&body, room, wanted);
    add_messages(&mut sent, &turns);
    let mut call = Call::post(place::of(dialect.call, model, mode), sent);
    headers(&mut call, dialect, request, mode);
    Encoded::new(call, writer.messages.warnings)
}

/// Adds the messages to the text of a body. They are most of it, and are written once.
fn add_messages(body: &mut String, turns: &[Turn<'_>]) {
    body.pop();
    body.push_str(if body.len() > 1 { ",\"messages\":[" } else { "\"messages\":[" });
    for (at, turn) in turns.iter().enumerate() {
        if at > 0 {
            body.push(',');
        }
        turn.write(body);
    }
    body.push_str("]}");
}

/// How a model thinks, which narrows what else may be asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thinks {
    /// As much as it likes.
    Freely,
    /// Up to a number of tokens.
    ByBudget,
}

struct Writer<'a> {
    dialect: &'a Dialect,
    request: &'a Request,
    body: Fields,
    messages: Messages<'a>,
}

/// What is done to the body as a whole.
trait Body {
    fn set_all(&mut self, fields: Option<&Fields>);
}

impl Body for Fields {
    fn set_all(&mut self, fields: Option<&Fields>) {
        for (name, value) in fields.into_iter().flat_map(Self::iter) {
            self.set(name, value.clone());
        }
    }
}

impl Writer<'_> {
    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        if let Ok(json) = Json::of(value) {
            self.body.set(name, json);
        }
    }

    fn settings(&mut self, model: &str, mode: Mode) {
        let request = self.request;
        if self.dialect.model_in_body {
            self.put("model", model);
        }
        if let Some(version) = &self.dialect.version_in_body {
            self.put("anthropic_version", version);
        }
        if let Some(betas) = request.extra.get(PROTOCOL, BETAS).filter(|_| self.dialect.betas_in_body) {
            self.body.set("anthropic_beta", betas.clone());
        }
        self.put("max_tokens", &self.max_tokens());
        if mode == Mode::Stream && self.dialect.call != CallForm::Invoke {
            self.put("stream", &true);
        }
        if let Some(id) = &request.end_user {
            self.body.set("metadata", Block::default().text("user_id", id).json());
        }
        self.service_tier();
        self.stop();
        if let Some(retention) = self.messages.mark(request.cache.automatic) {
            self.body.set("cache_control", block::cache_control(retention));
        }
    }

    /// The protocol wants a number, and it must leave room for more than the reasoning.
    fn max_tokens(&self) -> u32 {
        let room = self
            .request
            .reasoning_budget
            .map_or(0, |budget| budget.max(LEAST_BUDGET).saturating_add(LEAST_BUDGET));
        self.request.max_output.unwrap_or_else(|| self.dialect.max_output.max(room))
    }

    fn service_tier(&mut self) {
        match self.request.service_tier.as_deref() {
            None => {}
            Some(tier @ ("auto" | "standard_only")) => self.put("service_tier", tier),
            Some(tier) => {
                let detail =
                    format!("`{tier}` is not among this protocol's tiers, `auto` and `standard_only`");
                self.warn(Warning::ignored("service_tier", detail));
            }
        }
    }

    fn stop(&mut self) {
        let stop = &self.request.sampling.stop;
        let (kept, blank): (Vec<_>, Vec<_>) = stop.iter().partition(|text| !text.trim().is_empty());
        if !blank.is_empty() {
            self.warn(Warning::ignored("sampling.stop", "a stop sequence of white space alone is refused"));
        }
        if !kept.is_empty() {
            self.put("stop_sequences", &kept);
        }
    }

    fn tools(&mut self) {
        let request = self.request;
        if request.tools.is_empty() {
            if request.tool_choice.is_some() || request.parallel_tool_calls.is_some() {
                self.warn(Warning::ignored("tool_choice", "there are no tools to choose from"));
            }
            return;
        }
        let allowed = match &request.tool_choice {
            Some(ToolChoice::Allowed { names, .. }) => {
                let why = "the other tools are left out of the request, which ends a cached prefix";
                self.warn(Warning::adjusted("tool_choice", why));
                Some(names)
            }
            _ => None,
        };
        let mut tools = Vec::new();
        for (index, tool) in request.tools.iter().enumerate() {
            if allowed.is_none_or(|names| names.iter().any(|name| name == tool.name())) {
                tools.extend(self.tool(tool, index));
            }
        }
        self.body.set("tools", array(&tools));
        self.tool_choice();
    }

    fn tool(&mut self, tool: &Tool, index: usize) -> Option<Json> {
        match tool {
            Tool::Function(tool) => Some(self.function(tool, index)),
            Tool::Custom(tool) => {
                let why = "a custom tool becomes a function with one text, and its grammar is not enforced";
                self.warn(Warning::adjusted(format!("tools[{index}]"), why));
                let schema =
                    r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;
                let description = tool.description.clone().unwrap_or_default();
                Some(
                    self.function(
                        &FunctionTool::new(&tool.name, description, Json::from_text(schema)),
                        index,
                    ),
                )
            }
            Tool::Provider(tool) if tool.protocol == PROTOCOL => Some(tool.value.clone()),
            _ => {
                self.warn(Warning::dropped(format!("tools[{index}]"), "a tool of another protocol"));
                None
            }
        }
    }

    fn function(&mut self, tool: &FunctionTool, index: usize) -> Json {
        let strict = tool.strict.filter(|_| self.dialect.strict_tools);
        if strict != tool.strict {
            self.warn(Warning::ignored(
                format!("tools[{index}].strict"),
                "this service does not take `strict`",
            ));
        }
        let mut schema = tool.input.clone();
        if schema.is_blank() {
            schema = Json::from_text(r#"{"type":"object","properties":{}}"#);
        }
        if strict == Some(true) {
            schema = self.sanitised(&schema);
        }
        let mut block = Block::default().text("name", &tool.name);
        if let Some(description) = &tool.description {
            block = block.text("description", description);
        }
        block = block.set("input_schema", schema);
        if let Some(strict) = strict {
            block = block.set("strict", Json::from_text(if strict { "true" } else { "false" }));
        }
        let cache = self.messages.mark(tool.cache);
        block.cache(cache).extra(&tool.extra).json()
    }

    fn sanitised(&mut self, schema: &Json) -> Json {
        let (schema, warnings) = schema::for_anthropic(schema);
        self.messages.warnings.extend(warnings);
        schema
    }

    fn tool_choice(&mut self) {
        let parallel = self.request.parallel_tool_calls;
        let choice = match &self.request.tool_choice {
            None if parallel.is_none() => return,
            None | Some(ToolChoice::Auto | ToolChoice::Allowed { mode: ToolMode::Auto, .. }) => {
                Block::new("auto")
            }
            Some(ToolChoice::None) => return self.body.set("tool_choice", Block::new("none").json()),
            Some(_) if !self.dialect.forced_tool_choice || self.thinks() == Some(Thinks::ByBudget) => {
                let why = "a model that thinks cannot be forced to call a tool here; it may choose";
                self.warn(Warning::adjusted("tool_choice", why));
                Block::new("auto")
            }
            Some(ToolChoice::Tool(name)) => Block::new("tool").text("name", name),
            Some(_) => Block::new("any"),
        };
        let choice = match parallel {
            Some(parallel) => choice
                .set("disable_parallel_tool_use", Json::from_text(if parallel { "false" } else { "true" })),
            None => choice,
        };
        self.body.set("tool_choice", choice.json());
    }

    /// Thinking, effort and the form of the answer, which share `output_config`.
    fn thinking(&mut self) {
        let mut config = Block::default();
        let level = self.effort();
        if let Some(level) = level {
            config = config.text("effort", level.as_str());
        }
        if let Some(format) = self.format() {
            config = config.set("format", format);
        }
        let config = config.json();
        if config.as_str() != "{}" {
            self.body.set("output_config", config);
        }
        let Some(thinking) = self.thinking_form(level) else { return };
        let thinking = match self.request.show_reasoning {
            Some(show) if !self.is_least() => {
                thinking.text("display", if show { "summarized" } else { "omitted" })
            }
            _ => thinking,
        };
        self.body.set("thinking", thinking.json());
    }

    /// Whether there will be nothing to show.
    fn is_least(&self) -> bool {
        match self.request.effort {
            Some(Effort::Minimal) => self.dialect.between_tools,
            effort => effort == Some(Effort::None),
        }
    }

    /// How the model is told to think, in neutral terms or in the protocol's own.
    fn thinks(&self) -> Option<Thinks> {
        let own = self.request.extra.get(PROTOCOL, "thinking").or_else(|| self.body.get("thinking"))?;
        match Object::parse(own.as_str()).ok()?.peek::<String>("type")?.as_str() {
            "enabled" => Some(Thinks::ByBudget),
            "adaptive" => Some(Thinks::Freely),
            _ => None,
        }
    }

    /// The level that is asked for, or the nearest one that is known.
    fn effort(&mut self) -> Option<Effort> {
        let asked = self.request.effort.filter(|_| !self.is_least())?;
        let known = &self.dialect.efforts;
        let distance = |level: &&Effort| (**level as i8 - asked as i8).unsigned_abs();
        let nearest = known.iter().min_by_key(distance).copied()?;
        if nearest != asked {
            self.warn(Warning::adjusted(
                "effort",
                format!("{asked} is not known here, {nearest} is asked for"),
            ));
        }
        Some(nearest)
    }

    fn thinking_form(&mut self, level: Option<Effort>) -> Option<Block> {
        let dialect = self.dialect;
        if self.request.effort == Some(Effort::Minimal) && dialect.between_tools {
            return Some(Block::new("between_tools"));
        }
        if self.request.effort == Some(Effort::None) {
            if dialect.thinking_off {
                return Some(Block::new("disabled"));
            }
            if dialect.between_tools {
                self.warn(Warning::adjusted(
                    "effort",
                    "this model always thinks; it does so between tool calls only",
                ));
                return Some(Block::new("between_tools"));
            }
            self.warn(Warning::ignored("effort", "the thinking of this model cannot be turned off"));
            return None;
        }
        if let Some(budget) = self.request.reasoning_budget {
            return self.budget(budget);
        }
        let asked = self.request.effort.is_some() || self.request.show_reasoning.is_some();
        if asked && dialect.adaptive_thinking {
            return Some(Block::new("adaptive"));
        }
        match self.request.effort {
            Some(effort) if level.is_none() && dialect.thinking_budget => {
                let budget = budget_of(effort).min(self.max_tokens().saturating_sub(1)).max(LEAST_BUDGET);
                let detail =
                    format!("this model takes no levels; {effort} becomes a budget of {budget} tokens");
                self.warn(Warning::adjusted("effort", detail));
                Some(enabled(budget))
            }
            _ => None,
        }
    }

    fn budget(&mut self, asked: u32) -> Option<Block> {
        if self.dialect.thinking_budget {
            let most = self.max_tokens().saturating_sub(1);
            if most < LEAST_BUDGET {
                let detail =
                    format!("thinking takes at least {LEAST_BUDGET} tokens, and max_output leaves {most}");
                self.warn(Warning::ignored("reasoning_budget", detail));
                return None;
            }
            let budget = asked.clamp(LEAST_BUDGET, most);
            if budget != asked {
                let detail = format!(
                    "a budget is at least {LEAST_BUDGET} and below max_output; {budget} is asked for"
                );
                self.warn(Warning::adjusted("reasoning_budget", detail));
            }
            return Some(enabled(budget));
        }
        self.warn(Warning::ignored(
            "reasoning_budget",
            "this model takes a level of effort and no number of tokens",
        ));
        self.dialect.adaptive_thinking.then(|| Block::new("adaptive"))
    }

    fn format(&mut self) -> Option<Json> {
        match &self.request.format {
            None | Some(Format::Text) => None,
            Some(Format::Schema(format)) if self.dialect.schema => {
                let schema = self.sanitised(&format.schema);
                Some(Block::new("json_schema").set("schema", schema).json())
            }
            Some(_) => {
                self.warn(Warning::ignored(
                    "format",
                    "the model cannot be bound to this form; ask for it in the prompt",
                ));
                None
            }
        }
    }

    fn sampling(&mut self) {
        let sampling = &self.request.sampling;
        let asked = sampling.temperature.is_some() || sampling.top_p.is_some() || sampling.top_k.is_some();
        if asked && !self.takes_sampling() {
            self.warn(Warning::ignored(
                "sampling",
                "this model, or this version of the protocol, takes no sampling parameters",
            ));
            return;
        }
        let thinks = self.thinks().is_some();
        if let Some(temperature) = sampling.temperature {
            self.temperature(temperature, thinks);
        }
        if let Some(top_p) = sampling.top_p {
            self.top_p(top_p, thinks);
        }
        match sampling.top_k {
            Some(_) if thinks => {
                self.warn(Warning::ignored("sampling.top_k", "it cannot be set for a model that thinks"));
            }
            Some(top_k) => self.put("top_k", &top_k),
            None => {}
        }
    }

    fn temperature(&mut self, asked: f64, thinks: bool) {
        if thinks && (asked - 1.0).abs() > f64::EPSILON {
            let why = "it cannot be changed for a model that thinks";
            self.warn(Warning::ignored("sampling.temperature", why));
            return;
        }
        let taken = asked.clamp(0.0, 1.0);
        if (taken - asked).abs() > f64::EPSILON {
            let why = "temperatures above 1 are refused, 1 is asked for";
            self.warn(Warning::adjusted("sampling.temperature", why));
        }
        self.put("temperature", &taken);
    }

    fn top_p(&mut self, asked: f64, thinks: bool) {
        let why = if thinks && asked < 0.95 {
            "it cannot be less than 0.95 for a model that thinks"
        } else if self.body.get("temperature").is_some() && !self.dialect.temperature_with_top_p {
            "the model takes either a temperature or top-p"
        } else {
            return self.put("top_p", &asked);
        };
        self.warn(Warning::ignored("sampling.top_p", why));
    }

    fn takes_sampling(&self) -> bool {
        self.dialect.sampling && self.dialect.version != super::Version::V2026
    }

    fn ignored(&mut self) {
        let (request, sampling) = (self.request, &self.request.sampling);
        let settings = [
            ("sampling.seed", sampling.seed.is_some()),
            ("sampling.presence_penalty", sampling.presence_penalty.is_some()),
            ("sampling.frequency_penalty", sampling.frequency_penalty.is_some()),
            ("sampling.logprobs", sampling.logprobs.is_some()),
            ("verbosity", request.verbosity.is_some_and(|verbosity| verbosity != Verbosity::Medium)),
            ("cache.key", request.cache.key.is_some()),
            ("metadata", !request.metadata.is_empty()),
        ];
        for (setting, _) in settings.into_iter().filter(|(_, asked)| *asked) {
            self.warn(Warning::ignored(setting, "the protocol does not have it"));
        }
    }

    #[cold]
    fn warn(&mut self, warning: Warning) {
        self.messages.warnings.push(warning);
    }
}

fn headers(call: &mut Call, dialect: &Dialect, request: &Request, mode: Mode) {
    if dialect.call == CallForm::Invoke {
        // What stands here is the kind of answer that the model is to give, and no list.
        let accept = if mode == Mode::Stream { Framing::Aws.content_type() } else { "application/json" };
        call.headers.insert(http::header::ACCEPT, http::HeaderValue::from_static(accept));
        return;
    }
    let sampling = &request.sampling;
    let asked = sampling.temperature.is_some() || sampling.top_p.is_some() || sampling.top_k.is_some();
    let version = dialect.version.word(asked && dialect.sampling);
    call.headers.insert(VERSION, http::HeaderValue::from_static(version));
    let betas: Vec<String> = request.extra.read(PROTOCOL, BETAS).unwrap_or_default();
    let betas = if dialect.betas_in_body { Vec::new() } else { betas };
    if let Some(value) =
        Some(betas.join(",")).filter(|betas| !betas.is_empty()).and_then(|betas| betas.parse().ok())
    {
        call.headers.insert("anthropic-beta", value);
    }
}

fn enabled(budget: u32) -> Block {
    Block::new("enabled").set("budget_tokens", Json::from_text(budget.to_string()))
}

/// What other clients take a level for where a model takes a number of tokens.
const fn budget_of(effort: Effort) -> u32 {
    match effort {
        Effort::Low => 4096,
        Effort::Medium => 8192,
        Effort::High => 16_384,
        Effort::XHigh | Effort::Max => 32_768,
        _ => LEAST_BUDGET,
    }
}
