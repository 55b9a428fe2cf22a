//! `cargo xtask mcp`: servers and a client of MCP that others wrote, with the crate `interlingua-mcp`.

use std::process::Command;

use crate::root;
use crate::sdk::kit::{self, Language};

/// What is pinned.
const PINS: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

pub(crate) fn run(flags: &[&str]) -> Result<(), String> {
    let skip_missing = match flags {
        [] => false,
        ["--skip-missing"] => true,
        _ => return Err(format!("mcp takes no `{}`", flags.join(" "))),
    };
    match Language::Javascript.missing() {
        Some(tool) if skip_missing => {
            println!("NOT RUN: MCP with what others wrote, because {tool} was not found");
            return Ok(());
        }
        Some(tool) => return Err(format!("{tool} was not found: install it, or use --skip-missing")),
        None => {}
    }
    let (from, home) = (root().join("xtask/mcp"), root().join("target/mcp"));
    kit::keep_installed(&home, &from, &PINS, |home| kit::npm(&from, home, &PINS))?;
    kit::bring(&from.join("client.mjs"), &home)?;
    let arguments = ["test", "-q", "-p", "interlingua-mcp", "--test", "it", "foreign", "--", "--ignored"];
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    kit::must(Command::new(cargo).args(arguments).env("INTERLINGUA_MCP_SERVERS", home).current_dir(root()))
}
