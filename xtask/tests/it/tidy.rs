//! House rules that no lint knows.

use std::fs;
use std::path::{Path, PathBuf};

use crate::metadata::root;

/// Names of files that say nothing of what is in them.
const VAGUE: &[&str] =
    &["util.rs", "utils.rs", "common.rs", "helpers.rs", "helper.rs", "support.rs", "misc.rs"];

#[test]
fn every_file_is_named_after_what_it_holds() {
    for file in sources() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!VAGUE.contains(&&*name), "{} has a name that says nothing", file.display());
    }
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        for word in ["TO".to_owned() + "DO", "FIX".to_owned() + "ME", "XX".to_owned() + "X:"] {
            assert!(!text.contains(&word), "{} holds {word}", file.display());
        }
    }
}

#[test]
fn lints_are_expected_with_a_reason_and_not_allowed() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let attribute = "allow".to_owned() + "(";
        let found = text.lines().any(|line| line.trim_start().starts_with('#') && line.contains(&attribute));
        assert!(!found, "{} allows a lint; expect it, with a reason", file.display());
    }
}

#[test]
fn the_house_papers_are_there_and_link_to_files_that_exist() {
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "ROADMAP.md"] {
        let text = fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for link in links(&text) {
            assert!(root().join(link).exists(), "{name} links to {link}, which is not there");
        }
    }
}

#[test]
fn the_readme_names_the_command_that_the_gate_runs() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let gate = fs::read_to_string(root().join(".ci/run")).unwrap();
    for (file, text) in [("README.md", &readme), (".ci/run", &gate)] {
        assert!(text.contains("cargo xtask test"), "{file} does not name `cargo xtask test`");
    }
    assert!(readme.contains("cargo run --release -- \"Why is the sky blue?\""));
}

/// The relative targets of Markdown links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|link| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:"))
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["crates", "xtask", "fuzz"] {
        gather(&root().join(folder), &mut found);
    }
    assert!(found.len() > 10, "the sources were not found");
    found
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            gather(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
