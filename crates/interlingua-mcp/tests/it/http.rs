//! Streamable HTTP, over a transport that answers in the process.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use interlingua::{Body, BoxFuture, Error, Secret, Timeouts, ToolCall, Toolbox, Transport};
use interlingua_mcp::McpServer;
use serde_json::{Value, json};

#[derive(Debug, Default)]
struct Canned {
    /// Whether it answers as a server of 2026-07-28.
    modern: bool,
    events: bool,
    status: Option<u16>,
    seen: Mutex<Vec<(String, http::HeaderMap, Value)>>,
}

impl Transport for Canned {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Timeouts,
    ) -> BoxFuture<'_, Result<http::Response<Body>, Error>> {
        let (head, body) = request.into_parts();
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        self.seen.lock().unwrap().push((head.method.to_string(), head.headers, message.clone()));
        let response = self.answer(head.method.as_str(), &message);
        Box::pin(async move { Ok(response) })
    }
}

impl Canned {
    fn answer(&self, method: &str, message: &Value) -> http::Response<Body> {
        if let Some(status) = self.status {
            return reply(status, "text/plain", "no");
        }
        if method != "POST" {
            return reply(405, "text/plain", "");
        }
        let Some(id) = message.get("id") else { return reply(202, "text/plain", "") };
        let result = match message["method"].as_str().unwrap() {
            "server/discover" if !self.modern => return reply(400, "text/plain", "no session"),
            "server/discover" => json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "canned", "version": "1"}, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}),
            "initialize" => json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                "serverInfo": {"name": "canned", "version": "1"}}),
            "tools/list" => {
                json!({"resultType": "complete", "ttlMs": 0, "cacheScope": "private", "tools": [{"name": "t", "inputSchema":
                {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}}]})
            }
            _ => json!({"resultType": "complete", "content": [{"type": "text", "text": "done"}]}),
        };
        let answer = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
        if self.events {
            return reply(200, "text/event-stream", &format!("event: message\ndata: {answer}\n\n"));
        }
        reply(200, "application/json", &answer)
    }
}

fn reply(status: u16, mime: &str, body: &str) -> http::Response<Body> {
    let response = http::Response::builder().status(status).header("content-type", mime);
    let response =
        if body.contains("2025-11-25") { response.header("mcp-session-id", "s1") } else { response };
    response.body(Body::from(body.to_owned())).unwrap()
}

fn server(canned: &Arc<Canned>) -> McpServer {
    let server = McpServer::http("web", "https://example.com/mcp").transport(canned.clone());
    server.bearer(&Secret::new("t0ken")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn both_eras_and_both_forms_of_answers_are_understood() {
    for (modern, events) in [(false, false), (false, true), (true, false), (true, true)] {
        let canned = Arc::new(Canned { modern, events, ..Canned::default() });
        let client = server(&canned).connect().await.unwrap();
        assert_eq!(client.protocol().as_deref(), Some(if modern { "2026-07-28" } else { "2025-11-25" }));
        let toolbox = Toolbox::new();
        client.tools_into(&toolbox).await.unwrap();
        let arguments = interlingua::Json::from_text(r#"{"region":"north"}"#);
        let result = toolbox.call(&ToolCall::new("1", "web__t", arguments)).await;
        assert_eq!(result.text(), "done", "{modern} {events}");
        let seen = canned.seen.lock().unwrap();
        let (_, headers, _) = seen.iter().find(|(_, _, message)| message["method"] == "tools/call").unwrap();
        assert_eq!(headers["authorization"], "Bearer t0ken");
        assert_eq!(headers["accept"], "application/json, text/event-stream");
        let told = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(told("mcp-session-id"), (!modern).then(|| "s1".into()));
        assert_eq!(told("mcp-method"), modern.then(|| "tools/call".into()));
        assert_eq!(told("mcp-param-region"), modern.then(|| "north".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_without_the_token() {
    for (status, expected) in [
        (401, "it wants authorization (HTTP 401): log in (OAuth) or set another token in its headers"),
        (403, "the token does not suffice (HTTP 403)"),
        (503, "HTTP 503"),
        (302, "unexpected server response: the server is elsewhere: set its new address"),
    ] {
        let canned = Arc::new(Canned { status: Some(status), ..Canned::default() });
        let error = server(&canned).connect().await.unwrap_err().to_string();
        assert_eq!(error, format!("the MCP server `web` is not connected: {expected}"));
        assert!(!format!("{:?}", server(&canned)).contains("t0ken"));
    }
}
