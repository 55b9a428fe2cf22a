use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, ItemFn};

use crate::options::Options;
use crate::parameters::{Parameters, description};

pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options = Options::parse(attributes)?;
    let mut function: ItemFn = syn::parse2(item)?;
    check(&function)?;
    let said = match &options.description {
        Some(said) => said.value(),
        None => description(&function.attrs),
    };
    if said.is_empty() {
        let message = "a tool needs a doc comment: it is the description by which the model chooses the tool";
        return Err(Error::new(function.sig.ident.span(), message));
    }
    let parameters = Parameters::take(&mut function.sig.inputs)?;
    let companion = companion(&options, &function, &parameters, &said);
    // A tool is asynchronous even where it has nothing to wait for.
    Ok(quote!(#[allow(clippy::unused_async)] #function #companion))
}

fn check(function: &ItemFn) -> syn::Result<()> {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        return Err(Error::new_spanned(signature.fn_token, "a tool is an `async fn`"));
    }
    if !signature.generics.params.is_empty() {
        let message = "a tool has no generic parameters: the model is told one schema";
        return Err(Error::new_spanned(&signature.generics, message));
    }
    Ok(())
}

/// The type beside the function, with `tool()`.
fn companion(options: &Options, function: &ItemFn, parameters: &Parameters, said: &str) -> TokenStream {
    let Options { name, root, rules, .. } = options;
    let (visibility, ident) = (&function.vis, &function.sig.ident);
    let plain = ident.to_string();
    let plain = plain.strip_prefix("r#").unwrap_or(&plain);
    let name = name.as_ref().map_or_else(|| plain.to_owned(), syn::LitStr::value);
    let Parameters { fields, passed, .. } = parameters;
    let about = format!("The tool `{name}`, which calls the function of this name.");
    let arguments = format_ident!("Arguments");
    let serde = format!("{}::__macros::serde", quote!(#root)).replace(' ', "");
    let schemars = format!("{}::schemars", quote!(#root)).replace(' ', "");
    // The type has the name of the function, by which it is found.
    let lints = quote!(#[allow(non_camel_case_types)]);
    let unused = parameters.names.is_empty().then(|| quote!(let _ = arguments;));
    quote! {
        #[doc = #about]
        #lints
        #[derive(Debug, Clone, Copy, Default)]
        #visibility struct #ident {}

        impl #ident {
            /// A handler for a toolbox.
            #visibility fn tool() -> #root::Handler {
                #[derive(#root::__macros::serde::Deserialize, #root::schemars::JsonSchema)]
                #[serde(crate = #serde)]
                #[schemars(crate = #schemars)]
                struct #arguments { #(#fields),* }
                #root::tool_with(#name, #said, |arguments: #arguments, context: #root::ToolContext| {
                    let _ = &context;
                    #unused
                    async move { #root::ToolOutput::from(#ident(#(#passed),*).await) }
                })
                #rules
            }
        }
    }
}
