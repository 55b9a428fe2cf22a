//! The files of the catalogue and the table that is made from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use interlingua_wire::{Family, Patch, Protocol, Provider};
use serde::Deserialize;
use serde_json::Value;

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

/// A row with what it is like put before its own.
fn row(mut fields: serde_json::Map<String, Value>, shared: &[Shared]) -> Provider {
    let like: Vec<String> =
        fields.remove("like").map_or_else(Vec::new, |like| serde_json::from_value(like).unwrap());
    let whole = serde_json::to_string(&fields).unwrap();
    let mut row: Provider = serde_json::from_str(&whole).unwrap_or_else(|error| panic!("{error}: {whole}"));
    let own = std::mem::take(&mut row.dialect);
    let families = std::mem::take(&mut row.families);
    for name in like {
        let found = shared.iter().find(|shared| shared.name == name);
        let found = found.unwrap_or_else(|| panic!("{} is like `{name}`, which is not shared", row.id));
        merge(&mut row.dialect, &found.dialect);
        row.families.extend(found.families.iter().cloned());
    }
    merge(&mut row.dialect, &own);
    row.families.extend(families);
    row
}

fn merge(all: &mut BTreeMap<Protocol, Patch>, more: &BTreeMap<Protocol, Patch>) {
    for (protocol, patch) in more {
        all.entry(*protocol).or_default().merge(patch);
    }
}

fn table() -> String {
    let shared = read::<SharedFile>("shared").shared;
    let mut table = String::new();
    for fields in FILES.iter().flat_map(|name| read::<RowFile>(name).provider) {
        let row = row(fields, &shared);
        row.check().unwrap();
        let words: Vec<_> = std::iter::once(&row.id).chain(&row.aliases).map(AsRef::as_ref).collect();
        let _ = writeln!(table, "{} {}", words.join(" "), serde_json::to_string(&row).unwrap());
    }
    table
}

#[test]
fn the_table_is_made_from_the_files() {
    let path = folder().join("table.txt");
    let made = table();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, &made).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "catalog/table.txt is stale: run with UPDATE_EXPECTED=1");
}
