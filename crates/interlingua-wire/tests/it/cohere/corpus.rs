//! Recorded traffic of the vendor.

use interlingua_model::Response;
use interlingua_wire::Mode;

use super::codec;
use crate::recorded::{Answers, Recorded, Requests, alike};

const RECORDINGS: Recorded<'_> = Recorded { folder: "cohere-v2", list: "cohere", prefix: "" };

/// An answer without what has to be made up for a client.
fn canonical(mut response: Response) -> Response {
    response.id.get_or_insert_with(|| "0a1b2c".to_owned());
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
        path: &|_| "/v2/chat".to_owned(),
        mend: &|_| {},
        plain: &|_| {},
    });
}
