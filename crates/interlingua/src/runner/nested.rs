use std::sync::Arc;

use interlingua_model::{FunctionTool, Json, Message, Request};

use super::{RunEvent, Runner};
use crate::{Handler, Run, RunLimits, ToolContext, ToolOutput};

/// What a model tells a run within a run.
#[derive(serde::Deserialize)]
struct Task {
    task: String,
}

const SCHEMA: &str = r#"{"type":"object","properties":{"task":{"type":"string","description":"What to do, with everything that is needed to do it."}},"required":["task"],"additionalProperties":false}"#;

impl Runner {
    /// A tool that begins a run of its own for each call: with this runner, on a copy of `request` to which the task is
    /// added, within `limits`. The text of its last answer is the result; what it spends counts for the run outside as
    /// well; its turns and calls are told as progress.
    ///
    /// Calls that nobody decides about end it: its runner should not ask for approval.
    pub fn into_tool(
        self,
        name: impl Into<String>,
        description: impl Into<String>,
        request: Request,
        limits: RunLimits,
    ) -> Handler {
        let definition = FunctionTool::new(name, description, Json::from_text(SCHEMA));
        let shared = Arc::new((self, request));
        Handler::with_context(definition, move |call, context| {
            let shared = Arc::clone(&shared);
            async move {
                match call.input.parse::<Task>() {
                    Ok(Task { task }) => {
                        let (runner, request) = &*shared;
                        let mut request = request.clone();
                        request.messages.push(Message::user(task));
                        runner.nested(Run::new(request).with_limits(limits), &context).await
                    }
                    Err(error) => ToolOutput::error(format!(
                        "the arguments do not fit the schema of this tool: {error}"
                    )),
                }
            }
        })
    }

    async fn nested(&self, run: Run, context: &ToolContext) -> ToolOutput {
        let mut running = self.start(run);
        while let Some(event) = running.next().await {
            match event {
                RunEvent::Turn(turn) => context.progress(format!("turn {turn}")),
                RunEvent::Started { call, .. } => context.progress(format!("{} {}", call.name, call.input)),
                RunEvent::Progress { progress, .. } => context.progress(progress),
                _ => {}
            }
        }
        match running.finish().await {
            Ok(run) => {
                context.spent(&run);
                ToolOutput::text(run.text())
            }
            Err(error) => {
                context.spent(error.run());
                ToolOutput::error(format!("the run within this tool did not come to its end: {error}"))
            }
        }
    }
}
