//! What an error means, whatever the protocol that carries it: its kind, whether to try again and when, in one line.

mod classify;
mod delay;
mod message;

use std::time::SystemTime;

use http::HeaderMap;
use interlingua_model::{Error, ErrorKind, Retry};

use crate::limits::request_id;
use crate::{Refusal, date};

/// Bytes of an error's body that are kept.
const KEPT: usize = 64 << 10;

/// What an error envelope says, whatever its protocol.
#[derive(Debug, Clone, Default)]
pub(crate) struct Complaint {
    /// The words for people.
    pub(crate) message: Option<String>,
    /// The word for programs: `code` where there is one, else `type`.
    pub(crate) code: Option<String>,
    /// The envelope's `type`.
    pub(crate) kind: Option<String>,
    /// The request id inside the body.
    pub(crate) request_id: Option<String>,
}

impl Complaint {
    /// The error that a refused call ends with.
    pub(crate) fn refused(self, refusal: &Refusal<'_>) -> Error {
        let body = kept(refusal.body);
        let message = message::of_refusal(self.message.as_deref(), refusal.status, &body);
        let pause = delay::of_headers(refusal.headers, time_of(refusal))
            .or_else(|| delay::of_body(&body))
            .or_else(|| delay::of_message(&message));
        let mut kind = classify::refused(refusal.status, &self, &message, &body);
        // Gemini words its limits per minute as a quota and says when to come back; a spent quota has no such time.
        if kind == ErrorKind::QuotaExceeded
            && refusal.status == 429
            && pause.is_some()
            && !classify::is_quota(&self, &body)
        {
            kind = ErrorKind::RateLimited;
        }
        let retry = retry(kind, refusal.headers, pause);
        let id = request_id(refusal.headers).map(str::to_owned).or(self.request_id);
        let error = Error::new(kind, message).with_status(refusal.status).with_retry(retry);
        let error = if body.is_empty() { error } else { error.with_body(body) };
        with(error, self.code.or(self.kind), id)
    }

    /// The error that a stream ends with when it reports one after a status of success.
    pub(crate) fn reported(self) -> Error {
        let message = message::of_report(self.message.as_deref());
        let kind = classify::reported(&self, &message);
        let error = Error::new(kind, &*message);
        let error = match delay::of_message(&message) {
            Some(pause) if kind.retry().is_allowed() => error.with_retry(Retry::After(pause)),
            _ => error,
        };
        with(error, self.code.or(self.kind), self.request_id)
    }
}

fn with(mut error: Error, code: Option<String>, id: Option<String>) -> Error {
    if let Some(code) = code.filter(|code| !code.is_empty()) {
        error = error.with_code(message::one_line(&code, 200));
    }
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        error = error.with_request_id(message::one_line(&id, 200));
    }
    error
}

/// A used-up quota stays so; otherwise the provider's own word goes first, then what the kind suggests.
fn retry(kind: ErrorKind, headers: &HeaderMap, pause: Option<std::time::Duration>) -> Retry {
    let told = headers.get("x-should-retry").and_then(|value| value.to_str().ok());
    let is_allowed = match told.map(str::trim) {
        _ if kind == ErrorKind::QuotaExceeded => false,
        Some("true") => true,
        Some("false") => false,
        _ => kind.retry().is_allowed(),
    };
    match pause {
        _ if !is_allowed => Retry::Never,
        Some(pause) => Retry::After(pause),
        None => Retry::Soon,
    }
}

/// The time of the answer by the clock that its dates are of: the provider's, else the caller's.
fn time_of(refusal: &Refusal<'_>) -> Option<SystemTime> {
    let date = refusal.headers.get(http::header::DATE).and_then(|value| value.to_str().ok());
    date.and_then(date::http_date).or(refusal.now)
}

/// The body as text, as far as it is kept.
pub(crate) fn kept(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..KEPT).unwrap_or(body));
    // A character that the limit has cut is no character.
    let end = if body.len() > KEPT { text.trim_end_matches('\u{FFFD}').len() } else { text.len() };
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn complaint(code: &str, kind: &str, message: &str) -> Complaint {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Complaint { message: given(message), code: given(code), kind: given(kind), request_id: None }
    }

    fn refused(status: u16, list: &[(&'static str, &str)], complaint: Complaint, body: &str) -> Error {
        complaint.refused(&Refusal::new(status, &headers(list), body.as_bytes()))
    }

    #[test]
    fn every_service_words_an_overflow_in_its_own_way() {
        let messages = [
            "prompt is too long: 213462 tokens > 200000 maximum",
            "Input is too long for requested model.",
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
            "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
            "Please reduce the length of the messages or completion.",
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
            "The input (516368 tokens) is longer than the model's context length (262144 tokens).",
            "prompt token count of 154321 exceeds the limit of 128000",
            "request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it",
            "The number of tokens to keep from the initial prompt is greater than the context length.",
            "invalid params, context window exceeds limit",
            "Your request exceeded model token limit: 262144 (requested: 300000)",
            "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
            "prompt too long; exceeded max context length by 3 tokens",
            "error: context_length_exceeded",
            "input length and max_tokens exceed context limit: 190000 + 20000 > 200000",
        ];
        for message in messages {
            for status in [400, 413, 422, 500] {
                let error = refused(status, &[], complaint("", "invalid_request_error", message), "{}");
                assert_eq!(
                    (error.kind(), error.retry()),
                    (ErrorKind::ContextOverflow, Retry::Never),
                    "{message}"
                );
            }
            let reported = complaint("", "invalid_request_error", message).reported();
            assert_eq!(reported.kind(), ErrorKind::ContextOverflow, "{message}");
        }
        for code in ["context_length_exceeded", "exceed_context_size_error", "too_many_prompt_tokens"] {
            assert_eq!(refused(400, &[], complaint(code, "", "no"), "").kind(), ErrorKind::ContextOverflow);
        }
        let rate = "Request too large for model on tokens per minute (TPM): Limit 6000, please reduce the length of the messages";
        let error = refused(413, &[], complaint("rate_limit_exceeded", "tokens", rate), "");
        assert_eq!(error.kind(), ErrorKind::RateLimited);
    }

    #[test]
    fn kinds_follow_codes_then_words_then_status() {
        use ErrorKind as Kind;
        let cases = [
            (
                429,
                "insufficient_quota",
                "insufficient_quota",
                "You exceeded your current quota",
                Kind::QuotaExceeded,
            ),
            (429, "rate_limit_exceeded", "requests", "Rate limit reached", Kind::RateLimited),
            (429, "", "exceeded_current_quota_error", "suspended", Kind::QuotaExceeded),
            (429, "", "engine_overloaded_error", "try later", Kind::Overloaded),
            (
                400,
                "",
                "invalid_request_error",
                "Your credit balance is too low to access",
                Kind::QuotaExceeded,
            ),
            (402, "", "", "", Kind::QuotaExceeded),
            (401, "", "", "", Kind::Authentication),
            (400, "", "", "API key not valid. Please pass a valid API key.", Kind::Authentication),
            (403, "unsupported_country_region_territory", "", "", Kind::Permission),
            (404, "model_not_found", "invalid_request_error", "The model `x` does not exist", Kind::NotFound),
            (400, "", "", "x/y is not a valid model ID", Kind::NotFound),
            (
                400,
                "",
                "",
                "The model `gpt-9` does not exist or you do not have access to it.",
                Kind::NotFound,
            ),
            (400, "content_policy_violation", "", "", Kind::Filtered),
            (400, "invalid_prompt", "", "", Kind::Filtered),
            (500, "", "overloaded_error", "Overloaded", Kind::Overloaded),
            (529, "", "", "", Kind::Overloaded),
            (503, "", "", "the rate limit service is out", Kind::Overloaded),
            (408, "", "", "", Kind::Timeout),
            (413, "", "", "body too large", Kind::TooLarge),
            (524, "", "", "", Kind::Timeout),
            (520, "", "", "", Kind::Server),
            (499, "", "", "", Kind::Server),
            (422, "unsupported_parameter", "invalid_request_error", "no seed here", Kind::InvalidRequest),
            (418, "", "", "", Kind::InvalidRequest),
        ];
        for (status, code, kind, message, expected) in cases {
            let error = refused(status, &[], complaint(code, kind, message), "");
            assert_eq!(error.kind(), expected, "{status} {code} {kind} {message}");
            assert_eq!(error.status(), Some(status));
        }
        let body = r#"{"error":{"type":"rate_limit_error","details":{"error_code":"enforced_spend_limit_reached"}}}"#;
        let error = refused(429, &[("retry-after", "3")], complaint("", "rate_limit_error", "limit"), body);
        assert_eq!((error.kind(), error.retry()), (ErrorKind::QuotaExceeded, Retry::Never));
    }

    #[test]
    fn reported_errors_are_classified_alike() {
        use ErrorKind as Kind;
        let cases = [
            ("", "overloaded_error", "Overloaded", Kind::Overloaded),
            ("429", "", "slow", Kind::RateLimited),
            ("502", "", "Provider returned error", Kind::Server),
            ("server_error", "", "", Kind::Server),
            ("rate_limit_exceeded", "", "", Kind::RateLimited),
            ("", "invalid_request_error", "no", Kind::InvalidRequest),
            ("tool_use_failed", "invalid_request_error", "Failed to call a function", Kind::InvalidRequest),
            ("", "", "", Kind::Server),
        ];
        for (code, kind, message, expected) in cases {
            assert_eq!(complaint(code, kind, message).reported().kind(), expected, "{code} {kind}");
        }
        let error = complaint("rate_limit_exceeded", "", "Please try again in 1.5s.").reported();
        assert_eq!(error.retry(), Retry::After(Duration::from_millis(1_500)));
    }

    #[test]
    fn pauses_in_every_spelling() {
        type Case<'c> = (&'c [(&'static str, &'c str)], &'c str, &'c str, Retry);
        let seconds = |figure: f64| Retry::After(Duration::from_secs_f64(figure));
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let later = ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT");
        let cases: [Case<'_>; 16] = [
            (&[("retry-after", "7")], "", "", seconds(7.0)),
            (&[("retry-after", "0.25")], "", "", seconds(0.25)),
            (&[("retry-after-ms", "1500"), ("retry-after", "2")], "", "", seconds(1.5)),
            (&[date, later], "", "", seconds(10.0)),
            (&[later], "", "", Retry::Soon),
            (&[date, ("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT")], "", "", seconds(0.0)),
            (&[("retry-after", "1e300")], "", "", seconds(86_400.0)),
            (&[("retry-after", "NaN")], "", "", Retry::Soon),
            (&[("retry-after", "-5")], "", "", Retry::Soon),
            (&[], "Rate limit reached. Please try again in 6m0s.", "", seconds(360.0)),
            (&[], "Please retry in 34.07s.", "", seconds(34.07)),
            (&[], "", r#"{"error":{"details":[{"retryDelay": "34.07s"}]}}"#, seconds(34.07)),
            (&[], "", r#"{"retry_after":12}"#, seconds(12.0)),
            (
                &[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "90ms")],
                "",
                "",
                seconds(0.09),
            ),
            (
                &[("x-ratelimit-remaining-tokens", "5"), ("x-ratelimit-reset-tokens", "90ms")],
                "",
                "",
                Retry::Soon,
            ),
            (&[("x-should-retry", "false"), ("retry-after", "7")], "", "", Retry::Never),
        ];
        for (list, message, body, expected) in cases {
            let error = refused(429, list, complaint("", "", message), body);
            assert_eq!(error.retry(), expected, "{list:?} {message} {body}");
        }
        assert_eq!(
            refused(400, &[("x-should-retry", "true")], Complaint::default(), "").retry(),
            Retry::Soon
        );
        assert_eq!(refused(400, &[("retry-after", "3")], Complaint::default(), "").retry(), Retry::Never);
        let quota = complaint("", "", "You exceeded your current quota, please check your plan.");
        let error = refused(429, &[], quota, r#"{"retryDelay":"3s"}"#);
        assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, seconds(3.0)));
    }

    #[test]
    fn an_exhausted_resource_is_a_rate_or_a_quota() {
        let (spent, shared) = (
            "You exceeded your current quota, please check your plan.",
            "Resource has been exhausted (e.g. check quota).",
        );
        let paused = r#"{"details":[{"retryDelay":"12s"}]}"#;
        for (message, body, kind, retry) in [
            (spent, "{}", ErrorKind::QuotaExceeded, Retry::Never),
            (spent, paused, ErrorKind::RateLimited, Retry::After(Duration::from_secs(12))),
            (shared, "{}", ErrorKind::RateLimited, Retry::Soon),
        ] {
            let error = refused(429, &[], complaint("", "RESOURCE_EXHAUSTED", message), body);
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{message} {body}");
        }
    }

    #[test]
    fn bodies_that_are_no_envelope_make_a_short_line() {
        let page =
            "<!DOCTYPE html><html><head><title>502 Bad&amp;Gateway</title></head><body>…</body></html>";
        let error = refused(502, &[], Complaint::default(), page);
        assert_eq!(error.message(), "the answer is a web page: 502 Bad&Gateway");
        let error = refused(502, &[], complaint("", "", page), page);
        assert_eq!(error.message(), "the answer is a web page: 502 Bad&Gateway");
        let error = refused(503, &[], Complaint::default(), "upstream\r\n\tconnect \u{1b}[31merror\n");
        assert_eq!(error.message(), "upstream connect [31merror");
        assert_eq!(
            refused(500, &[], Complaint::default(), " ").message(),
            "the provider answered internal server error and gave no reason"
        );
        let error = refused(500, &[], complaint("", "", &"é\n".repeat(100_000)), &"é".repeat(100_000));
        assert!(
            error.message().chars().count() <= 2_001
                && error.body().is_some_and(|body| body.len() <= 64 << 10)
        );
    }

    #[test]
    fn the_request_id_is_found() {
        let list = [("cf-ray", "ray"), ("x-request-id", "req_1")];
        let given = Complaint { request_id: Some("in_body".to_owned()), ..Complaint::default() };
        assert_eq!(refused(500, &list, given.clone(), "").request_id(), Some("req_1"));
        assert_eq!(refused(500, &[], given, "").request_id(), Some("in_body"));
    }
}
