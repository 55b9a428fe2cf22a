//! Recorded traffic of local servers and of the vendor's own: all of it must be read, served and asked again.

use interlingua_model::{Output, Response};

use super::codec;
use crate::recorded::{answer, asked, served, walk};

const RECORDINGS: &str = "ollama-chat";

/// In a whole answer the probabilities of what was thought and of what was said are one list.
fn canonical(mut response: Response) -> Response {
    response.other.retain(|custom| custom.kind != "logprobs");
    let thinks = response.message.parts.iter().any(|part| matches!(part, Output::Reasoning(_)));
    for part in &mut response.message.parts {
        if let Output::Text(text) = part
            && thinks
        {
            text.logprobs.clear();
        }
    }
    response
}

#[test]
fn recorded_answers() {
    walk(RECORDINGS, "ollama", "", &|folder| match answer(&codec(), folder) {
        Ok(read) => read.and_then(|read| served(&codec(), &read, &canonical)),
        Err(failure) => Some(failure),
    });
}

#[test]
fn recorded_requests() {
    walk(RECORDINGS, "ollama", "request of ", &|folder| asked(&codec(), folder, "/api/chat"));
}
