//! What servers are known to get wrong, in every protocol, over a real connection.

mod case;
mod check;
mod faults;
mod floods;
mod odd;
mod phrasebook;
mod refusals;

use std::fmt::Write as _;
use std::path::Path;

use case::Case;
use interlingua::{ErrorKind, Mode, Protocol, Provider, Request, RetryPolicy};
use phrasebook::BOOKS;

/// What stands above the table.
const PREFACE: &str = "\
# Hostile bytes

What the caller sees when a server on loopback sends what servers are known to get wrong. Written by
`UPDATE_DOCS=1 cargo test -p interlingua --test it hostile`, which makes every one of these calls.

OA is Chat Completions, AN Anthropic Messages, RE Responses. *ok*: the text and the tool calls are those that the server
said; *U+FFFD* where a character had lost a byte, and a warning says so. *err*: a typed error and its kind; *partial kept*:
what had come is in the error; *retry*: when the provider wants to be asked again. The limits of a frame and of a body are
1 MiB here; of a flood of 200 MiB less than 16 MiB are taken, socket buffers included, and at most 64 KiB are kept in the
error. The servers send the key back in headers and errors: it is in no text, and goes to no other host.

";

/// The table is in the documentation. Run with `UPDATE_DOCS=1` to write it anew.
#[tokio::test]
async fn every_case_is_a_right_answer_or_a_typed_error() {
    let cases: Vec<Case> =
        [odd::cases(), faults::cases(), refusals::cases(), floods::cases()].into_iter().flatten().collect();
    let (table, faults) = tried(&cases).await;
    println!("{table}");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hostile.md");
    let renewed = format!("{PREFACE}{table}\n{}", legend(&cases));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, renewed).unwrap();
        return;
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page == renewed, "docs/hostile.md is out of date: run the test with UPDATE_DOCS=1");
}

/// What came of every case in every protocol, and what is wrong with it.
async fn tried(cases: &[Case]) -> (String, Vec<String>) {
    let mut table = "| case | OA | AN | RE |\n|---|---|---|---|\n".to_owned();
    let mut faults = Vec::new();
    for case in cases {
        write!(table, "| {} |", case.name).unwrap();
        for book in &BOOKS {
            let verdict = check::try_case(case, book).await;
            write!(table, " {} |", verdict.cell).unwrap();
            faults
                .extend(verdict.faults.iter().map(|fault| format!("{} {}: {fault}", case.name, book.column)));
        }
        table.push('\n');
    }
    (table, faults)
}

fn legend(cases: &[Case]) -> String {
    let mut legend = "What the server does:\n\n".to_owned();
    for case in cases {
        let mode = if case.mode == Mode::Whole { " Not streamed." } else { "" };
        writeln!(legend, "- `{}`: {}{mode}", case.name, case.about).unwrap();
    }
    legend
}

#[tokio::test]
async fn nobody_who_listens_is_told_with_the_place() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let row = Provider::new("test", Protocol::OpenaiChat, format!("http://{address}"));
    let builder = interlingua::Client::builder().env(|_| None).provider(row).retry(RetryPolicy::never());
    let error = builder.build().unwrap().send(&Request::new("test/m").user("hi")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.message().contains(&address.to_string()) && error.message().contains("refused"), "{error}");
}
