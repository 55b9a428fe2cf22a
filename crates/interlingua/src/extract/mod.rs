//! Answers that are values.

mod answer;
mod ask;
mod choice;
mod elements;
mod error;
mod place;
mod prose;
mod reading;
mod stream;
mod wanted;
mod way;

use std::fmt;

use interlingua_model::{Error, Request, Response, Usage};
use interlingua_wire::schema::Mismatch;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Client, Options};
use ask::Asked;
use error::Stopped;
use wanted::Wanted;

pub use elements::Elements;
pub use error::{ExtractError, Failure};
pub use stream::{Extracting, Partial};

/// How a model is brought to answer with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Way {
    /// The service is given the schema and binds the answer to it ([`Request::format`]).
    Schema,
    /// The model must call a tool whose arguments are the value.
    Tool,
    /// The schema stands in the prompt, and the JSON is looked for in the text.
    Prompt,
}

/// How a value is asked for.
///
/// ```
/// use interlingua::extract::{ExtractOptions, Way};
///
/// let options = ExtractOptions::default().way(Way::Tool).reasks(1).name("invoice");
/// assert_eq!(options.reasks, 1);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExtractOptions {
    /// The way; `None` takes the best that the model is known to have.
    pub way: Option<Way>,
    /// How often the model is asked again when its answer does not fit; 2 by default.
    pub reasks: u32,
    /// What the value is called; the name of its type by default.
    pub name: Option<String>,
    /// What the value is, for the model; the documentation of its type by default.
    pub description: Option<String>,
    /// The options of each call.
    pub call: Options,
}

/// A value out of an answer, and how it came about.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Extracted<T> {
    /// The value.
    pub value: T,
    /// The way in which it was asked for.
    pub way: Way,
    /// Every answer that it took; the value is out of the last one.
    pub responses: Vec<Response>,
    /// What all answers used together; a figure that one of them lacks is unknown.
    pub usage: Usage,
}

impl Client {
    /// Asks for a value of a type.
    ///
    /// The answer follows the JSON Schema of the type, is checked against it, and read. The best [`Way`] is taken that the
    /// model and its provider are known to have. An answer that does not fit goes back to the model with what is wrong with
    /// it, twice at most. What the schema leaves open may be null or absent. A type that is no struct is asked for as a
    /// member of an object where that must be, and taken out again.
    ///
    /// ```no_run
    /// use interlingua::{Client, Request, schemars::JsonSchema};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct Invoice {
    ///     /// As it is printed, with its prefix.
    ///     number: String,
    ///     /// In cents.
    ///     total: u64,
    /// }
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::from_env()?;
    /// let request = Request::new("anthropic/claude-sonnet-5").user("Invoice RE-17: 3 chairs, 299.70 € in all.");
    /// let invoice: Invoice = client.extract(&request).await?.value;
    /// println!("{}: {} cents", invoice.number, invoice.total);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`Failure`]: the call fails, the model refuses, its answer is cut or blocked, or none of its answers fits.
    pub async fn extract<T>(&self, request: &Request) -> Result<Extracted<T>, ExtractError>
    where
        T: DeserializeOwned + JsonSchema,
    {
        self.extract_with(request, &ExtractOptions::default()).await
    }

    /// Asks for a value of a type, with options.
    ///
    /// # Errors
    /// As [`extract`](Self::extract).
    pub async fn extract_with<T>(
        &self,
        request: &Request,
        options: &ExtractOptions,
    ) -> Result<Extracted<T>, ExtractError>
    where
        T: DeserializeOwned + JsonSchema,
    {
        let wanted = Wanted::of::<T>(options)?;
        extract(self, request, &wanted, options, place::read).await
    }

    /// Asks for a value that follows a JSON Schema.
    ///
    /// What is checked of a schema says [`check`](crate::wire::schema::check).
    ///
    /// # Errors
    /// As [`extract`](Self::extract), and when the schema is none.
    pub async fn extract_value(
        &self,
        request: &Request,
        schema: &Value,
        options: &ExtractOptions,
    ) -> Result<Extracted<Value>, ExtractError> {
        let wanted = Wanted::new(schema.clone(), "value", options)?;
        extract(self, request, &wanted, options, Ok).await
    }

    /// Asks for a value of a type and shows it while it comes. Nothing is asked again, since what was shown cannot be taken
    /// back.
    ///
    /// # Errors
    /// As [`stream`](Self::stream).
    pub async fn stream_extract<T>(&self, request: &Request) -> Result<Extracting<T>, ExtractError>
    where
        T: DeserializeOwned + JsonSchema,
    {
        self.stream_extract_with(request, &ExtractOptions::default()).await
    }

    /// The same as [`stream_extract`](Self::stream_extract), with options.
    ///
    /// # Errors
    /// As [`stream`](Self::stream).
    pub async fn stream_extract_with<T>(
        &self,
        request: &Request,
        options: &ExtractOptions,
    ) -> Result<Extracting<T>, ExtractError>
    where
        T: DeserializeOwned + JsonSchema,
    {
        let wanted = Wanted::of::<T>(options)?;
        Ok(Extracting::new(reading::open(self, request, wanted, options).await?, place::read))
    }

    /// Asks for a value that follows a JSON Schema, and shows it while it comes.
    ///
    /// # Errors
    /// As [`stream`](Self::stream), and when the schema is none.
    pub async fn stream_extract_value(
        &self,
        request: &Request,
        schema: &Value,
        options: &ExtractOptions,
    ) -> Result<Extracting<Value>, ExtractError> {
        let wanted = Wanted::new(schema.clone(), "value", options)?;
        Ok(Extracting::new(reading::open(self, request, wanted, options).await?, Ok))
    }

    /// Asks for a list, and hands out its elements one by one as they are complete and were checked.
    ///
    /// # Errors
    /// As [`stream`](Self::stream).
    pub async fn stream_elements<T>(&self, request: &Request) -> Result<Elements<T>, ExtractError>
    where
        T: DeserializeOwned + JsonSchema,
    {
        self.stream_elements_with(request, &ExtractOptions::default()).await
    }

    /// The same as [`stream_elements`](Self::stream_elements), with options.
    ///
    /// # Errors
    /// As [`stream`](Self::stream).
    pub async fn stream_elements_with<T>(
        &self,
        request: &Request,
        options: &ExtractOptions,
    ) -> Result<Elements<T>, ExtractError>
    where
        T: DeserializeOwned + JsonSchema,
    {
        let (wanted, element) = Wanted::list_of::<T>(options)?;
        Ok(Elements::new(reading::open(self, request, wanted, options).await?, element))
    }
}

/// Asks until an answer fits.
async fn extract<T>(
    client: &Client,
    request: &Request,
    wanted: &Wanted,
    options: &ExtractOptions,
    read: impl Fn(Value) -> Result<T, Mismatch>,
) -> Result<Extracted<T>, ExtractError> {
    let mut asked = Asked::new(client, request, wanted, options)?;
    let mut responses = Vec::new();
    let mut left = options.reasks;
    loop {
        let response = match client.send_with(&asked.request, &options.call).await {
            Ok(answer) => answer.response,
            Err(error) => return Err(Stopped::call(error).after(responses)),
        };
        let outcome = asked.value(&response, wanted).and_then(|value| {
            let value = asked.unwrapped(value);
            read(value).map_err(|mismatch| answer::Trouble::Mismatch(vec![asked.rewrapped(mismatch)]))
        });
        responses.push(response);
        let trouble = match outcome {
            Ok(value) => {
                let usage = total(&responses);
                return Ok(Extracted { value, way: asked.way, responses, usage });
            }
            Err(trouble) => trouble,
        };
        let Some(response) = responses.last().filter(|_| left > 0 && trouble.may_pass()) else {
            return Err(asked.failure(trouble).after(responses));
        };
        left -= 1;
        asked.again(response, &trouble);
    }
}

/// What all answers used together.
fn total(responses: &[Response]) -> Usage {
    let mut all = responses.iter().map(|response| &response.usage);
    let mut sum = all.next().cloned().unwrap_or_default();
    all.for_each(|usage| sum.add(usage));
    sum
}

impl<T> Extracted<T> {
    /// How many answers it took.
    pub fn attempts(&self) -> usize {
        self.responses.len()
    }
}

impl ExtractOptions {
    /// Sets the way, whatever is known of the model.
    #[must_use]
    pub fn way(mut self, way: Way) -> Self {
        self.way = Some(way);
        self
    }

    /// Sets how often the model is asked again when its answer does not fit.
    #[must_use]
    pub fn reasks(mut self, times: u32) -> Self {
        self.reasks = times;
        self
    }

    /// Sets what the value is called.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets what the value is, for the model.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the options of each call.
    #[must_use]
    pub fn call(mut self, options: Options) -> Self {
        self.call = options;
        self
    }
}

impl Default for ExtractOptions {
    fn default() -> Self {
        Self { way: None, reasks: 2, name: None, description: None, call: Options::default() }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Schema => "schema",
            Self::Tool => "tool",
            Self::Prompt => "prompt",
        })
    }
}

/// An error of the request itself.
fn wrong(message: impl Into<String>) -> Error {
    Error::new(interlingua_model::ErrorKind::InvalidRequest, message)
}

/// The page on values, so that its examples are tried.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/extract.md")]
struct Page;
