use std::fmt;
use std::future::poll_fn;

use interlingua_model::Response;
use interlingua_wire::schema::Mismatch;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Trouble;
use super::error::ExtractError;
use super::reading::Reading;
use super::{Extracted, Way, total};

/// A value that is shown while its answer comes.
///
/// ```no_run
/// # use interlingua::{Client, Request, schemars::JsonSchema};
/// #[derive(serde::Deserialize, JsonSchema)]
/// struct Recipe {
///     title: String,
///     steps: Vec<String>,
/// }
///
/// # async fn example(client: Client, request: Request) -> Result<(), Box<dyn std::error::Error>> {
/// let mut recipe = client.stream_extract::<Recipe>(&request).await?;
/// while let Some(partial) = recipe.next().await {
///     let partial = partial?;
///     println!("{} (new: {:?})", partial.value, partial.completed);
/// }
/// let recipe: Recipe = recipe.into_extracted().await?.value;
/// # Ok(())
/// # }
/// ```
pub struct Extracting<T> {
    reading: Reading,
    read: fn(Value) -> Result<T, Mismatch>,
    completed: Vec<String>,
    state: State<T>,
}

enum State<T> {
    Reading,
    Done(Box<Extracted<T>>),
    /// The error was handed out.
    Failed,
}

/// A value as it stands.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Partial<'a> {
    /// What there is of it: strings as far as they came, numbers when they are complete. Each is a beginning of the next one.
    pub value: &'a Value,
    /// The JSON Pointers of the parts that were completed since the last time, members before what holds them.
    pub completed: &'a [String],
}

impl Partial<'_> {
    /// What there is, as a type whose fields have defaults.
    ///
    /// # Errors
    /// When what there is is no `T` yet.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(self.value)
    }
}

impl<T> Extracting<T> {
    pub(super) fn new(reading: Reading, read: fn(Value) -> Result<T, Mismatch>) -> Self {
        Self { reading, read, completed: Vec::new(), state: State::Reading }
    }

    /// The value as it stands after the next piece of the answer; `None` when it is complete and was checked.
    ///
    /// # Errors
    /// As [`Client::extract`](crate::Client::extract). An answer that breaks off, is cut, or does not follow the schema is one.
    /// Nothing follows it.
    pub async fn next(&mut self) -> Option<Result<Partial<'_>, ExtractError>> {
        loop {
            if !matches!(self.state, State::Reading) {
                return None;
            }
            self.completed.clear();
            let Self { reading, completed, .. } = self;
            let came =
                poll_fn(|context| reading.poll(context, &mut |path, _| completed.push(path.to_owned())))
                    .await;
            match came {
                Some(Ok(())) if self.reading.value().is_none() => {}
                Some(Ok(())) => break,
                Some(Err(error)) => return Some(Err(self.failed(error))),
                None => {
                    if let Err(error) = self.finish() {
                        return Some(Err(self.failed(error)));
                    }
                }
            }
        }
        let value = self.reading.value()?;
        Some(Ok(Partial { value, completed: &self.completed }))
    }

    /// The way in which it is asked for.
    pub const fn way(&self) -> Way {
        self.reading.asked.way
    }

    /// The answer as it stands.
    pub fn response(&self) -> Response {
        self.reading.response()
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn into_extracted(mut self) -> Result<Extracted<T>, ExtractError> {
        while let Some(partial) = self.next().await {
            partial?;
        }
        match self.state {
            State::Done(extracted) => Ok(*extracted),
            State::Reading | State::Failed => {
                let why = "the answer has failed before, which was told then";
                Err(self.reading.failed(Trouble::NoJson(why.to_owned())))
            }
        }
    }

    fn finish(&mut self) -> Result<(), ExtractError> {
        let value = self.reading.fitted()?;
        let read = (self.read)(value);
        let placed = |mismatch| Trouble::Mismatch(vec![self.reading.asked.rewrapped(mismatch)]);
        let value = read.map_err(|mismatch| self.reading.failed(placed(mismatch)))?;
        let responses = vec![self.reading.response()];
        let usage = total(&responses);
        self.state = State::Done(Box::new(Extracted { value, way: self.way(), responses, usage }));
        Ok(())
    }

    fn failed(&mut self, error: ExtractError) -> ExtractError {
        self.state = State::Failed;
        error
    }
}

impl<T> fmt::Debug for Extracting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extracting")
            .field("way", &self.way())
            .field("value", &self.reading.value())
            .finish_non_exhaustive()
    }
}
