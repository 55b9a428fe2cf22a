//! The tools of a server in a box of ours.

use std::collections::BTreeMap;
use std::sync::Weak;

use interlingua::{FunctionTool, Handler, Json, ToolOutput, Toolbox};
use rmcp::model::Tool;

use crate::client::Shared;
use crate::{McpServer, text};

/// Most bytes of a schema; a tool with a longer one is left out.
const SCHEMA: usize = 64 << 10;

/// A box, and the names that the server's tools have there.
pub(crate) struct Mirror {
    toolbox: Toolbox,
    names: BTreeMap<String, String>,
}

impl Mirror {
    pub(crate) fn new(toolbox: &Toolbox) -> Self {
        Self { toolbox: toolbox.clone(), names: BTreeMap::new() }
    }

    /// Makes the box hold exactly these tools of the server, and says how many they are. A tool keeps the name that it
    /// had.
    pub(crate) fn show(&mut self, server: &McpServer, client: &Weak<Shared>, tools: Vec<Tool>) -> usize {
        let gone: Vec<String> = self
            .names
            .keys()
            .filter(|known| !tools.iter().any(|tool| tool.name == ***known))
            .cloned()
            .collect();
        for name in gone.iter().filter_map(|tool| self.names.remove(tool)) {
            self.toolbox.remove(&name);
        }
        for tool in tools {
            let schema = serde_json::to_string(&tool.input_schema).unwrap_or_default();
            if schema.len() > SCHEMA {
                let name = text::line(&tool.name, text::NAME);
                server.rules.log(&format!("the tool `{name}` is left out: its schema is too long"));
                continue;
            }
            let name = self.name(&server.name, &tool.name);
            self.toolbox.insert(handler(name, schema, &tool, server, client));
        }
        self.names.len()
    }

    pub(crate) fn clear(&mut self) {
        for name in std::mem::take(&mut self.names).into_values() {
            self.toolbox.remove(&name);
        }
    }

    /// The name of a tool here: the one that it has, or one that nobody has.
    fn name(&mut self, server: &str, tool: &str) -> String {
        if let Some(name) = self.names.get(tool) {
            return name.clone();
        }
        let wanted = text::name(&format!("{}__{tool}", text::name(server)));
        let numbered = (2..).map(|number| {
            let end = format!("_{number}");
            let start: String = wanted.chars().take(text::NAME - end.len()).collect();
            start + &end
        });
        let mut names = std::iter::once(wanted.clone()).chain(numbered);
        let name = names.find(|name| self.toolbox.get(name).is_none()).unwrap_or(wanted);
        self.names.insert(tool.to_owned(), name.clone());
        name
    }
}

fn handler(name: String, schema: String, tool: &Tool, server: &McpServer, client: &Weak<Shared>) -> Handler {
    let told = tool.description.as_deref().or(tool.title.as_deref()).unwrap_or_default();
    let definition = FunctionTool::new(name, text::clean(told, text::DESCRIPTION), Json::from_text(schema));
    let hints = tool.annotations.as_ref().filter(|_| server.rules.trusted);
    let is_harmless = hints.is_some_and(|hints| {
        hints.read_only_hint.unwrap_or_default() || hints.idempotent_hint.unwrap_or_default()
    });
    let (client, tool) = (client.clone(), tool.name.to_string());
    let run = move |call, context| {
        let (client, tool) = (client.clone(), tool.clone());
        async move {
            match client.upgrade() {
                Some(client) => client.run(&tool, &call, context).await,
                None => ToolOutput::error("the connection to the server of this tool was closed"),
            }
        }
    };
    Handler::with_context(definition, run).idempotent(is_harmless)
}
