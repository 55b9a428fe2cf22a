//! Many conversations with a server that fails in every way, for a bounded time, and an account of each of them.
//!
//! The program starts itself once more as the server, so that the memory that is measured is the client's alone.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its user")]

mod client;
mod dice;
mod fault;
mod ledger;
mod nonce;
mod options;
mod process;
mod report;
mod said;
mod server;

use std::io::Read as _;
use std::process::ExitCode;

use options::Options;
use report::Report;
use server::Server;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["serve", seed] => serve(seed),
        flags => {
            Options::read(flags).and_then(|options| client::drive(&options)).and_then(|report| tell(&report))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("soak: {message}");
            ExitCode::FAILURE
        }
    }
}

fn tell(report: &Report) -> Result<(), String> {
    println!("\n{report}");
    match report.faults().as_slice() {
        [] => Ok(()),
        faults => Err(faults.join("; ")),
    }
}

/// Serves until the standard input ends, then writes what was counted.
fn serve(seed: &str) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("no server on loopback: {error}");
    let seed = seed.parse().map_err(|_| format!("`{seed}` is no seed"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let counts = runtime.map_err(cannot)?.block_on(async {
        let server = Server::bind(seed).await.map_err(cannot)?;
        println!("{}", server.address().map_err(cannot)?);
        let tally = server.tally();
        tokio::spawn(server.run());
        let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
        end.map_err(std::io::Error::other).and_then(|read| read).map_err(cannot)?;
        Ok::<_, String>(tally.counts())
    })?;
    println!("{}", counts.to_line());
    Ok(())
}
