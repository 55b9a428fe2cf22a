//! Servers and a client that others wrote. `cargo xtask mcp` installs and runs them.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use interlingua::{Content, FunctionTool, Handler, Json, Progress, ToolCall, ToolContext, Toolbox};
use interlingua_mcp::{ElicitationAnswer, McpServer, ToolServer};

const WHY: &str = "set by `cargo xtask mcp`, which installs what is tested here";

fn folder() -> PathBuf {
    std::env::var_os("INTERLINGUA_MCP_SERVERS").expect(WHY).into()
}

fn script(package: &str) -> PathBuf {
    folder().join("node_modules/@modelcontextprotocol").join(package).join("dist/index.js")
}

async fn ask(toolbox: &Toolbox, name: &str, arguments: &str) -> interlingua::ToolResult {
    toolbox.call(&ToolCall::new("1", name, Json::from_text(arguments))).await
}

#[tokio::test]
#[ignore = "cargo xtask mcp runs it"]
async fn the_server_of_everything_is_understood() {
    let server = McpServer::command("all", "node")
        .args([script("server-everything").as_os_str(), "stdio".as_ref()])
        .root("/tmp")
        .on_elicitation(|_| async { ElicitationAnswer::Decline });
    let client = server.connect().await.unwrap();
    everything(&client).await;
    client.close().await;
}

#[tokio::test]
#[ignore = "cargo xtask mcp runs it"]
async fn the_server_of_everything_is_understood_over_http() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut process = tokio::process::Command::new("node");
    process.arg(script("server-everything")).arg("streamableHttp").env("PORT", port.to_string());
    let _process = process.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    let started = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), started).await.unwrap();
    let server = McpServer::http("all", format!("http://127.0.0.1:{port}/mcp"))
        .root("/tmp")
        .on_elicitation(|_| async { ElicitationAnswer::Decline });
    let client = server.connect().await.unwrap();
    everything(&client).await;
    client.close().await;
}

async fn everything(client: &interlingua_mcp::McpClient) {
    let toolbox = Toolbox::new();
    assert!(client.tools_into(&toolbox).await.unwrap() > 8);
    assert_eq!(ask(&toolbox, "all__echo", r#"{"message":"hi"}"#).await.text(), "Echo: hi");
    assert!(ask(&toolbox, "all__get-sum", r#"{"a":2,"b":3}"#).await.text().contains('5'));
    assert!(ask(&toolbox, "all__get-sum", r#"{"a":"x"}"#).await.is_error);
    let image = ask(&toolbox, "all__get-tiny-image", "{}").await;
    assert!(
        image.content.iter().any(|part| matches!(part, Content::Media(media) if media.mime == "image/png"))
    );
    let links = ask(&toolbox, "all__get-resource-links", r#"{"count":2}"#).await.text();
    assert!(links.contains("[resource "), "{links}");
    long(&toolbox).await;
    offers(client).await;
}

async fn long(toolbox: &Toolbox) {
    let call = ToolCall::new(
        "1",
        "all__trigger-long-running-operation",
        Json::from_text(r#"{"duration":0.3,"steps":3}"#),
    );
    let mut heard = Vec::new();
    let result = toolbox.call_with(&call, |progress| heard.push((progress.done, progress.total))).await;
    assert!(result.text().contains("completed"), "{}", result.text());
    assert_eq!(heard, [1.0, 2.0, 3.0].map(|done| (Some(done), Some(3.0))));
    let declined = ask(toolbox, "all__trigger-elicitation-request", "{}").await.text();
    assert!(declined.contains("declined"), "{declined}");
}

async fn offers(client: &interlingua_mcp::McpClient) {
    let resources = client.resources().await.unwrap();
    assert!(!client.read(&resources[0].uri).await.unwrap().is_empty());
    assert!(!client.resource_templates().await.unwrap().is_empty());
    let prompts = client.prompts().await.unwrap();
    let simple = prompts.iter().find(|prompt| prompt.name.contains("simple")).unwrap();
    assert_eq!(client.prompt(&simple.name, []).await.unwrap().len(), 1);
}

#[tokio::test]
#[ignore = "cargo xtask mcp runs it"]
async fn the_server_of_files_reads_below_its_root_alone() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    std::fs::write(home.join("a.txt"), "inside").unwrap();
    let server =
        McpServer::command("files", "node").args([script("server-filesystem").as_os_str(), home.as_os_str()]);
    let client = server.connect().await.unwrap();
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    let arguments = serde_json::json!({"path": home.join("a.txt")}).to_string();
    assert_eq!(ask(&toolbox, "files__read_text_file", &arguments).await.text(), "inside");
    let refused = ask(&toolbox, "files__read_text_file", r#"{"path":"/etc/passwd"}"#).await;
    assert!(refused.is_error && refused.text().contains("denied"), "{}", refused.text());
    client.close().await;
}

/// The client of the official SDK on the standard streams of node, which are the two ends of our server.
#[tokio::test]
#[ignore = "cargo xtask mcp runs it"]
async fn the_official_client_understands_our_server() {
    let definition = FunctionTool::new("dig", "Digs.", Json::object());
    let toolbox =
        Toolbox::new().add(Handler::with_context(definition, |_, context: ToolContext| async move {
            context.progress(Progress::new("digging").of(1.0, 2.0));
            // That client forgets a report that comes together with the result.
            tokio::time::sleep(Duration::from_millis(50)).await;
            "found"
        }));
    let toolbox = toolbox.add(Handler::new(FunctionTool::new("wait", "Waits.", Json::object()), |_| {
        std::future::pending::<String>()
    }));
    let mut node = tokio::process::Command::new("node");
    node.arg(folder().join("client.mjs")).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut node = node.spawn().unwrap();
    let (input, output) = (node.stdout.take().unwrap(), node.stdin.take().unwrap());
    let serving = tokio::spawn(ToolServer::new(&toolbox).serve(input, output));
    let status = tokio::time::timeout(Duration::from_secs(30), node.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    serving.await.unwrap().unwrap();
}
