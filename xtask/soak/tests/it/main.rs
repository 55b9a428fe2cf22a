//! A run of a few seconds, so that the long one can be relied on.

#![cfg(test)]

use std::process::{Command, Output};

fn soak(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_soak")).args(arguments).output().unwrap()
}

/// The figure of a line of the report.
fn figure(report: &str, name: &str) -> u64 {
    let mut lines = report.lines().filter_map(|line| line.trim().strip_prefix(name));
    lines.find_map(|rest| rest.trim().parse().ok()).unwrap_or_else(|| panic!("no `{name}` in {report}"))
}

#[test]
fn a_short_soak_loses_nothing() {
    // The first turns of this seed meet no stall, which would take the client's whole patience.
    let output = soak(&["--seconds", "3", "--conversations", "16", "--seed", "1"]);
    let report = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{report}");
    assert_eq!((figure(&report, "lost"), figure(&report, "wrong")), (0, 0));
    let ways = ["answered", "refused", "cut", "cancelled"].map(|name| figure(&report, name));
    assert_eq!(ways.iter().sum::<u64>(), figure(&report, "sent"));
    assert!(ways[0] > 4 && figure(&report, "retried") > 0, "{report}");
}

#[test]
fn what_is_not_understood_is_an_error() {
    let output = soak(&["--hours", "1"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("soak takes no `--hours`"));
}
