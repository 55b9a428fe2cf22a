//! What a server answers in place of an answer: a refusal, or another place.

use interlingua::ErrorKind;

use super::case::{Case, KEY, Scene, head, reply};
use super::faults::{HTML, JSON, page, why};
use crate::server::Step;

pub(crate) fn cases() -> Vec<Case> {
    [refused(), redirected()].into_iter().flatten().collect()
}

/// A refusal, its headers and its reason.
pub(crate) fn refusal(
    status: &'static str,
    headers: &'static str,
    reason: &'static str,
) -> impl Fn(&Scene<'_>) -> Vec<Step> {
    move |scene| reply(status, headers, &scene.book.envelope(&format!("{reason}\n{}", why())))
}

pub(crate) const BUSY: &str = "429 Too Many Requests";

fn refused() -> Vec<Case> {
    let limited = |name, about, headers, reason, milliseconds| {
        Case::streamed(name, about, refusal(BUSY, headers, reason))
            .waits(ErrorKind::RateLimited, milliseconds)
    };
    let date = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:49:39 GMT\r\n";
    let words = "Rate limit reached for requests. Please try again in 2s.";
    vec![
        Case::streamed("h429_never", "429 that does not say when to come back.", refusal(BUSY, "", "slow"))
            .fails(ErrorKind::RateLimited),
        limited("h429", "429 with a wait in seconds.", "retry-after: 2\r\n", "slow", 2_000),
        limited(
            "h429_ms",
            "429 with a wait in milliseconds.",
            "retry-after-ms: 1500\r\nretry-after: 2\r\n",
            "slow",
            1_500,
        ),
        limited("h429_date", "429 with a date to come back.", date, "slow", 2_000),
        limited("h429_words", "429 with a wait in the words of its body.", "", words, 2_000),
        Case::streamed("h429_field", "429 with a wait in a field of its body.", |scene| {
            let delay =
                r#""details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}],"#;
            let body = scene.book.envelope(&why()).replace("\"message\"", &format!("{delay}\"message\""));
            reply(BUSY, JSON, &body)
        })
        .waits(ErrorKind::RateLimited, 2_000),
        Case::streamed("h429_reset", "429 with the reset of a limit that is used up.", |scene| {
            reply(BUSY, scene.book.reset, &scene.book.envelope(&why()))
        })
        .waits(ErrorKind::RateLimited, 2_000),
        Case::streamed(
            "h401",
            "401 that sends the key back.",
            refusal("401 Unauthorized", "", "Incorrect API key"),
        )
        .fails(ErrorKind::Authentication),
        Case::streamed("h500", "500 with a reason.", refusal("500 Internal Server Error", "", "no"))
            .fails(ErrorKind::Server),
        Case::streamed("h500_empty", "500 with nothing.", |_| reply("500 Internal Server Error", "", ""))
            .fails(ErrorKind::Server),
        Case::streamed("h502html", "502 with a web page.", |_| {
            reply("502 Bad Gateway", HTML, &page("Bad gateway"))
        })
        .fails(ErrorKind::Server),
        Case::streamed("h400cut", "400 whose body is cut.", |scene| {
            let body = scene.book.envelope(&why());
            vec![
                Step::Write(
                    [head("400 Bad Request", "content-length: 9999\r\n"), body.into_bytes()].concat(),
                ),
                Step::Close,
            ]
        })
        .fails(ErrorKind::InvalidRequest),
    ]
}

fn moved(scene: &Scene<'_>) -> Vec<Step> {
    let there = format!("location: {}/{KEY}?key={KEY}\r\n", scene.elsewhere);
    reply("307 Temporary Redirect", &there, "")
}

fn redirected() -> Vec<Case> {
    vec![
        Case::streamed("redirect", "A redirect to another host.", moved).fails(ErrorKind::Protocol),
        Case::streamed("redirect_key", "A redirect to a host that is named after the key.", |_| {
            reply("307 Temporary Redirect", &format!("location: https://{KEY}.test/\r\n"), "")
        })
        .fails(ErrorKind::Protocol),
        Case::streamed("redirect_followed", "A redirect to another host, which may be followed.", |scene| {
            reply("307 Temporary Redirect", &format!("location: {}/there\r\n", scene.elsewhere), "")
        })
        .with(|builder| builder.follow_redirects(true)),
    ]
}
