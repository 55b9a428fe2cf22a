//! What never ends, and must be stopped.

use std::io::Write as _;
use std::sync::{Arc, LazyLock};

use interlingua::ErrorKind;

use super::case::{Case, KEY, Said, Scene, head};
use super::odd::stream_head;
use super::phrasebook::{SAID, WORDS};
use crate::server::{Step, chunk};

/// How often 64 KiB are written: 200 MiB in all.
const TIMES: usize = 3200;

pub(crate) fn cases() -> Vec<Case> {
    [bodies(), heads(), packed()].into_iter().flatten().collect()
}

/// Begins with these bytes and goes on with others for 200 MiB.
fn flood(scene: &Scene<'_>, begin: Vec<u8>, bytes: Vec<u8>) -> Vec<Step> {
    vec![Step::Write(begin), Step::Flood { bytes, times: TIMES, written: Arc::clone(&scene.written) }]
}

fn letters() -> Vec<u8> {
    vec![b'x'; 64 << 10]
}

fn bodies() -> Vec<Case> {
    let refused = |length: &'static str| {
        move |scene: &Scene<'_>| {
            let begin = format!("{{\"error\":{{\"message\":\"it broke for {KEY} ");
            flood(scene, [head("400 Bad Request", length), begin.into_bytes()].concat(), letters())
        }
    };
    vec![
        Case::streamed("endless", "One line of 200 MiB, after some text.", |scene| {
            let begin = [stream_head(), chunk(scene.book.begun().as_bytes()), chunk(b"data: {\"")].concat();
            flood(scene, begin, chunk(&letters()))
        })
        .keeps(ErrorKind::TooLarge, Said::text(&WORDS[..SAID].concat())),
        Case::streamed("endless_lines", "One event of 200 MiB in short lines, after some text.", |scene| {
            let begin = [stream_head(), chunk(scene.book.begun().as_bytes())].concat();
            flood(scene, begin, chunk(format!("data: {}\n", "x".repeat(249)).repeat(256).as_bytes()))
        })
        .keeps(ErrorKind::TooLarge, Said::text(&WORDS[..SAID].concat())),
        Case::streamed(
            "err_endless",
            "400 with a body of 200 MiB.",
            refused("content-length: 209715200\r\n"),
        )
        .fails(ErrorKind::InvalidRequest),
        Case::streamed("err_endless_eof", "The same, without a length.", refused("connection: close\r\n"))
            .fails(ErrorKind::InvalidRequest),
        Case::streamed("json_endless", "A whole answer of 200 MiB to a streamed call.", |scene| {
            flood(scene, [stream_head(), chunk(b"{\"id\":\"")].concat(), chunk(&letters()))
        })
        .fails(ErrorKind::TooLarge),
        Case::whole("whole_endless", "A whole answer of 200 MiB.", |scene| {
            flood(
                scene,
                [head("200 OK", "content-length: 209715200\r\n"), b"{\"id\":\"".to_vec()].concat(),
                letters(),
            )
        })
        .fails(ErrorKind::TooLarge),
        Case::whole("whole_endless_eof", "The same, without a length.", |scene| {
            flood(
                scene,
                [head("200 OK", "connection: close\r\n"), b"{\"id\":\"".to_vec()].concat(),
                letters(),
            )
        })
        .fails(ErrorKind::TooLarge),
        Case::whole("whole_blank_endless", "200 MiB of white space.", |scene| {
            flood(scene, head("200 OK", "connection: close\r\n"), vec![b' '; 64 << 10])
        })
        .fails(ErrorKind::TooLarge),
    ]
}

fn heads() -> Vec<Case> {
    vec![
        Case::streamed("head_long", "A header of 200 MiB.", |scene| {
            flood(scene, b"HTTP/1.1 200 OK\r\nx-pad: ".to_vec(), letters())
        })
        .fails(ErrorKind::TooLarge),
        Case::streamed("head_many", "Headers without end.", |scene| {
            flood(scene, b"HTTP/1.1 200 OK\r\n".to_vec(), "x-pad: 1\r\n".repeat(6 << 10).into_bytes())
        })
        .fails(ErrorKind::TooLarge),
        Case::streamed("head_300", "Three hundred headers.", |scene| {
            let many = "x-pad: 1\r\n".repeat(300);
            let head = head("200 OK", &[&many, "connection: close\r\n"].concat());
            vec![Step::Write([head, scene.book.hello().into_bytes()].concat()), Step::Close]
        })
        .fails(ErrorKind::TooLarge),
    ]
}

/// 32 MiB that begin an answer and are packed into a thousandth.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| pack(&format!("{{\"id\":\"{}", "x".repeat(32 << 20))));

/// The same in one line of a stream.
static LINE: LazyLock<Vec<u8>> =
    LazyLock::new(|| pack(&format!("data: {{\"id\":\"{}", "x".repeat(32 << 20))));

fn pack(text: &str) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

fn packed_head(status: &str) -> Vec<u8> {
    head(status, "content-encoding: gzip\r\ntransfer-encoding: chunked\r\n")
}

fn packed() -> Vec<Case> {
    let bomb = |status: &'static str, bomb: &'static LazyLock<Vec<u8>>| {
        move |_: &Scene<'_>| {
            vec![Step::Write([packed_head(status), chunk(bomb)].concat()), Step::Write(chunk(b""))]
        }
    };
    vec![
        Case::streamed("gzip", "A stream that is packed, every byte in a chunk of its own.", |scene| {
            let packed = pack(&scene.book.hello());
            let chunks = packed.iter().flat_map(|byte| chunk(&[*byte]));
            vec![Step::Write([packed_head("200 OK"), chunks.collect(), chunk(b"")].concat())]
        }),
        Case::whole("whole_gzip", "A whole answer that is packed.", |scene| {
            vec![Step::Write([packed_head("200 OK"), chunk(&pack(&scene.book.whole())), chunk(b"")].concat())]
        }),
        Case::streamed("gzip_bomb", "32 MiB in one line, packed.", bomb("200 OK", &LINE))
            .fails(ErrorKind::TooLarge),
        Case::whole("whole_gzip_bomb", "A whole answer of 32 MiB, packed.", bomb("200 OK", &BOMB))
            .fails(ErrorKind::TooLarge),
        Case::streamed("err_gzip_bomb", "400 with a body of 32 MiB, packed.", bomb("400 Bad Request", &BOMB))
            .fails(ErrorKind::InvalidRequest),
    ]
}
