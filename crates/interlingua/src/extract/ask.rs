use interlingua_model::{Content, Message, Request, Response, Text, ToolCall, ToolResult};
use interlingua_wire::schema::Mismatch;
use serde_json::Value;

use super::answer::Trouble;
use super::error::{ExtractError, Stopped};
use super::wanted::{WRAPPER, Wanted};
use super::way::Ways;
use super::{ExtractOptions, Way};
use crate::Client;

/// A request for a value.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) way: Way,
    pub(super) request: Request,
    /// The name of the tool whose arguments are the value.
    pub(super) tool: Option<String>,
    pub(super) is_wrapped: bool,
}

impl Asked {
    pub(super) fn new(
        client: &Client,
        request: &Request,
        wanted: &Wanted,
        options: &ExtractOptions,
    ) -> Result<Self, ExtractError> {
        let ways = Ways::new(client, request, options).map_err(Stopped::call)?;
        let (way, request) = match options.way {
            Some(way) => (way, ways.by(way, request, wanted)),
            None => ways.best(request, wanted).map_err(Stopped::call)?,
        };
        let last = || request.tools.last().map(|tool| tool.name().to_owned());
        let tool = if way == Way::Tool { last() } else { None };
        Ok(Self { way, tool, is_wrapped: wanted.wrapped.is_some() && way != Way::Prompt, request })
    }

    /// The schema of what the model writes.
    pub(super) fn schema<'w>(&self, wanted: &'w Wanted) -> &'w Value {
        if self.is_wrapped { wanted.object() } else { &wanted.bare }
    }

    /// The value out of the object in which it was asked for.
    pub(super) fn unwrapped(&self, mut value: Value) -> Value {
        if !self.is_wrapped {
            return value;
        }
        value.get_mut(WRAPPER).map(Value::take).unwrap_or_default()
    }

    /// A place in the value as one in what the model wrote.
    pub(super) fn rewrapped(&self, mut mismatch: Mismatch) -> Mismatch {
        if self.is_wrapped {
            mismatch.path.insert_str(0, &format!("/{WRAPPER}"));
        }
        mismatch
    }

    /// Why there is no value.
    pub(super) fn failure(&self, trouble: Trouble) -> Stopped {
        match trouble {
            Trouble::Mismatch(found) if self.is_wrapped => {
                let prefix = format!("/{WRAPPER}");
                let found = found.into_iter().map(|mut mismatch| {
                    if let Some(path) = mismatch.path.strip_prefix(&prefix) {
                        mismatch.path = path.to_owned();
                    }
                    mismatch
                });
                Stopped::of(Trouble::Mismatch(found.collect()))
            }
            trouble => Stopped::of(trouble),
        }
    }

    /// Lets an answer and what is wrong with it go back to the model.
    pub(super) fn again(&mut self, response: &Response, trouble: &Trouble) {
        self.request.messages.push(response.message.clone().into());
        let Some(complaint) = trouble.complaint(self.tool.as_deref()) else { return };
        let results: Vec<ToolResult> =
            response.tool_calls().map(|call| result(call, &complaint, self.tool.as_deref())).collect();
        let message =
            if results.is_empty() { Message::user(complaint) } else { Message::tool_results(results) };
        self.request.messages.push(message);
    }
}

fn result(call: &ToolCall, complaint: &str, tool: Option<&str>) -> ToolResult {
    let text =
        if tool.is_none_or(|tool| tool == call.name) { complaint } else { "this tool is not run here" };
    let mut result = ToolResult::default();
    result.call.clone_from(&call.id);
    result.name.clone_from(&call.name);
    result.kind = call.kind;
    result.content = vec![Content::Text(Text::new(text))];
    result.is_error = true;
    result
}
