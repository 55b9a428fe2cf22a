//! `cargo xtask sdk`: the vendors' own SDKs against the server halves.
//!
//! A server on loopback says what a scenario says, through the server half of a protocol; scripts in `xtask/sdk` ask
//! it with the SDKs and print what these returned; it is held against what was written down. The other way round, the
//! SDKs compose rich requests, which are read, written again and compared.

mod expect;
pub(crate) mod kit;
mod meaning;
mod mirror;
mod scenario;
mod server;

use std::collections::BTreeMap;

use interlingua_wire::Protocol;
use serde_json::{Value, json};

use expect::{Question, Way};
use kit::Language;
use mirror::Mirrored;
use scenario::Scenario;
use server::Server;

/// What the command line says.
#[derive(Debug, Default)]
struct Options {
    only: Option<Language>,
    skip_missing: bool,
}

/// What came of the questions: what was asked, and each difference.
#[derive(Debug, Default)]
struct Outcome {
    /// By scenario and then by column: the ways that were asked, and whether each is right.
    rows: BTreeMap<usize, BTreeMap<String, Vec<(String, bool)>>>,
    differences: Vec<String>,
    checks: usize,
}

pub(crate) fn run(flags: &[&str]) -> Result<(), String> {
    let options = options(flags)?;
    let (mut outcome, mut left_out) = (Outcome::default(), Vec::new());
    for language in Language::ALL {
        if options.only.is_some_and(|only| only != language) {
            continue;
        }
        match language.missing() {
            Some(tool) if options.skip_missing => left_out.push((language, tool)),
            Some(tool) => {
                return Err(format!("{tool} was not found: install it, or leave {} out", language.name()));
            }
            None => ask_all(language, &mut outcome)?,
        }
    }
    print(&outcome);
    for (language, tool) in left_out {
        println!("NOT RUN: the SDKs for {}, because {tool} was not found", language.name());
    }
    match outcome.differences.len() {
        0 => Ok(()),
        count => Err(format!("{count} differences between what the SDKs returned and what was said")),
    }
}

fn options(flags: &[&str]) -> Result<Options, String> {
    let (mut options, mut words) = (Options::default(), flags.iter());
    while let Some(word) = words.next() {
        match *word {
            "--skip-missing" => options.skip_missing = true,
            "--only" => {
                let name = words.next().copied().unwrap_or_default();
                let language = Language::ALL.into_iter().find(|language| language.name() == name);
                options.only = Some(language.ok_or("--only takes `python` or `javascript`")?);
            }
            word => return Err(format!("sdk takes no `{word}`")),
        }
    }
    Ok(options)
}

/// Asks the vendors' SDKs of a language everything.
fn ask_all(language: Language, outcome: &mut Outcome) -> Result<(), String> {
    language.install()?;
    for (vendor, protocols) in language.vendors() {
        let server = Server::start()?;
        let questions = questions(language, vendor, protocols);
        let plan: Vec<Value> = questions.iter().copied().map(planned).collect();
        let printed = language.ask(vendor, &[&server.url(), &Value::Array(plan).to_string()])?;
        let mut lines = printed.lines();
        for question in questions {
            outcome.take(question, lines.next().unwrap_or_default());
        }
        let mirrored = server.mirrored();
        for &protocol in protocols {
            outcome.mirror(language, vendor, protocol, &mirrored);
        }
    }
    Ok(())
}

fn questions(language: Language, vendor: &'static str, protocols: &[Protocol]) -> Vec<Question> {
    let mut questions = Vec::new();
    for &protocol in protocols {
        for scenario in Scenario::ANSWERS.into_iter().chain([Scenario::Rich]) {
            let ways = scenario.ways(vendor, protocol).iter();
            questions.extend(ways.map(|&way| Question { language, vendor, protocol, scenario, way }));
        }
    }
    questions
}

fn planned(question: Question) -> Value {
    json!([question.protocol.id(), question.scenario.name(), question.way.name()])
}

impl Outcome {
    /// Holds what a script printed against what must come back.
    fn take(&mut self, question: Question, line: &str) {
        let came: Value = serde_json::from_str(line).unwrap_or_default();
        let (asked, returned) = (planned(question), came.get(3).unwrap_or(&Value::Null));
        let is_answer = asked.as_array().is_some_and(|asked| {
            asked.iter().enumerate().all(|(number, word)| came.get(number) == Some(word))
        });
        let lines = if !is_answer {
            vec!["the script printed nothing of it".to_owned()]
        } else if question.way == Way::Rich {
            let error = returned.get("error").unwrap_or(&Value::Null);
            if error.is_null() { Vec::new() } else { vec![format!("$.error: {error}")] }
        } else {
            meaning::unequal(&expect::expected(question), returned)
        };
        self.note(question, question.way.name(), &lines);
    }

    /// What came of the rich requests of one SDK; of the first in each protocol it is held against what was written
    /// down that it was understood.
    fn mirror(
        &mut self,
        language: Language,
        vendor: &'static str,
        protocol: Protocol,
        mirrored: &[Mirrored],
    ) {
        let own: Vec<&Mirrored> = mirrored.iter().filter(|each| each.protocol == protocol).collect();
        let question = Question { language, vendor, protocol, scenario: Scenario::Rich, way: Way::Rich };
        let (wanted, count) = (expect::outline(vendor, protocol), expect::rich_requests(vendor, protocol));
        if own.len() != count {
            self.note(question, "requests", &[format!("{} of {count} came", own.len())]);
        }
        for (number, each) in own.iter().enumerate() {
            let mode = if each.streamed { "streamed" } else { "whole" };
            let mut lines = each.differences.clone();
            if number == 0 {
                lines.extend(meaning::unequal(&json!(wanted), &json!(each.outline)));
            }
            self.note(question, &format!("request {} ({mode})", number + 1), &lines);
        }
    }

    fn note(&mut self, question: Question, way: &str, lines: &[String]) {
        self.checks += 1;
        let scenario = question.scenario;
        let spoken = if question.is_mistral() { question.vendor } else { question.protocol.id() };
        let column = format!("{spoken} {}", question.language.name());
        let row = Scenario::ANSWERS.iter().position(|each| *each == scenario).unwrap_or(usize::MAX);
        let place = format!("{column}, {}, {way}", scenario.name());
        self.rows.entry(row).or_default().entry(column).or_default().push((way.to_owned(), lines.is_empty()));
        self.differences.extend(lines.iter().map(|line| format!("{place}: {line}")));
    }
}

fn print(outcome: &Outcome) {
    for (row, columns) in &outcome.rows {
        let scenario = Scenario::ANSWERS.get(*row).copied().unwrap_or(Scenario::Rich);
        for (column, ways) in columns {
            let ways: Vec<String> = ways
                .iter()
                .map(|(way, right)| format!("{way} {}", if *right { "ok" } else { "DIFFERS" }))
                .collect();
            println!("{:<12} {column:<28} {}", scenario.name(), ways.join("  "));
        }
    }
    for difference in &outcome.differences {
        println!("{difference}");
    }
    println!("{} checks, {} differences", outcome.checks, outcome.differences.len());
}
