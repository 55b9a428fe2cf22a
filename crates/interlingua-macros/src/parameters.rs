use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Expr, ExprLit, FnArg, Ident, Lit, Meta, Pat, PatType, Token, Type};

/// What a function takes.
#[derive(Default)]
pub(crate) struct Parameters {
    /// The fields of the type of its arguments, with their attributes.
    pub(crate) fields: Vec<TokenStream>,
    /// Their names.
    pub(crate) names: Vec<Ident>,
    /// What is passed to the function, in its order.
    pub(crate) passed: Vec<TokenStream>,
}

impl Parameters {
    /// Reads the parameters, and takes their attributes away from the function.
    pub(crate) fn take(inputs: &mut Punctuated<FnArg, Token![,]>) -> syn::Result<Self> {
        let mut parameters = Self::default();
        for input in inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    let message = "a tool takes no `self`: implement `Callable` for a type that is a tool";
                    return Err(Error::new(receiver.span(), message));
                }
                FnArg::Typed(parameter) => parameters.add(parameter)?,
            }
        }
        Ok(parameters)
    }

    fn add(&mut self, parameter: &mut PatType) -> syn::Result<()> {
        let attributes = std::mem::take(&mut parameter.attrs);
        if is_context(&parameter.ty) {
            self.passed.push(quote!(context));
            return Ok(());
        }
        if let Type::Reference(reference) = &*parameter.ty {
            let message =
                "an argument is owned, as `String` and `Vec<T>` are: it is read from what the model wrote";
            return Err(Error::new(reference.span(), message));
        }
        if let Type::ImplTrait(given) = &*parameter.ty {
            return Err(Error::new(
                given.span(),
                "an argument has a type of its own: its schema is that of the type",
            ));
        }
        let Pat::Ident(name) = &*parameter.pat else {
            let message = "an argument has a name, by which the model gives it";
            return Err(Error::new(parameter.pat.span(), message));
        };
        let (name, kind) = (&name.ident, &parameter.ty);
        for attribute in &attributes {
            checked(attribute)?;
        }
        self.fields.push(quote!(#(#attributes)* #name: #kind));
        self.passed.push(quote!(arguments.#name));
        self.names.push(name.clone());
        Ok(())
    }
}

fn checked(attribute: &Attribute) -> syn::Result<()> {
    let known = ["doc", "serde", "schemars", "cfg"];
    if known.iter().any(|known| attribute.path().is_ident(known)) {
        return Ok(());
    }
    let message = "an argument takes a doc comment, `#[serde(…)]` and `#[schemars(…)]` alone";
    Err(Error::new(attribute.span(), message))
}

fn is_context(kind: &Type) -> bool {
    let Type::Path(path) = kind else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "ToolContext")
}

/// The text of doc comments, its lines joined as Markdown joins them.
pub(crate) fn description(attributes: &[Attribute]) -> String {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
            let Meta::NameValue(pair) = &attribute.meta else { return None };
            let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
            Some(text.value())
        });
    let mut said = String::new();
    for line in lines {
        let line = line.trim();
        let gap = if said.is_empty() || said.ends_with('\n') { "" } else { " " };
        match line {
            "" if said.is_empty() || said.ends_with('\n') => {}
            "" => said.push_str("\n\n"),
            line => {
                said.push_str(gap);
                said.push_str(line);
            }
        }
    }
    said.trim_end().to_owned()
}
