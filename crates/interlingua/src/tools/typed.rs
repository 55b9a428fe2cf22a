use std::future::Future;

use interlingua_model::{FunctionTool, Json};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{Handler, ToolContext, ToolOutput};
use crate::BoxFuture;
use crate::described::schema_of;

/// A function tool whose schema and arguments are those of a Rust type.
///
/// What the closure returns is told to the model; the `Err` of a result is told as an error. Arguments that do not fit
/// the type never reach the closure: the model is told what is wrong with them.
pub fn tool<A, F, T>(name: impl Into<String>, description: impl Into<String>, run: F) -> Handler
where
    A: DeserializeOwned + JsonSchema,
    F: Fn(A) -> T + Send + Sync + 'static,
    T: Future + Send + 'static,
    T::Output: Into<ToolOutput>,
{
    tool_with(name, description, move |arguments, _| run(arguments))
}

/// The same as [`tool`], for a closure that may tell how far it has come.
pub fn tool_with<A, F, T>(name: impl Into<String>, description: impl Into<String>, run: F) -> Handler
where
    A: DeserializeOwned + JsonSchema,
    F: Fn(A, ToolContext) -> T + Send + Sync + 'static,
    T: Future + Send + 'static,
    T::Output: Into<ToolOutput>,
{
    let definition = FunctionTool::new(name, description, Json::from(schema_of::<A>()));
    Handler::with_context(definition, move |call, context| -> BoxFuture<'static, ToolOutput> {
        match call.input.parse::<A>() {
            Ok(arguments) => {
                let running = run(arguments, context);
                Box::pin(async move { running.await.into() })
            }
            Err(error) => {
                let message = format!("the arguments do not fit the schema of this tool: {error}");
                Box::pin(std::future::ready(ToolOutput::error(message)))
            }
        }
    })
}
