//! Recorded traffic of local servers and of the vendor's own.

use interlingua_model::{Output, Response};
use interlingua_wire::Mode;

use super::codec;
use crate::recorded::{Answers, Recorded, Requests, alike};

const RECORDINGS: Recorded<'_> = Recorded { folder: "ollama-chat", list: "ollama", prefix: "" };

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
    RECORDINGS.answers(&Answers {
        reader: &codec(),
        server: &codec(),
        modes: &[Mode::Stream, Mode::Whole],
        stride: 97,
        compare: &alike(canonical),
    });
}

#[test]
fn recorded_requests() {
    Recorded { prefix: "request of ", ..RECORDINGS }.requests(&Requests {
        codec: &|_| Some(Box::new(codec())),
        path: &|_| "/api/chat".to_owned(),
        mend: &|_| {},
        plain: &|_| {},
    });
}
