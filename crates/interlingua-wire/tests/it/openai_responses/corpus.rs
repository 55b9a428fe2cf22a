//! Recorded traffic: whatever real services sent is understood, and nothing of it is lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderMap;
use interlingua_model::{Format, Json, Request, Response, Tool, Usage};
use interlingua_wire::openai_responses::{Dialect, OpenaiResponses, ReasoningEcho};
use interlingua_wire::schema::for_openai;
use interlingua_wire::{Call, Codec, Mode, Refusal, Serve};
use serde::Deserialize;
use serde_json::Value;

use super::codec;
use crate::check;

#[derive(Deserialize)]
struct Meta {
    status: u16,
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
    let full = check::decode_in_full(&codec(), mode, &bytes);
    assert_eq!(found.events, full.events, "{}: with every frame read in full", folder.display());
    let pieces = check::decode(&codec(), mode, &bytes, &seventh);
    assert_eq!(found.events, pieces.events, "{}: cut into sevens", folder.display());
    if let Some(error) = found.error {
        return Err(error);
    }
    let lost: Vec<String> = found.response.warnings.iter().map(ToString::to_string).collect();
    if !lost.is_empty() {
        return Err(lost.join("; "));
    }
    served(&found)
}

/// What was understood goes out through the server half, in both modes, and comes back the same.
fn served(found: &check::Decoded) -> Result<(), String> {
    for mode in [Mode::Stream, Mode::Whole] {
        let asked = Request::new("recorded");
        let again = check::events_round_trip(&codec(), &asked, mode, &found.events);
        if let Some(error) = again.error {
            return Err(format!("served in {mode:?}: {error}"));
        }
        let (mut wanted, mut got) = (found.response.clone(), again.response);
        // Events that belong to no part have no place in a whole answer.
        if mode == Mode::Whole {
            wanted.other.clear();
        }
        wanted.other.iter_mut().chain(&mut got.other).for_each(|custom| custom.value = Json::object());
        wanted.created = wanted.created.or(got.created);
        wanted.id = wanted.id.or_else(|| got.id.clone());
        wanted.model = wanted.model.or_else(|| got.model.clone());
        // One service says it in its own way.
        if let Some(finish) =
            wanted.finish.as_mut().filter(|finish| finish.raw.as_deref() == Some("complete"))
        {
            finish.raw = Some("completed".to_owned());
        }
        wanted.usage = again_usage(&wanted.usage);
        if plain(&wanted) != plain(&got) {
            return Err(format!("served in {mode:?}: {}", difference(&wanted, &got)));
        }
    }
    Ok(())
}

/// A response without white space inside verbatim JSON and without ids that the server half made up.
fn plain(response: &Response) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                let minted = |value: &Value| value.as_str().is_some_and(|text| text.contains("_0a1b2c"));
                fields.retain(|name, value| name != "id" || !minted(value));
                fields.values_mut().for_each(strip);
                fields.retain(|_, value| value.as_object().is_none_or(|inner| !inner.is_empty()));
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(response).unwrap();
    strip(&mut value);
    value
}

/// Figures that clients want are written as zero where the provider did not report them.
fn again_usage(usage: &Usage) -> Usage {
    let mut usage = usage.clone();
    if !usage.is_empty() {
        for figure in [&mut usage.input, &mut usage.output, &mut usage.cache_read, &mut usage.reasoning] {
            figure.get_or_insert(0);
        }
    }
    usage
}

fn difference(wanted: &Response, got: &Response) -> String {
    let lines = |response: &Response| serde_json::to_string_pretty(&plain(response)).unwrap();
    let (wanted, got) = (lines(wanted), lines(got));
    let differing = wanted.lines().zip(got.lines()).find(|(wanted, got)| wanted != got);
    differing.map_or_else(
        || "in length".to_owned(),
        |(wanted, got)| format!("{} became {}", wanted.trim(), got.trim()),
    )
}

/// A dialect that says everything.
fn lossless() -> OpenaiResponses {
    let mut dialect = Dialect::openai();
    dialect.reasoning_echo = ReasoningEcho::All;
    dialect.min_max_output = None;
    OpenaiResponses::new(dialect)
}

/// Strict schemas as the service takes them, which many clients do not send.
fn strictly(request: &mut Request) {
    for tool in &mut request.tools {
        if let Tool::Function(function) = tool
            && function.strict == Some(true)
        {
            function.input = for_openai(&function.input).0;
        }
    }
    if let Some(Format::Schema(format)) = &mut request.format
        && format.strict == Some(true)
    {
        format.schema = for_openai(&format.schema).0;
    }
}

fn question(folder: &Path, _: u16) -> Result<(), String> {
    let Ok(bytes) = fs::read(folder.join("request.json")) else { return Ok(()) };
    if bytes.starts_with(b"{\"_not_json\"") {
        return Ok(());
    }
    let (mut once, mode) =
        lossless().decode_request(&Call::post("/responses", bytes)).map_err(|error| error.to_string())?;
    strictly(&mut once);
    let encoded = lossless().encode(&once, mode).map_err(|error| error.to_string())?;
    let (twice, again) = lossless().decode_request(&encoded.call).map_err(|error| error.to_string())?;
    let lost: Vec<String> = encoded.warnings.iter().map(ToString::to_string).collect();
    match (once == twice && mode == again, lost.is_empty()) {
        (_, false) => Err(lost.join("; ")),
        (true, true) => Ok(()),
        (false, true) => {
            let lines = |request: &Request| serde_json::to_string_pretty(request).unwrap();
            let (once, twice) = (lines(&once), lines(&twice));
            let differing = once.lines().zip(twice.lines()).find(|(once, twice)| once != twice);
            Err(format!("{differing:?}"))
        }
    }
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
                failures.push(format!("{name}: is in the list of failures and does not fail"));
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
fn every_recorded_request_goes_out_as_it_came_in() {
    walk(&question, &|_| false);
}

#[test]
fn every_recorded_answer_is_understood() {
    let explained = explained();
    walk(&answer, &|name| explained.contains_key(name));
}
