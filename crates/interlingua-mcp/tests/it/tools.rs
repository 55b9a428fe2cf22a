use interlingua::{Content, Json, MediaKind, Tool, ToolCall, Toolbox};
use serde_json::{Value, json};

use crate::script::{Script, tools};

/// The names in a box.
pub(crate) fn names(toolbox: &Toolbox) -> Vec<String> {
    toolbox.definitions().iter().map(|tool| tool.name().to_owned()).collect()
}

fn call(name: &str) -> ToolCall {
    ToolCall::new("1", name, Json::from_text(r#"{"a":1}"#))
}

/// A server with one tool `t` that answers so.
async fn answered(result: Result<Value, Value>) -> interlingua::ToolResult {
    let script = Script::default();
    let server = script.server("s", move |method, _| match method {
        "tools/list" => Some(Ok(tools(&["t"]))),
        "tools/call" => Some(result.clone()),
        _ => None,
    });
    let client = server.output_limit(100).connect().await.unwrap();
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    let result = toolbox.call(&call("s__t")).await;
    let sent = script.heard("tools/call").pop().unwrap();
    assert_eq!(sent["params"]["name"], "t");
    assert_eq!(sent["params"]["arguments"], json!({"a": 1}));
    result
}

#[tokio::test(start_paused = true)]
async fn results_of_every_kind_reach_the_model() {
    let blocks = json!([
        {"type": "text", "text": "words"},
        {"type": "image", "data": "AAEC", "mimeType": "image/png"},
        {"type": "audio", "data": "AAEC", "mimeType": "audio/wav"},
        {"type": "resource", "resource": {"uri": "file:///a.txt", "text": "inside"}},
        {"type": "resource", "resource": {"uri": "file:///b.pdf", "blob": "AAEC", "mimeType": "application/pdf"}},
        {"type": "resource_link", "uri": "file:///c", "name": "c", "description": "far\u{1b}away"},
        {"type": "image", "data": "not base64!", "mimeType": "image/png"},
    ]);
    let result = answered(Ok(json!({"content": blocks}))).await;
    let told: Vec<String> = result.content.iter().map(shown).collect();
    let expected = [
        "words",
        "Image image/png 3",
        "Audio audio/wav 3",
        "inside",
        "Document application/pdf 3 b.pdf",
        "[resource c: file:///c, faraway]",
        "[data that is no base64]",
    ];
    assert_eq!(told, expected);
    assert!(!result.is_error);
}

fn shown(part: &Content) -> String {
    match part {
        Content::Text(text) => text.text.clone(),
        Content::Media(media) => {
            let interlingua::Source::Bytes(data) = &media.source else { panic!() };
            let kind: MediaKind = media.kind();
            let name = media.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            format!("{kind:?} {} {}{name}", media.mime, data.as_bytes().len())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_to_the_model() {
    let failed =
        answered(Ok(json!({"content": [{"type": "text", "text": "no disk"}], "isError": true}))).await;
    assert!(failed.is_error);
    assert_eq!(failed.text(), "no disk");
    let refused = answered(Err(json!({"code": -32602, "message": "bad\u{7}\narguments"}))).await;
    assert!(refused.is_error);
    assert_eq!(refused.text(), "the MCP server `s` refused: bad arguments (-32602)");
}

#[tokio::test(start_paused = true)]
async fn structured_content_is_told_where_there_is_no_text() {
    let bare = answered(Ok(json!({"content": [], "structuredContent": {"b": 1, "a": 2}}))).await;
    assert_eq!(bare.text(), r#"{"b":1,"a":2}"#);
    let text = json!([{"type": "text", "text": "both"}]);
    let both = answered(Ok(json!({"content": text, "structuredContent": {"b": 1}}))).await;
    assert_eq!(both.text(), "both");
    assert_eq!(answered(Ok(json!({}))).await.text(), "");
}

#[tokio::test(start_paused = true)]
async fn long_results_are_cut_visibly() {
    let text = "é".repeat(100);
    let result = answered(Ok(json!({"content": [{"type": "text", "text": text}]}))).await;
    assert_eq!(result.text(), format!("{}\n[cut: 100 more bytes]", "é".repeat(50)));
}

#[tokio::test(start_paused = true)]
async fn names_are_safe_and_each_there_once() {
    let long = "x".repeat(100);
    let script = Script::default();
    let list = tools(&["read file", "read/file", "ok", &long, &format!("{long}y")]);
    let server =
        script.server("my server", move |method, _| (method == "tools/list").then(|| Ok(list.clone())));
    let client = server.connect().await.unwrap();
    let toolbox = Toolbox::new();
    assert_eq!(client.tools_into(&toolbox).await.unwrap(), 5);
    let names = names(&toolbox);
    assert_eq!(names[..3], ["my_server__read_file", "my_server__read_file_2", "my_server__ok"]);
    assert!(names.iter().all(|name| name.len() <= 64), "{names:?}");
    assert!(names[4].ends_with("_2"), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn descriptions_are_cleaned_and_schemas_bounded() {
    let log = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let script = Script::default();
    let server = script.server("s", |method, _| {
        let huge = "x".repeat(100 << 10);
        let list = json!({"tools": [
            {"name": "a", "description": "clean\u{1b}[31m\u{202e}", "inputSchema": {"type": "object", "z": 1, "a": 2},
             "annotations": {"readOnlyHint": true}},
            {"name": "b", "inputSchema": {"type": "object", "description": huge}},
        ]});
        (method == "tools/list").then_some(Ok(list))
    });
    for trusted in [false, true] {
        let heard = log.clone();
        let server = server.clone().trusted(trusted);
        let server = server.on_log(move |line| heard.lock().unwrap().push(line.to_owned()));
        let client = server.connect().await.unwrap();
        let toolbox = Toolbox::new();
        assert_eq!(client.tools_into(&toolbox).await.unwrap(), 1);
        let Tool::Function(tool) = toolbox.definitions().remove(0) else { panic!() };
        assert_eq!(tool.description.as_deref(), Some("clean[31m"));
        assert_eq!(tool.input.as_str(), r#"{"type":"object","z":1,"a":2}"#);
        assert_eq!(toolbox.get("s__a").unwrap().is_idempotent(), trusted);
    }
    assert!(log.lock().unwrap()[0].contains("`b` is left out"), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn every_page_of_the_list_is_read_and_an_endless_one_is_cut() {
    for (last, expected) in [(3, 3), (usize::MAX, 100)] {
        let script = Script::default();
        let server = script.server("s", move |method, params| {
            let page: usize = params["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
            let mut list = tools(&[&format!("t{page}")]);
            if page + 1 < last {
                list["nextCursor"] = json!((page + 1).to_string());
            }
            (method == "tools/list").then_some(Ok(list))
        });
        let client = server.connect().await.unwrap();
        assert_eq!(client.tools_into(&Toolbox::new()).await.unwrap(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_list_changes_the_box() {
    let script = Script::default();
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = script.server("s", move |method, _| {
        if method != "tools/list" {
            return None;
        }
        let count = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Some(Ok(if count == 0 { tools(&["old", "kept"]) } else { tools(&["kept", "new"]) }))
    });
    let client = server.connect().await.unwrap();
    let toolbox = Toolbox::new();
    client.tools_into(&toolbox).await.unwrap();
    assert_eq!(names(&toolbox), ["s__old", "s__kept"]);
    script.tell(json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
    while names(&toolbox) != ["s__kept", "s__new"] {
        tokio::task::yield_now().await;
    }
    drop(client);
    assert!(toolbox.is_empty());
}
