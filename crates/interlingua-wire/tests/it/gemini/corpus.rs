//! Recorded traffic of both services.

use interlingua_model::{Extra, FinishReason, Output, Response};
use interlingua_wire::Mode;
use interlingua_wire::gemini::Gemini;
use interlingua_wire::schema::for_gemini;

use super::{PROTOCOL, lossless};
use crate::recorded::{Answers, Recorded, Requests, alike, rewrite};

const RECORDINGS: Recorded<'_> = Recorded { folder: "gemini", list: "gemini", prefix: "" };

/// An answer without what has to be made up for a client, or has no place in a whole answer: texts that follow each other are
/// one in a stream.
fn canonical(mut response: Response) -> Response {
    response.id.get_or_insert_with(|| "0a1b2c".to_owned());
    response.model.get_or_insert_with(|| "m".to_owned());
    let mut parts: Vec<Output> = Vec::new();
    for part in std::mem::take(&mut response.message.parts) {
        match (parts.last_mut(), part) {
            (Some(Output::Text(before)), Output::Text(part))
                if before.extra.is_empty() && part.extra.is_empty() =>
            {
                before.text.push_str(&part.text);
                before.citations.extend(part.citations);
                before.logprobs.extend(part.logprobs);
            }
            (Some(Output::Reasoning(before)), Output::Reasoning(part))
                if before.extra.is_empty() && part.extra.is_empty() =>
            {
                before.text.push_str(&part.text);
            }
            (_, part) => parts.push(part),
        }
    }
    // Ids that the wire does not give are made of the id of the answer, and numbered.
    for part in &mut parts {
        let (id, extra): (&mut String, &Extra) = match part {
            Output::ToolCall(call) => (&mut call.id, &call.extra),
            Output::ToolResult(result) => (&mut result.call, &result.extra),
            // Where a citation stands in a whole answer is lost: it speaks of the answer.
            Output::Text(text) => {
                text.citations.sort_by_key(|citation| format!("{citation:?}"));
                continue;
            }
            _ => continue,
        };
        if extra.get(PROTOCOL, "id").is_some() {
            id.clear();
        }
    }
    response.message.parts = parts;
    let finish = response.finish.as_mut().unwrap();
    if finish.raw.is_none() && finish.reason == FinishReason::Other {
        finish.raw = Some("OTHER".to_owned());
    }
    response
}

#[test]
fn recorded_answers() {
    RECORDINGS.answers(&Answers {
        reader: &Gemini::default(),
        server: &lossless(),
        modes: &[Mode::Stream, Mode::Whole],
        stride: 97,
        compare: &alike(canonical),
    });
}

#[test]
fn recorded_requests() {
    Recorded { prefix: "request of ", ..RECORDINGS }.requests(&Requests {
        codec: &|_| Some(Box::new(lossless())),
        path: &|path| path.unwrap_or("/models/m:generateContent").to_owned(),
        mend: &|_| {},
        plain: &|request| rewrite(request, for_gemini),
    });
}
