//! `cargo xtask test`: everything that must hold.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{corpus, fuzz, mcp, root, sdk};

/// The crate that is slow to build: a model in the process.
const HEAVY: &str = "interlingua-local";

/// One step: a name and a cargo command line.
type Step = (&'static str, Vec<&'static str>);

pub(crate) fn run(flags: &[&str]) -> Result<(), String> {
    let quick = match flags {
        [] => false,
        ["--quick"] => true,
        _ => return Err(format!("test takes no `{}`", flags.join(" "))),
    };
    let started = Instant::now();
    for (name, arguments) in steps(quick) {
        step(name, &arguments)?;
    }
    supply_chain()?;
    corpus::run(&[])?;
    if !quick {
        // Without a fuzzer the tests have tried what there is to try.
        if fuzz::is_ready() {
            fuzz::run(&[])?;
        }
        println!("== the vendors' SDKs");
        sdk::run(&["--only", "python"])?;
        // Node is not among what a fresh clone needs.
        sdk::run(&["--only", "javascript", "--skip-missing"])?;
        println!("== MCP with what others wrote");
        mcp::run(&["--skip-missing"])?;
    }
    println!("all steps passed in {} s", started.elapsed().as_secs());
    Ok(())
}

/// The table of hostile bytes, as it comes out.
pub(crate) fn hostile() -> Result<(), String> {
    step("hostile bytes", &["test", "-p", "interlingua", "--test", "it", "hostile", "--", "--nocapture"])
}

/// The whole workspace is built with the server halves and all protocols, which a user's client may leave out.
const CLIENT_ALONE: [&str; 12] = [
    "clippy",
    "--package",
    "interlingua",
    "--package",
    "interlingua-wire",
    "--no-default-features",
    "--features",
    "anthropic,openai-responses",
    "--lib",
    "--",
    "-D",
    "warnings",
];

fn steps(quick: bool) -> Vec<Step> {
    let scope: &[&str] = if quick { &["--workspace", "--exclude", HEAVY] } else { &["--workspace"] };
    let slim: &[&str] = if quick { &["--no-default-features"] } else { &[] };
    let command = |words: &[&'static str], rest: &[&'static str]| -> Vec<&'static str> {
        words.iter().chain(scope).chain(slim).chain(rest).copied().collect()
    };
    let runner: &[&str] =
        if has("nextest") { &["nextest", "run"] } else { &["test", "--lib", "--bins", "--tests"] };
    vec![
        ("formatting", vec!["fmt", "--all", "--check"]),
        ("lints", command(&["clippy", "--all-targets"], &["--", "-D", "warnings"])),
        ("lints of a client alone", CLIENT_ALONE.to_vec()),
        ("tests", command(runner, &[])),
        ("doc tests", command(&["test", "--doc"], &[])),
        ("documentation", command(&["doc", "--no-deps"], &[])),
    ]
}

fn step(name: &str, arguments: &[&str]) -> Result<(), String> {
    println!("== {name}: cargo {}", arguments.join(" "));
    let started = Instant::now();
    let mut command = Command::new(cargo());
    command.args(arguments).current_dir(root());
    if name == "documentation" {
        command.env("RUSTDOCFLAGS", "-D warnings");
    }
    let status = command.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !status.success() {
        return Err(format!("{name} failed"));
    }
    println!("== {name}: {} s", started.elapsed().as_secs());
    Ok(())
}

/// Advisories need the network and `cargo-deny`; licences and bans are also held by a test of this crate.
fn supply_chain() -> Result<(), String> {
    if has("deny") {
        return step("supply chain", &["deny", "check"]);
    }
    println!(
        "== supply chain: skipped advisories, cargo-deny is not installed (licences and bans were tested)"
    );
    Ok(())
}

fn has(subcommand: &str) -> bool {
    let mut command = Command::new(cargo());
    command.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}
