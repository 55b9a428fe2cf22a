//! Recorded traffic of the vendor: all of it must be read, served and asked again.

use interlingua_model::Response;

use super::codec;
use crate::recorded::{answer, asked, served, walk};

const RECORDINGS: &str = "cohere-v2";

/// The protocol does not tell the numbers of tokens apart from their text.
fn canonical(mut response: Response) -> Response {
    response.id.get_or_insert_with(|| "0a1b2c".to_owned());
    response
}

#[test]
fn recorded_answers() {
    walk(RECORDINGS, "cohere", "", &|folder| match answer(&codec(), folder) {
        Ok(read) => read.and_then(|read| served(&codec(), &read, &canonical)),
        Err(failure) => Some(failure),
    });
}

#[test]
fn recorded_requests() {
    walk(RECORDINGS, "cohere", "request of ", &|folder| asked(&codec(), folder, "/v2/chat"));
}
