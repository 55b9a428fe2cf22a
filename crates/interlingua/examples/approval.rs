//! A run that waits for a person, in a file, for as long as it takes.
//!
//! ```sh
//! cargo run --example approval --features macros -- run.json anthropic/claude-sonnet-5 "Refund order 7."
//! cargo run --example approval --features macros -- run.json yes
//! ```

#![cfg_attr(not(test), expect(clippy::print_stdout, reason = "an example prints"))]

use std::error::Error;
use std::path::Path;

use interlingua::{Approval, Approvals, Client, Request, Run, Runner, Toolbox, tool};

/// Pays an order back.
#[tool]
async fn refund(
    /// The number of the order.
    order: u32,
) -> String {
    format!("order {order} is paid back")
}

fn runner(client: &Client) -> Runner {
    Runner::new(client).tools(&Toolbox::new().add(refund::tool())).approvals(Approvals::Ask)
}

/// Goes on until the model is done, and returns its answer, or until a call waits, and saves the run.
async fn go_on(client: &Client, run: Run, file: &Path) -> Result<Option<String>, Box<dyn Error>> {
    let mut running = runner(client).start(run);
    while running.next().await.is_some() {}
    if running.run().undecided().next().is_some() {
        std::fs::write(file, serde_json::to_vec(&running.into_run())?)?;
        return Ok(None);
    }
    Ok(Some(running.finish().await?.text()))
}

/// Begins.
///
/// # Errors
/// When the model cannot be asked, or the file cannot be written.
pub(crate) async fn begin(
    client: &Client,
    model: &str,
    task: &str,
    file: &Path,
) -> Result<Option<String>, Box<dyn Error>> {
    go_on(client, Run::new(Request::new(model).user(task)), file).await
}

/// Decides about all calls that wait, perhaps in another process, and goes on.
///
/// # Errors
/// As [`begin`], and when the file holds no run.
pub(crate) async fn decide(
    client: &Client,
    file: &Path,
    allowed: bool,
) -> Result<Option<String>, Box<dyn Error>> {
    let mut run: Run = serde_json::from_slice(&std::fs::read(file)?)?;
    let waiting: Vec<u32> = run.undecided().map(|(at, _)| at).collect();
    for at in waiting {
        let approval = if allowed { Approval::Run } else { Approval::Deny("a person said no".into()) };
        run.decide(at, approval)?;
    }
    go_on(client, run, file).await
}

#[cfg_attr(test, expect(dead_code, reason = "tests call what is above"))]
fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = Client::from_env()?;
    let answer = match words.as_slice() {
        [file, word] => runtime.block_on(decide(&client, Path::new(file), word == "yes"))?,
        [file, model, task] => runtime.block_on(begin(&client, model, task, Path::new(file)))?,
        _ => return Err("usage: approval FILE MODEL TASK, then approval FILE yes|no".into()),
    };
    println!("{}", answer.as_deref().unwrap_or("a call waits: approval FILE yes|no"));
    Ok(())
}
