#![cfg(unix)]

use std::sync::{Arc, Mutex};

use interlingua_mcp::McpServer;

/// A server in the shell: it answers the probe with an error, then `initialize`, and then does as it is told.
fn shell(rest: &str) -> McpServer {
    let script = format!(
        r#"read a; echo '{{"jsonrpc":"2.0","id":0,"error":{{"code":-32601,"message":"unknown"}}}}'
           read b; echo '{{"jsonrpc":"2.0","id":1,"result":{{"protocolVersion":"2025-06-18","capabilities":{{}},"serverInfo":{{"name":"sh","version":"1"}}}}}}'
           {rest}"#
    );
    McpServer::command("sh", "sh").args(["-c", &script])
}

fn is_alive(pid: &str) -> bool {
    std::process::Command::new("kill")
        .args(["-0", pid])
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap()
        .success()
}

#[tokio::test]
async fn a_program_sees_little_and_is_heard() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = heard.clone();
    let server =
        shell(r#"printf 'env: %s %s \033[31m%s\n' "$A" "$CARGO_PKG_NAME" "$(pwd)" >&2; cat >/dev/null"#)
            .env("A", "short")
            .cwd("/")
            .on_log(move |line| log.lock().unwrap().push(line.to_owned()));
    let client = server.connect().await.unwrap();
    assert_eq!(client.protocol().as_deref(), Some("2025-06-18"));
    client.close().await;
    while heard.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(heard.lock().unwrap()[0], "env: short  [31m/");
}

#[tokio::test]
async fn a_program_is_ended_and_reaped() {
    for stubborn in [false, true] {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = heard.clone();
        // One that does not care about its input has to be killed.
        let rest = if stubborn { "echo $$ >&2; exec sleep 1000" } else { "echo $$ >&2; exec cat >/dev/null" };
        let server = shell(rest).on_log(move |line| log.lock().unwrap().push(line.to_owned()));
        let client = server.connect().await.unwrap();
        while heard.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let pid = heard.lock().unwrap()[0].clone();
        assert!(is_alive(&pid));
        if stubborn {
            drop(client);
            while is_alive(&pid) {
                tokio::task::yield_now().await;
            }
        } else {
            client.close().await;
            assert!(!is_alive(&pid));
        }
    }
}

#[tokio::test]
async fn why_a_program_cannot_be_used_is_told() {
    let cases = [
        (McpServer::command("x", "no-such-program"), "the program `no-such-program` was not found"),
        (McpServer::command("x", "sh").cwd("/no/such"), "there is no folder /no/such"),
        (
            McpServer::command("x", "sh")
                .args(["-c", "echo no module $KEY >&2; exit 1"])
                .env("KEY", "secret-key"),
            "it ended before it answered; it wrote: no module [secret]",
        ),
    ];
    for (server, reason) in cases {
        let error = server.connect().await.unwrap_err().to_string();
        assert_eq!(error, format!("the MCP server `x` is not connected: {reason}"));
    }
}
