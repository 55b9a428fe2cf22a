//! Request to wire.

use http::HeaderValue;
use interlingua_model::{
    Effort, Fields, Format, FunctionTool, Json, Request, Retention, Tool, ToolChoice, ToolMode, Verbosity,
    Warning,
};

use super::dialect::Dialect;
use super::messages::Messages;
use super::{FRAMING, LIST, PROTOCOL, TIER_HEADER};
use crate::tree::{Tree, array};
use crate::{Call, Encoded, Mode, schema};

/// Most stop sequences that a request may have.
const STOPS: usize = 5;

/// Writes a request. The fields that never change come first and the contents last, so that the body of a longer
/// conversation begins with the bytes of the shorter one.
pub(super) fn encode(dialect: &Dialect, model: &str, request: &Request, mode: Mode) -> Encoded {
    let mut writer = Writer { dialect, request, messages: Messages::new(dialect) };
    let (system, contents) = writer.messages.write(&request.messages);
    let mut body = Tree::default();
    if let Some(system) = system {
        body.put("systemInstruction", system);
    }
    writer.tools(&mut body);
    let config = writer.config();
    if !config.is_empty() {
        body.put("generationConfig", config.json());
    }
    writer.beside(&mut body);
    for (name, value) in request.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter) {
        if name != FRAMING {
            body.over(name, value);
        }
    }
    body.put("contents", contents);
    let mut sent = Tree::default();
    // What stands as `null` is taken out.
    body.each(|name, value| {
        if value.as_str() != "null" {
            sent.put(name, value.clone());
        }
    });
    let mut call = Call::post(path(model, request, mode), sent.json().as_str().to_owned());
    if let (Some(tier), false) = (&request.service_tier, dialect.service_tier)
        && let Ok(tier) = HeaderValue::from_str(tier)
    {
        call.headers.insert(TIER_HEADER, tier);
    }
    Encoded::new(call, writer.messages.warnings)
}

/// The address says the model and the mode. A name with a folder, such as `tunedModels/x`, is one already.
fn path(model: &str, request: &Request, mode: Mode) -> String {
    let folder = if model.contains('/') { "/" } else { "/models/" };
    let is_list = request.extra.read::<String>(PROTOCOL, FRAMING).as_deref() == Some(LIST);
    let method = match mode {
        Mode::Whole => "generateContent",
        Mode::Stream if is_list => "streamGenerateContent",
        Mode::Stream => "streamGenerateContent?alt=sse",
    };
    format!("{folder}{}:{method}", escaped(model))
}

/// A name as it stands in an address.
fn escaped(model: &str) -> String {
    let mut out = String::with_capacity(model.len());
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16));
            out.push('%');
            out.extend(digits.into_iter().flatten().map(|digit| digit.to_ascii_uppercase()));
        }
    }
    out
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
        let config = self.sampling(Tree::default());
        let config = self.format(config);
        let thinking = self.thinking();
        if thinking.is_empty() { config } else { config.set("thinkingConfig", thinking.json()) }
    }

    fn sampling(&mut self, mut config: Tree) -> Tree {
        let sampling = &self.request.sampling;
        let drawn = [("temperature", sampling.temperature), ("topP", sampling.top_p)];
        let is_drawn = drawn.iter().any(|(_, value)| value.is_some()) || sampling.top_k.is_some();
        if is_drawn && !self.dialect.sampling {
            self.ignored("sampling", "this model takes no sampling parameters");
        } else {
            for (name, value) in drawn {
                config = number(config, name, value);
            }
            if let Some(top_k) = sampling.top_k {
                config = config.plain("topK", top_k);
            }
        }
        if let Some(most) = self.request.max_output {
            config = config.plain("maxOutputTokens", most);
        }
        config = self.stop(config);
        if let Some(seed) = sampling.seed {
            config = config.plain("seed", seed);
        }
        config = number(config, "presencePenalty", sampling.presence_penalty);
        config = number(config, "frequencyPenalty", sampling.frequency_penalty);
        match sampling.logprobs {
            Some(0) => config.plain("responseLogprobs", true),
            Some(count) => config.plain("responseLogprobs", true).plain("logprobs", count),
            None => config,
        }
    }

    fn stop(&mut self, config: Tree) -> Tree {
        let stop = &self.request.sampling.stop;
        if stop.is_empty() {
            return config;
        }
        if stop.len() > STOPS {
            let why = "five stop sequences are taken; the others are left out";
            self.warn(Warning::adjusted("sampling.stop", why));
        }
        let texts: Vec<Json> = stop.iter().take(STOPS).map(|text| Json::string(text)).collect();
        config.set("stopSequences", array(&texts))
    }

    fn format(&mut self, config: Tree) -> Tree {
        match &self.request.format {
            None => config,
            Some(Format::Text) => config.text("responseMimeType", "text/plain"),
            Some(Format::Schema(format)) => {
                let (schema, warnings) = schema::for_gemini(&format.schema);
                self.messages.warnings.extend(warnings);
                config.text("responseMimeType", "application/json").set("responseJsonSchema", schema)
            }
            Some(_) => config.text("responseMimeType", "application/json"),
        }
    }

    /// A level or a number of tokens, never both.
    fn thinking(&mut self) -> Tree {
        let (effort, budget) = (self.request.effort, self.request.reasoning_budget);
        let thinks = !self.dialect.thinking_levels.is_empty() || self.dialect.thinking_budget;
        if !thinks && (effort.is_some() || budget.is_some()) {
            self.ignored("effort", "this model does not think");
        }
        let mut config = match (effort, budget) {
            _ if !thinks => Tree::default(),
            (Some(Effort::None), _) => self.least(),
            (Some(effort), None) if !self.dialect.thinking_levels.is_empty() => self.level(effort),
            (Some(effort), _) if budget.is_none() => self.budget_of(effort),
            (Some(_), Some(_)) if !self.dialect.thinking_budget => {
                self.ignored(
                    "reasoning_budget",
                    "this model takes a level of effort and no number of tokens",
                );
                self.level(effort.unwrap_or(Effort::Medium))
            }
            (Some(_), Some(budget)) => {
                self.ignored("effort", "the protocol takes a level or a budget; the budget is sent");
                Tree::default().plain("thinkingBudget", budget)
            }
            (None, Some(budget)) if self.dialect.thinking_budget => {
                Tree::default().plain("thinkingBudget", budget)
            }
            (None, Some(_)) => {
                self.ignored(
                    "reasoning_budget",
                    "this model takes a level of effort and no number of tokens",
                );
                Tree::default()
            }
            _ => Tree::default(),
        };
        if let (Some(show), true) = (self.request.show_reasoning, thinks) {
            config = config.plain("includeThoughts", show);
        }
        config
    }

    /// The least thinking that the model can do.
    fn least(&mut self) -> Tree {
        if self.dialect.thinking_off {
            return Tree::default().plain("thinkingBudget", 0);
        }
        let Some(least) = self.dialect.thinking_levels.iter().min().copied() else {
            self.ignored("effort", "the thinking of this model cannot be turned off");
            return Tree::default();
        };
        let why = format!("the thinking of this model cannot be turned off; {least} is asked for");
        self.warn(Warning::adjusted("effort", why));
        Tree::default().text("thinkingLevel", &level_word(least))
    }

    /// The level that is asked for, or the nearest one that is known.
    fn level(&mut self, asked: Effort) -> Tree {
        let distance = |level: &&Effort| (**level as i8 - asked as i8).unsigned_abs();
        let nearest = self.dialect.thinking_levels.iter().min_by_key(distance).copied().unwrap_or(asked);
        if nearest != asked {
            let why = format!("{asked} is not known here, {nearest} is asked for");
            self.warn(Warning::adjusted("effort", why));
        }
        Tree::default().text("thinkingLevel", &level_word(nearest))
    }

    /// What other clients take a level for where a model takes a number of tokens.
    fn budget_of(&mut self, effort: Effort) -> Tree {
        let budget = match effort {
            Effort::Low => 4096,
            Effort::Medium => 8192,
            Effort::High => 16_384,
            Effort::XHigh | Effort::Max => 24_576,
            _ => 1024,
        };
        let detail = format!("this model takes no levels; {effort} becomes a budget of {budget} tokens");
        self.warn(Warning::adjusted("effort", detail));
        Tree::default().plain("thinkingBudget", budget)
    }

    /// Functions that stand together make one tool; the provider's tools stand as they are.
    fn tools(&mut self, body: &mut Tree) {
        let request = self.request;
        if request.tools.is_empty() {
            if request.tool_choice.is_some() {
                self.ignored("tool_choice", "there are no tools to choose from");
            }
            return;
        }
        let (mut tools, mut functions): (Vec<Json>, Vec<Json>) = (Vec::new(), Vec::new());
        let mut kinds = (false, false);
        for (index, tool) in request.tools.iter().enumerate() {
            if let Some(function) = self.function(tool, index) {
                kinds.0 = true;
                functions.push(function);
                continue;
            }
            match tool {
                Tool::Provider(tool) if tool.protocol == PROTOCOL => {
                    kinds.1 = true;
                    tools.extend(declared(&mut functions));
                    tools.push(tool.value.clone());
                }
                _ => self.warn(Warning::dropped(format!("tools[{index}]"), "a tool of another protocol")),
            }
        }
        tools.extend(declared(&mut functions));
        body.put("tools", array(&tools));
        let mut config = Tree::default();
        if let Some(calling) = self.calling() {
            config.put("functionCallingConfig", calling.json());
        }
        if kinds == (true, true) && self.dialect.server_side_invocations {
            config = config.plain("includeServerSideToolInvocations", true);
        }
        if !config.is_empty() {
            body.put("toolConfig", config.json());
        }
    }

    fn function(&mut self, tool: &Tool, index: usize) -> Option<Json> {
        match tool {
            Tool::Function(tool) => {
                if tool.cache.is_some() {
                    self.messages.cached();
                }
                Some(declaration(tool))
            }
            Tool::Custom(tool) => {
                let why = "a custom tool becomes a function with one text, and its grammar is not enforced";
                self.warn(Warning::adjusted(format!("tools[{index}]"), why));
                let schema =
                    r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;
                let description = tool.description.clone().unwrap_or_default();
                Some(declaration(&FunctionTool::new(&tool.name, description, Json::from_text(schema))))
            }
            _ => None,
        }
    }

    /// Which function may be called. Keeping to the schemas is a matter of the whole request here.
    fn calling(&mut self) -> Option<Tree> {
        let mode = |word: &str| Tree::default().text("mode", word);
        let strict = self.strict();
        let names =
            |names: &[String]| array(&names.iter().map(|name| Json::string(name)).collect::<Vec<_>>());
        Some(match &self.request.tool_choice {
            None | Some(ToolChoice::Auto) if strict => mode("VALIDATED"),
            None => return None,
            Some(ToolChoice::Auto) => mode("AUTO"),
            Some(ToolChoice::None) => mode("NONE"),
            Some(ToolChoice::Tool(name)) => {
                mode("ANY").set("allowedFunctionNames", names(std::slice::from_ref(name)))
            }
            Some(ToolChoice::Allowed { mode: ToolMode::Required, names: allowed }) => {
                mode("ANY").set("allowedFunctionNames", names(allowed))
            }
            Some(ToolChoice::Allowed { names: allowed, .. }) => {
                mode("VALIDATED").set("allowedFunctionNames", names(allowed))
            }
            Some(_) => mode("ANY"),
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

    /// What stands in the body beside the settings of generation.
    fn beside(&mut self, body: &mut Tree) {
        let request = self.request;
        if let (Some(tier), true) = (&request.service_tier, self.dialect.service_tier) {
            body.put("serviceTier", Json::string(tier));
        }
        if !request.metadata.is_empty() && self.dialect.labels {
            let mut labels = Tree::default();
            for (name, value) in &request.metadata {
                labels.put(name, Json::string(value));
            }
            body.put("labels", labels.json());
        }
        let settings = [
            ("parallel_tool_calls", request.parallel_tool_calls == Some(false)),
            ("verbosity", request.verbosity.is_some_and(|verbosity| verbosity != Verbosity::Medium)),
            ("cache.key", request.cache.key.is_some()),
            ("cache.automatic", request.cache.automatic.is_some_and(|kept| kept != Retention::Default)),
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

/// The tool of the functions that were gathered, if any were.
fn declared(functions: &mut Vec<Json>) -> Option<Json> {
    let functions = std::mem::take(functions);
    (!functions.is_empty()).then(|| Tree::of("functionDeclarations", array(&functions)).json())
}

fn declaration(tool: &FunctionTool) -> Json {
    let tree = Tree::default().text("name", &tool.name).maybe("description", tool.description.as_deref());
    let tree =
        if tool.input.is_blank() { tree } else { tree.set("parametersJsonSchema", tool.input.clone()) };
    tree.extra(PROTOCOL, &tool.extra).json()
}

fn level_word(effort: Effort) -> String {
    effort.as_str().to_ascii_uppercase()
}
