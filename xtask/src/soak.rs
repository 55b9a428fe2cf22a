//! `cargo xtask soak`: many conversations with a server that fails in every way.
//!
//! The program is a crate of its own beside this one, since it needs the client and a runtime, and this one neither.

use std::process::Command;

use crate::root;

/// Builds and runs the program; it reads the flags.
pub(crate) fn run(flags: &[&str]) -> Result<(), String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--release", "--package", "soak", "--"]).args(flags).current_dir(root());
    let status = command.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err("the soak failed".to_owned()) }
}
