//! Request to wire.

use interlingua_model::{
    Fields, Format, FunctionTool, Json, Request, SchemaFormat, Tool, ToolChoice, ToolMode, Verbosity, Warning,
};
use serde::Serialize;

use super::dialect::Dialect;
use super::messages::Messages;
use super::node::{Node, array};
use super::{PROTOCOL, path};
use crate::frame::Framing;
use crate::{Call, Encoded, Mode, Object, schema};

/// The objects of a body into which the fields of `extra` are put one by one.
const SHARED: [&str; 4] = ["inferenceConfig", "additionalModelRequestFields", "outputConfig", "toolConfig"];

/// Writes a request. The messages come last, so that the body of a longer conversation begins with the bytes of the
/// shorter one.
pub(super) fn encode(dialect: &Dialect, model: &str, request: &Request, mode: Mode) -> Encoded {
    let mut writer = Writer {
        dialect,
        request,
        body: Node::default(),
        model: Node::default(),
        output: Node::default(),
        messages: Messages::new(dialect),
    };
    // Which tools there must be depends on what the messages hold.
    let tools = writer.tools();
    let (system, messages) = writer.messages.write(&request.messages, request.cache.automatic);
    writer.reasoning();
    writer.inference();
    writer.single_calls();
    writer.format();
    writer.labels();
    writer.ignored();
    writer.tool_config(tools);
    let mut body = writer.finish();
    if let Some(system) = system {
        body.put("system", system);
    }
    body.put("messages", messages);
    // `null` takes a field out.
    let text = body.to_text(|value| value.as_str() != "null");
    let mut call = Call::post(path::of(model, mode), text);
    let accept = match mode {
        Mode::Stream => Framing::Aws.content_type(),
        Mode::Whole => "application/json",
    };
    call.headers.insert(http::header::ACCEPT, http::HeaderValue::from_static(accept));
    Encoded::new(call, writer.messages.warnings)
}

/// How Claude thinks, which narrows what else may be asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thinks {
    /// As much as it likes.
    Freely,
    /// Up to a number of tokens.
    ByBudget,
}

pub(super) struct Writer<'a> {
    pub(super) dialect: &'a Dialect,
    pub(super) request: &'a Request,
    body: Node,
    /// `additionalModelRequestFields`.
    pub(super) model: Node,
    /// `outputConfig`.
    pub(super) output: Node,
    messages: Messages<'a>,
}

impl Writer<'_> {
    fn inference(&mut self) {
        let sampling = &self.request.sampling;
        let mut node = Node::default();
        let refused = self.refuses_sampling();
        let asked = self.sampling();
        let (temperature, top_p, top_k) = asked.unwrap_or_default();
        if let Some(most) = self.request.max_output {
            self.unless(refused, "max_output", &mut node, "maxTokens", &most);
        }
        if let Some(temperature) = temperature {
            let taken = temperature.clamp(0.0, 1.0);
            let is_fixed = self.thinks().is_some() && (taken - 1.0).abs() > f64::EPSILON;
            if is_fixed {
                let why = "it cannot be changed for a model that thinks";
                self.warn(Warning::ignored("sampling.temperature", why));
            } else if (taken - temperature).abs() > f64::EPSILON {
                let why = "temperatures above 1 are refused, 1 is asked for";
                self.warn(Warning::adjusted("sampling.temperature", why));
            }
            if !is_fixed {
                self.unless(refused, "sampling.temperature", &mut node, "temperature", &taken);
            }
        }
        if let Some(top_p) = top_p {
            self.unless(refused, "sampling.top_p", &mut node, "topP", &top_p);
        }
        let stop: Vec<&String> = sampling.stop.iter().filter(|text| !text.is_empty()).collect();
        if !stop.is_empty() {
            put(&mut node, "stopSequences", &stop);
        }
        if let Some(top_k) = top_k {
            self.top_k(top_k);
        }
        self.share("inferenceConfig", node);
    }

    /// Whether Claude is told to think, by the request or in the publisher's own words.
    fn thinks(&self) -> Option<Thinks> {
        let own = self.request.extra.get(PROTOCOL, "additionalModelRequestFields");
        let own: Option<Object<'_>> = own.and_then(|own| Object::parse(own.as_str()).ok()?.peek("thinking"));
        let written = self.model.get("thinking").and_then(|thinking| Object::parse(thinking.as_str()).ok());
        match own.or(written)?.peek::<String>("type")?.as_str() {
            "enabled" => Some(Thinks::ByBudget),
            "adaptive" => Some(Thinks::Freely),
            _ => None,
        }
    }

    /// Nova refuses them where it reasons as much as it can.
    fn refuses_sampling(&self) -> bool {
        let reasoning: Option<Object<'_>> =
            self.model.get("reasoningConfig").and_then(|config| Object::parse(config.as_str()).ok());
        reasoning.is_some_and(|config| config.peek("maxReasoningEffort") == Some("high"))
    }

    fn unless(
        &mut self,
        refused: bool,
        setting: &'static str,
        node: &mut Node,
        name: &str,
        value: &impl Serialize,
    ) {
        if refused {
            self.warn(Warning::ignored(
                setting,
                "it cannot be set for a model that reasons as much as it can",
            ));
        } else {
            put(node, name, value);
        }
    }

    /// Temperature, top-p and top-k, where the model takes them.
    fn sampling(&mut self) -> Option<(Option<f64>, Option<f64>, Option<u32>)> {
        let sampling = &self.request.sampling;
        let asked = (sampling.temperature, sampling.top_p, sampling.top_k);
        if !self.dialect.sampling && asked != (None, None, None) {
            self.warn(Warning::ignored("sampling", "this model takes no sampling parameters"));
            return None;
        }
        Some(asked)
    }

    fn top_k(&mut self, top_k: u32) {
        let Some(place) = &self.dialect.top_k else {
            return self.warn(Warning::ignored("sampling.top_k", "the protocol does not have it"));
        };
        let number = Json::from_text(top_k.to_string());
        match place.split_once('.') {
            Some((object, name)) => self.model.put(object, Node::of(name, number).json()),
            None => self.model.put(place, number),
        }
    }

    fn single_calls(&mut self) {
        if self.request.parallel_tool_calls != Some(false) || self.request.tools.is_empty() {
            return;
        }
        if !self.dialect.single_calls {
            let why = "the protocol cannot forbid several calls";
            return self.warn(Warning::ignored("parallel_tool_calls", why));
        }
        let mut node = Node::default();
        // The kind of the choice stands in `toolConfig` where there is one.
        if self.request.tool_choice.is_none() {
            node = node.text("type", "auto");
        }
        let disable = Json::from_text("true");
        self.model.put("tool_choice", node.set("disable_parallel_tool_use", disable).json());
    }

    fn format(&mut self) {
        match &self.request.format {
            Some(Format::Schema(format)) if self.dialect.schema => {
                let format = self.schema(format);
                self.output.put("textFormat", format);
            }
            Some(Format::Schema(_)) => {
                self.warn(Warning::ignored("format", "this model cannot be bound to a schema"));
            }
            Some(Format::Json) => {
                self.warn(Warning::ignored("format", "JSON cannot be asked for without a schema"));
            }
            _ => {}
        }
    }

    /// The schema is JSON inside a text.
    fn schema(&mut self, format: &SchemaFormat) -> Json {
        let (schema, warnings) = schema::for_anthropic(&format.schema);
        self.messages.warnings.extend(warnings);
        if format.strict == Some(false) {
            self.warn(Warning::ignored("format.strict", "a schema is always kept to"));
        }
        let node = Node::default()
            .text("schema", schema.as_str())
            .text("name", &format.name)
            .maybe("description", format.description.as_deref().filter(|text| !text.is_empty()));
        let structure = Node::of("jsonSchema", node.json());
        Node::default().text("type", "json_schema").set("structure", structure.json()).json()
    }

    fn labels(&mut self) {
        if let Some(tier) = &self.request.service_tier {
            self.body.put("serviceTier", Node::default().text("type", tier).json());
        }
        if !self.request.metadata.is_empty() {
            let labels = self.request.metadata.iter();
            let node = labels.fold(Node::default(), |node, (name, value)| node.text(name, value));
            self.body.put("requestMetadata", node.json());
        }
    }

    /// The tools that the request has.
    fn tools(&mut self) -> Vec<Json> {
        let request = self.request;
        if request.tools.is_empty()
            && request.tool_choice.as_ref().is_some_and(|choice| *choice != ToolChoice::None)
        {
            self.warn(Warning::ignored("tool_choice", "there are no tools to choose from"));
        }
        let allowed = match &request.tool_choice {
            Some(ToolChoice::Allowed { names, .. }) if !request.tools.is_empty() => {
                let why = "the other tools are left out of the request, which ends a cached prefix";
                self.warn(Warning::adjusted("tool_choice", why));
                Some(names)
            }
            _ => None,
        };
        let mut tools = Vec::with_capacity(request.tools.len());
        for (index, tool) in request.tools.iter().enumerate() {
            if allowed.is_none_or(|names| names.iter().any(|name| name == tool.name())) {
                self.tool(tool, index, &mut tools);
            }
        }
        tools
    }

    fn tool(&mut self, tool: &Tool, index: usize, tools: &mut Vec<Json>) {
        match tool {
            Tool::Function(tool) => {
                tools.push(self.function(tool, index));
                self.messages.mark(tool.cache, tools);
            }
            Tool::Custom(tool) => {
                let why = "a custom tool becomes a function with one text, and its grammar is not enforced";
                self.warn(Warning::adjusted(format!("tools[{index}]"), why));
                let schema =
                    r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;
                let description = tool.description.clone().unwrap_or_default();
                let function = FunctionTool::new(&tool.name, description, Json::from_text(schema));
                tools.push(self.function(&function, index));
            }
            Tool::Provider(tool) if tool.protocol == PROTOCOL => tools.push(tool.value.clone()),
            _ => self.warn(Warning::dropped(format!("tools[{index}]"), "a tool of another protocol")),
        }
    }

    fn function(&mut self, tool: &FunctionTool, index: usize) -> Json {
        let strict = tool.strict.filter(|_| self.dialect.strict_tools);
        if strict != tool.strict {
            let setting = format!("tools[{index}].strict");
            self.warn(Warning::ignored(setting, "this model does not take `strict`"));
        }
        let mut schema = tool.input.clone();
        if schema.is_blank() {
            schema = Json::from_text(r#"{"type":"object","properties":{}}"#);
        }
        if strict == Some(true) {
            let (rewritten, warnings) = schema::for_anthropic(&schema);
            schema = rewritten;
            self.messages.warnings.extend(warnings);
        }
        let description = tool.description.as_deref().filter(|text| !text.is_empty());
        let mut node = Node::default()
            .text("name", &tool.name)
            .maybe("description", description)
            .set("inputSchema", Node::of("json", schema).json());
        if let Some(strict) = strict {
            node = node.set("strict", Json::from_text(if strict { "true" } else { "false" }));
        }
        Node::of("toolSpec", node.extra(&tool.extra).json()).json()
    }

    /// The tools that must go out, and which of them may be called.
    fn tool_config(&mut self, mut tools: Vec<Json>) {
        let forbids = self.request.tool_choice == Some(ToolChoice::None);
        if forbids && !self.messages.has_calls {
            tools.clear();
        } else if forbids && !tools.is_empty() {
            let why = "tools cannot be forbidden where the conversation holds calls; the model may choose";
            self.warn(Warning::adjusted("tool_choice", why));
        }
        if tools.is_empty() && self.messages.has_calls {
            let why =
                "the protocol wants tools where the conversation holds calls; one that does nothing is sent";
            self.warn(Warning::adjusted("tools", why));
            tools.push(Json::from_text(NO_TOOL));
        }
        let mut node = Node::default();
        if !tools.is_empty() {
            node.put("tools", array(&tools));
            if let Some(choice) = self.tool_choice() {
                node.put("toolChoice", choice.json());
            }
        }
        self.share("toolConfig", node);
    }

    fn tool_choice(&mut self) -> Option<Node> {
        let choice = self.request.tool_choice.as_ref().filter(|_| !self.request.tools.is_empty())?;
        let auto = || Node::of("auto", Json::object());
        Some(match choice {
            ToolChoice::None | ToolChoice::Auto | ToolChoice::Allowed { mode: ToolMode::Auto, .. } => auto(),
            _ if !self.dialect.forced_tool_choice || self.thinks() == Some(Thinks::ByBudget) => {
                let why = "this model cannot be forced to call a tool; it may choose";
                self.warn(Warning::adjusted("tool_choice", why));
                auto()
            }
            ToolChoice::Tool(name) => Node::of("tool", Node::default().text("name", name).json()),
            _ => Node::of("any", Json::object()),
        })
    }

    fn ignored(&mut self) {
        let (request, sampling) = (self.request, &self.request.sampling);
        let settings = [
            ("sampling.seed", sampling.seed.is_some()),
            ("sampling.presence_penalty", sampling.presence_penalty.is_some()),
            ("sampling.frequency_penalty", sampling.frequency_penalty.is_some()),
            ("sampling.logprobs", sampling.logprobs.is_some()),
            ("verbosity", request.verbosity.is_some_and(|verbosity| verbosity != Verbosity::Medium)),
            ("cache.automatic", request.cache.automatic.is_some() && !self.dialect.cache),
            ("cache.key", request.cache.key.is_some()),
            ("end_user", request.end_user.is_some()),
        ];
        for (setting, _) in settings.into_iter().filter(|(_, asked)| *asked) {
            self.warn(Warning::ignored(setting, "the protocol does not have it"));
        }
    }

    /// Puts an object into the body, with the fields that `extra` has for it.
    fn share(&mut self, name: &str, mut node: Node) {
        if let Some(own) = self.request.extra.get(PROTOCOL, name) {
            let Ok(object) = Object::parse(own.as_str()) else { return self.body.put(name, own.clone()) };
            for (field, value) in object.iter() {
                node.put(field, Json::from(value));
            }
        }
        if !node.is_empty() {
            self.body.put(name, node.json());
        }
    }

    /// The body but for the messages.
    fn finish(&mut self) -> Node {
        let (output, model) = (std::mem::take(&mut self.output), std::mem::take(&mut self.model));
        self.share("outputConfig", output);
        self.share("additionalModelRequestFields", model);
        let own = self.request.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter);
        for (name, value) in own.filter(|(name, _)| !SHARED.contains(name)) {
            self.body.put(name, value.clone());
        }
        std::mem::take(&mut self.body)
    }

    pub(super) fn warn(&mut self, warning: Warning) {
        self.messages.warnings.push(warning);
    }
}

/// Stands for the tools of a conversation that has calls and whose tools are gone.
const NO_TOOL: &str = r#"{"toolSpec":{"name":"none","description":"Does nothing. Never call it.","inputSchema":{"json":{"type":"object","properties":{}}}}}"#;

fn put<T: Serialize + ?Sized>(node: &mut Node, name: &str, value: &T) {
    if let Ok(json) = Json::of(value) {
        node.put(name, json);
    }
}
