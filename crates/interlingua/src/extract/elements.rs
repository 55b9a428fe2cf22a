use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use interlingua_model::Response;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Way;
use super::answer::{Trouble, fitted};
use super::error::ExtractError;
use super::place;
use super::reading::Reading;

/// The elements of a list, each as it is complete and was checked.
///
/// It is a [`Stream`], and [`next`](Self::next) needs no trait. It ends with `None` only when the list and the answer are
/// complete: an answer that is cut, an element that does not follow the schema, and a call that breaks off are errors, and
/// nothing follows them.
///
/// ```no_run
/// # use interlingua::{Client, Request, schemars::JsonSchema};
/// #[derive(serde::Deserialize, JsonSchema)]
/// struct Person {
///     name: String,
/// }
///
/// # async fn example(client: Client, request: Request) -> Result<(), Box<dyn std::error::Error>> {
/// let mut people = client.stream_elements::<Person>(&request).await?;
/// while let Some(person) = people.next().await {
///     println!("{}", person?.name);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Elements<T> {
    reading: Reading,
    /// What each element must be.
    schema: Value,
    ready: VecDeque<(String, Value)>,
    /// Whether the answer has come to its end, good or bad.
    is_over: bool,
    /// What is told when the elements before it are handed out.
    error: Option<ExtractError>,
    read: fn(Value) -> Result<T, interlingua_wire::schema::Mismatch>,
}

impl<T: DeserializeOwned> Elements<T> {
    pub(super) fn new(reading: Reading, schema: Value) -> Self {
        Self { reading, schema, ready: VecDeque::new(), is_over: false, error: None, read: place::read }
    }
}

impl<T> Elements<T> {
    /// The next element; `None` when the list is complete.
    ///
    /// # Errors
    /// As [`Client::extract`](crate::Client::extract).
    pub async fn next(&mut self) -> Option<Result<T, ExtractError>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The way in which they are asked for.
    pub const fn way(&self) -> Way {
        self.reading.asked.way
    }

    /// The answer as it stands.
    pub fn response(&self) -> Response {
        self.reading.response()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, ExtractError>>> {
        loop {
            if let Some((path, value)) = self.ready.pop_front() {
                return Poll::Ready(Some(self.element(&path, value)));
            }
            if self.is_over {
                return Poll::Ready(self.error.take().map(Err));
            }
            let Self { reading, ready, .. } = self;
            let came = ready!(reading.poll(context, &mut |path, value| {
                let is_element = path.strip_prefix('/').is_some_and(|at| !at.contains('/'));
                if is_element {
                    ready.push_back((path.to_owned(), value.clone()));
                }
            }));
            self.error = match came {
                Some(Ok(())) => continue,
                Some(Err(error)) => Some(error),
                // The elements were checked one by one, the list as such was not.
                None => self.reading.fitted().err(),
            };
            self.is_over = true;
        }
    }

    fn element(&mut self, path: &str, value: Value) -> Result<T, ExtractError> {
        let read = fitted(&self.schema, value)
            .and_then(|value| (self.read)(value).map_err(|mismatch| Trouble::Mismatch(vec![mismatch])));
        read.map_err(|mut trouble| {
            if let Trouble::Mismatch(found) = &mut trouble {
                for mismatch in found {
                    mismatch.path.insert_str(0, path);
                }
            }
            self.ready.clear();
            self.is_over = true;
            self.error = None;
            self.reading.failed(trouble)
        })
    }
}

impl<T> Stream for Elements<T> {
    type Item = Result<T, ExtractError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

impl<T> fmt::Debug for Elements<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elements")
            .field("way", &self.way())
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}
