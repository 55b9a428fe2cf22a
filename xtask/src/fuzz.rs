//! `cargo xtask fuzz`: the laws of the codecs, tried with any bytes.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crate::root;
use crate::targets::{self, Seeds, TARGETS, Target, trial};

/// How many targets run at once.
const AT_ONCE: usize = 2;
/// How many changed inputs each target is given without a fuzzer.
const ROUNDS: usize = 3_000;
/// How long each target runs by default, in seconds.
const SECONDS: u64 = 30;

pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if let ["--try", target, files @ ..] = arguments {
        return retry(target, files);
    }
    let (seconds, targets) = choice(arguments)?;
    if !is_ready() {
        println!(
            "== fuzz: cargo-fuzz or a nightly compiler is not installed; changed cases are tried instead"
        );
        let seeds = seeds(None);
        return targets.iter().try_for_each(|target| {
            let inputs = seeds.of(target);
            trial(target, &inputs, ROUNDS)?;
            println!("== fuzz: {} held for {} inputs", target.name, inputs.len() + ROUNDS);
            Ok(())
        });
    }
    let started = Instant::now();
    let corpus = corpus();
    let seeds = seeds(corpus.as_deref());
    for target in &targets {
        plant(target, &seeds.of(target))?;
    }
    cargo_fuzz(&["build"]).status().map_err(|error| error.to_string()).and_then(|status| {
        if status.success() { Ok(()) } else { Err("the fuzz targets do not build".to_owned()) }
    })?;
    println!("== fuzz: seeds and build took {} s", started.elapsed().as_secs());
    race(&targets, seconds)
}

/// Tries inputs that were found, without a fuzzer.
fn retry(target: &str, files: &[&str]) -> Result<(), String> {
    choice(&[target])?;
    if files.is_empty() {
        return Err("--try takes a target and the files of the inputs".to_owned());
    }
    for file in files {
        let input = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        targets::run(target, &input);
        println!("{target} holds for {file}");
    }
    Ok(())
}

/// Whether a fuzzer and the compiler that it needs are installed.
pub(crate) fn is_ready() -> bool {
    cargo_fuzz(&["--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn choice(arguments: &[&str]) -> Result<(u64, Vec<&'static Target>), String> {
    let (seconds, names) = match arguments {
        ["--seconds", number, names @ ..] => {
            (number.parse().map_err(|_| format!("`{number}` is no number of seconds"))?, names)
        }
        names => (SECONDS, names),
    };
    let find = |name: &&str| {
        TARGETS
            .iter()
            .find(|target| target.name == *name)
            .ok_or_else(|| format!("there is no target `{name}`"))
    };
    let found: Vec<&Target> = names.iter().map(find).collect::<Result<_, _>>()?;
    Ok((seconds, if found.is_empty() { TARGETS.iter().collect() } else { found }))
}

/// Recorded traffic, where it is present.
fn corpus() -> Option<PathBuf> {
    let folder =
        std::env::var_os("INTERLINGUA_CORPUS").map_or_else(|| root().join("../shared/corpus"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

fn seeds(corpus: Option<&Path>) -> Seeds {
    Seeds::read(&root().join("crates/interlingua-wire/tests/cases"), corpus)
}

/// Writes the inputs that a target begins with.
fn plant(target: &Target, seeds: &[Vec<u8>]) -> Result<(), String> {
    let folder = root().join("fuzz/corpus").join(target.name);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for (number, seed) in seeds.iter().enumerate() {
        let path = folder.join(format!("seed-{number:05}"));
        fs::write(&path, seed).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Runs the targets, some at a time, and says which were broken.
fn race(targets: &[&'static Target], seconds: u64) -> Result<(), String> {
    let queue: Mutex<VecDeque<&Target>> = Mutex::new(targets.iter().copied().collect());
    let next = || queue.lock().ok().and_then(|mut queue| queue.pop_front());
    let broken = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(target) = next() {
                    if let (Err(message), Ok(mut broken)) = (fuzz(target, seconds), broken.lock()) {
                        broken.push(message);
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap_or_default();
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n")) }
}

fn fuzz(target: &Target, seconds: u64) -> Result<(), String> {
    let time = format!("-max_total_time={seconds}");
    let limits = ["-max_len=8192", "-rss_limit_mb=2048", "-timeout=20", "-print_final_stats=1"];
    let output = cargo_fuzz(&["run", target.name, "--", &time]).args(limits).output();
    let output = output.map_err(|error| format!("{}: {error}", target.name))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{} is broken:\n{text}", target.name));
    }
    let units = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    println!("== fuzz: {} held for {} inputs", target.name, units.unwrap_or("?").trim());
    Ok(())
}

fn cargo_fuzz(arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "fuzz"]).args(arguments).current_dir(root());
    // The compiler of the caller must not stand in for the nightly.
    for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laws_hold_for_the_cases_and_for_changed_ones() {
        let seeds = seeds(None);
        let mut broken = Vec::new();
        for target in TARGETS {
            let inputs = seeds.of(target);
            assert!(inputs.len() > 3, "{} has no seeds", target.name);
            broken.extend(trial(target, &inputs, ROUNDS).err());
        }
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    #[test]
    fn a_broken_law_is_found() {
        let law = |data: &[u8]| assert!(!data.windows(4).any(|bytes| bytes == b"null"), "null was said");
        let target = Target { name: "no_null", law, food: TARGETS[0].food };
        let found = trial(&target, &[b"{\"a\":1}".to_vec()], ROUNDS).unwrap_err();
        assert!(found.contains("no_null") && found.contains("null"), "{found}");
    }

    #[test]
    fn every_target_has_a_binary() {
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        let mut binaries: Vec<&str> =
            manifest["bin"].as_array().unwrap().iter().filter_map(|bin| bin["name"].as_str()).collect();
        let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        binaries.sort_unstable();
        names.sort_unstable();
        assert_eq!(binaries, names);
    }
}
