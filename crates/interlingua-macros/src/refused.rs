//! What cannot be a tool does not compile, and the error says why and points at it.

use proc_macro2::TokenStream;
use quote::quote;

use crate::tool::expand;

/// The error of a function, which stands at these words of it.
#[track_caller]
fn refused(attributes: TokenStream, item: TokenStream, message: &str) {
    let made = expand(attributes, item).map(|made| made.to_string());
    let error = made.expect_err("this is no tool").into_compile_error().to_string();
    assert!(error.contains("compile_error"), "{error}");
    assert!(error.contains(message), "{error}");
}

#[test]
fn functions_that_cannot_be_called() {
    let cases = [
        ("/** Adds. */ fn add(one: u32) {}", "a tool is an `async fn`"),
        ("async fn add(one: u32) {}", "a tool needs a doc comment"),
        ("/** Adds. */ async fn add<T: ToString>(one: T) {}", "no generic parameters"),
        ("/** Adds. */ async fn add(&self, one: u32) {}", "a tool takes no `self`"),
        ("/** Adds. */ async fn add(one: &str) {}", "an argument is owned"),
        ("/** Adds. */ async fn add(one: impl ToString) {}", "an argument has a type of its own"),
        ("/** Adds. */ async fn add((one, other): (u32, u32)) {}", "an argument has a name"),
        ("/** Adds. */ async fn add(#[allow(unused)] one: u32) {}", "an argument takes a doc comment"),
        ("struct Add;", "expected `fn`"),
    ];
    for (function, message) in cases {
        refused(TokenStream::new(), function.parse().unwrap(), message);
    }
}

#[test]
fn brackets_that_mean_nothing() {
    let add = || {
        quote!(
            /** Adds. */
            async fn add(one: u32) {}
        )
    };
    refused(quote!(retries = 3), add(), "expected `name`, `description`, `timeout`");
    refused(quote!(name = "add one"), add(), "expected 1 to 64 of the characters");
    refused(quote!(name = ""), add(), "expected 1 to 64 of the characters");
    refused(quote!(timeout = 0), add(), "expected seconds, more than none");
    refused(quote!(timeout = "30s"), add(), "expected floating point literal");
    refused(quote!(concurrency = 0), add(), "number would be zero");
}

#[test]
fn what_is_a_tool_is_made() {
    let made = expand(
        quote!(description = "Adds.", timeout = 2),
        quote!(
            pub async fn add(one: u32) {}
        ),
    )
    .unwrap();
    let made = made.to_string();
    assert!(made.contains("pub struct add") && made.contains("pub fn tool"), "{made}");
}
