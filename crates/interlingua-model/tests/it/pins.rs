//! Sizes, threads and the words of errors.

use std::mem::size_of;
use std::time::Duration;

use interlingua_model as model;
use model::{Error, ErrorKind, Event, Extra, Json, Piece, Retry};

#[test]
fn sizes() {
    assert_eq!(size_of::<Error>(), 8);
    assert_eq!(size_of::<Extra>(), 8);
    assert_eq!(size_of::<Json>(), 16);
    assert_eq!(size_of::<Piece>(), 40);
    assert!(size_of::<Event>() <= 56, "{}", size_of::<Event>());
    assert_eq!(size_of::<model::Version>(), 0);
    assert_eq!(size_of::<Result<(), Error>>(), 8);
}

#[test]
fn everything_crosses_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<(
        model::Assistant,
        model::Cache,
        model::Citation,
        model::Content,
        model::Custom,
        model::CustomTool,
    )>();
    check::<(model::Data, model::Delta, model::Effort, Error, ErrorKind, Event, Extra, model::Fields)>();
    check::<(
        model::Finish,
        model::FinishReason,
        model::Fold,
        model::Format,
        model::Frame,
        model::FunctionTool,
    )>();
    check::<(
        model::Grammar,
        model::Input,
        Json,
        model::Logprob,
        model::Media,
        model::MediaKind,
        model::Message,
    )>();
    check::<(model::Origin, model::Output, Piece, model::Place, model::ProviderTool, model::Reasoning)>();
    check::<(model::Request, model::Response, model::Retention, Retry, model::RunBy, model::Sampling)>();
    check::<(model::SchemaFormat, model::Source, model::Span, model::Start, model::System, model::Text)>();
    check::<(
        model::TokenLogprob,
        model::Tool,
        model::ToolCall,
        model::ToolChoice,
        model::ToolKind,
        model::ToolMode,
    )>();
    check::<(model::ToolResult, model::Usage, model::User, model::Verbosity, model::Version)>();
    check::<(model::Warning, model::WarningKind)>();
}

#[test]
fn an_error_says_who_what_and_whether_again() {
    let error = Error::new(ErrorKind::RateLimited, "too many requests")
        .with_status(429)
        .with_code("rate_limit_exceeded")
        .with_request_id("req_1")
        .with_target("openai", "gpt-6")
        .with_target("other", "model")
        .with_body("{}")
        .with_source(std::io::Error::other("inner"));
    assert_eq!(error.to_string(), "openai/gpt-6: too many requests (HTTP 429)");
    assert_eq!(
        (error.code(), error.request_id(), error.body()),
        (Some("rate_limit_exceeded"), Some("req_1"), Some("{}"))
    );
    assert_eq!(error.retry(), Retry::Soon);
    assert_eq!(std::error::Error::source(&error).map(ToString::to_string).as_deref(), Some("inner"));
    let later = error.with_retry(Retry::After(Duration::from_secs(2)));
    assert!(later.retry().is_allowed());
    assert!(format!("{later:?}").contains("After(2s)"));
}

#[test]
fn kinds_of_statuses() {
    let cases = [
        (400, ErrorKind::InvalidRequest, Retry::Never),
        (401, ErrorKind::Authentication, Retry::Never),
        (402, ErrorKind::QuotaExceeded, Retry::Never),
        (403, ErrorKind::Permission, Retry::Never),
        (404, ErrorKind::NotFound, Retry::Never),
        (408, ErrorKind::Timeout, Retry::Soon),
        (409, ErrorKind::Server, Retry::Soon),
        (413, ErrorKind::TooLarge, Retry::Never),
        (429, ErrorKind::RateLimited, Retry::Soon),
        (500, ErrorKind::Server, Retry::Soon),
        (503, ErrorKind::Overloaded, Retry::Soon),
        (529, ErrorKind::Overloaded, Retry::Soon),
        (302, ErrorKind::Protocol, Retry::Never),
    ];
    for (status, kind, retry) in cases {
        assert_eq!((ErrorKind::from_status(status), kind.retry()), (kind, retry), "{status}");
    }
}
