//! Recorded traffic of the vendor and of compatible services.

use interlingua_model::{FinishReason, Response};
use interlingua_wire::Mode;
use interlingua_wire::anthropic::{Anthropic, Dialect};
use interlingua_wire::schema::for_anthropic;

use crate::recorded::{Answers, Recorded, Requests, alike, rewrite};

const RECORDINGS: Recorded<'_> = Recorded { folder: "anthropic-messages", list: "anthropic", prefix: "" };

/// An answer without what has to be made up for a client, or has no place in a whole answer.
fn canonical(mut response: Response) -> Response {
    let usage = &mut response.usage;
    (usage.input, usage.output) = (usage.input.or(Some(0)), usage.output.or(Some(0)));
    response.id.get_or_insert_with(|| "msg_0a1b2c".to_owned());
    response.model.get_or_insert_with(|| "m".to_owned());
    let finish = response.finish.as_mut().unwrap();
    if finish.raw.is_none() {
        finish.raw = Some("end_turn".to_owned());
        finish.reason = FinishReason::Stop;
    }
    response
}

#[test]
fn recorded_answers() {
    let codec = Anthropic::default();
    RECORDINGS.answers(&Answers {
        reader: &codec,
        server: &codec,
        modes: &[Mode::Stream, Mode::Whole],
        stride: 97,
        compare: &alike(canonical),
    });
}

#[test]
fn recorded_requests() {
    Recorded { prefix: "request of ", ..RECORDINGS }.requests(&Requests {
        codec: &|_| {
            let mut dialect = Dialect::default();
            dialect.unsigned_thinking = true;
            Some(Box::new(Anthropic::new(dialect)))
        },
        path: &|_| "/v1/messages".to_owned(),
        mend: &|_| {},
        plain: &|request| rewrite(request, for_anthropic),
    });
}
