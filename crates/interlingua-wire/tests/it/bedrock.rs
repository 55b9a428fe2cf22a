//! Bedrock Converse, both halves.

mod asking;
mod corpus;
mod laws;

use interlingua_model::{Error, ErrorKind, Request};
use interlingua_wire::bedrock::{Bedrock, Dialect};
use interlingua_wire::frame::Aws;
use interlingua_wire::{Codec, Mint, Mode, Serve};
use serde_json::Value;

use crate::check::{cases, describe};

const PROTOCOL: &str = "bedrock";

fn codec() -> Bedrock {
    Bedrock::default()
}

/// A dialect that can say everything that Claude takes.
fn claude() -> Bedrock {
    let mut dialect = Dialect::default();
    dialect.reasoning = interlingua_wire::bedrock::ReasoningField::Adaptive;
    dialect.top_k = Some("top_k".to_owned());
    dialect.single_calls = true;
    dialect.system_anywhere = true;
    Bedrock::new(dialect)
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&claude().encode(request, Mode::Whole).unwrap().call.body).unwrap()
}

#[test]
fn answers_and_refusals() {
    cases(&|_| Box::new(codec()), PROTOCOL);
}

#[test]
fn an_error_comes_back_as_the_same_error() {
    let kinds = [
        ErrorKind::Authentication,
        ErrorKind::Permission,
        ErrorKind::QuotaExceeded,
        ErrorKind::NotFound,
        ErrorKind::RateLimited,
        ErrorKind::Overloaded,
        ErrorKind::Timeout,
        ErrorKind::InvalidRequest,
        ErrorKind::Server,
    ];
    for kind in kinds {
        let reply = codec().encode_error(&Error::new(kind, "no").with_request_id("r-1"));
        assert_eq!(reply.headers["x-amzn-requestid"], "r-1");
        let refusal = interlingua_wire::Refusal::new(reply.status, &reply.headers, &reply.body);
        let error = codec().refusal(&refusal);
        assert_eq!((error.kind(), error.message(), error.request_id()), (kind, "no", Some("r-1")));
    }
}

#[test]
fn a_stream_that_fails_ends_in_an_exception_that_clients_know() {
    for (error, expected) in [
        (Error::new(ErrorKind::RateLimited, "slow"), "throttlingException"),
        (Error::new(ErrorKind::Overloaded, "full"), "serviceUnavailableException"),
        (Error::new(ErrorKind::InvalidRequest, "what"), "validationException"),
        (Error::new(ErrorKind::Server, "boom"), "internalServerException"),
        (Error::new(ErrorKind::Truncated, "cut"), "modelStreamErrorException"),
        (
            Error::new(ErrorKind::Permission, "no").with_code("AccessDeniedException"),
            "modelStreamErrorException",
        ),
    ] {
        let mut encoder = codec().encoder(&Request::new("m"), Mode::Stream, Mint::new(1, "x"));
        encoder.fail(&error);
        assert!(encoder.is_finished());
        let bytes = encoder.take();
        let mut seen = Vec::new();
        Aws::new(1 << 20)
            .push(&bytes, &mut |frame| {
                seen.push((
                    frame.headers.text(":message-type").map(str::to_owned),
                    frame.name.map(<[u8]>::to_vec),
                ));
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, [(Some("exception".to_owned()), Some(expected.as_bytes().to_vec()))]);
        let heard = crate::check::decode(&codec(), Mode::Stream, &bytes, &[]).error.unwrap();
        assert!(heard.ends_with(&format!(": {}", error.message())), "{heard} for {}", describe(&error));
    }
}
