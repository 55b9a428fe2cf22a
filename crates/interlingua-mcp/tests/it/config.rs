use interlingua_mcp::{McpConfig, McpServer};

fn read(text: &str) -> Result<McpConfig, String> {
    let lookup = |name: &str| (name == "TOKEN").then(|| "t0ken".to_owned());
    McpConfig::parse_with(text, lookup).map_err(|error| error.to_string())
}

#[test]
fn servers_come_in_the_order_of_the_file() {
    let config = read(
        r#"{"other": 1, "mcpServers": {
            "z": {"command": "npx", "args": ["-y", "${TOKEN}", "${NOT:-else}"], "env": {"A": "${env:TOKEN}"}, "cwd": "/"},
            "off": {"command": 1, "disabled": true},
            "a": {"type": "http", "url": "https://example.com/${TOKEN}", "headers": {"Authorization": "Bearer ${TOKEN}"},
                  "autoApprove": []}
        }}"#,
    )
    .unwrap();
    let names: Vec<_> = config.servers().iter().map(McpServer::name).collect();
    assert_eq!(names, ["z", "a"]);
    let shown = format!("{config:?}");
    assert!(!shown.contains("t0ken"), "{shown}");
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (text, expected) in [
        ("{", "is no JSON: EOF while parsing an object at line 1 column 1"),
        ("{}", "has no `mcpServers`"),
        (r#"{"mcpServers": []}"#, "mcpServers: is no object"),
        (r#"{"mcpServers": {"a": 1}}"#, "mcpServers.a: is no object"),
        (r#"{"mcpServers": {"a": {}}}"#, "mcpServers.a: needs a `command` or a `url`"),
        (r#"{"mcpServers": {"a": {"command": 1}}}"#, "mcpServers.a.command: is no string"),
        (r#"{"mcpServers": {"a": {"command": " "}}}"#, "mcpServers.a.command: is empty"),
        (r#"{"mcpServers": {"a": {"command": "x", "args": "y"}}}"#, "mcpServers.a.args: is no list"),
        (
            r#"{"mcpServers": {"a": {"command": "x", "args": ["y", 2]}}}"#,
            "mcpServers.a.args[1]: is no string",
        ),
        (r#"{"mcpServers": {"a": {"command": "x", "env": {"K": 2}}}}"#, "mcpServers.a.env.K: is no string"),
        (
            r#"{"mcpServers": {"a": {"command": "x", "env": {"K": "${GONE}"}}}}"#,
            "mcpServers.a.env.K: the variable `GONE` is not set",
        ),
        (r#"{"mcpServers": {"a": {"command": "${x"}}}"#, "mcpServers.a.command: has a `${` without its `}`"),
        (
            r#"{"mcpServers": {"a": {"url": "example.com"}}}"#,
            "mcpServers.a.url: is no address with http:// or https://",
        ),
        (
            r#"{"mcpServers": {"a": {"url": "http://x", "headers": {"a b": "c"}}}}"#,
            "mcpServers.a.headers.a b: is not the name of a header",
        ),
        (
            r#"{"mcpServers": {"a": {"url": "http://x", "headers": {"Accept": "c"}}}}"#,
            "mcpServers.a.headers.Accept: is set by the protocol itself",
        ),
        (
            r#"{"mcpServers": {"a": {"url": "http://x", "type": "sse"}}}"#,
            "mcpServers.a.type: the transport `sse` was given up by the protocol: use the server's `http` address",
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn a_file_is_named_in_its_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mcp.json");
    let missing = McpConfig::read(&file).unwrap_err().to_string();
    assert!(missing.contains("mcp.json: cannot be read: "), "{missing}");
    std::fs::write(&file, "{}").unwrap();
    let empty = McpConfig::read(&file).unwrap_err().to_string();
    assert!(empty.ends_with("mcp.json: has no `mcpServers`"), "{empty}");
}
