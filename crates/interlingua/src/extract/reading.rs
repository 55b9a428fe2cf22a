//! A value that is read while its answer comes.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use interlingua_model::{Delta, Error, Event, Output, PartialJson, Request, Response};
use serde_json::Value;

use super::answer::{self, Trouble};
use super::ask::Asked;
use super::error::{ExtractError, Stopped};
use super::prose;
use super::wanted::{WRAPPER, Wanted};
use super::{ExtractOptions, Way};
use crate::{Client, Events};

/// An answer of which the value is read.
pub(super) struct Reading {
    events: Events,
    pub(super) asked: Asked,
    wanted: Wanted,
    reader: PartialJson,
    /// Whether the JSON among words is complete; what follows is not read.
    is_done: bool,
    /// The parts that are read.
    parts: BTreeSet<u32>,
}

/// Asks for an answer of which the value is read.
pub(super) async fn open(
    client: &Client,
    request: &Request,
    wanted: Wanted,
    options: &ExtractOptions,
) -> Result<Reading, ExtractError> {
    let asked = Asked::new(client, request, &wanted, options)?;
    let events = client.stream_with(&asked.request, &options.call).await.map_err(Stopped::call)?;
    Ok(Reading { events, asked, wanted, reader: PartialJson::new(), is_done: false, parts: BTreeSet::new() })
}

impl Reading {
    /// Reads on until something of the value came; `None` at a good end. Each part that is complete is shown with its
    /// path in the value.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        each: &mut dyn FnMut(&str, &Value),
    ) -> Poll<Option<Result<(), ExtractError>>> {
        loop {
            let event = match ready!(Pin::new(&mut self.events).poll_next(context)) {
                Some(Ok(event)) => event,
                Some(Err(error)) => return Poll::Ready(Some(Err(Stopped::call(error).into()))),
                None => return Poll::Ready(self.end(each).err().map(Err)),
            };
            match self.take(&event, each) {
                Ok(false) => {}
                Ok(true) => return Poll::Ready(Some(Ok(()))),
                Err(trouble) => return Poll::Ready(Some(Err(self.failed(trouble)))),
            }
        }
    }

    /// The value so far, once there is something of it.
    pub(super) fn value(&self) -> Option<&Value> {
        let value = self.reader.value()?;
        if self.asked.is_wrapped { value.get(WRAPPER) } else { Some(value) }
    }

    /// The value of an answer that has ended well, which follows the schema.
    pub(super) fn fitted(&self) -> Result<Value, ExtractError> {
        let schema = self.asked.schema(&self.wanted);
        let fitted = match self.reader.value() {
            Some(value) if self.is_done || self.asked.way != Way::Prompt => {
                answer::fitted(schema, value.clone())
            }
            _ => prose::value(&self.response().text(), schema),
        };
        Ok(self.asked.unwrapped(fitted.map_err(|trouble| self.failed(trouble))?))
    }

    pub(super) fn response(&self) -> Response {
        self.events.response()
    }

    pub(super) fn failed(&self, trouble: Trouble) -> ExtractError {
        self.asked.failure(trouble).after(vec![self.response()])
    }

    fn end(&mut self, each: &mut dyn FnMut(&str, &Value)) -> Result<(), ExtractError> {
        let is_wrapped = self.asked.is_wrapped;
        let ended = answer::ended(&self.response()).and_then(|()| match self.asked.way {
            Way::Prompt => Ok(()),
            _ => self
                .reader
                .end_with(|path, value| show(is_wrapped, path, value, each))
                .map_err(|error| unread(&error)),
        });
        ended.map_err(|trouble| self.failed(trouble))
    }

    /// Takes an event; whether something of the value came.
    fn take(&mut self, event: &Event, each: &mut dyn FnMut(&str, &Value)) -> Result<bool, Trouble> {
        match event {
            Event::Open { at, part } => match (&**part, &self.asked.tool) {
                (Output::Text(text), None) => {
                    self.parts.insert(*at);
                    self.read(&text.text, each)
                }
                (Output::ToolCall(call), Some(tool)) if call.name == *tool && self.parts.is_empty() => {
                    self.parts.insert(*at);
                    self.read(call.input.as_str(), each)
                }
                _ => Ok(false),
            },
            Event::Delta { at, delta: Delta::Text(piece) | Delta::Input(piece) }
                if self.parts.contains(at) =>
            {
                self.read(piece, each)
            }
            _ => Ok(false),
        }
    }

    fn read(&mut self, text: &str, each: &mut dyn FnMut(&str, &Value)) -> Result<bool, Trouble> {
        if self.asked.way == Way::Prompt {
            return Ok(self.read_prose(text, each));
        }
        let is_wrapped = self.asked.is_wrapped;
        let read = self.reader.push_with(text, |path, value| show(is_wrapped, path, value, each));
        read.map_err(|error| unread(&error))?;
        Ok(!text.is_empty())
    }

    /// Looks for the JSON among words, and reads it.
    fn read_prose(&mut self, mut text: &str, each: &mut dyn FnMut(&str, &Value)) -> bool {
        let mut has_grown = false;
        while !self.is_done && !text.is_empty() {
            if self.reader.is_empty() {
                let Some(start) = text.find(self.opening()) else { break };
                text = text.get(start..).unwrap_or_default();
            }
            let before = self.reader.len();
            let is_done = &mut self.is_done;
            let read = self.reader.push_with(text, |path, value| {
                *is_done |= path.is_empty();
                each(path, value);
            });
            if read.is_ok() || self.is_done {
                has_grown = true;
                break;
            }
            // It was no JSON that began there.
            let read = (self.reader.len() - before).max(usize::from(before == 0));
            text = text.get(read..).unwrap_or_default();
            self.reader = PartialJson::new();
        }
        has_grown
    }

    /// What the JSON begins with.
    fn opening(&self) -> &'static [char] {
        match self.wanted.bare.get("type").and_then(Value::as_str) {
            Some("object") => &['{'],
            Some("array") => &['['],
            _ => &['{', '['],
        }
    }
}

fn unread(error: &Error) -> Trouble {
    Trouble::NoJson(error.message().to_owned())
}

/// Shows a part by its path in the value, and nothing of the object around it.
fn show(is_wrapped: bool, path: &str, value: &Value, each: &mut dyn FnMut(&str, &Value)) {
    let inner = if is_wrapped {
        path.strip_prefix('/').and_then(|path| path.strip_prefix(WRAPPER))
    } else {
        Some(path)
    };
    if let Some(inner) = inner.filter(|inner| inner.is_empty() || inner.starts_with('/')) {
        each(inner, value);
    }
}
