use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use interlingua_model::{Content, Json, Media, Text, Tool, ToolCall, ToolResult};

use crate::BoxFuture;

/// Tools that run in this program, for [`Client::run`](crate::Client::run).
///
/// ```
/// use interlingua::{Toolbox, schemars, tool};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Place {
///     /// The city, in English.
///     city: String,
/// }
///
/// let tools = Toolbox::new().add(tool("weather", "The weather now.", |place: Place| async move {
///     if place.city == "Atlantis" { Err("no such city") } else { Ok(format!("{}: sunny", place.city)) }
/// }));
/// assert_eq!(tools.definitions().count(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Toolbox(BTreeMap<String, Handler>);

/// A tool and what runs it.
#[derive(Clone)]
pub struct Handler {
    definition: Tool,
    run: Arc<Run>,
}

type Run = dyn Fn(ToolCall) -> BoxFuture<'static, ToolOutput> + Send + Sync;

/// What a tool says.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ToolOutput {
    /// What is told to the model.
    pub content: Vec<Content>,
    /// Whether it is told as an error.
    pub is_error: bool,
}

/// A function tool whose schema and arguments are those of a Rust type.
///
/// What the closure returns is told to the model; the `Err` of a result is told as an error. Arguments that do not fit
/// the type never reach the closure: the model is told what is wrong with them.
#[cfg(feature = "tools")]
pub fn tool<A, F, T>(name: impl Into<String>, description: impl Into<String>, run: F) -> Handler
where
    A: serde::de::DeserializeOwned + schemars::JsonSchema,
    F: Fn(A) -> T + Send + Sync + 'static,
    T: Future + Send + 'static,
    T::Output: Into<ToolOutput>,
{
    let schema = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .into_generator()
        .into_root_schema_for::<A>();
    let mut schema = schema.to_value();
    if let Some(object) = schema.as_object_mut() {
        object.shift_remove("title");
    }
    let definition = interlingua_model::FunctionTool::new(name, description, Json::from(schema));
    Handler::new(definition, move |call| match call.input.parse::<A>() {
        Ok(arguments) => {
            let running = run(arguments);
            Box::pin(async move { running.await.into() }) as BoxFuture<'static, ToolOutput>
        }
        Err(error) => {
            let output =
                ToolOutput::error(format!("the arguments do not fit the schema of this tool: {error}"));
            Box::pin(async move { output })
        }
    })
}

impl Toolbox {
    /// An empty box.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool, or replaces the one of the same name.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a box is not a number")]
    pub fn add(mut self, handler: Handler) -> Self {
        self.0.insert(handler.definition.name().to_owned(), handler);
        self
    }

    /// The definitions, by name.
    pub fn definitions(&self) -> impl Iterator<Item = &Tool> {
        self.0.values().map(|handler| &handler.definition)
    }

    /// Runs one call. A tool that is not there is told to the model as an error.
    pub async fn call(&self, call: &ToolCall) -> ToolResult {
        let Some(handler) = self.0.get(&call.name) else {
            let known: Vec<_> = self.0.keys().map(String::as_str).collect();
            let message = format!("there is no tool `{}`, only: {}", call.name, known.join(", "));
            return ToolOutput::error(message).answer(call);
        };
        let output = (handler.run)(call.clone()).await;
        output.answer(call)
    }
}

impl Handler {
    /// A tool of any definition, and a closure that runs its calls.
    pub fn new<F, T>(definition: impl Into<Tool>, run: F) -> Self
    where
        F: Fn(ToolCall) -> T + Send + Sync + 'static,
        T: Future + Send + 'static,
        T::Output: Into<ToolOutput>,
    {
        let run = move |call| {
            let running = run(call);
            Box::pin(async move { running.await.into() }) as BoxFuture<'static, ToolOutput>
        };
        Self { definition: definition.into(), run: Arc::new(run) }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handler").field(&self.definition.name()).finish()
    }
}

impl ToolOutput {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Content::Text(Text::new(text))], is_error: false }
    }

    /// Words that say what went wrong.
    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }

    /// Any value, as JSON text; one that cannot be written so is an error.
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Self {
        match Json::of(value) {
            Ok(json) => json.into(),
            Err(error) => Self::error(format!("the result cannot be written as JSON: {error}")),
        }
    }

    /// The result of a call.
    pub(crate) fn answer(self, call: &ToolCall) -> ToolResult {
        let mut result = ToolResult::default();
        result.call.clone_from(&call.id);
        result.name.clone_from(&call.name);
        result.kind = call.kind;
        result.content = self.content;
        result.is_error = self.is_error;
        result
    }
}

impl From<String> for ToolOutput {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for ToolOutput {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<Json> for ToolOutput {
    fn from(json: Json) -> Self {
        Self::text(json.as_str())
    }
}

impl From<serde_json::Value> for ToolOutput {
    fn from(value: serde_json::Value) -> Self {
        Self::text(value.to_string())
    }
}

impl From<Media> for ToolOutput {
    fn from(media: Media) -> Self {
        Self { content: vec![Content::Media(media)], is_error: false }
    }
}

impl From<Vec<Content>> for ToolOutput {
    fn from(content: Vec<Content>) -> Self {
        Self { content, is_error: false }
    }
}

impl<T: Into<Self>, E: fmt::Display> From<Result<T, E>> for ToolOutput {
    fn from(result: Result<T, E>) -> Self {
        result.map_or_else(|error| Self::error(error.to_string()), Into::into)
    }
}
