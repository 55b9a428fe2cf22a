//! `il` as a server of MCP and as a client of it: each with the other.

use interlingua_wire::Protocol;
use serde_json::{Value, json};

use crate::answers::{call, result};
use crate::il::{Il, program};
use crate::server::{Act, Server, text};

/// A file of servers: this program itself, serving its clock and its commands.
fn file() -> String {
    let me =
        json!({"command": program(), "args": ["mcp", "serve", "--tool", "clock", "--tool", "run_command"]});
    let gone = json!({"command": "no-such-program", "disabled": true});
    json!({"mcpServers": {"me": me, "gone": gone}}).to_string()
}

#[test]
fn the_tools_of_servers_are_listed() {
    let expected = "me (2026-07-28), 3 tools\n  me__ask_model    Asks the language model that the user has configured\n  \
                    me__clock        The current date, weekday and time, in the user's time zone and in UTC\n";
    let il = Il::new(["mcp", "list", "servers.json"]).file("servers.json", file());
    let listed = il.run().ended(0).out;
    assert!(listed.starts_with(expected), "{listed}");
    let il = Il::new(["mcp", "list", "me", "--json"]).config("").servers(&file());
    let lines = il.run().ended(0).out;
    let line: Value = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap();
    assert_eq!((&line["server"], &line["tool"]), (&json!("me"), &json!("me__clock")));
}

#[test]
fn a_call_of_a_server_is_asked_for_and_its_result_goes_to_the_model() {
    let command = || Act::Say(call("me__run_command", r#"{"command":"echo made"}"#));
    for (extra, expected) in [
        (&[][..], ("refused: there is no terminal to ask the user on", true)),
        (&["--yes"], ("exit code 0\n\nstandard output:\nmade\n", false)),
    ] {
        let server = Server::new(Protocol::Anthropic, [command(), Act::Say(text(&["Done."]))]);
        let arguments = ["--mcp", "servers.json", "go"].iter().chain(extra).copied();
        let il = Il::asking(&server, arguments).file("servers.json", file());
        il.run().ended(0).printed("Done.\n");
        let requests = server.asked();
        let tools: Vec<_> = requests[0].request.tools.iter().map(|tool| tool.name().to_owned()).collect();
        assert_eq!(tools, ["me__ask_model", "me__clock", "me__run_command"]);
        let (said, is_error) = result(&requests[1].request.messages);
        assert_eq!((said.as_str(), is_error), expected);
    }
}

#[test]
fn the_configured_model_is_a_tool_for_others() {
    let server = Server::new(Protocol::OpenaiChat, [Act::Say(text(&["Blue."]))]);
    let questions = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18",
            "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": {"name": "ask_model", "arguments": {"prompt": "Why?"}}}),
    ];
    let lines = questions.map(|question| question.to_string()).join("\n") + "\n";
    let il = Il::asking(&server, [""; 0]).replace(["mcp", "serve", "-m", "test/model"]).stdin(lines);
    let out = il.run().ended(0).out;
    let answers: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers[0]["result"]["serverInfo"]["name"], "il");
    assert_eq!(answers[1]["result"]["content"], json!([{"type": "text", "text": "Blue."}]));
}

#[test]
fn what_is_wrong_with_servers_is_said() {
    for (arguments, file, code, expected) in [
        (["mcp", "list", "servers.json"], "{", 3, "servers.json: is no JSON"),
        (["mcp", "list", "x"], "{}", 3, "mcp.json: write `mcpServers` there, or name a file"),
        (
            ["--mcp", "servers.json", "hi"],
            r#"{"mcpServers":{"a":{"command":"no-such-program"}}}"#,
            1,
            "`no-such-program` was not found",
        ),
        (
            ["--mcp", "servers.json", "hi"],
            r#"{"mcpServers":{"a":{"command":"x","args":1}}}"#,
            3,
            "mcpServers.a.args: is no list",
        ),
    ] {
        Il::new(arguments).file("servers.json", file).run().ended(code).said(expected);
    }
    let il = Il::new(["mcp", "list", "you"]).config("").servers(&file());
    il.run().ended(3).said("no MCP server `you` in").said("only: me");
}

#[test]
fn an_agent_uses_the_tools_of_servers() {
    let agent = "model = \"test/model\"\ntask = \"Go.\"\nmcp = [\"servers.json\"]\ntools = [\"clock\"]";
    let command = Act::Say(call("me__run_command", r#"{"command":"echo made"}"#));
    let server = Server::new(Protocol::Anthropic, [command, Act::Say(text(&["Done."]))]);
    let il = Il::asking(&server, [""]).replace(["run", "agent.toml"]);
    let il = il.file("agent.toml", agent).file("servers.json", file());
    il.run().ended(15).said("the MCP tool me__run_command wants to run with").said("echo made");
    il.replace(["run", "agent.toml", "--resume", "--yes"]).run().ended(0).printed("Done.\n");
    let requests = server.asked();
    let tools: Vec<_> = requests[1].request.tools.iter().map(|tool| tool.name().to_owned()).collect();
    assert_eq!(tools, ["me__ask_model", "me__clock", "me__run_command", "clock"]);
    assert_eq!(result(&requests[1].request.messages).0, "exit code 0\n\nstandard output:\nmade\n");
}
