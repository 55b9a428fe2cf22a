//! The streams that are decoded: their frames, one by one.

use std::fmt::Write as _;

use interlingua_wire::frame::{Value, write_message};

pub(crate) const DELTAS: usize = 5_000;
/// The streams of text. Ollama has no pieces of a call: each line of `ollama_tool` holds one.
pub(crate) const KINDS: [&str; 13] = [
    "chat_text",
    "chat_tool",
    "responses_text",
    "responses_tool",
    "anthropic_text",
    "anthropic_tool",
    "gemini_text",
    "interactions_text",
    "interactions_tool",
    "cohere_text",
    "cohere_tool",
    "ollama_text",
    "ollama_tool",
];
/// The streams that are no lines of text, for which the floors mean nothing.
pub(crate) const BINARY: [&str; 1] = ["bedrock_text"];
const WORDS: [&str; 8] = [" the", " sky", " is", ",", " bl", "ue", ".\\n", " \\\"so\\\""];

/// A stream as it is sent: its frames.
pub(crate) fn frames(kind: &str) -> Vec<Vec<u8>> {
    if kind == "bedrock_text" {
        return messages();
    }
    let (begin, end) = if kind.starts_with("ollama") { ("", "\n") } else { ("data: ", "\n\n") };
    let delta = |number: usize| {
        let word = WORDS[number % WORDS.len()];
        let mut frame = String::new();
        match kind {
            "chat_text" => write!(frame, r#"data: {{"id":"chatcmpl-0a1b2c3d4e5f","object":"chat.completion.chunk","created":1795000000,"model":"model-1-2026-11-01","service_tier":"default","system_fingerprint":"fp_0a1b2c3d","choices":[{{"index":0,"delta":{{"content":"{word}"}},"logprobs":null,"finish_reason":null}}]}}"#),
            "chat_tool" => write!(frame, r#"data: {{"id":"chatcmpl-0a1b2c3d4e5f","object":"chat.completion.chunk","created":1795000000,"model":"model-1-2026-11-01","choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"function":{{"arguments":"{word}"}}}}]}},"logprobs":null,"finish_reason":null}}]}}"#),
            "responses_text" => write!(frame, "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\"sequence_number\":{number},\"item_id\":\"msg_0a1b2c\",\"output_index\":0,\"content_index\":0,\"delta\":\"{word}\",\"logprobs\":[],\"obfuscation\":\"{:01$}\"}}", 0, 1 + number % 9),
            "responses_tool" => write!(frame, "event: response.function_call_arguments.delta\ndata: {{\"type\":\"response.function_call_arguments.delta\",\"sequence_number\":{number},\"item_id\":\"fc_0a1b2c\",\"output_index\":0,\"delta\":\"{word}\",\"obfuscation\":\"{:01$}\"}}", 0, 1 + number % 9),
            "anthropic_text" => write!(frame, "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{word}\"}}}}"),
            "gemini_text" => write!(frame, r#"data: {{"candidates":[{{"content":{{"parts":[{{"text":"{word}"}}],"role":"model"}},"index":0}}],"usageMetadata":{{"promptTokenCount":12,"candidatesTokenCount":{number},"totalTokenCount":{0},"promptTokensDetails":[{{"modality":"TEXT","tokenCount":12}}]}},"modelVersion":"model-1-2026-11","responseId":"0a1b2c3d4e5f"}}"#, number + 12),
            "cohere_text" => write!(frame, "event: content-delta\ndata: {{\"type\":\"content-delta\",\"index\":0,\"delta\":{{\"message\":{{\"content\":{{\"text\":\"{word}\"}}}}}}}}"),
            "cohere_tool" => write!(frame, "event: tool-call-delta\ndata: {{\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{{\"message\":{{\"tool_calls\":{{\"function\":{{\"arguments\":\"{word}\"}}}}}}}}}}"),
            "ollama_text" => write!(frame, r#"{{"model":"model-1:2b","created_at":"2026-11-01T22:47:59.{number:06}Z","message":{{"role":"assistant","content":"{word}"}},"done":false}}"#),
            "ollama_tool" => write!(frame, r#"{{"model":"model-1:2b","created_at":"2026-11-01T22:47:59.{number:06}Z","message":{{"role":"assistant","content":"","tool_calls":[{{"id":"call_{number:06}","function":{{"index":{number},"name":"f","arguments":{{"a":"{word}"}}}}}}]}},"done":false}}"#),
            "interactions_text" => write!(frame, "event: step.delta\ndata: {{\"index\":0,\"delta\":{{\"text\":\"{word}\",\"type\":\"text\"}},\"event_type\":\"step.delta\"}}"),
            "interactions_tool" => write!(frame, "event: step.delta\ndata: {{\"index\":0,\"delta\":{{\"arguments\":\"{word}\",\"type\":\"arguments_delta\"}},\"event_type\":\"step.delta\"}}"),
            _ => write!(frame, "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"input_json_delta\",\"partial_json\":\"{word}\"}}}}"),
        }
        .unwrap();
        frame.push_str(end);
        frame.into_bytes()
    };
    let edge = |frames: &[&str]| -> Vec<Vec<u8>> {
        frames.iter().map(|frame| format!("{begin}{frame}{end}").into_bytes()).collect()
    };
    edge(before(kind)).into_iter().chain((0..DELTAS).map(delta)).chain(edge(behind(kind))).collect()
}

/// A stream of AWS messages.
fn messages() -> Vec<Vec<u8>> {
    let message = |name: &str, payload: &str| {
        let (mut bytes, json) = (Vec::new(), Value::Text("application/json"));
        let headers = [
            (":event-type", Value::Text(name)),
            (":content-type", json),
            (":message-type", Value::Text("event")),
        ];
        write_message(&headers, payload.as_bytes(), &mut bytes).unwrap();
        bytes
    };
    let delta = |number: usize| {
        let word = WORDS[number % WORDS.len()];
        let padding = &"abcdefghijklmnopqrstuvwxyz"[..=number % 20];
        message(
            "contentBlockDelta",
            &format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{word}"}},"p":"{padding}"}}"#),
        )
    };
    let end = [
        message("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        message("messageStop", r#"{"stopReason":"end_turn"}"#),
        message("metadata", r#"{"usage":{"inputTokens":1,"outputTokens":9,"totalTokens":10}}"#),
    ];
    let start = message("messageStart", r#"{"role":"assistant"}"#);
    std::iter::once(start).chain((0..DELTAS).map(delta)).chain(end).collect()
}

const CHAT_END: &[&str] = &[r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#, "[DONE]"];
const RESPONSES_END: &[&str] =
    &[r#"{"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}"#];
const ANTHROPIC_END: &[&str] = &[
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#,
    r#"{"type":"message_stop"}"#,
];
const MESSAGE: &str = r#"{"type":"message_start","message":{"id":"m","role":"assistant","content":[],"usage":{"input_tokens":1}}}"#;
const GEMINI_END: &[&str] =
    &[r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}"#];
const COHERE_END: &[&str] = &[
    r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":1,"output_tokens":9}}}}"#,
];
const COHERE: &str = r#"{"id":"m","type":"message-start","delta":{"message":{"role":"assistant"}}}"#;
const OLLAMA_END: &[&str] = &[
    r#"{"model":"model-1:2b","created_at":"2026-11-01T22:48:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":9}"#,
];
const INTERACTION: &str = r#"{"interaction":{"id":"v1_0a1b","status":"in_progress","object":"interaction","model":"model-1"},"event_type":"interaction.created"}"#;
const INTERACTION_END: &[&str] = &[
    r#"{"index":0,"event_type":"step.stop"}"#,
    r#"{"interaction":{"id":"v1_0a1b","status":"completed","object":"interaction","model":"model-1","usage":{"total_input_tokens":1,"total_output_tokens":9,"total_tokens":10}},"event_type":"interaction.completed"}"#,
    "[DONE]",
];

/// What stands before the deltas.
fn before(kind: &str) -> &'static [&'static str] {
    match kind {
        "cohere_text" => &[
            COHERE,
            r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
        ],
        "cohere_tool" => &[
            COHERE,
            r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"t","type":"function","function":{"name":"f","arguments":""}}}}}"#,
        ],
        "interactions_text" => {
            &[INTERACTION, r#"{"index":0,"step":{"type":"model_output"},"event_type":"step.start"}"#]
        }
        "interactions_tool" => &[
            INTERACTION,
            r#"{"index":0,"step":{"type":"function_call","id":"t","name":"f","arguments":{}},"event_type":"step.start"}"#,
        ],
        "ollama_text" | "ollama_tool" | "gemini_text" | "chat_text" => &[],
        "chat_tool" => &[
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}]}"#,
        ],
        "responses_text" => &[
            r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_0a1b2c","type":"message","role":"assistant","content":[]}}"#,
        ],
        "responses_tool" => &[
            r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_0a1b2c","type":"function_call","call_id":"k","name":"f","arguments":""}}"#,
        ],
        "anthropic_text" => &[
            MESSAGE,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ],
        _ => &[
            MESSAGE,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
        ],
    }
}

/// What stands behind the deltas.
fn behind(kind: &str) -> &'static [&'static str] {
    match kind.split('_').next().unwrap_or_default() {
        "cohere" => COHERE_END,
        "ollama" => OLLAMA_END,
        "interactions" => INTERACTION_END,
        "gemini" => GEMINI_END,
        "chat" => CHAT_END,
        "responses" => RESPONSES_END,
        _ => ANTHROPIC_END,
    }
}
