//! `cargo xtask bench-peers`: the library beside others and beside floors, on the same work.
//!
//! The comparison itself (server, harness, the clients of the others) lies outside the project, in a folder that is copied
//! and built below `target`. Here are our client, the order of the runs, and the ratios.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::root;

mod adopt;
mod responses;

/// The libraries that are measured unless others are named.
const PEERS: [&str; 6] = ["genai", "rig", "async-openai", "llm", "misanthropic", "llm-connector"];
/// Where the server listens.
const PORT: &str = "18095";

/// A part of the comparison: what `drive.py` calls it, the floor of its ratios, the columns that name a row, the figure, which
/// may be the difference of two.
struct Part {
    name: &'static str,
    floor: &'static str,
    keys: &'static [&'static str],
    figure: &'static str,
    floors: &'static [&'static str],
}

const PARTS: [Part; 6] = [
    Part {
        name: "decode",
        floor: "reqwest-raw",
        keys: &["proto", "kind", "framing"],
        figure: "cpu_us",
        floors: &["reqwest-raw", "reqwest-lines+typed", "hyper-lines+typed"],
    },
    Part {
        name: "req",
        floor: "reqwest-lines+typed",
        keys: &["proto", "conc"],
        figure: "cpu_us",
        floors: &["reqwest-lines+typed", "hyper-lines+typed"],
    },
    Part {
        name: "conc",
        floor: "hyper-lines+typed",
        keys: &["proto", "ms"],
        figure: "cpu_s",
        floors: &["hyper-lines+typed", "reqwest-lines+typed"],
    },
    Part {
        name: "big",
        floor: "reqwest-lines+typed",
        keys: &["proto", "size"],
        figure: "cpu_ms",
        floors: &["reqwest-lines+typed"],
    },
    Part {
        name: "reuse",
        floor: "reqwest-lines+typed",
        keys: &["proto"],
        figure: "conns",
        floors: &["reqwest-lines+typed"],
    },
    Part {
        name: "slow",
        floor: "reqwest-lines+typed",
        keys: &["proto"],
        figure: "rss_after_stall_kb-rss0_kb",
        floors: &["reqwest-lines+typed"],
    },
];

/// Runs the comparison. `--adopt` measures what it costs to take a library
/// up, in place of what it costs to run. `--quick` leaves out the other libraries, `--only A,B` picks some, `--from FOLDER` says where the
/// comparison lies.
pub(crate) fn run(flags: &[&str]) -> Result<(), String> {
    let (mut peers, mut from) = (PEERS.map(str::to_owned).to_vec(), root().join("../shared/bench"));
    let mut adopt = false;
    let mut rest = flags.iter();
    while let Some(flag) = rest.next() {
        match (*flag, rest.as_slice().first()) {
            ("--quick", _) => peers.clear(),
            ("--adopt", _) => adopt = true,
            ("--only", Some(names)) => peers = names.split(',').map(str::to_owned).collect(),
            ("--from", Some(folder)) => from = PathBuf::from(folder),
            _ => return Err(format!("bench-peers takes no `{flag}`, or not without a value")),
        }
        if !matches!(*flag, "--quick" | "--adopt") {
            rest.next();
        }
    }
    if !from.join("drive.py").exists() {
        return Err(format!(
            "the comparison is not in {}: say where it is with --from FOLDER",
            from.display()
        ));
    }
    let place = root().join("target/bench-peers");
    prepare(&from, &place)?;
    if adopt {
        return adopt::run(&place, &peers);
    }
    build(&place, &peers)?;
    let mut server = Server::start(&place)?;
    for part in &PARTS {
        drive(&place, part, &peers)?;
        print!("{}", table(part, &read(&place, part.name)?));
    }
    server.stop();
    responses::run(&place)?;
    Ok(())
}

/// Builds the clients and the server. The script says nothing of a failure, so an older binary is removed first.
fn build(place: &Path, peers: &[String]) -> Result<(), String> {
    let clients: Vec<&str> =
        ["interlingua", "sse"].into_iter().chain(peers.iter().map(String::as_str)).collect();
    let binary = |client: &&str| place.join("target/release").join(format!("c-{client}"));
    for old in clients.iter().map(binary).filter(|old| old.exists()) {
        std::fs::remove_file(&old).map_err(|error| format!("{}: {error}", old.display()))?;
    }
    let mut script = Command::new("bash");
    script.arg("clients/build.sh").args(&clients).current_dir(place);
    succeed(script, "the clients cannot be built")?;
    match clients.iter().find(|client| !binary(client).exists()) {
        None => Ok(()),
        Some(client) => {
            Err(format!("the client of {client} was not built: see above, or leave it out with --only"))
        }
    }
}

/// Copies the comparison and adds our client to it.
fn prepare(from: &Path, place: &Path) -> Result<(), String> {
    std::fs::create_dir_all(place).map_err(|error| format!("{}: {error}", place.display()))?;
    let mut copy = Command::new("cp");
    // What is copied may be read-only, and is changed here.
    copy.args(["-r", "--no-preserve=mode", "--remove-destination"]).arg(from.join(".")).arg(place);
    succeed(copy, "the comparison cannot be copied")?;
    let ours = place.join("clients/interlingua");
    let client = root().join("xtask/bench/interlingua");
    write(&ours.join("Cargo.toml"), &client_manifest(&client)?)?;
    write(&ours.join("src/main.rs"), &read_text(&client.join("main.rs"))?)?;
    let driver = place.join("drive.py");
    write(&driver, &with_ours(&read_text(&driver)?)?)
}

/// The manifest of a program of ours, with the place of the library in it.
fn client_manifest(source: &Path) -> Result<String, String> {
    let library = root().join("crates/interlingua").display().to_string();
    Ok(read_text(&source.join("Cargo.toml.in"))?.replace("@INTERLINGUA@", &library))
}

/// The driver, with our client among those that it knows.
pub(crate) fn with_ours(driver: &str) -> Result<String, String> {
    let list = "'multi-llm']}";
    let ours = "'multi-llm', 'interlingua']}";
    let anthropic = "('genai', 'rig', 'misanthropic', 'llm-connector')";
    if driver.contains(ours) {
        return Ok(driver.to_owned());
    }
    if !driver.contains(list) {
        return Err("drive.py has no list of clients that ends in `multi-llm`".to_owned());
    }
    let more = "('genai', 'rig', 'misanthropic', 'llm-connector', 'interlingua')";
    Ok(driver.replacen(list, ours, 1).replacen(anthropic, more, 1))
}

fn drive(place: &Path, part: &Part, peers: &[String]) -> Result<(), String> {
    let results = place.join("results").join(format!("{}.jsonl", part.name));
    if results.exists() {
        std::fs::remove_file(&results).map_err(|error| error.to_string())?;
    }
    let names: Vec<&str> =
        part.floors.iter().copied().chain(["interlingua"]).chain(peers.iter().map(String::as_str)).collect();
    println!("== {}: {}", part.name, names.join(", "));
    let mut driver = Command::new("python3");
    driver.args(["drive.py", part.name]).current_dir(place);
    driver.env("ONLY", names.join(",")).env("ROUNDS", "3").env("REPS", "5").env("MS", "50").env("PORT", PORT);
    driver.stdout(Stdio::null());
    succeed(driver, "the comparison failed")
}

fn read(place: &Path, part: &str) -> Result<Vec<Value>, String> {
    let lines = read_text(&place.join("results").join(format!("{part}.jsonl")))?;
    lines.lines().map(|line| serde_json::from_str(line).map_err(|error| format!("{part}: {error}"))).collect()
}

/// The median figure of every client in every kind of run, and its ratio to the floor of that kind. A run that failed or
/// lost something has no figure: it is named below the table.
fn table(part: &Part, rows: &[Value]) -> String {
    let mut kinds: BTreeMap<String, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    let mut failed = BTreeSet::new();
    for row in rows {
        let kind: Vec<String> = part
            .keys
            .iter()
            .map(|key| row[*key].as_str().map_or_else(|| row[*key].to_string(), str::to_owned))
            .collect();
        let (kind, name) = (kind.join(" "), row["name"].as_str().unwrap_or("?"));
        match (failure(row), figure(row, part.figure)) {
            (None, Some(figure)) => {
                kinds.entry(kind).or_default().entry(name.to_owned()).or_default().push(figure);
            }
            (why, _) => drop(failed.insert(format!("  {kind:<24} {name:<22} {}\n", why.unwrap_or_default()))),
        }
    }
    let mut out = format!("\n{}: median {}, ratio to {}\n", part.name, part.figure, part.floor);
    for (kind, clients) in kinds {
        let floor = clients.get(part.floor).map(|figures| median(figures));
        let mut lines: Vec<(f64, String)> = clients
            .iter()
            .map(|(name, figures)| {
                let figure = median(figures);
                let ratio = floor
                    .map_or_else(|| "no floor ran".to_owned(), |floor| format!("{:8.2} x", figure / floor));
                (figure, format!("  {kind:<24} {name:<22} {figure:>10.2} {ratio}\n"))
            })
            .collect();
        lines.sort_by(|one, other| one.0.total_cmp(&other.0));
        out.extend(lines.into_iter().map(|(_, line)| line));
    }
    if !failed.is_empty() {
        out.push_str("without a figure:\n");
        out.extend(failed);
    }
    out
}

/// A figure of a row, or the difference of two.
fn figure(row: &Value, name: &str) -> Option<f64> {
    match name.split_once('-') {
        Some((later, earlier)) => Some(row[later].as_f64()? - row[earlier].as_f64()?),
        None => row[name].as_f64(),
    }
}

/// Why a run counts for nothing: an error, or fewer deltas than were sent. A floor that reads bytes alone counts chunks.
fn failure(row: &Value) -> Option<String> {
    let text = |key: &str| row[key].as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let errors = row["errs"].as_u64().filter(|errors| *errors > 0).map(|errors| format!("{errors} errors"));
    let counts_deltas = !row["name"].as_str().is_some_and(|name| name.ends_with("-raw"));
    let lost = row["got"].as_u64().zip(row["n"].as_u64()).filter(|(got, sent)| counts_deltas && got < sent);
    let lost = lost.map(|(got, sent)| format!("{got} of {sent} deltas came"));
    let result = text("res").filter(|result| result != "ok");
    text("skip").or(result).or_else(|| text("err")).or(errors).or(lost)
}

/// The middle figure; of an even number, the upper one of the two in the middle.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The server of the comparison, on a core of its own where there is a choice.
struct Server(Child);

impl Server {
    fn start(place: &Path) -> Result<Self, String> {
        let mut command = Command::new("taskset");
        command.args(["-c", "1", "target/release/mock", PORT]).current_dir(place).stdout(Stdio::null());
        let child = command.spawn().map_err(|error| format!("the server cannot be started: {error}"))?;
        let server = Self(child);
        listens(PORT).map(|()| server)
    }

    fn stop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until a server listens.
fn listens(port: &str) -> Result<(), String> {
    for _ in 0..200 {
        if std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok() {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    Err("the server does not listen".to_owned())
}

fn succeed(mut command: Command, what: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{what}: {error}"))?;
    if status.success() { Ok(()) } else { Err(what.to_owned()) }
}

fn read_text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_added_once() {
        let driver = "CLIENTS = {n: n for n in ['genai', 'multi-llm']}";
        let once = with_ours(driver).unwrap();
        assert_eq!(once, "CLIENTS = {n: n for n in ['genai', 'multi-llm', 'interlingua']}");
        assert_eq!(with_ours(&once).unwrap(), once);
        assert!(with_ours("").is_err());
    }

    #[test]
    fn ratios_are_those_of_the_floor_of_the_same_kind() {
        let rows = [
            "reqwest-lines+typed 2.0 1",
            "reqwest-lines+typed 4.0 1",
            "interlingua 6.0 1",
            "interlingua 9.0 64",
        ];
        let rows: Vec<Value> = rows
            .iter()
            .map(|row| {
                let words: Vec<&str> = row.split(' ').collect();
                let figure: f64 = words[1].parse().unwrap();
                serde_json::json!({"name": words[0], "cpu_us": figure, "proto": "openai", "conc": words[2]})
            })
            .collect();
        let printed = table(&PARTS[1], &rows);
        assert!(printed.contains("    1.50 x"), "{printed}");
        assert!(printed.contains("openai 64") && printed.contains("no floor ran"), "{printed}");
        assert!(!printed.contains("without a figure"), "{printed}");
    }

    #[test]
    fn a_figure_may_be_what_grew() {
        let row = |name: &str, after: u64| serde_json::json!({"name": name, "proto": "openai", "res": "ok", "rss0_kb": 100, "rss_after_stall_kb": after});
        let printed = table(&PARTS[5], &[row("reqwest-lines+typed", 300), row("interlingua", 400)]);
        assert!(printed.contains("300.00     1.50 x"), "{printed}");
    }

    #[test]
    fn a_run_that_lost_something_has_no_figure() {
        let row = |name: &str, got: u64, err: &str| serde_json::json!({"name": name, "cpu_us": 1.0, "proto": "openai", "kind": "text", "framing": "ev", "n": 9, "got": got, "err": err});
        let printed =
            table(&PARTS[0], &[row("reqwest-raw", 3, ""), row("lossy", 8, ""), row("cut", 9, "eof")]);
        assert!(printed.contains("8 of 9 deltas came") && printed.contains("eof"), "{printed}");
        assert!(printed.contains("1.00 x") && printed.matches(" x\n").count() == 1, "{printed}");
    }
}
