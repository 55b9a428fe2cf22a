//! A stream of Responses over loopback, which the server of the comparison does not speak: a server and a client of our own.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{client_manifest, read_text, succeed, write};
use crate::root;

/// Where its server listens.
const PORT: &str = "18096";

/// Builds and runs it, and lets it print its rows.
pub(super) fn run(place: &Path) -> Result<(), String> {
    let folder = place.join("responses");
    let source = root().join("xtask/bench/responses");
    write(&folder.join("Cargo.toml"), &client_manifest(&source)?)?;
    write(&folder.join("src/main.rs"), &read_text(&source.join("main.rs"))?)?;
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--quiet"]).current_dir(&folder);
    build.env("CARGO_TARGET_DIR", place.join("target"));
    succeed(build, "the stream of Responses cannot be built")?;
    println!("\nresponses: median CPU µs per delta, ratio to reqwest-raw");
    let binary = place.join("target/release/responses");
    let program = |core: &str, word: &str| {
        let mut command = Command::new("taskset");
        command.args(["-c", core]).arg(&binary).args([word, PORT]);
        command
    };
    let mut server = program("1", "serve")
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("the server of Responses cannot be started: {error}"))?;
    let measured = super::listens(PORT).and_then(|()| succeed(program("0", "measure"), "Responses failed"));
    // It may have ended by itself.
    let _ = server.kill();
    let _ = server.wait();
    measured
}
