//! What the project does to itself. `cargo xtask` lists the commands.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its user")]

mod audit;
mod corpus;
mod fuzz;
mod mcp;
mod models;
mod peers;
mod sdk;
mod soak;
#[path = "../../fuzz/src/lib.rs"]
#[expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a law that is broken panics; the fuzzer, which is no part of this workspace, uses the same file"
)]
mod targets;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  test [--quick]     every test: formatting, lints, unit and integration tests, doc tests, documentation,
                     licences, recorded traffic where it is present, the vendors' SDKs (those for JavaScript where
                     node and npm are there). --quick leaves out the model in the process and the SDKs.
  corpus [FOLDER]    decode every recorded exchange below FOLDER (default: ../shared/corpus) and print what came
                     of it by protocol and provider; exit status 1 on a failure that nothing explains.
                     --lost lists every piece of text that was on the wire and is not in the decoded answer.
  bench-peers [--adopt] [--quick] [--only NAME,…] [--from FOLDER]
                     build and run the comparison in FOLDER (default: ../shared/bench) with this library beside
                     others and beside floors, and print medians and ratios. Takes half an hour; --quick, floors and
                     this library alone, some minutes. --adopt measures the cost of taking a library up instead: crates,
                     processor time of a clean build, size of the program, time of the next build.
  sdk [--only LANGUAGE] [--skip-missing]
                     the vendors' own SDKs for python and javascript, pinned and installed below target/sdk, ask a
                     server on loopback that is made of the server halves. What each returns is held against what was
                     said, and the requests that each composes against what the library reads in them and writes
                     again. Exit status 1 on a difference, and where python3, node or npm is missing;
                     --skip-missing names what was not run and goes on.
  mcp [--skip-missing]
                     the crate for MCP with the official servers of everything and of files, and its server with the client
                     of the official SDK for JavaScript; pinned and installed below target/mcp. Needs node and npm.
  models [--left-out]
                     make the catalogue of models anew from the newest release of the Python package litellm, by pip.
  hostile            what the client makes of the bytes that servers are known to get wrong, as the table in
                     docs/hostile.md; part of every test run.
  fuzz [--seconds N] [TARGET…]
                     try the laws of the codecs with any bytes, each target for N seconds (default: 30), by cargo-fuzz
                     on the nightly compiler; without them, with cases that are changed by chance.
                     --try TARGET FILE… tries inputs that were found.
  soak [--minutes N] [--conversations N] [--seed S]
                     hold N conversations at once (default: 200) for N minutes (default: 10) with a server on loopback that
                     speaks the three protocols and fails in every way, and account for each question: exit status 1
                     when an answer is lost or wrong, memory grows, or a task or a socket is left. --seconds N for less.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test", flags @ ..] => test::run(flags),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["corpus", rest @ ..] => corpus::run(rest),
        ["bench-peers", flags @ ..] => peers::run(flags),
        ["sdk", flags @ ..] => sdk::run(flags),
        ["mcp", flags @ ..] => mcp::run(flags),
        ["soak", flags @ ..] => soak::run(flags),
        ["models", flags @ ..] => models::run(flags),
        ["hostile"] => test::hostile(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        [unknown, ..] => Err(format!("unknown command `{unknown}`\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map_or_else(|| PathBuf::from("."), PathBuf::from)
}
