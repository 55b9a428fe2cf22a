//! Where the program keeps its files, by the XDG base directory specification.

use std::ffi::OsString;
use std::path::PathBuf;

/// The program's name in the shared folders.
const NAME: &str = "interlingua";

/// The config file: `$INTERLINGUA_CONFIG`, or `interlingua/config.toml` in the user's config folder.
pub(crate) fn config_file() -> Option<PathBuf> {
    set("INTERLINGUA_CONFIG").map(PathBuf::from).or_else(|| Some(config()?.join("config.toml")))
}

/// The servers that `il mcp` and `--mcp` know by name: `mcp.json` beside the config file.
pub(crate) fn mcp_file() -> Option<PathBuf> {
    Some(config_file()?.with_file_name("mcp.json"))
}

/// The history of the chat's input lines.
pub(crate) fn history_file() -> Option<PathBuf> {
    Some(state()?.join("history"))
}

/// The tokens of MCP servers that somebody has logged in to.
pub(crate) fn mcp_tokens() -> Option<PathBuf> {
    Some(state()?.join("mcp"))
}

fn state() -> Option<PathBuf> {
    base("XDG_STATE_HOME", &[".local", "state"], "LOCALAPPDATA")
}

fn config() -> Option<PathBuf> {
    base("XDG_CONFIG_HOME", &[".config"], "APPDATA")
}

/// Limits and prices that were fetched.
pub(crate) fn catalog_file() -> Option<PathBuf> {
    Some(cache()?.join("catalog.txt"))
}

/// The cache: models that run in the process, lists of models.
pub(crate) fn cache() -> Option<PathBuf> {
    base("XDG_CACHE_HOME", &[".cache"], "LOCALAPPDATA")
}

fn base(variable: &str, below_home: &[&str], windows: &str) -> Option<PathBuf> {
    let folder = absolute(variable)
        .or_else(|| if cfg!(windows) { absolute(windows) } else { None })
        .or_else(|| Some(std::env::home_dir()?.join(below_home.iter().collect::<PathBuf>())))?;
    Some(folder.join(NAME))
}

/// The specification says that a relative path is to be ignored.
fn absolute(variable: &str) -> Option<PathBuf> {
    set(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn set(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|value| !value.is_empty())
}
