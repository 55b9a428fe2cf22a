use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use interlingua::{
    Body, BoxFuture, Client, Error, Input, Json, Message, Timeouts, ToolCall, Toolbox, Transport,
};
use interlingua_mcp::{Elicitation, ElicitationAnswer, McpServer};
use serde_json::{Value, json};

use crate::script::{Script, modern, tools};

fn call() -> ToolCall {
    ToolCall::new("1", "s__t", Json::object())
}

/// A server with one tool that never answers by itself.
fn silent(script: &Script) -> McpServer {
    script.server("s", |method, _| (method == "tools/list").then(|| Ok(tools(&["t"]))))
}

/// Lets the server ask something while a call runs, and gives our answer and the capabilities that were declared.
async fn asked(server: McpServer, script: &Script, method: &str, params: Value) -> (Value, Value) {
    let client = server.connect().await.unwrap();
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    let calling = tokio::spawn(async move { toolbox.call(&call()).await });
    script.wait_for("tools/call").await;
    script.tell(json!({"jsonrpc": "2.0", "id": "q", "method": method, "params": params}));
    let answer = script.answer("q").await;
    let id = script.wait_for("tools/call").await["id"].clone();
    script
        .tell(json!({"jsonrpc": "2.0", "id": id, "result": {"content": [{"type": "text", "text": "done"}]}}));
    assert_eq!(calling.await.unwrap().text(), "done");
    drop(client);
    let capabilities = script.heard("initialize")[0]["params"]["capabilities"].clone();
    (answer, capabilities)
}

fn form() -> Value {
    let fields = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
    json!({"mode": "form", "message": "Your\u{1b} name?", "requestedSchema": fields})
}

#[tokio::test(start_paused = true)]
async fn the_user_is_asked_where_the_program_lets() {
    let script = Script::default();
    let seen = Arc::new(Mutex::new(None));
    let shown = seen.clone();
    let server = silent(&script).on_elicitation(move |wanted| {
        *shown.lock().unwrap() = Some(wanted);
        async {
            // Longer than a server may be silent.
            tokio::time::sleep(Duration::from_secs(600)).await;
            ElicitationAnswer::Accept(Json::from_text(r#"{"name":"Ada"}"#))
        }
    });
    let (answer, capabilities) = asked(server, &script, "elicitation/create", form()).await;
    assert_eq!(answer["result"], json!({"action": "accept", "content": {"name": "Ada"}}));
    assert_eq!(capabilities, json!({"elicitation": {"form": {}, "url": {}}}));
    let Some(Elicitation::Form { message, schema }) = seen.lock().unwrap().take() else { panic!() };
    assert_eq!(message, "Your name?");
    assert_eq!(schema.to_value().unwrap()["required"], json!(["name"]));
}

#[tokio::test(start_paused = true)]
async fn what_the_program_does_not_let_is_declined() {
    let script = Script::default();
    let (answer, capabilities) = asked(silent(&script), &script, "elicitation/create", form()).await;
    assert_eq!(answer["result"], json!({"action": "decline"}));
    assert_eq!(capabilities, json!({}));
    let script = Script::default();
    let server = silent(&script).on_elicitation(|_| async { panic!("no browser opens that") });
    let url = json!({"mode": "url", "message": "m", "url": "javascript:alert(1)", "elicitationId": "1"});
    let (answer, _) = asked(server, &script, "elicitation/create", url).await;
    assert_eq!(answer["result"], json!({"action": "decline"}));
    let script = Script::default();
    let sampling = json!({"messages": [], "maxTokens": 5});
    let (answer, _) = asked(silent(&script), &script, "sampling/createMessage", sampling).await;
    assert_eq!(answer["error"]["code"], -32601);
}

#[tokio::test(start_paused = true)]
async fn a_server_of_the_stateless_era_asks_within_its_answer() {
    let script = Script::default();
    let server = script.server("s", |method, params| match method {
        "server/discover" => Some(Ok(modern())),
        "tools/list" => Some(Ok(tools(&["t"]))),
        "tools/call" if params["inputResponses"].is_null() => Some(Ok(json!({
            "resultType": "input_required",
            "requestState": "kept",
            "inputRequests": {"who": {"method": "elicitation/create", "params": form()}, "where": {"method": "roots/list"}},
        }))),
        "tools/call" => {
            let told = format!("{} {}", params["requestState"], params["inputResponses"]);
            Some(Ok(json!({"resultType": "complete", "content": [{"type": "text", "text": told}]})))
        }
        _ => None,
    });
    let server = server.root("/a b").on_elicitation(|_| async { ElicitationAnswer::Cancel });
    let client = server.connect().await.unwrap();
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    let result = toolbox.call(&call()).await;
    let expected = r#""kept" {"where":{"roots":[{"uri":"file:///a%20b"}]},"who":{"action":"cancel"}}"#;
    assert_eq!(result.text(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_server_cannot_ask_back_for_ever() {
    let script = Script::default();
    let server = script.server("s", |method, _| match method {
        "server/discover" => Some(Ok(modern())),
        "tools/list" => Some(Ok(tools(&["t"]))),
        _ => Some(Ok(json!({"resultType": "input_required", "requestState": "x"}))),
    });
    let client = server.connect().await.unwrap();
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    let result = toolbox.call(&call()).await;
    assert_eq!(result.text(), "the MCP server `s` asked back more than 10 times");
}

#[tokio::test(start_paused = true)]
async fn changes_are_listened_for_in_the_stateless_era() {
    let script = Script::default();
    let asked = Mutex::new(0);
    let server = script.server("s", move |method, _| match method {
        "server/discover" => Some(Ok(modern())),
        "tools/list" => {
            *asked.lock().unwrap() += 1;
            Some(Ok(tools(if *asked.lock().unwrap() == 1 { &["old"] } else { &["new"] })))
        }
        _ => None,
    });
    let client = server.connect().await.unwrap();
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    let id = script.wait_for("subscriptions/listen").await["id"].clone();
    let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
    let filter = json!({"toolsListChanged": true});
    script.tell(json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
        "params": {"_meta": meta, "notifications": filter}}));
    script.tell(
        json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {"_meta": meta}}),
    );
    while crate::tools::names(&toolbox) != ["s__new"] {
        tokio::task::yield_now().await;
    }
    drop(client);
}

#[derive(Debug, Default)]
struct Model(Mutex<Value>);

impl Transport for Model {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Timeouts,
    ) -> BoxFuture<'_, Result<http::Response<Body>, Error>> {
        *self.0.lock().unwrap() = serde_json::from_slice(request.body()).unwrap();
        let body = r#"{"model":"m-1","choices":[{"message":{"content":"Four"},"finish_reason":"stop"}]}"#;
        Box::pin(async move { Ok(http::Response::new(Body::from(body))) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_may_ask_a_model_where_the_program_lets() {
    let model = Arc::new(Model::default());
    let client = Client::builder().transport(model.clone()).key("groq", "gsk-1").build().unwrap();
    let script = Script::default();
    let params = json!({"systemPrompt": "Count.", "maxTokens": 50, "temperature": 0.5, "messages": [
        {"role": "user", "content": {"type": "text", "text": "2+2"}},
        {"role": "assistant", "content": {"type": "text", "text": "Is"}}]});
    let server = silent(&script).sampling(&client, "groq/any");
    let (answer, capabilities) = asked(server, &script, "sampling/createMessage", params).await;
    assert_eq!(
        answer["result"],
        json!({"role": "assistant", "content": {"type": "text", "text": "Four"}, "model": "m-1", "stopReason": "endTurn"})
    );
    assert_eq!(capabilities, json!({"sampling": {}}));
    let sent = model.0.lock().unwrap();
    assert_eq!(sent["messages"][0]["content"], "Count.");
    assert_eq!(sent["messages"][2]["role"], "assistant");
}

#[tokio::test(start_paused = true)]
async fn resources_and_prompts_are_listed_and_read() {
    let script = Script::default();
    let server = script.server("s", |method, params| {
        Some(Ok(match method {
            "server/discover" => modern(),
            "resources/list" => json!({"resources": [{"uri": "a://1", "name": "one\u{7}", "mimeType": "text/plain", "size": 3}]}),
            "resources/templates/list" => json!({"resourceTemplates": [{"uriTemplate": "a://{n}", "name": "any"}]}),
            "resources/read" => json!({"contents": [{"uri": params["uri"], "text": "words"},
                {"uri": "a://x.png", "mimeType": "image/png", "blob": "AAEC"}]}),
            "prompts/list" => json!({"prompts": [{"name": "p", "arguments": [{"name": "who", "required": true}]}]}),
            "prompts/get" => json!({"messages": [
                {"role": "user", "content": {"type": "text", "text": params["arguments"]["who"]}},
                {"role": "assistant", "content": {"type": "text", "text": "Yes?"}}]}),
            _ => return None,
        }))
    });
    let client = server.connect().await.unwrap();
    let resources = client.resources().await.unwrap();
    assert_eq!((resources[0].name.as_str(), resources[0].size), ("one", Some(3)));
    assert_eq!(client.resource_templates().await.unwrap()[0].uri, "a://{n}");
    let parts = client.read("a://1").await.unwrap();
    assert!(matches!(&parts[0], Input::Text(text) if text.text == "words"));
    assert!(matches!(&parts[1], Input::Media(media) if media.mime == "image/png"));
    let prompts = client.prompts().await.unwrap();
    assert!(prompts[0].arguments[0].required);
    let messages = client.prompt("p", [("who", "Ada")]).await.unwrap();
    assert_eq!(messages, [Message::user("Ada"), Message::assistant("Yes?")]);
}
