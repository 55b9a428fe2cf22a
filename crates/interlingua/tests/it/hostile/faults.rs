//! What is wrong, and must be an error that says so and keeps what had come.

use std::sync::Arc;
use std::time::Duration;

use interlingua::{ClientBuilder, ErrorKind, Timeouts};

use super::case::{Case, KEY, Said, Scene, head, reply};
use super::odd::{pieces, stream_head};
use super::phrasebook::{Call, WORDS};
use super::refusals::{BUSY, refusal};
use crate::server::{Step, chunk, last_chunk};

pub(crate) const JSON: &str = "content-type: application/json\r\n";
pub(crate) const HTML: &str = "content-type: text/html\r\n";

pub(crate) fn cases() -> Vec<Case> {
    [cut(), reported(), strange(), unanswered(), silent(), whole()].into_iter().flatten().collect()
}

/// A reason that gives the key away.
pub(crate) fn why() -> String {
    format!("it broke\nfor {KEY}")
}

pub(crate) fn page(title: &str) -> String {
    format!("<!doctype html>\n<html><head><title>{title} {KEY}</title></head><body>{KEY}</body></html>")
}

/// The answer is cut after some pieces of its text, and this comes in place of the rest.
fn after_words(rest: impl Fn(&Scene<'_>) -> Vec<Step> + 'static) -> impl Fn(&Scene<'_>) -> Vec<Step> {
    move |scene| {
        let begun = [stream_head(), chunk(scene.book.begun().as_bytes())].concat();
        let mut steps = vec![Step::Write(begun)];
        steps.extend(rest(scene));
        steps
    }
}

/// The same, with more text and an end of the body that is none of the answer.
fn then(rest: impl Fn(&Scene<'_>) -> String + 'static) -> impl Fn(&Scene<'_>) -> Vec<Step> {
    after_words(move |scene| vec![Step::Write([chunk(rest(scene).as_bytes()), last_chunk()].concat())])
}

fn cut() -> Vec<Case> {
    let half_call = |scene: &Scene<'_>| {
        let call = Call::new("0", "t1", "search", "{\"query\":\"x\"}", 9);
        let begun = [scene.book.call(0, &call, ""), scene.book.call(1, &call, &call.pieces[0])].concat();
        pieces([scene.book.frames(scene.book.start).as_bytes(), begun.as_bytes()])
    };
    let half = Said { text: String::new(), calls: vec![("search".into(), "{\"query\":".into(), true)] };
    vec![
        Case::streamed("drop_rst", "A reset in the body.", after_words(|_| vec![Step::Reset]))
            .cut(ErrorKind::Truncated),
        Case::streamed("drop_close", "A body in chunks that is closed.", after_words(|_| vec![Step::Close]))
            .cut(ErrorKind::Truncated),
        Case::streamed("drop_eof", "A body that ends with the connection, too early.", |scene| {
            let head = head("200 OK", "content-type: text/event-stream\r\nconnection: close\r\n");
            vec![Step::Write([head, scene.book.begun().into_bytes()].concat()), Step::Close]
        })
        .cut(ErrorKind::Truncated),
        Case::streamed("drop_clean", "A clean end of the body, too early.", then(|_| String::new()))
            .cut(ErrorKind::Truncated),
        Case::streamed(
            "drop_midev",
            "The same, within an event.",
            then(|scene| scene.book.frame(scene.book.text).chars().take(60).collect()),
        )
        .cut(ErrorKind::Truncated),
        Case::streamed(
            "drop_midev_key",
            "The same, within an event that sends the key back.",
            then(|scene| scene.book.frame(scene.book.mistyped).trim_end().to_owned()),
        )
        .cut(ErrorKind::Truncated),
        Case::streamed("drop_midcall", "A clean end of the body within a tool call.", half_call)
            .keeps(ErrorKind::Truncated, half),
        Case::streamed("finish_drop", "A reset between the finish and the end marker.", |scene| {
            let said = [scene.book.said(&WORDS), scene.book.finish()].concat();
            vec![Step::Write([stream_head(), chunk(said.as_bytes())].concat()), Step::Reset]
        })
        .keeps(ErrorKind::Truncated, Said::text(&WORDS.concat())),
    ]
}

fn reported() -> Vec<Case> {
    vec![
        Case::streamed(
            "err_mid",
            "An error of the provider after some text.",
            then(|scene| scene.book.failure(&why())),
        )
        .cut(ErrorKind::Server),
        Case::streamed("err_first", "An error of the provider at once.", |scene| {
            pieces([scene.book.failure(&why()).as_bytes()])
        })
        .fails(ErrorKind::Server),
        Case::streamed(
            "err_long",
            "An error with a reason of 100 KB, after some text.",
            then(|scene| scene.book.failure(&format!("{}{}", why(), "x\n".repeat(50_000)))),
        )
        .cut(ErrorKind::Server),
        Case::streamed("json200err", "An error in JSON, with the status of a success.", |scene| {
            reply("200 OK", JSON, &scene.book.envelope(&why()))
        })
        .fails(ErrorKind::Server),
    ]
}

fn strange() -> Vec<Case> {
    vec![
        Case::streamed(
            "badjson",
            "An event that is not JSON, after some text.",
            then(|scene| {
                let broken = format!("{{\"type\":\"broken\",\"key\":\"{KEY}\",}}");
                [scene.book.frame(&broken), scene.book.end()].concat()
            }),
        )
        .cut(ErrorKind::Protocol),
        Case::streamed(
            "mistyped",
            "A field of the wrong type, after some text.",
            then(|scene| [scene.book.frame(scene.book.mistyped), scene.book.end()].concat()),
        )
        .cut(ErrorKind::Protocol),
        Case::streamed("empty200", "Nothing, with the status of a success.", |_| reply("200 OK", "", ""))
            .fails(ErrorKind::Truncated),
        Case::streamed("html200", "A web page, with the status of a success.", |_| {
            reply("200 OK", HTML, &page("Sign in"))
        })
        .fails(ErrorKind::Protocol),
        Case::streamed("br200", "A packing that was not asked for.", |_| {
            reply("200 OK", "content-encoding: br\r\n", "xyz")
        })
        .fails(ErrorKind::Protocol),
        Case::streamed("badgzip", "A body that is not the gzip it claims to be.", |_| {
            reply("200 OK", "content-encoding: gzip\r\n", "xyzxyzxyzxyz")
        })
        .fails(ErrorKind::Protocol),
    ]
}

fn unanswered() -> Vec<Case> {
    vec![
        Case::streamed("no_http", "Something else than HTTP.", |_| {
            vec![Step::Write(format!("SSH-2.0-{KEY}\r\n\r\n").into_bytes()), Step::Close]
        })
        .fails(ErrorKind::Protocol),
        Case::streamed("close_first", "The connection is closed before the head.", |_| vec![Step::Close])
            .fails(ErrorKind::Connect),
        Case::streamed("rst_first", "The connection is reset before the head.", |_| vec![Step::Reset])
            .fails(ErrorKind::Connect),
    ]
}

/// Little patience with the first byte and with each that follows.
fn impatient(builder: ClientBuilder) -> ClientBuilder {
    let brief = Duration::from_millis(60);
    builder.timeouts(Timeouts::default().connect(brief).first_byte(brief))
}

/// Enough patience for what comes, little with what does not.
fn soon_bored(builder: ClientBuilder) -> ClientBuilder {
    builder.timeouts(Timeouts::default().idle(Duration::from_millis(100)))
}

fn forever() -> Step {
    Step::Await(Arc::default())
}

fn silent() -> Vec<Case> {
    vec![
        Case::streamed("stall", "Silence after some text.", after_words(|_| vec![forever()]))
            .with(soon_bored)
            .cut(ErrorKind::Timeout),
        Case::streamed("stall_head", "Silence before the head.", |_| vec![forever()])
            .with(impatient)
            .fails(ErrorKind::Timeout),
        Case::streamed("stall_first", "Silence after the head.", |_| {
            vec![Step::Write(stream_head()), forever()]
        })
        .with(impatient)
        .fails(ErrorKind::Timeout),
    ]
}

fn whole() -> Vec<Case> {
    vec![
        Case::whole("whole_cut", "A whole answer that is cut.", |scene| {
            let half: String = scene.book.whole().chars().take(80).collect();
            vec![
                Step::Write([head("200 OK", "content-length: 9999\r\n"), half.into_bytes()].concat()),
                Step::Close,
            ]
        })
        .fails(ErrorKind::Truncated),
        Case::whole("whole_stall", "A whole answer that stops.", |scene| {
            let half: String = scene.book.whole().chars().take(80).collect();
            vec![
                Step::Write([head("200 OK", "content-length: 9999\r\n"), half.into_bytes()].concat()),
                forever(),
            ]
        })
        .with(soon_bored)
        .fails(ErrorKind::Timeout),
        Case::whole("whole_badjson", "A whole answer that is not JSON.", |_| {
            reply("200 OK", JSON, &format!("{{\"id\":\"{KEY}\",}}{}", " ".repeat(500 << 10)))
        })
        .fails(ErrorKind::Protocol),
        Case::whole("whole_err", "An error in JSON, with the status of a success.", |scene| {
            reply("200 OK", JSON, &scene.book.envelope(&why()))
        })
        .fails(ErrorKind::Server),
        Case::whole("whole_html", "A web page, with the status of a success.", |_| {
            reply("200 OK", HTML, &page("Sign in"))
        })
        .fails(ErrorKind::Protocol),
        Case::whole("whole_empty", "Nothing, with the status of a success.", |_| reply("200 OK", "", ""))
            .fails(ErrorKind::Truncated),
        Case::whole("whole_h429", "429 with a wait in seconds.", refusal(BUSY, "retry-after: 2\r\n", "slow"))
            .waits(ErrorKind::RateLimited, 2_000),
    ]
}
