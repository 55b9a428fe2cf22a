//! Recorded traffic of many services.

use interlingua_model::Response;
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::{Mode, Serve};
use serde_json::Value;

use crate::recorded::{Answers, Recorded, Requests, alike};

const RECORDINGS: Recorded<'_> = Recorded { folder: "openai-chat", list: "openai_chat", prefix: "" };

/// What a service does not say is made up for the client, and the words of other services are said in OpenAI's.
fn canonical(mut response: Response) -> Response {
    (response.id, response.model, response.created) = (None, None, None);
    response.finish.as_mut().unwrap().raw = None;
    response
}

fn answers(recordings: &Recorded<'_>) {
    let codec = OpenaiChat::default();
    recordings.answers(&Answers {
        reader: &codec,
        server: &codec,
        // In a whole answer some fields of services stand in another place.
        modes: &[Mode::Stream],
        stride: 97,
        compare: &alike(canonical),
    });
}

#[test]
fn recorded_answers() {
    answers(&RECORDINGS);
}

#[test]
fn recorded_answers_of_writer() {
    answers(&Recorded { folder: "writer-chat", ..RECORDINGS });
}

/// A dialect that refuses nothing.
fn eloquent(files: &str, reasoning: &str) -> OpenaiChat {
    let text = r#"{
        "custom_tools": true, "cache_marks": "cache_control", "tool_choice": {"allowed": true}, "video": true,
        "files": "FILES", "reasoning": "REASONING", "metadata": true, "verbosity": true, "service_tier": true, "prompt_cache_key": true,
        "automatic_cache": "retention", "reasoning_echo": "as_received", "tool_result_name": true,
        "reasoning_display": "include_reasoning"
    }"#;
    OpenaiChat::new(
        serde_json::from_str(&text.replace("FILES", files).replace("REASONING", reasoning)).unwrap(),
    )
}

/// The codec for a recorded body, if that is one of a conversation.
fn codec(body: &[u8]) -> Option<Box<dyn Serve>> {
    let value: Value = serde_json::from_slice(body).unwrap();
    value.get("messages")?;
    let mistral = String::from_utf8_lossy(body).contains("document_url");
    let files = if mistral { "document_url" } else { "file" };
    let reasoning = if value.get("reasoning").is_some() { "reasoning_object" } else { "effort" };
    Some(Box::new(eloquent(files, reasoning)))
}

fn requests(folder: &str) {
    Recorded { folder, prefix: "request of ", ..RECORDINGS }.requests(&Requests {
        codec: &codec,
        path: &|_| "/chat/completions".to_owned(),
        mend: &|_| {},
        plain: &|request| {
            // That a client did not ask for usage is no part of the request that goes on.
            request.extra.take("openai_chat", "stream_options");
        },
    });
}

#[test]
fn recorded_requests() {
    requests("openai-chat");
    requests("writer-chat");
}
