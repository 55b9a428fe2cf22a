//! Messages as the conventions write them.

use interlingua_model::{Content, FinishReason, Input, Media, Message, Output, Request, Response, Source};
use serde_json::{Value, json};

/// The word of a reason.
pub(crate) const fn reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::ToolUse => "tool_call",
        FinishReason::Filtered => "content_filter",
        other => other.as_str(),
    }
}

/// What the system says.
pub(crate) fn instructions(request: &Request) -> Value {
    let system = request.messages.iter().filter_map(|message| match message {
        Message::System(system) => Some(system.parts.iter().map(heard)),
        _ => None,
    });
    system.flatten().collect()
}

/// The conversation so far.
pub(crate) fn input(request: &Request) -> Value {
    request
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::User(user) => {
                let is_tool = user.parts.iter().all(|part| matches!(part, Input::ToolResult(_)));
                let parts: Vec<_> = user.parts.iter().map(heard).collect();
                Some(json!({"role": if is_tool { "tool" } else { "user" }, "parts": parts}))
            }
            Message::Assistant(assistant) => {
                let parts: Vec<_> = assistant.parts.iter().map(spoken).collect();
                Some(json!({"role": "assistant", "parts": parts}))
            }
            _ => None,
        })
        .collect()
}

/// The answer.
pub(crate) fn output(response: &Response) -> Value {
    let parts: Vec<_> = response.message.parts.iter().map(spoken).collect();
    let finish = response.finish.as_ref().map_or("error", |finish| reason(finish.reason));
    json!([{"role": "assistant", "parts": parts, "finish_reason": finish}])
}

/// The words of a tool's result.
pub(crate) fn said(content: &[Content]) -> String {
    let words = content.iter().map(|part| match part {
        Content::Text(text) => text.text.clone(),
        Content::Media(found) => media(found).to_string(),
        _ => String::new(),
    });
    words.collect::<Vec<_>>().join("\n")
}

fn heard(part: &Input) -> Value {
    match part {
        Input::Text(text) => json!({"type": "text", "content": text.text}),
        Input::Media(found) => media(found),
        Input::ToolResult(result) => {
            json!({"type": "tool_call_response", "id": result.call, "response": said(&result.content)})
        }
        Input::Custom(custom) => json!({"type": custom.kind}),
        _ => json!({"type": "other"}),
    }
}

fn spoken(part: &Output) -> Value {
    match part {
        Output::Text(text) => json!({"type": "text", "content": text.text}),
        Output::Reasoning(reasoning) => json!({"type": "reasoning", "content": reasoning.text}),
        Output::Media(found) => media(found),
        Output::ToolCall(call) => {
            let arguments = call.input.to_value().unwrap_or_else(|_| call.input.as_str().into());
            json!({"type": "tool_call", "id": call.id, "name": call.name, "arguments": arguments})
        }
        Output::ToolResult(result) => {
            json!({"type": "tool_call_response", "id": result.call, "response": said(&result.content)})
        }
        Output::Custom(custom) => json!({"type": custom.kind}),
        _ => json!({"type": "other"}),
    }
}

fn media(media: &Media) -> Value {
    let modality = media.mime.split('/').next().unwrap_or_default();
    match &media.source {
        Source::Url(url) => json!({"type": "uri", "modality": modality, "uri": url}),
        Source::File(id) => json!({"type": "file", "modality": modality, "file_id": id}),
        Source::Bytes(bytes) => {
            json!({"type": "blob", "modality": modality, "mime_type": media.mime, "content": bytes.to_base64()})
        }
        _ => json!({"type": "other"}),
    }
}
