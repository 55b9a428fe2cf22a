//! Which ways a model has.

use std::sync::Arc;

use interlingua_model::{
    Error, Format, FunctionTool, Json, Message, Request, SchemaFormat, Tool, ToolChoice, Warning, WarningKind,
};
use interlingua_wire::schema::{for_anthropic, for_gemini, for_openai};
use interlingua_wire::{Mode, Protocol};

use super::wanted::Wanted;
use super::{ExtractOptions, Way};
use crate::Client;
use crate::registry::Answerer;
use crate::route::Route;

/// What the model is asked through, and what is known of it.
pub(super) struct Ways<'c> {
    client: &'c Client,
    /// `None` for a model in this process, of which nothing is known.
    route: Option<Arc<Route>>,
}

/// The name of the tool whose arguments are the value.
const TOOL: &str = "answer";

impl<'c> Ways<'c> {
    pub(super) fn new(
        client: &'c Client,
        request: &Request,
        options: &ExtractOptions,
    ) -> Result<Self, Error> {
        let (word, model) = client.0.registry.split(&request.model)?;
        let route = match client.0.registry.answerer(word)? {
            Answerer::Provider(provider) => {
                Some(client.0.routes.to(provider, model, options.call.protocol, &request.model)?)
            }
            Answerer::Backend(..) => None,
        };
        Ok(Self { client, route })
    }

    /// The best way, and the request that goes it.
    pub(super) fn best(&self, request: &Request, wanted: &Wanted) -> Result<(Way, Request), Error> {
        if self.knows(request, Way::Schema)? {
            let (form, loses) = self.by_schema(request, wanted);
            if !loses && self.takes(&form, &["format"]) {
                return Ok((Way::Schema, form));
            }
        }
        if self.knows(request, Way::Tool)? {
            let form = self.by_tool(request, wanted);
            if self.forces(&form) {
                return Ok((Way::Tool, form));
            }
        }
        Ok((Way::Prompt, self.by_prompt(request, wanted)))
    }

    /// The request that goes a way.
    pub(super) fn by(&self, way: Way, request: &Request, wanted: &Wanted) -> Request {
        match way {
            Way::Schema => self.by_schema(request, wanted).0,
            Way::Tool => self.by_tool(request, wanted),
            Way::Prompt => self.by_prompt(request, wanted),
        }
    }

    /// The schema in the words of the protocol, and whether it lost something by which values are described.
    fn by_schema(&self, request: &Request, wanted: &Wanted) -> (Request, bool) {
        let schema = wanted.json();
        let (found, loses) = match self.route.as_ref().map(|route| route.protocol) {
            Some(Protocol::OpenaiChat | Protocol::OpenaiResponses) => kept(for_openai(&schema)),
            Some(Protocol::Anthropic | Protocol::Bedrock) => kept(for_anthropic(&schema)),
            Some(Protocol::Gemini | Protocol::GeminiInteractions) => kept(for_gemini(&schema)),
            _ => (schema.clone(), false),
        };
        let is_openai = self
            .route
            .as_ref()
            .is_some_and(|route| matches!(route.protocol, Protocol::OpenaiChat | Protocol::OpenaiResponses));
        // What strict schemas cannot say, OpenAI's services take without the promise to keep to it.
        let mut format = SchemaFormat::new(&wanted.name, if loses && is_openai { schema } else { found });
        if is_openai {
            format = format.strict(!loses);
        }
        format.description.clone_from(&wanted.description);
        (without_calls(request.clone()).format(Format::Schema(format)), loses && !is_openai)
    }

    fn by_tool(&self, request: &Request, wanted: &Wanted) -> Request {
        let mut name = TOOL.to_owned();
        while request.tools.iter().any(|tool| tool.name() == name) {
            name.push('_');
        }
        let description = wanted.description.clone();
        let description = description.unwrap_or_else(|| format!("Takes the answer: {}.", wanted.name));
        let mut form = request.clone().tool(FunctionTool::new(&name, description, wanted.json()));
        form.format = None;
        form.tool_choice = Some(ToolChoice::Tool(name));
        if form.tools.len() == 1 && !self.forces(&form) {
            // Where there is one tool, that some tool must be called is as good.
            let any = form.clone().tool_choice(ToolChoice::Required);
            if self.forces(&any) {
                return any;
            }
        }
        form
    }

    /// The schema as a part of the last message, behind everything that may be in a cache.
    fn by_prompt(&self, request: &Request, wanted: &Wanted) -> Request {
        let mut form = without_calls(request.clone());
        form.format = None;
        let about = wanted.description.as_ref().map_or_else(String::new, |text| format!(" ({text})"));
        let text = format!(
            "Answer with one JSON value{about} and nothing else: no explanation, no code fence. It must follow this JSON \
             Schema:\n{}",
            wanted.bare
        );
        match form.messages.last_mut() {
            Some(Message::User(user)) => user.parts.push(text.into()),
            _ => form.messages.push(Message::user(text)),
        }
        // A service that can be bound to some object is, where the value is one.
        let bound = form.clone().format(Format::Json);
        let is_object = wanted.wrapped.is_none();
        if is_object && self.route.is_some() && self.takes(&bound, &["format"]) { bound } else { form }
    }

    /// Whether the codec can say all of a request.
    fn takes(&self, form: &Request, settings: &[&str]) -> bool {
        let Some(route) = &self.route else { return false };
        let probe = form.with_messages(vec![Message::user("?")]);
        let encoded = route.codec.encode_as(&route.model, &probe, Mode::Whole);
        let hurts = |warning: &Warning| settings.iter().any(|setting| warning.setting == *setting);
        encoded.is_ok_and(|encoded| !encoded.warnings.iter().any(hurts))
    }

    /// Whether the codec can make the model call the last tool.
    fn forces(&self, form: &Request) -> bool {
        let own = format!("tools[{}]", form.tools.len().saturating_sub(1));
        self.takes(form, &["tools", "tool_choice", &own])
    }

    /// Whether nothing that is known of the model speaks against a way.
    #[cfg(feature = "models")]
    fn knows(&self, request: &Request, way: Way) -> Result<bool, Error> {
        use interlingua_catalog::Trait;

        if self.route.is_none() {
            return Ok(false);
        }
        let needed: &[Trait] = match way {
            Way::Schema => &[Trait::Schema],
            Way::Tool => &[Trait::Tools, Trait::ToolChoice, Trait::ForcedTools],
            Way::Prompt => &[],
        };
        let known = self.client.known(&request.model)?;
        Ok(known.is_none_or(|model| needed.iter().all(|what| model.can(*what) != Some(false))))
    }

    #[cfg(not(feature = "models"))]
    fn knows(&self, _: &Request, _: Way) -> Result<bool, Error> {
        let _ = self.client;
        Ok(self.route.is_some())
    }
}

/// A schema that was rewritten, and whether it now keeps out what a value may be: maps and what refers to itself are
/// dropped, and what may be anything becomes a scalar.
fn kept((schema, warnings): (Json, Vec<Warning>)) -> (Json, bool) {
    let narrows =
        |warning: &Warning| warning.kind == WarningKind::Dropped || warning.detail.contains("scalar");
    let loses = warnings.iter().any(narrows);
    (schema, loses)
}

/// The answer is to be the value: tools that this program would have to run are not called. They stay in the request,
/// since its history may speak of them.
fn without_calls(mut request: Request) -> Request {
    let is_run_here = |tool: &Tool| !matches!(tool, Tool::Provider(_));
    if !request.tools.is_empty() && request.tools.iter().all(is_run_here) {
        request.tool_choice = Some(ToolChoice::None);
    }
    request
}
