use std::sync::{Arc, Mutex};
use std::time::Duration;

use interlingua::{FunctionTool, Handler, Json, Progress, ToolCall, ToolContext, Toolbox};
use interlingua_mcp::{McpError, McpServer, ToolServer};
use serde_json::json;

use crate::script::{Script, tools};

fn call(name: &str) -> ToolCall {
    ToolCall::new("1", name, Json::object())
}

/// A client of a server of ours.
fn served(toolbox: &Toolbox) -> McpServer {
    let server = ToolServer::new(toolbox);
    McpServer::pipe("s", move || {
        let (near, far) = tokio::io::duplex(1024);
        let (input, output) = tokio::io::split(far);
        tokio::spawn(server.clone().serve(input, output));
        std::future::ready(Ok(tokio::io::split(near)))
    })
}

#[tokio::test(start_paused = true)]
async fn progress_goes_through_both_halves() {
    let definition = FunctionTool::new("dig", "Digs.", Json::object());
    let digging =
        Toolbox::new().add(Handler::with_context(definition, |_, context: ToolContext| async move {
            context.progress(Progress::new("digging").of(1.0, 4.0));
            tokio::time::sleep(Duration::from_secs(1)).await;
            context.progress("nearly");
            tokio::time::sleep(Duration::from_secs(1)).await;
            "found"
        }));
    let client = served(&digging).connect().await.unwrap();
    assert_eq!(client.protocol().as_deref(), Some("2026-07-28"));
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    let mut heard = Vec::new();
    let result = toolbox.call_with(&call("s__dig"), |progress| heard.push(progress)).await;
    assert_eq!(result.text(), "found");
    assert_eq!(heard[0], Progress::new("digging").of(1.0, 4.0));
    assert_eq!(heard[1].message, "nearly");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_stops_the_work() {
    struct Dropped(Arc<Mutex<bool>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    let stopped = Arc::new(Mutex::new(false));
    let guard = stopped.clone();
    let slow = Toolbox::new().add(Handler::with_context(
        FunctionTool::new("wait", "Waits.", Json::object()),
        move |_, context: ToolContext| {
            let guard = Dropped(guard.clone());
            async move {
                context.progress("begun");
                std::future::pending::<()>().await;
                drop(guard);
            }
        },
    ));
    let client = served(&slow).connect().await.unwrap();
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    let mut begun = false;
    let call = call("s__wait");
    let mut calling = Box::pin(toolbox.call_with(&call, |_| begun = true));
    let waited = tokio::time::timeout(Duration::from_secs(5), &mut calling).await;
    assert!(waited.is_err());
    drop(calling);
    assert!(begun);
    while !*stopped.lock().unwrap() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_and_told() {
    let script = Script::default();
    let server = script.server("s", |method, _| (method == "tools/list").then(|| Ok(tools(&["t"]))));
    let client = server.call_timeout(Duration::from_secs(7)).connect().await.unwrap();
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    let result = toolbox.call(&call("s__t")).await;
    assert_eq!(result.text(), "the MCP server `s` did not answer within 7s");
    let asked = script.wait_for("tools/call").await;
    let cancelled = script.wait_for("notifications/cancelled").await;
    assert_eq!(cancelled["params"]["requestId"], asked["id"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_no_connection() {
    let server = McpServer::pipe("s", || {
        let (near, far) = tokio::io::duplex(1024);
        std::mem::forget(far);
        std::future::ready(Ok(tokio::io::split(near)))
    });
    let error = server.connect_timeout(Duration::from_secs(12)).connect().await.unwrap_err();
    assert_eq!(error.to_string(), "the MCP server `s` did not answer within 12s");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_is_reached_again() {
    let script = Script::default();
    let server = script.server("s", |method, _| match method {
        "tools/list" => Some(Ok(tools(&["t"]))),
        "tools/call" => Some(Ok(json!({"content": [{"type": "text", "text": "here"}]}))),
        _ => None,
    });
    let client = server.connect().await.unwrap();
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    script.hang_up();
    while client.protocol().is_some() {
        tokio::task::yield_now().await;
    }
    let result = toolbox.call(&call("s__t")).await;
    assert!(result.is_error);
    assert_eq!(
        result.text(),
        "the MCP server `s` is not connected: the connection broke off; it is tried anew, call again later"
    );
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(toolbox.call(&call("s__t")).await.text(), "here");
    assert_eq!(script.dials(), 2);
    assert_eq!(toolbox.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_is_not_tried_for_ever() {
    let dials = Arc::new(Mutex::new(0));
    let counted = dials.clone();
    let first = Arc::new(Mutex::new(Some(())));
    let server = McpServer::pipe("s", move || {
        *counted.lock().unwrap() += 1;
        let (near, far) = tokio::io::duplex(1 << 16);
        if first.lock().unwrap().take().is_some() {
            let (input, output) = tokio::io::split(far);
            tokio::spawn(async move {
                let serving = ToolServer::new(&Toolbox::new()).serve(input, output);
                let _ = tokio::time::timeout(Duration::from_secs(1), serving).await;
            });
        }
        std::future::ready(Ok(tokio::io::split(near)))
    });
    let client = server.restarts(3).connect().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let error = client.tools_into(&Toolbox::new()).await.unwrap_err();
    let McpError::Connection { reason, .. } = error else { panic!("{error}") };
    assert!(reason.ends_with("; it was tried anew 3 times"), "{reason}");
    assert_eq!(*dials.lock().unwrap(), 4);
}

#[tokio::test(start_paused = true)]
async fn closing_is_the_end() {
    let client = served(&Toolbox::new()).connect().await.unwrap();
    let other = client.clone();
    client.close().await;
    let error = other.tools_into(&Toolbox::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "the MCP server `s` is not connected: it was closed");
}
