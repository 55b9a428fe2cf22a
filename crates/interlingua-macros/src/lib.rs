//! The `#[tool]` attribute of `interlingua`, which re-exports it with its feature `macros`.

mod options;
mod parameters;
#[cfg(test)]
mod refused;
mod tool;

use proc_macro::TokenStream;

/// Makes a tool out of an async function.
///
/// The function stays as it is. Beside it comes a type of the same name with one function, `tool()`, which makes the
/// handler for a toolbox: `Toolbox::new().add(weather::tool())`.
///
/// - The doc comment of the function is the description, and that of a parameter describes it; both are what the model
///   reads. A function without one does not compile.
/// - The parameters are the arguments, in their order. Their types implement `serde::Deserialize` and
///   `schemars::JsonSchema`; an `Option` may be left out. `#[serde(…)]` and `#[schemars(…)]` on a parameter are those of
///   a field.
/// - A parameter of the type `ToolContext` is no argument: it tells progress.
/// - What the function returns is told to the model; the `Err` of a result is told as an error.
///
/// In brackets: `name = "…"` and `description = "…"` in place of those of the function, `timeout = 30` (seconds),
/// `concurrency = 2`, `idempotent`, and `crate = "…"` where `interlingua` has another path.
///
/// What cannot be a tool does not compile, and the error says why:
///
/// ```compile_fail
/// # use interlingua_macros::tool;
/// /// The arguments come from the model, so they are owned.
/// #[tool]
/// async fn search(words: &str) {}
/// ```
/// ```compile_fail
/// # use interlingua_macros::tool;
/// /// A tool is asynchronous.
/// #[tool]
/// fn search(words: String) {}
/// ```
#[proc_macro_attribute]
pub fn tool(attributes: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(attributes.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
