//! A helper that reads and changes the files of one folder, and asks before it changes any.
//!
//! `cargo run --example coding_helper --features macros -- anthropic/claude-sonnet-5 ./folder "Add a README."`

#![cfg_attr(not(test), expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints"))]

use std::error::Error;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use interlingua::{
    Approval, Approvals, BoxFuture, Callable, Client, Delta, Event, FunctionTool, Json, Request, Run,
    RunEvent, RunLimits, Runner, Tool, ToolCall, ToolContext, ToolOutput, Toolbox,
};

/// A folder that no path of a model leads out of.
#[derive(Debug, Clone)]
struct Folder(Arc<PathBuf>);

impl Folder {
    fn inside(&self, path: &str) -> Result<PathBuf, String> {
        let is_inside =
            Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if is_inside { Ok(self.0.join(path)) } else { Err(format!("{path} is outside of the folder")) }
    }
}

/// Reads a file.
struct Read(Folder);

/// Writes a file.
struct Write(Folder);

#[derive(serde::Deserialize)]
struct File {
    path: String,
    #[serde(default)]
    text: String,
}

impl Callable for Read {
    fn definition(&self) -> Tool {
        let schema = r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}"#;
        FunctionTool::new("read", "The text of a file of the folder.", Json::from_text(schema)).into()
    }

    fn call(&self, call: ToolCall, _: ToolContext) -> BoxFuture<'static, ToolOutput> {
        let folder = self.0.clone();
        Box::pin(async move {
            let read = || {
                let file: File = call.input.parse().map_err(|error| error.to_string())?;
                std::fs::read_to_string(folder.inside(&file.path)?).map_err(|error| error.to_string())
            };
            read().into()
        })
    }
}

impl Callable for Write {
    fn definition(&self) -> Tool {
        let schema = r#"{"type":"object","properties":{"path":{"type":"string"},"text":{"type":"string"}},"required":["path","text"]}"#;
        FunctionTool::new("write", "Writes a file of the folder.", Json::from_text(schema)).into()
    }

    fn call(&self, call: ToolCall, context: ToolContext) -> BoxFuture<'static, ToolOutput> {
        let folder = self.0.clone();
        Box::pin(async move {
            let write = || {
                let file: File = call.input.parse().map_err(|error| error.to_string())?;
                context.progress(format!("writing {}", file.path));
                std::fs::write(folder.inside(&file.path)?, file.text).map_err(|error| error.to_string())
            };
            write().into()
        })
    }
}

/// Helps with the files of a folder. `may` is asked before one is written; what the model says is handed to `said`.
///
/// # Errors
/// When the model is not done in the end.
pub(crate) async fn help(
    client: &Client,
    model: &str,
    folder: &Path,
    task: &str,
    may: impl Fn(&ToolCall) -> bool,
    mut said: impl FnMut(&str),
) -> Result<Run, interlingua::RunError> {
    let folder = Folder(Arc::new(folder.to_owned()));
    let read = interlingua::Handler::from(Read(folder.clone())).idempotent(true);
    let tools = Toolbox::new().add(read).add(Write(folder));
    let runner = Runner::new(client).tools(&tools).approvals(Approvals::Harmless);
    let request = Request::new(model).system("You help with the files of a folder.").user(task);
    let mut running = runner.start(Run::new(request).with_limits(RunLimits::default().turns(30)));
    while let Some(event) = running.next().await {
        match event {
            RunEvent::Model(Event::Delta { delta: Delta::Text(text), .. }) => said(&text),
            RunEvent::Undecided { at, call } => {
                let approval =
                    if may(&call) { Approval::Run } else { Approval::Deny("the user said no".into()) };
                running.decide(at, approval).unwrap_or_else(|error| said(&error.to_string()));
            }
            _ => {}
        }
    }
    running.finish().await
}

#[cfg_attr(test, expect(dead_code, reason = "tests call what is above"))]
fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(model), Some(folder), Some(task)) = (words.next(), words.next(), words.next()) else {
        return Err("usage: coding_helper MODEL FOLDER TASK".into());
    };
    let may = |call: &ToolCall| {
        eprintln!("{} {}: is that fine? [y/N]", call.name, call.input);
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).is_ok() && line.trim() == "y"
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = Client::from_env()?;
    let run =
        runtime.block_on(help(&client, &model, Path::new(&folder), &task, may, |text| print!("{text}")))?;
    println!("\n{} answers, {:?} tokens", run.turns(), run.spent().tokens());
    Ok(())
}
