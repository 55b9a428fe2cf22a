//! What it costs to take a library up: crates, the processor time of a clean build, the size of the program, and the time
//! to build it again after a change. Each is measured with a minimal program that streams one chat from OpenAI and one
//! from Anthropic.

use std::path::Path;
use std::process::Command;

use super::{read_text, succeed, write};
use crate::root;

/// Our own cases: name and features, in the form of the list of cases.
const OURS: [(&str, &str); 2] = [
    ("interlingua-default", ""),
    ("interlingua-slim", ", default-features = false, features = [\"anthropic\", \"openai-responses\"]"),
];
/// The least that speaks HTTP and TLS.
const FLOOR: &str = "floor-hyper-ring";

/// One line of the results.
struct Cost {
    name: String,
    crates: u32,
    cpu: f64,
    stripped: f64,
    again: f64,
}

/// Measures the floor, this library, and the cases of the others.
pub(super) fn run(place: &Path, peers: &[String]) -> Result<(), String> {
    let folder = place.join("adopt");
    let listed = read_text(&folder.join("cases.txt"))?;
    let ours: String = OURS.iter().map(|(name, features)| line(name, features)).collect();
    write(&folder.join("cases.txt"), &format!("{}\n{ours}", listed.trim_end()))?;
    write(&folder.join("mains/interlingua.rs"), &read_text(&root().join("xtask/bench/adopt/main.rs"))?)?;
    let results = folder.join("results.tsv");
    if results.exists() {
        std::fs::remove_file(&results).map_err(|error| error.to_string())?;
    }
    let mut script = Command::new("bash");
    script.arg("gen.sh").current_dir(&folder);
    succeed(script, "the programs cannot be written")?;
    let cases = cases(&listed, peers);
    println!("== adopt: {}", cases.join(", "));
    let mut script = Command::new("bash");
    script.arg("run.sh").args(&cases).current_dir(&folder);
    succeed(script, "the programs cannot be built")?;
    print!("{}", table(&read_text(&results)?)?);
    Ok(())
}

fn line(name: &str, features: &str) -> String {
    let path = root().join("crates/interlingua");
    format!("{name}|interlingua|interlingua = {{ path = \"{}\"{features} }}\n", path.display())
}

/// The cases to run: a library has one or more, which begin with its name.
fn cases(listed: &str, peers: &[String]) -> Vec<String> {
    let names = listed.lines().filter_map(|line| line.split('|').next());
    let wanted =
        |name: &&str| peers.iter().any(|peer| *name == peer || name.starts_with(&format!("{peer}-")));
    [FLOOR]
        .into_iter()
        .chain(OURS.map(|(name, _)| name))
        .chain(names.filter(wanted))
        .map(String::from)
        .collect()
}

fn table(results: &str) -> Result<String, String> {
    let read: Vec<(&str, Option<Cost>)> =
        results.lines().map(|line| (line.split('\t').next().unwrap_or_default(), cost(line))).collect();
    let costs: Vec<&Cost> = read.iter().filter_map(|(_, cost)| cost.as_ref()).collect();
    let floor = costs.iter().find(|cost| cost.name == FLOOR).ok_or("the floor was not built")?;
    let mut out = format!("\nadopt: cost of a minimal program, ratio to {FLOOR}\n");
    out.push_str("  case                     crates  build, CPU s      stripped MB       built again, s\n");
    out.extend(costs.iter().map(|cost| row(cost, floor)));
    let failed: Vec<String> =
        read.iter().filter(|(_, cost)| cost.is_none()).map(|(name, _)| format!("  {name}\n")).collect();
    if !failed.is_empty() {
        out.push_str("not built:\n");
        out.extend(failed);
    }
    Ok(out)
}

fn row(cost: &Cost, floor: &Cost) -> String {
    let Cost { name, crates, cpu, stripped, again } = cost;
    let (cpu_ratio, size_ratio) = (cpu / floor.cpu, stripped / floor.stripped);
    format!(
        "  {name:<24} {crates:>6}  {cpu:>6.0} {cpu_ratio:>5.2} x  {stripped:>6.2} {size_ratio:>5.2} x  {again:>8.1}\n"
    )
}

/// Reads a line: name, exit status, crates, crates with those of build scripts, clean build (wall, user, system,
/// memory), size, stripped size, two builds after a change (wall, user, system), units, size of the target folder.
fn cost(line: &str) -> Option<Cost> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [name, "rc=0", crates, _, clean, _, stripped, once, twice, ..] = cells.as_slice() else {
        return None;
    };
    let numbers =
        |cell: &str| -> Option<Vec<f64>> { cell.split(' ').map(|word| word.parse().ok()).collect() };
    let (clean, once, twice) = (numbers(clean)?, numbers(once)?, numbers(twice)?);
    Some(Cost {
        name: (*name).to_owned(),
        crates: crates.parse().ok()?,
        cpu: clean.get(1)? + clean.get(2)?,
        stripped: stripped.parse::<f64>().ok()? / 1e6,
        again: once.first()?.min(*twice.first()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "rc=0\t58\t60\t80.1 120.0 17.0 400000\t5000000\t3700000\t1.5 1.0 0.5\t1.2 1.0 0.2\t70\t90MB";

    #[test]
    fn the_costs_stand_beside_the_floor() {
        let results = format!("{FLOOR}\t{LINE}\ninterlingua-slim\t{LINE}\nbroken\trc=101\t1\n");
        let printed = table(&results).unwrap();
        assert!(
            printed.contains("interlingua-slim             58     137  1.00 x    3.70  1.00 x       1.2"),
            "{printed}"
        );
        assert!(printed.ends_with("not built:\n  broken\n"), "{printed}");
        assert!(table("").is_err());
    }

    #[test]
    fn a_name_picks_the_cases_of_a_library() {
        let listed = "rig-default|rig|x\nrigcore-slim|rigcore|x\nllm-slim|llm|x\nllm-connector-default|y|z\n";
        let picked = cases(listed, &["rig".to_owned(), "llm-slim".to_owned()]);
        assert_eq!(picked[3..], ["rig-default", "llm-slim"]);
    }
}
