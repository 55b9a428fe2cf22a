//! Recorded traffic: whatever real services sent is understood, and nothing of it is lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderMap;
use interlingua_wire::openai_responses::{Dialect, OpenaiResponses};
use interlingua_wire::{Codec, Mode, Refusal};
use serde::Deserialize;

use crate::check;

#[derive(Deserialize)]
struct Meta {
    status: u16,
}

fn codec() -> OpenaiResponses {
    OpenaiResponses::new(Dialect::openai())
}

/// The recordings by name, `<provider>/<name>`.
fn recordings(root: &Path) -> BTreeMap<String, PathBuf> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    };
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let each = |provider: PathBuf| {
        folders(&provider)
            .into_iter()
            .filter(|folder| folder.join("meta.json").is_file())
            .map(|folder| (format!("{}/{}", name(&provider), name(&folder)), folder))
            .collect::<Vec<_>>()
    };
    folders(root).into_iter().flat_map(each).collect()
}

/// Reasons for recordings that do not decode, by name.
fn explained() -> BTreeMap<String, String> {
    let text = include_str!("../../corpus/openai_responses.toml");
    let value = |line: &str, key: &str| {
        let rest = line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim();
        Some(rest.trim_matches('"').to_owned())
    };
    let (mut reasons, mut pending) = (BTreeMap::new(), String::new());
    for line in text.lines() {
        if let Some(name) = value(line, "name") {
            pending = name;
        } else if let Some(reason) = value(line, "reason") {
            reasons.insert(std::mem::take(&mut pending), reason);
        }
    }
    reasons
}

fn answer(folder: &Path, status: u16) -> Result<(), String> {
    let stream = fs::read(folder.join("response.sse")).ok();
    let body = fs::read(folder.join("response.json")).ok();
    let mode = if stream.is_some() { Mode::Stream } else { Mode::Whole };
    let Some(bytes) = stream.or(body) else { return Ok(()) };
    if status >= 400 {
        let error = codec().refusal(&Refusal::new(status, &HeaderMap::new(), &bytes));
        let silent = error.message().starts_with("the provider answered");
        return if silent { Err(format!("no message in {error:?}")) } else { Ok(()) };
    }
    let found = check::decode(&codec(), mode, &bytes, &[]);
    let seventh: Vec<usize> = (7..bytes.len()).step_by(7).collect();
    let pieces = check::decode(&codec(), mode, &bytes, &seventh);
    assert_eq!(found.events, pieces.events, "{}: cut into sevens", folder.display());
    if let Some(error) = found.error {
        return Err(error);
    }
    let lost: Vec<String> = found.response.warnings.iter().map(ToString::to_string).collect();
    if lost.is_empty() { Ok(()) } else { Err(lost.join("; ")) }
}

/// Walks the collection; every failure must be in the list, and everything in the list must fail.
fn walk(each: &dyn Fn(&Path, u16) -> Result<(), String>, is_listed: &dyn Fn(&str) -> bool) {
    let Some(root) = check::corpus("openai-responses") else { return };
    let mut failures = Vec::new();
    let recordings = recordings(&root);
    for (name, folder) in &recordings {
        let text = fs::read_to_string(folder.join("meta.json")).unwrap();
        let meta: Meta = serde_json::from_str(&text).unwrap();
        match each(folder, meta.status) {
            Ok(()) if is_listed(name) => {
                failures.push(format!("{name}: is in the list of failures and does not fail"))
            }
            Err(error) if !is_listed(name) => failures.push(format!("{name}: {error}")),
            _ => {}
        }
    }
    let count = recordings.len();
    assert!(failures.is_empty(), "{} of {count} recordings:\n{}", failures.len(), failures.join("\n"));
    eprintln!("{count} recordings");
}

#[test]
fn every_recorded_answer_is_understood() {
    let explained = explained();
    walk(&answer, &|name| explained.contains_key(name));
}
