//! Request to wire.

use interlingua_model::{
    Effort, Fields, Format, FunctionTool, Json, Request, Tool, ToolChoice, ToolMode, Verbosity, Warning,
};

use super::PROTOCOL;
use super::dialect::Dialect;
use super::messages::Messages;
use crate::tree::{Tree, array};
use crate::{Call, Encoded, Mode, schema};

/// Writes a request. The fields that never change come first and the steps last, so that the body of a longer
/// conversation begins with the bytes of the shorter one.
pub(super) fn encode(dialect: &Dialect, model: &str, request: &Request, mode: Mode) -> Encoded {
    let mut writer = Writer { dialect, request, messages: Messages::default() };
    let (system, input) = writer.messages.write(&request.messages);
    let mut body = Tree::default().text("model", model);
    if mode == Mode::Stream {
        body = body.plain("stream", true);
    }
    if let Some(system) = system {
        body.put("system_instruction", system);
    }
    writer.tools(&mut body);
    let config = writer.config();
    if !config.is_empty() {
        body.put("generation_config", config.json());
    }
    writer.format(&mut body);
    writer.beside(&mut body);
    for (name, value) in request.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter) {
        body.over(name, value);
    }
    body.put("input", input);
    let mut sent = Tree::default();
    // What stands as `null` is taken out.
    body.each(|name, value| {
        if value.as_str() != "null" {
            sent.put(name, value.clone());
        }
    });
    let path = if mode == Mode::Stream { "/interactions?alt=sse" } else { "/interactions" };
    Encoded::new(Call::post(path, sent.json().as_str().to_owned()), writer.messages.warnings)
}

struct Writer<'a> {
    dialect: &'a Dialect,
    request: &'a Request,
    messages: Messages<'a>,
}

impl Writer<'_> {
    fn warn(&mut self, warning: Warning) {
        self.messages.warnings.push(warning);
    }

    fn ignored(&mut self, setting: &'static str, why: &'static str) {
        self.warn(Warning::ignored(setting, why));
    }

    fn config(&mut self) -> Tree {
        let (request, sampling) = (self.request, &self.request.sampling);
        let mut config = Tree::default();
        let drawn = [("temperature", sampling.temperature), ("top_p", sampling.top_p)];
        if drawn.iter().any(|(_, value)| value.is_some()) && !self.dialect.sampling {
            self.ignored("sampling", "this model takes no sampling parameters");
        } else {
            for (name, value) in drawn {
                config = number(config, name, value);
            }
        }
        if let Some(most) = request.max_output {
            config = config.plain("max_output_tokens", most);
        }
        if let Some(seed) = sampling.seed {
            config = config.plain("seed", seed);
        }
        if !sampling.stop.is_empty() {
            let texts: Vec<Json> = sampling.stop.iter().map(|text| Json::string(text)).collect();
            config.put("stop_sequences", array(&texts));
        }
        if let Some(level) = self.level() {
            config = config.text("thinking_level", level.as_str());
        }
        if let Some(show) = request.show_reasoning {
            config = config.text("thinking_summaries", if show { "auto" } else { "none" });
        }
        if let Some(choice) = self.choice() {
            config.put("tool_choice", choice);
        }
        config
    }

    /// The level that is asked for, or the nearest one that is known.
    fn level(&mut self) -> Option<Effort> {
        let asked = self.request.effort?;
        let distance = |level: &&Effort| (**level as i8 - asked as i8).unsigned_abs();
        let Some(nearest) = self.dialect.thinking_levels.iter().min_by_key(distance).copied() else {
            self.ignored("effort", "this model does not think");
            return None;
        };
        if nearest != asked {
            let why = format!("{asked} is not known here, {nearest} is asked for");
            self.warn(Warning::adjusted("effort", why));
        }
        Some(nearest)
    }

    fn tools(&mut self, body: &mut Tree) {
        let request = self.request;
        let mut tools = Vec::with_capacity(request.tools.len());
        for (index, tool) in request.tools.iter().enumerate() {
            match tool {
                Tool::Function(tool) => {
                    if tool.cache.is_some() {
                        self.messages.cached();
                    }
                    tools.push(declaration(tool));
                }
                Tool::Custom(tool) => {
                    let why =
                        "a custom tool becomes a function with one text, and its grammar is not enforced";
                    self.warn(Warning::adjusted(format!("tools[{index}]"), why));
                    let schema =
                        r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;
                    let description = tool.description.clone().unwrap_or_default();
                    tools.push(declaration(&FunctionTool::new(
                        &tool.name,
                        description,
                        Json::from_text(schema),
                    )));
                }
                Tool::Provider(tool) if tool.protocol == PROTOCOL => tools.push(tool.value.clone()),
                _ => self.warn(Warning::dropped(format!("tools[{index}]"), "a tool of another protocol")),
            }
        }
        if !tools.is_empty() {
            body.put("tools", array(&tools));
        }
    }

    /// Which function may be called. Keeping to the schemas is a matter of the whole request here.
    fn choice(&mut self) -> Option<Json> {
        if self.request.tools.is_empty() {
            if self.request.tool_choice.is_some() {
                self.ignored("tool_choice", "there are no tools to choose from");
            }
            return None;
        }
        let strict = self.strict();
        let allowed = |mode: &str, names: &[String]| {
            let names: Vec<Json> = names.iter().map(|name| Json::string(name)).collect();
            Tree::of("allowed_tools", Tree::default().text("mode", mode).set("tools", array(&names)).json())
                .json()
        };
        Some(match &self.request.tool_choice {
            None | Some(ToolChoice::Auto) if strict => Json::string("validated"),
            None => return None,
            Some(ToolChoice::Auto) => Json::string("auto"),
            Some(ToolChoice::None) => Json::string("none"),
            Some(ToolChoice::Tool(name)) => allowed("any", std::slice::from_ref(name)),
            Some(ToolChoice::Allowed { mode: ToolMode::Required, names }) => allowed("any", names),
            Some(ToolChoice::Allowed { names, .. }) => allowed("auto", names),
            Some(_) => Json::string("any"),
        })
    }

    fn strict(&mut self) -> bool {
        let functions = self.request.tools.iter().filter_map(|tool| match tool {
            Tool::Function(tool) => Some(tool.strict == Some(true)),
            _ => None,
        });
        let strict: Vec<bool> = functions.collect();
        let (some, all) = (strict.contains(&true), !strict.contains(&false));
        if some && !all {
            let why = "schemas are kept by all functions or by none; here by all";
            self.warn(Warning::adjusted("tools.strict", why));
        }
        some
    }

    fn format(&mut self, body: &mut Tree) {
        let text = Tree::default().text("type", "text");
        let format = match &self.request.format {
            None => return,
            Some(Format::Text) => text,
            Some(Format::Schema(format)) => {
                let (schema, warnings) = schema::for_gemini(&format.schema);
                self.messages.warnings.extend(warnings);
                text.text("mime_type", "application/json").set("schema", schema)
            }
            Some(_) => text.text("mime_type", "application/json"),
        };
        body.put("response_format", format.json());
    }

    /// What stands in the body beside the settings of generation.
    fn beside(&mut self, body: &mut Tree) {
        let (request, sampling) = (self.request, &self.request.sampling);
        if let Some(tier) = &request.service_tier {
            body.put("service_tier", Json::string(tier));
        }
        if !request.metadata.is_empty() && self.dialect.labels {
            let mut labels = Tree::default();
            for (name, value) in &request.metadata {
                labels.put(name, Json::string(value));
            }
            body.put("labels", labels.json());
        }
        let settings = [
            ("sampling.top_k", sampling.top_k.is_some()),
            ("sampling.presence_penalty", sampling.presence_penalty.is_some()),
            ("sampling.frequency_penalty", sampling.frequency_penalty.is_some()),
            ("sampling.logprobs", sampling.logprobs.is_some()),
            ("reasoning_budget", request.reasoning_budget.is_some()),
            ("parallel_tool_calls", request.parallel_tool_calls == Some(false)),
            ("verbosity", request.verbosity.is_some_and(|verbosity| verbosity != Verbosity::Medium)),
            ("cache.key", request.cache.key.is_some()),
            ("metadata", !request.metadata.is_empty() && !self.dialect.labels),
            ("end_user", request.end_user.is_some()),
        ];
        for (setting, _) in settings.into_iter().filter(|(_, asked)| *asked) {
            self.ignored(setting, "the protocol does not have it");
        }
    }
}

/// A number that is one; others have no place in JSON.
fn number(config: Tree, name: &str, value: Option<f64>) -> Tree {
    match value.and_then(|value| Json::of(&value).ok()) {
        Some(json) if json.as_str() != "null" => config.set(name, json),
        _ => config,
    }
}

fn declaration(tool: &FunctionTool) -> Json {
    let tree = Tree::default().text("type", "function").text("name", &tool.name);
    let tree = tree.maybe("description", tool.description.as_deref());
    let tree = if tool.input.is_blank() { tree } else { tree.set("parameters", tool.input.clone()) };
    tree.extra(PROTOCOL, &tool.extra).json()
}
