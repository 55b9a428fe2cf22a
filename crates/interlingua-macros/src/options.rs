use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser as _;
use syn::{LitFloat, LitInt, LitStr, Path, parse_quote};

/// What stands in the brackets of the attribute.
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
    pub(crate) root: Path,
    /// Calls on the handler.
    pub(crate) rules: TokenStream,
}

impl Options {
    pub(crate) fn parse(attributes: TokenStream) -> syn::Result<Self> {
        let root = parse_quote!(::interlingua);
        let mut options = Self { name: None, description: None, root, rules: TokenStream::new() };
        let mut seconds: Option<f64> = None;
        let mut calls: Option<usize> = None;
        let mut idempotent = false;
        let parser = syn::meta::parser(|meta| {
            if meta.path.is_ident("name") {
                options.name = Some(checked_name(meta.value()?.parse()?)?);
            } else if meta.path.is_ident("description") {
                options.description = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("crate") {
                options.root = meta.value()?.parse::<LitStr>()?.parse()?;
            } else if meta.path.is_ident("timeout") {
                seconds = Some(positive(meta.value()?)?);
            } else if meta.path.is_ident("concurrency") {
                let number: LitInt = meta.value()?.parse()?;
                calls = Some(number.base10_parse::<std::num::NonZeroUsize>()?.get());
            } else if meta.path.is_ident("idempotent") {
                idempotent = true;
            } else {
                return Err(meta.error(
                    "expected `name`, `description`, `timeout`, `concurrency`, `idempotent` or `crate`",
                ));
            }
            Ok(())
        });
        parser.parse2(attributes)?;
        options.rules = rules(seconds, calls, idempotent);
        Ok(options)
    }
}

fn rules(seconds: Option<f64>, calls: Option<usize>, idempotent: bool) -> TokenStream {
    let timeout = seconds.map(|seconds| quote!(.timeout(::core::time::Duration::from_secs_f64(#seconds))));
    let concurrency = calls.map(|calls| quote!(.concurrency(#calls)));
    let idempotent = idempotent.then(|| quote!(.idempotent(true)));
    quote!(#timeout #concurrency #idempotent)
}

/// Seconds, whole or not.
fn positive(input: syn::parse::ParseStream<'_>) -> syn::Result<f64> {
    let (seconds, span) = if input.peek(LitInt) {
        let number: LitInt = input.parse()?;
        (number.base10_parse::<f64>()?, number.span())
    } else {
        let number: LitFloat = input.parse()?;
        (number.base10_parse::<f64>()?, number.span())
    };
    let is_fine = seconds > 0.0 && seconds < 1e9;
    if is_fine { Ok(seconds) } else { Err(syn::Error::new(span, "expected seconds, more than none")) }
}

/// What every provider takes as the name of a tool.
fn checked_name(name: LitStr) -> syn::Result<LitStr> {
    let text = name.value();
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    if !text.is_empty() && text.len() <= 64 && text.chars().all(fits) {
        return Ok(name);
    }
    Err(syn::Error::new(name.span(), "expected 1 to 64 of the characters a-z, A-Z, 0-9, `_` and `-`"))
}
