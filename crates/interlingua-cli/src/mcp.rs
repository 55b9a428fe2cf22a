//! `il mcp`: the tools of this program for MCP clients, and what the servers of the config file offer. `--mcp`: their
//! tools in a conversation.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use interlingua::{Client, FunctionTool, Handler, Json, Request, ToolCall, ToolContext, ToolOutput, Toolbox};
use interlingua_mcp::{FileStore, McpClient, McpConfig, McpError, McpLogin, McpServer, ToolServer};
use serde::Deserialize;
use serde_json::json;

use crate::args::{Ask, McpAction, McpList, McpServe};
use crate::config::{Config, Found};
use crate::exit::{Exit, Failure, Result};
use crate::terminal::Terminal;
use crate::tools::Builtin;
use crate::{choose, connect, folders, hygiene, table};

/// Runs `il mcp`.
///
/// # Errors
/// When a file of servers is broken, or a client does not speak the protocol.
pub(crate) fn run(action: &McpAction, terminal: &mut Terminal) -> Result<Exit> {
    let runtime = crate::runtime()?;
    let exit = match action {
        McpAction::Serve(asked) => runtime.block_on(serve(asked)),
        McpAction::List(asked) => runtime.block_on(list(asked, terminal)),
    };
    runtime.shutdown_background();
    exit
}

/// Connects to the servers that `--mcp` names, and puts their tools into one box.
///
/// # Errors
/// When a word names no server, or one cannot be reached.
pub(crate) async fn connected(words: &[String], verbose: bool) -> Result<(Toolbox, Vec<McpClient>)> {
    let (toolbox, mut clients) = (Toolbox::new(), Vec::new());
    for word in words {
        for server in servers(Some(word))? {
            let client = heard(server, verbose).connect().await?;
            client.tools_into(&toolbox).await?;
            clients.push(client);
        }
    }
    Ok((toolbox, clients))
}

/// The servers of a file, or those of the user's own file: all, or one by name.
fn servers(word: Option<&str>) -> Result<Vec<McpServer>> {
    if let Some(word) = word.filter(|word| Path::new(word).extension().is_some() || Path::new(word).exists())
    {
        return Ok(McpConfig::read(Path::new(word))?.servers().to_vec());
    }
    let path = folders::mcp_file().filter(|path| path.exists());
    let Some(path) = path else {
        return Err(Failure::configuration(match folders::mcp_file() {
            Some(path) => format!("there is no {}: write `mcpServers` there, or name a file", path.display()),
            None => "no config folder is known: name a file of `mcpServers`".to_owned(),
        }));
    };
    let all = McpConfig::read(&path)?.servers().to_vec();
    let Some(word) = word else { return Ok(all) };
    let known: Vec<_> = all.iter().map(|server| server.name().to_owned()).collect();
    let found: Vec<_> = all.into_iter().filter(|server| server.name() == word).collect();
    if found.is_empty() {
        let known = known.join(", ");
        return Err(Failure::configuration(format!(
            "no MCP server `{word}` in {}, only: {known}",
            path.display()
        )));
    }
    Ok(found)
}

fn heard(server: McpServer, verbose: bool) -> McpServer {
    let name = server.name().to_owned();
    let server = server.login(login(name));
    if !verbose {
        return server;
    }
    let name = server.name().to_owned();
    server.on_log(move |line| {
        let _ = writeln!(io::stderr(), "{}", hygiene::line(&format!("mcp {name}: {line}")));
    })
}

/// A login at the user's browser, kept between runs of the program.
fn login(name: String) -> McpLogin {
    let login = McpLogin::loopback(move |url| {
        let told = hygiene::line(&format!("the MCP server `{name}` wants a login; open in a browser: {url}"));
        let _ = writeln!(io::stderr(), "{told}");
    });
    let login = login.named("il");
    match folders::mcp_tokens() {
        Some(folder) => login.store(FileStore::new(folder)),
        None => login,
    }
}

async fn list(asked: &McpList, terminal: &mut Terminal) -> Result<Exit> {
    let mut exit = Exit::Success;
    for server in servers(asked.from.as_deref())? {
        let toolbox = Toolbox::new();
        let name = server.name().to_owned();
        let told = async {
            let client = heard(server, asked.verbose).connect().await?;
            client.tools_into(&toolbox).await?;
            Ok::<_, McpError>(client)
        };
        match told.await {
            Ok(client) => {
                let revision = client.protocol().unwrap_or_default();
                terminal.print(&shown(&name, &revision, &toolbox, asked.json))?;
                client.close().await;
            }
            Err(error) => {
                exit = Exit::Other;
                terminal.alert(&error.to_string());
            }
        }
    }
    Ok(exit)
}

fn shown(server: &str, revision: &str, toolbox: &Toolbox, as_json: bool) -> String {
    let tools = toolbox.definitions().into_iter().map(|tool| {
        let told = match &tool {
            interlingua::Tool::Function(tool) => tool.description.clone().unwrap_or_default(),
            _ => String::new(),
        };
        (tool.name().to_owned(), told)
    });
    if as_json {
        let line = |(name, description): (String, String)| {
            let line =
                json!({"server": server, "protocol": revision, "tool": name, "description": description});
            format!("{line}\n")
        };
        return tools.map(line).collect();
    }
    let row = |(name, told): (String, String)| {
        let first = hygiene::line(told.lines().next().unwrap_or_default());
        vec![format!("  {name}"), first.chars().take(80).collect()]
    };
    let rows: Vec<_> = tools.map(row).collect();
    format!("{} ({revision}), {} tools\n{}", hygiene::line(server), rows.len(), table::columns(&rows))
}

async fn serve(asked: &McpServe) -> Result<Exit> {
    let config = Found::read()?.config;
    let ask = Ask { model: asked.model.clone(), ..Ask::default() };
    let connection = connect::connection(&ask, &config)?;
    let toolbox = Toolbox::new().add(ask_model(connection.client, connection.asked, config));
    for builtin in crate::tools::named(&asked.tools)? {
        toolbox.insert(handler(builtin));
    }
    let server = ToolServer::new(&toolbox).named("il", env!("CARGO_PKG_VERSION"));
    server.serve_stdio().await?;
    Ok(Exit::Success)
}

/// A built-in tool without a question: naming it on the command line was the answer. Files outside of the working
/// directory stay closed.
fn handler(tool: Builtin) -> Handler {
    Handler::new(tool.definition(), move |call: ToolCall| async move {
        match tool.question(&call.input) {
            Err(problem) => Err(problem),
            Ok(Some(question)) if tool != Builtin::RunCommand => Err(format!("refused: {question}")),
            Ok(_) => tool.run(&call.input).await,
        }
    })
}

#[derive(Debug, Deserialize)]
struct Question {
    prompt: String,
    system: Option<String>,
}

/// The configured model, as a tool.
fn ask_model(client: Client, model: Option<String>, config: Config) -> Handler {
    let schema = r#"{"type":"object","properties":{"prompt":{"type":"string","description":"The question"},"system":{"type":"string","description":"Instructions to the model"}},"required":["prompt"],"additionalProperties":false}"#;
    let definition = FunctionTool::new(
        "ask_model",
        "Asks the language model that the user has configured",
        Json::from_text(schema),
    );
    let config = Arc::new(config);
    Handler::with_context(definition, move |call: ToolCall, context: ToolContext| {
        let (client, model, config) = (client.clone(), model.clone(), Arc::clone(&config));
        async move {
            let answered = answered(&call, &context, &client, model.as_deref(), &config).await;
            answered.map_or_else(|failure| ToolOutput::error(failure.message()), ToolOutput::text)
        }
    })
}

async fn answered(
    call: &ToolCall,
    context: &ToolContext,
    client: &Client,
    model: Option<&str>,
    config: &Config,
) -> Result<String> {
    let Question { prompt, system } = call
        .input
        .parse()
        .map_err(|error| Failure::usage(format!("the arguments are not what the tool takes: {error}")))?;
    let choice = choose::choose(model, config, client).await?;
    context.progress(format!("asking {}", choice.model));
    let mut request = Request::new(choice.model).user(prompt);
    if let Some(system) = system.or_else(|| config.system.clone()) {
        request = request.system(system);
    }
    request.max_output = config.max_tokens;
    request.effort = config.effort;
    Ok(client.send(&request).await?.text())
}

impl From<McpError> for Failure {
    fn from(error: McpError) -> Self {
        match error {
            McpError::Config { .. } => Self::configuration(error.to_string()),
            other => Self::new(Exit::Other, other.to_string()),
        }
    }
}
