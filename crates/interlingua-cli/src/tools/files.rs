//! Files and folders. What lies below the working directory may be read; the rest is asked for.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use interlingua::{FunctionTool, Json};
use serde::Deserialize;

use crate::hygiene;

/// Most bytes of a file that a model is given at once.
const MOST_BYTES: u64 = 256 << 10;
/// Most entries of a folder that a model is given at once.
const MOST_ENTRIES: usize = 1000;

#[derive(Debug, Deserialize)]
struct Arguments {
    path: Option<PathBuf>,
}

/// What the model is told about reading.
pub(super) fn read_definition() -> FunctionTool {
    let schema = r#"{"type":"object","properties":{"path":{"type":"string","description":"Path of the file, relative to the working directory"}},"required":["path"],"additionalProperties":false}"#;
    super::tool("read_file", "Reads a text file of the user's machine", schema)
}

/// What the model is told about listing.
pub(super) fn list_definition() -> FunctionTool {
    let schema = r#"{"type":"object","properties":{"path":{"type":"string","description":"Path of the folder; `.` is the working directory"}},"required":["path"],"additionalProperties":false}"#;
    super::tool(
        "list_directory",
        "Lists a folder of the user's machine, one entry a line, folders with a slash",
        schema,
    )
}

/// Asks before anything outside the working directory is read, links followed.
pub(super) fn question(tool: &str, input: &Json) -> Result<Option<String>, String> {
    let path = path(input)?;
    let real = fs::canonicalize(&path).map_err(|error| told(&path, &error))?;
    let here =
        std::env::current_dir().and_then(fs::canonicalize).map_err(|error| told(Path::new("."), &error))?;
    if real.starts_with(here) {
        return Ok(None);
    }
    let shown = hygiene::visible(&real.display().to_string());
    Ok(Some(format!("{tool} wants to look outside the working directory:\n  {shown}")))
}

/// The text of a file, cut where it is too long.
pub(super) fn read(input: &Json) -> Result<String, String> {
    let path = path(input)?;
    let file = fs::File::open(&path).map_err(|error| told(&path, &error))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| told(&path, &error))?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => until_cut(error).ok_or_else(|| format!("{} is not UTF-8 text", path.display()))?,
    };
    if size > MOST_BYTES {
        return Ok(format!("{text}\n[cut: the file has {size} bytes]"));
    }
    Ok(text)
}

/// The entries of a folder, sorted.
pub(super) fn list(input: &Json) -> Result<String, String> {
    let path = path(input)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).map_err(|error| told(&path, &error))? {
        let entry = entry.map_err(|error| told(&path, &error))?;
        let slash = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { "/" } else { "" };
        names.push(format!("{}{slash}", entry.file_name().to_string_lossy()));
    }
    names.sort_unstable();
    let left_out = names.len().saturating_sub(MOST_ENTRIES);
    names.truncate(MOST_ENTRIES);
    let mut text = names.join("\n");
    if left_out > 0 {
        let _ = write!(text, "\n[cut: {left_out} more entries]");
    }
    Ok(if text.is_empty() { "the folder is empty".into() } else { text })
}

fn path(input: &Json) -> Result<PathBuf, String> {
    let Arguments { path } = super::arguments(input)?;
    Ok(path.filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(|| ".".into()))
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Text that was cut inside a character keeps what stands before it; anything else is no text.
fn until_cut(error: std::string::FromUtf8Error) -> Option<String> {
    let problem = error.utf8_error();
    let mut bytes = error.into_bytes();
    let is_cut = problem.error_len().is_none() && bytes.len() as u64 == MOST_BYTES;
    bytes.truncate(problem.valid_up_to());
    String::from_utf8(bytes).ok().filter(|_| is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(path: &Path) -> Json {
        Json::of(&serde_json::json!({ "path": path })).unwrap()
    }

    #[test]
    fn the_working_directory_is_free_and_the_rest_is_asked_for() {
        assert_eq!(question("read_file", &input(Path::new("Cargo.toml"))), Ok(None));
        assert_eq!(question("list_directory", &Json::from_text("")), Ok(None));
        let outside =
            question("read_file", &input(Path::new("../interlingua-cli/../../Cargo.toml"))).unwrap();
        assert!(outside.unwrap().contains("outside the working directory"));
        assert!(question("read_file", &input(Path::new("nowhere"))).unwrap_err().contains("nowhere"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_outside_unasked() {
        let folder = tempfile::tempdir_in(".").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/", &link).unwrap();
        assert!(question("list_directory", &input(&link)).unwrap().is_some());
    }

    #[test]
    fn long_files_are_cut_and_binary_ones_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "é".repeat(200 << 10)).unwrap();
        let text = read(&input(&file)).unwrap();
        assert!(text.ends_with("é\n[cut: the file has 409600 bytes]"));
        fs::write(&file, format!("x{}", "é".repeat(200 << 10))).unwrap();
        assert!(read(&input(&file)).unwrap().ends_with("é\n[cut: the file has 409601 bytes]"));
        fs::write(&file, b"\xff\xfe\x00").unwrap();
        assert!(read(&input(&file)).unwrap_err().contains("not UTF-8"));
    }

    #[test]
    fn a_folder_is_listed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(list(&input(folder.path())).unwrap(), "the folder is empty");
        fs::write(folder.path().join("b"), "").unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        assert_eq!(list(&input(folder.path())).unwrap(), "a/\nb");
    }
}
