//! One client for the model services of many providers.
//!
//! A [`Request`] names its model as `provider/model`; a [`Client`] knows where the provider is, what it speaks and
//! which key it wants, and hands out an answer as [`Event`]s or whole.
//!
//! ```no_run
//! use interlingua::{Client, Delta, Event, Request};
//!
//! # async fn example() -> Result<(), interlingua::Error> {
//! let client = Client::from_env()?;
//! let mut events = client.stream(&Request::new("anthropic/claude-sonnet-5").user("Why is the sky blue?")).await?;
//! while let Some(event) = events.next().await {
//!     if let Event::Delta { delta: Delta::Text(text), .. } = event? {
//!         print!("{text}");
//!     }
//! }
//! let response = events.into_response().await?;
//! println!("\n{:?}", response.usage);
//! # Ok(())
//! # }
//! ```
//!
//! What holds for every call:
//! - [`Client::stream`] resolves after the status line: a refusal is the error of the call, with what the provider
//!   said of it. An answer that ends before its end marker is an error that carries what had come.
//! - A call is made again only before the first piece of its answer, only when the error may pass, and visibly:
//!   [`Meta::retries`], [`ClientBuilder::on_retry`].
//! - What a provider cannot express is a [`Warning`], or an error before anything is sent ([`ClientBuilder::strict`]).
//! - A key goes to the host that it was meant for and nowhere else; it is in no error, log or URL.
//! - A slow reader slows the sender down; a dropped [`Events`] cancels the call.
//!
//! # Features
//! On by default: `protocols`, or each by its name with dashes (`anthropic`, `openai-chat`, …); `http2`; `gzip`: answers that come packed; `proxy`: proxies by
//! the variables of the environment, without which a variable that asks for one is an error; `models`: what models hold, can and
//! cost ([`Client::catalog`]); `tools`: function tools whose schema is derived from a Rust type, and values of a type out of answers ([`extract`]). Off by default: `reqwest`: a transport over a client of
//! your own. `aws`: calls signed with AWS credentials, which are found in the environment, in profiles, after `aws sso login`, in
//! containers, on machines, and by taking on roles. `macros`: the attribute `#[tool]`. `google`: tokens of Google Cloud, got with a service
//! account, a login of gcloud, an identity of another service, or from the machine. `oracle`: calls signed for Oracle Cloud with the key of
//! `~/.oci/config`. `tracing`: spans of calls, runs and calls of
//! tools, by the conventions of OpenTelemetry. `otel`: metrics of them (`ClientBuilder::meter`). `server`: the server halves of the protocols ([`wire::Serve`]), for programs that answer as a model service does.

#[cfg_attr(not(feature = "aws"), path = "aws/absent.rs")]
mod aws;
mod backend;
mod builder;
#[cfg(any(feature = "aws", feature = "google", feature = "oracle"))]
#[cfg_attr(
    not(any(test, all(feature = "aws", feature = "oracle"))),
    expect(dead_code, reason = "each cloud wants its own of these dates")
)]
mod calendar;
mod client;
mod clock;
#[cfg(feature = "openai-responses")]
mod decide;
#[cfg(feature = "tools")]
mod described;
#[cfg(feature = "models")]
mod doubt;
mod drain;
mod events;
mod exchange;
#[cfg(feature = "tools")]
pub mod extract;
#[cfg_attr(not(feature = "google"), path = "google/absent.rs")]
mod google;
#[cfg_attr(not(feature = "gzip"), path = "gzip_absent.rs")]
mod gzip;
#[cfg(all(test, feature = "gzip"))]
#[expect(dead_code, reason = "its tests alone use it here")]
mod gzip_absent;
mod keys;
#[cfg(feature = "models")]
mod known;
pub mod layer;
mod login;
#[cfg_attr(
    not(any(feature = "aws", feature = "google")),
    expect(dead_code, reason = "files and folders are asked for credentials of clouds alone")
)]
mod machine;
mod meta;
mod models;
mod named;
#[cfg_attr(not(any(feature = "tracing", feature = "otel")), path = "observe/absent.rs")]
mod observe;
mod options;
#[cfg_attr(not(feature = "oracle"), path = "oracle/absent.rs")]
mod oracle;
mod origin;
#[cfg(any(feature = "google", feature = "oracle"))]
mod pem;
mod plan;
mod prepared;
mod registry;
mod retry;
mod route;
mod run;
mod runner;
mod secret;
#[cfg(feature = "models")]
mod shelf;
mod signer;
mod tokens;
mod tools;
mod transport;

#[cfg(feature = "models")]
pub use interlingua_catalog as catalog;
pub use interlingua_model::*;
pub use interlingua_wire as wire;
#[cfg(feature = "openai-responses")]
pub use interlingua_wire::decision;
pub use interlingua_wire::{Limits, Mode, ModelInfo, Protocol, Provider};

pub use backend::Backend;
pub use builder::ClientBuilder;
pub use client::Client;
pub use events::Events;
pub use keys::KeyStatus;
#[cfg(feature = "models")]
pub use known::CATALOG_URL;
pub use meta::{Answer, Meta, Timings};
#[cfg(feature = "models")]
pub use options::ContextGuard;
pub use options::{Options, Timeouts};
pub use prepared::Prepared;
pub use retry::{RetryNote, RetryPolicy};
pub use run::{Approval, Outcome, Run, RunLimits, Spent, Step, Stop};
pub use runner::{Approvals, Compaction, Hook, OnError, RunError, RunEvent, Runner, Running};
pub use secret::Secret;
#[cfg(feature = "models")]
pub use shelf::{ListedModel, ModelCache, ModelList};
pub use tokens::TokenCount;
pub use tools::{Callable, Handler, Progress, ToolContext, ToolOutput, Toolbox};
#[cfg(feature = "tools")]
pub use tools::{tool, tool_with};
#[cfg(feature = "reqwest")]
pub use transport::ReqwestTransport;
pub use transport::{Body, BoxFuture, BoxStream, Cassette, HttpTransport, Timing, Transport, Unrecorded};

/// Makes a tool out of an async function.
///
/// ```
/// use interlingua::{ToolContext, Toolbox, tool};
///
/// /// The weather of the next days.
/// #[tool(timeout = 30, idempotent)]
/// async fn weather(
///     /// The city, in English.
///     city: String,
///     /// How many days; 1 when it is left out.
///     days: Option<u32>,
///     context: ToolContext,
/// ) -> Result<String, std::io::Error> {
///     context.progress("asking the weather office");
///     Ok(format!("{city}: sunny for {} days", days.unwrap_or(1)))
/// }
///
/// let tools = Toolbox::new().add(weather::tool());
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// assert_eq!(weather("Paris".to_owned(), None, ToolContext::default()).await?, "Paris: sunny for 1 days");
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[cfg(feature = "macros")]
pub use interlingua_macros::tool;

/// What the code that `#[tool]` makes refers to.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __macros {
    pub use serde;
}

/// The crate by which the arguments of a [`tool`] describe themselves.
#[cfg(feature = "tools")]
pub use schemars;

/// Answers for environment variables.
type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;
