//! The manual says what the program says.

use std::path::Path;

use crate::il::Il;

/// Each help text stands in the manual behind a comment with its command line. Run with `UPDATE_DOCS=1` to write them anew.
#[test]
fn help_texts_in_the_manual_are_those_of_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/il.md");
    let manual = std::fs::read_to_string(&path).unwrap();
    let mut found = 0;
    let renewed: Vec<String> = manual
        .split_inclusive("<!-- help: ")
        .enumerate()
        .map(|(index, block)| {
            let Some((command, _)) = block.split_once(" -->").filter(|_| index > 0) else {
                return block.to_owned();
            };
            found += 1;
            let help = Il::new(command.split(' ').skip(1)).run().ended(0).out;
            let help: Vec<_> = help.lines().map(str::trim_end).collect();
            let (_, after) = block.split_once("\n```\n").expect("a block that ends");
            format!("{command} -->\n```text\n{}\n```\n{after}", help.join("\n").trim_end())
        })
        .collect();
    let renewed = renewed.concat();
    assert!(found >= 5, "{found} help texts");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, renewed).unwrap();
        return;
    }
    assert!(manual == renewed, "docs/il.md is out of date: run the test with UPDATE_DOCS=1");
}

#[test]
fn every_exit_code_is_in_the_manual() {
    let manual = include_str!("../../../../docs/il.md");
    let codes = include_str!("../../src/exit.rs").lines().filter_map(|line| {
        let (name, number) = line.trim().trim_end_matches(',').split_once(" = ")?;
        let number: u8 = number.parse().ok()?;
        name.chars().all(char::is_alphanumeric).then_some(number)
    });
    let codes: Vec<_> = codes.collect();
    assert!(codes.len() >= 15, "{codes:?}");
    for code in codes {
        assert!(manual.contains(&format!("\n| {code} |")), "exit code {code} is not in docs/il.md");
    }
}

#[test]
fn the_version_is_told() {
    let ran = Il::new(["--version"]).run().ended(0);
    assert_eq!(ran.out, format!("il {}\n", env!("CARGO_PKG_VERSION")));
}
