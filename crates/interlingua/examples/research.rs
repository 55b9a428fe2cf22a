//! A run that gives parts of its work to runs of their own, which look things up.
//!
//! `cargo run --example research --features macros -- openai/gpt-6-sol "What is the oldest city?"`

#![cfg_attr(not(test), expect(clippy::print_stdout, reason = "an example prints"))]

use std::error::Error;

use interlingua::{Client, Request, Run, RunLimits, Runner, Toolbox, tool};

/// An entry of the encyclopaedia.
#[tool(idempotent)]
async fn look_up(
    /// What to look for.
    word: String,
) -> Result<String, String> {
    match word.to_lowercase().as_str() {
        "jericho" => Ok("Jericho: walls of about 8000 BC.".into()),
        "damascus" => Ok("Damascus: lived in since about 9000 BC, as some say.".into()),
        _ => Err(format!("there is no entry for {word}")),
    }
}

/// Answers a question. Each part of it is looked into by a run of its own, at most eight answers long.
///
/// # Errors
/// When the model is not done in the end.
pub(crate) async fn research(
    client: &Client,
    model: &str,
    question: &str,
) -> Result<Run, interlingua::RunError> {
    let inside = Runner::new(client).tools(&Toolbox::new().add(look_up::tool()));
    let task = Request::new(model).system("Look things up, and say what you found and where.");
    let researcher = inside.into_tool(
        "research",
        "Looks into one part of the question.",
        task,
        RunLimits::default().turns(8),
    );
    let request = Request::new(model)
        .system("Split the question into parts, have each researched, then answer in one sentence.")
        .user(question);
    Runner::new(client).tools(&Toolbox::new().add(researcher)).complete(request).await
}

#[cfg_attr(test, expect(dead_code, reason = "tests call what is above"))]
fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(model), Some(question)) = (words.next(), words.next()) else {
        return Err("usage: research MODEL QUESTION".into());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = runtime.block_on(research(&Client::from_env()?, &model, &question))?;
    println!("{}\n{:?} tokens in all", run.text(), run.spent().tokens());
    Ok(())
}
