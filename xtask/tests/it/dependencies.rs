//! Which way dependencies point, and what they may bring in.

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;

use crate::metadata::{Metadata, Package, root};

/// What each crate of the workspace may depend on among its own, itself left out.
const ARROWS: &[(&str, &[&str])] = &[
    ("interlingua-model", &[]),
    ("interlingua-catalog", &["interlingua-model"]),
    ("interlingua-wire", &["interlingua-model"]),
    ("interlingua-macros", &[]),
    ("interlingua", &["interlingua-catalog", "interlingua-macros", "interlingua-model", "interlingua-wire"]),
    ("interlingua-local", &["interlingua-model"]),
    ("interlingua-mcp", &["interlingua"]),
    (
        "interlingua-cli",
        &["interlingua", "interlingua-model", "interlingua-wire", "interlingua-local", "interlingua-mcp"],
    ),
    ("xtask", &["interlingua-catalog", "interlingua-model", "interlingua-wire"]),
    ("soak", &["interlingua"]),
];

/// What the pure crates may depend on outside of the workspace: nothing here does I/O.
const PURE: &[(&str, &[&str])] = &[
    ("interlingua-model", &["base64", "serde", "serde_json"]),
    ("interlingua-catalog", &["serde", "serde_json"]),
    ("interlingua-wire", &["base64", "bytes", "crc32fast", "http", "memchr", "serde", "serde_json"]),
];

#[test]
fn every_arrow_points_down() {
    let metadata = Metadata::read();
    let members = metadata.members();
    let names: BTreeSet<&str> = members.iter().map(|package| &*package.name).collect();
    for package in &members {
        let (_, allowed) = ARROWS.iter().find(|(name, _)| *name == package.name).unwrap_or_else(|| {
            panic!("{} is new: say in ARROWS what it may depend on", package.name);
        });
        for dependency in normal(package).filter(|name| names.contains(name)) {
            assert!(allowed.contains(&dependency), "{} must not depend on {dependency}", package.name);
        }
    }
}

#[test]
fn the_pure_crates_stay_pure() {
    let metadata = Metadata::read();
    for (name, allowed) in PURE {
        let package = metadata.packages.iter().find(|package| package.name == *name).unwrap();
        for dependency in normal(package).filter(|dependency| !dependency.starts_with("interlingua")) {
            assert!(allowed.contains(&dependency), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn the_library_builds_with_the_promised_rust() {
    let metadata = Metadata::read();
    let promised = metadata.members().into_iter().find(|package| package.name == "interlingua").unwrap();
    let promised = version(promised.rust_version.as_deref().unwrap());
    for package in metadata.tree("interlingua") {
        let Some(wanted) = &package.rust_version else { continue };
        assert!(
            version(wanted) <= promised,
            "{} {} wants Rust {wanted}, the workspace promises {promised:?}",
            package.name,
            package.version
        );
    }
}

#[test]
fn licences_and_bans_hold() {
    let rules = Rules::read();
    let metadata = Metadata::read();
    for name in ["interlingua", "interlingua-mcp", "interlingua-cli"] {
        for package in metadata.tree(name) {
            assert!(!rules.is_banned(&package.name), "{} is banned by deny.toml", package.name);
            let licence = package.license.as_deref().unwrap_or("none");
            assert!(
                rules.allow(licence),
                "{} has the licence {licence}, which deny.toml does not allow",
                package.name
            );
        }
    }
}

#[derive(Deserialize)]
struct Rules {
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    name: String,
}

impl Rules {
    fn read() -> Self {
        toml::from_str(&fs::read_to_string(root().join("deny.toml")).unwrap()).unwrap()
    }

    fn is_banned(&self, name: &str) -> bool {
        self.bans.deny.iter().any(|banned| banned.name == name)
    }

    /// An expression holds when each of its `AND` terms has an `OR` alternative that is allowed.
    fn allow(&self, expression: &str) -> bool {
        let flat = expression.replace(['(', ')'], " ").replace('/', " OR ");
        flat.split(" AND ")
            .all(|term| term.split(" OR ").any(|name| self.licenses.allow.contains(&name.trim().to_owned())))
    }
}

fn normal(package: &Package) -> impl Iterator<Item = &str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind.is_none())
        .map(|dependency| &*dependency.name)
}

fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|part| part.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap_or(0))
}
