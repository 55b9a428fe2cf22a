//! What is odd and right.

use interlingua::{ClientBuilder, ErrorKind, Limits, Protocol};

use super::case::{Case, Outcome, Said, Scene, head, reply};
use super::phrasebook::{Call, WORDS};
use crate::server::{Step, chunk, last_chunk};

const INPUTS: [&str; 2] = [r#"{"query":"naïve 🌍","most":3}"#, r#"{"city":"Zürich"}"#];

pub(crate) fn cases() -> Vec<Case> {
    [framing(), content(), calls(), whole()].into_iter().flatten().collect()
}

/// A stream whose body is this text in one chunk.
fn stream(body: &str) -> Vec<Step> {
    pieces([body.as_bytes()])
}

/// A stream of chunks.
pub(crate) fn pieces<'b>(chunks: impl IntoIterator<Item = &'b [u8]>) -> Vec<Step> {
    let chunks: Vec<u8> = chunks.into_iter().flat_map(chunk).collect();
    vec![Step::Write([stream_head(), chunks, last_chunk()].concat())]
}

pub(crate) fn stream_head() -> Vec<u8> {
    head("200 OK", "content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n")
}

/// The good stream, changed.
fn changed(change: fn(&str) -> String) -> impl Fn(&Scene<'_>) -> Vec<Step> {
    move |scene| stream(&change(&scene.book.hello()))
}

fn each_byte(body: &str) -> Vec<Step> {
    pieces(body.as_bytes().chunks(1))
}

fn crlf(body: &str) -> String {
    body.replace('\n', "\r\n")
}

/// A chunk begins in the middle of every character that has one.
fn split_characters(scene: &Scene<'_>) -> Vec<Step> {
    let body = scene.book.hello();
    let inner = |at: &usize| !body.is_char_boundary(*at);
    let cuts: Vec<usize> = [0].into_iter().chain((0..body.len()).filter(inner)).chain([body.len()]).collect();
    assert!(cuts.len() > 5, "{cuts:?}");
    pieces(cuts.windows(2).map(|pair| &body.as_bytes()[pair[0]..pair[1]]))
}

fn multiline(body: &str) -> String {
    let cut = |line: &str| {
        if line.starts_with("data: {") { line.replacen(",\"", ",\ndata: \"", 1) } else { line.to_owned() }
    };
    body.split_inclusive('\n').map(cut).collect()
}

fn framing() -> Vec<Case> {
    vec![
        Case::streamed("base", "A stream as it should be.", changed(str::to_owned)),
        Case::streamed("split1", "Every byte is a chunk of its own.", |scene| each_byte(&scene.book.hello())),
        Case::streamed(
            "split_utf8",
            "Chunks begin in the middle of every character that has one.",
            split_characters,
        ),
        Case::streamed("crlf", "Lines end with CRLF.", changed(crlf)),
        Case::streamed("crlf1", "The same, every byte in a chunk of its own.", |scene| {
            each_byte(&crlf(&scene.book.hello()))
        }),
        Case::streamed("cr", "Lines end with CR.", changed(|body| body.replace('\n', "\r"))),
        Case::streamed(
            "comments",
            "Comments between and within events.",
            changed(|body| format!(": ok\n\n{}", body.replace("data: ", ": keep-alive\ndata: "))),
        ),
        Case::streamed("bom", "A byte order mark before all.", changed(|body| format!("\u{feff}{body}"))),
        Case::streamed(
            "nospace",
            "No space after the colon.",
            changed(|body| body.replace("data: ", "data:").replace("event: ", "event:")),
        ),
        Case::streamed(
            "idretry",
            "The fields id and retry, and unknown ones.",
            changed(|body| body.replace("data: ", "id: 7\nretry: 100\nodd: field\ndata: ")),
        ),
        Case::streamed("multiline", "JSON over two data lines.", changed(multiline)),
        Case::streamed("eof", "A body that ends with the connection.", |scene| {
            let head = head("200 OK", "content-type: text/event-stream\r\nconnection: close\r\n");
            vec![Step::Write([head, scene.book.hello().into_bytes()].concat()), Step::Close]
        }),
        Case::streamed("done_open", "The end marker, and then the body stays open.", |scene| {
            let begin = [stream_head(), chunk(scene.book.hello().as_bytes())].concat();
            vec![Step::Write(begin), Step::Await(std::sync::Arc::default())]
        }),
        Case::streamed("done_rst", "The end marker, and then a reset.", |scene| {
            let begin = [stream_head(), chunk(scene.book.hello().as_bytes())].concat();
            vec![Step::Write(begin), Step::Reset]
        }),
    ]
}

fn content() -> Vec<Case> {
    let whole_text = WORDS.concat();
    vec![
        Case::streamed("nodone", "A finish, and no end marker.", |scene| {
            stream(&[scene.book.said(&WORDS), scene.book.finish()].concat())
        })
        .but(Protocol::Anthropic, Outcome::cut(ErrorKind::Truncated, &whole_text))
        .but(Protocol::OpenaiResponses, Outcome::cut(ErrorKind::Truncated, &whole_text)),
        Case::streamed("unk_event", "An event of a kind that does not exist.", |scene| {
            stream(&scene.book.hello_around(&scene.book.frames(scene.book.unknown_event)))
        }),
        Case::streamed("unk_block", "A part or a role of a kind that does not exist.", |scene| {
            stream(&scene.book.hello_around(&scene.book.frames(scene.book.unknown_block)))
        }),
        Case::streamed("unk_finish", "The reason of the end is a word that does not exist.", |scene| {
            let [known, unknown] = scene.book.reason;
            stream(&scene.book.hello().replace(known, unknown))
        }),
        Case::streamed(
            "unk_field",
            "A field that does not exist in every frame.",
            changed(|body| body.replace("data: {", "data: {\"odd\":{\"a\":[1,null]},")),
        ),
        Case::streamed("minimal", "Only the fields that thin servers send.", |scene| {
            let (text, end) = scene.book.thin;
            let texts: String = WORDS
                .iter()
                .map(|word| scene.book.frame(&text.replace("@text", &format!("{word:?}"))))
                .collect();
            stream(&[texts, scene.book.frames(end)].concat())
        }),
        Case::streamed("nulls", "Frames whose every field is null.", |scene| {
            stream(&scene.book.hello_around(&scene.book.frames(scene.book.nulls)))
        }),
        Case::streamed("badutf8", "A character that lost one of its bytes.", |scene| {
            let body = scene.book.hello().into_bytes();
            let halves: Vec<&[u8]> = body.split(|byte| *byte == 0xb6).collect();
            assert!(halves.len() > 1);
            pieces([&*halves.concat()])
        })
        .says(Said::text(&whole_text.replace('ö', "\u{fffd}"))),
    ]
}

fn said(calls: &[(&str, &str)]) -> Said {
    let calls = calls.iter().map(|(name, input)| ((*name).to_owned(), (*input).to_owned(), false));
    Said { text: String::new(), calls: calls.collect() }
}

fn long_input(size: usize) -> String {
    let line = format!("{}ñ🌍\\n", "x".repeat(1 << 10));
    format!(r#"{{"text":"{}"}}"#, line.repeat(size >> 10))
}

fn spacious(builder: ClientBuilder) -> ClientBuilder {
    builder.limits(Limits::new(32 << 20, 1 << 20))
}

fn calls() -> Vec<Case> {
    let two = [("search", INPUTS[0]), ("weather", INPUTS[1])];
    let one = |index: &'static str| {
        move |scene: &Scene<'_>| stream(&scene.book.calls(&[Call::new(index, "t1", "search", INPUTS[0], 5)]))
    };
    let long = |size: usize, piece: usize| {
        move |scene: &Scene<'_>| {
            stream(&scene.book.calls(&[Call::new("0", "t1", "search", &long_input(size), piece)]))
        }
    };
    let first = || said(&two[..1]);
    vec![
        Case::streamed("tools2", "Two tool calls, whose pieces come in turns.", |scene| {
            let calls =
                [Call::new("0", "t1", "search", INPUTS[0], 5), Call::new("1", "t2", "weather", INPUTS[1], 3)];
            stream(&scene.book.calls(&calls))
        })
        .says(said(&two)),
        Case::streamed("index_u32", "A tool call with the index 4294967295.", one("4294967295"))
            .says(first()),
        Case::streamed("index_u64", "A tool call with the index 2^64.", one("18446744073709551616"))
            .says(first())
            .but(Protocol::Anthropic, Outcome::cut(ErrorKind::Protocol, "")),
        Case::streamed("index_minus", "A tool call with the index -1.", one("-1"))
            .says(first())
            .but(Protocol::Anthropic, Outcome::cut(ErrorKind::Protocol, "")),
        Case::streamed("args_many", "A tool call of 1 MiB in 8,192 pieces.", long(1 << 20, 128))
            .with(spacious)
            .says(said(&[("search", &long_input(1 << 20))])),
        Case::streamed("args_one", "A tool call of 4 MiB in one piece.", long(4 << 20, 8 << 20))
            .with(spacious)
            .says(said(&[("search", &long_input(4 << 20))])),
    ]
}

fn whole() -> Vec<Case> {
    let json = "content-type: application/json\r\n";
    vec![
        Case::streamed("json200ok", "A whole answer, although a stream was asked for.", move |scene| {
            reply("200 OK", json, &scene.book.whole())
        }),
        Case::whole("whole", "A whole answer as it should be.", move |scene| {
            reply("200 OK", json, &scene.book.whole())
        }),
        Case::whole(
            "whole_blank",
            "Blank lines for as long as the answer takes, and then the answer.",
            |scene| pieces(["\r\n".repeat(100_000).as_bytes(), b" \n", scene.book.whole().as_bytes()]),
        ),
        Case::whole("whole_split1", "The same, every byte in a chunk of its own.", |scene| {
            each_byte(&scene.book.whole())
        }),
        Case::whole("whole_stream", "A stream, although a whole answer was asked for.", |scene| {
            stream(&scene.book.hello())
        }),
        Case::whole("whole_tools", "A whole answer with a tool call.", move |scene| {
            let call = scene.book.whole_call.replace("@id", "\"t1\"").replace("@name", "\"search\"");
            let input = serde_json::Value::from(INPUTS[0]).to_string();
            reply("200 OK", json, &call.replace("@input", &input).replace("@json", INPUTS[0]))
        })
        .says(said(&[("search", INPUTS[0])])),
        Case::whole("whole_badutf8", "A character that lost one of its bytes.", |scene| {
            let body = scene.book.whole().into_bytes();
            let halves: Vec<&[u8]> = body.split(|byte| *byte == 0xb6).collect();
            pieces([&*halves.concat()])
        })
        .says(Said::text(&WORDS.concat().replace('ö', "\u{fffd}"))),
    ]
}
