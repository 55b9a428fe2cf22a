//! The files of the catalogue and the table that is made from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use interlingua_wire::{Family, Patch, Protocol, Provider, Table};
use serde::Deserialize;
use serde_json::{Value, json};

/// The files with rows, in the order of the table.
const FILES: [&str; 5] = ["vendors", "clouds", "hosts", "gateways", "local"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog")
}

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = folder().join(format!("{name}.toml"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What several rows have in common.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    name: String,
    #[serde(default)]
    dialect: BTreeMap<Protocol, Patch>,
    #[serde(default)]
    families: Vec<Family>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedFile {
    shared: Vec<Shared>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowFile {
    provider: Vec<serde_json::Map<String, Value>>,
}

/// A row as it is written, and what it is like.
fn row(mut fields: serde_json::Map<String, Value>) -> (Provider, Vec<String>) {
    let like = fields.remove("like").map_or_else(Vec::new, |like| serde_json::from_value(like).unwrap());
    let whole = serde_json::to_string(&fields).unwrap();
    let row = serde_json::from_str(&whole).unwrap_or_else(|error| panic!("{error}: {whole}"));
    (row, like)
}

/// A row with what it is like put before its own.
fn whole(mut row: Provider, like: &[String], shared: &[Shared]) -> Provider {
    let own = std::mem::take(&mut row.dialect);
    let families = std::mem::take(&mut row.families);
    for name in like {
        let found = shared.iter().find(|shared| shared.name == *name);
        let found = found.unwrap_or_else(|| panic!("{} is like `{name}`, which is not shared", row.id));
        merge(&mut row.dialect, &found.dialect);
        row.families.extend(found.families.iter().cloned());
    }
    merge(&mut row.dialect, &own.into_iter().collect());
    row.families.extend(families);
    row
}

fn merge(all: &mut Table<Protocol, Patch>, more: &BTreeMap<Protocol, Patch>) {
    for (protocol, patch) in more {
        let mut own = all.get(protocol).cloned().unwrap_or_default();
        own.merge(patch);
        all.insert(*protocol, own);
    }
}

fn rows() -> impl Iterator<Item = (Provider, Vec<String>)> {
    FILES.iter().flat_map(|name| read::<RowFile>(name).provider).map(row)
}

/// The table, and that of the rows that speak Chat Completions alone.
fn tables() -> [String; 2] {
    let (mut table, mut chat) = (String::new(), String::new());
    for shared in read::<SharedFile>("shared").shared {
        let line = json!({ "dialect": shared.dialect, "families": shared.families });
        let _ = writeln!(table, "*{} {line}", shared.name);
    }
    let mut numbers = BTreeMap::new();
    for (number, (row, like)) in rows().enumerate() {
        let words: Vec<_> = std::iter::once(&row.id).chain(&row.aliases).map(AsRef::as_ref).collect();
        for word in &words {
            let taken = numbers.insert((*word).to_owned(), number);
            assert!(taken.is_none(), "`{word}` means two providers");
        }
        let mut line = serde_json::to_value(&row).unwrap();
        if !like.is_empty() {
            line["like"] = json!(like);
        }
        let speaks_chat_alone = row.endpoints.iter().all(|end| end.protocol == Protocol::OpenaiChat);
        let of = if speaks_chat_alone && !row.endpoints.is_empty() { &mut chat } else { &mut table };
        let _ = writeln!(of, "{number} {line}");
    }
    let numbers: Vec<_> = numbers.iter().map(|(word, number)| format!("{word}:{number}")).collect();
    let _ = writeln!(table, "={}", numbers.join(" "));
    [table, chat]
}

#[test]
fn the_table_is_made_from_the_files() {
    for (name, made) in ["table.txt", "chat.txt"].into_iter().zip(tables()) {
        let path = folder().join(name);
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &made).unwrap();
            continue;
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == made, "catalog/{name} is stale: run with UPDATE_EXPECTED=1");
    }
}

#[test]
fn the_rows_of_the_table_are_those_of_the_files() {
    let shared = read::<SharedFile>("shared").shared;
    let made: Vec<_> = rows().map(|(row, like)| whole(row, &like, &shared)).collect();
    for row in &made {
        row.check().unwrap();
    }
    let kept: Vec<_> = interlingua_wire::catalog::all().collect();
    assert_eq!(made.len(), kept.len());
    for (made, kept) in made.iter().zip(kept) {
        assert_eq!(made, kept, "the table has another row of `{}`", made.id);
    }
}
