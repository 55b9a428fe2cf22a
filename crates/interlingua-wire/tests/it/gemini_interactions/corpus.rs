//! Recorded traffic of the service.

use interlingua_model::Response;
use interlingua_wire::Mode;
use interlingua_wire::gemini_interactions::GeminiInteractions;
use interlingua_wire::schema::for_gemini;

use super::lossless;
use crate::recorded::{Answers, Recorded, Requests, alike, rewrite};

const RECORDINGS: Recorded<'_> =
    Recorded { folder: "gemini-interactions", list: "gemini_interactions", prefix: "" };

/// An answer without what has to be made up for a client.
fn canonical(mut response: Response) -> Response {
    response.id.get_or_insert_with(|| "int_0a1b2c".to_owned());
    response.model.get_or_insert_with(|| "m".to_owned());
    response
}

#[test]
fn recorded_answers() {
    RECORDINGS.answers(&Answers {
        reader: &GeminiInteractions::default(),
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
        path: &|path| path.unwrap_or("/interactions").to_owned(),
        mend: &|_| {},
        plain: &|request| rewrite(request, for_gemini),
    });
}
