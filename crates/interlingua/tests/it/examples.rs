//! The examples, with answers that are written down.

use interlingua::ToolCall;
use serde_json::json;

use crate::script::{Said, Script};
use crate::server::hello;

#[path = "../../examples/approval.rs"]
mod approval;
#[path = "../../examples/coding_helper.rs"]
mod coding_helper;
#[path = "../../examples/research.rs"]
mod research;

/// An answer that calls one tool.
fn call(name: &str, arguments: &serde_json::Value) -> Said {
    let function = json!({"name": name, "arguments": arguments.to_string()});
    let calls = json!([{"index": 0, "id": "c1", "type": "function", "function": function}]);
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": calls}, "finish_reason": "tool_calls"}]});
    Said::ok(format!("data: {chunk}\n\ndata: [DONE]\n\n"))
}

#[tokio::test]
async fn a_helper_writes_only_what_it_may() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.rs"), "fn main() {}").unwrap();
    let script = Script::answers([
        call("read", &json!({"path": "main.rs"})),
        call("write", &json!({"path": "README.md", "text": "A program."})),
        call("write", &json!({"path": "../escape", "text": "no"})),
        call("write", &json!({"path": "main.rs", "text": ""})),
        Said::ok(hello()),
    ]);
    let may = |call: &ToolCall| !call.input.as_str().contains("main.rs");
    let mut said = String::new();
    let client = script.client();
    let run = coding_helper::help(&client, "test/m", folder.path(), "Help.", may, |text| said.push_str(text));
    let run = run.await.unwrap();
    assert_eq!((said.as_str(), run.turns()), ("Hello, wörld", 5));
    assert_eq!(std::fs::read_to_string(folder.path().join("README.md")).unwrap(), "A program.");
    assert_eq!(std::fs::read_to_string(folder.path().join("main.rs")).unwrap(), "fn main() {}");
    let told = format!("{:?}", run.messages());
    assert!(told.contains("is outside of the folder") && told.contains("the user said no"), "{told}");
}

#[tokio::test]
async fn research_is_done_in_runs_of_its_own() {
    let script = Script::answers([
        call("research", &json!({"task": "How old is Jericho?"})),
        call("look_up", &json!({"word": "Jericho"})),
        Said::ok(hello()),
        Said::ok(hello()),
    ]);
    let run = research::research(&script.client(), "test/m", "Which is the oldest city?").await.unwrap();
    assert_eq!((run.text().as_str(), run.turns()), ("Hello, wörld", 2));
    assert!(script.body(2).to_string().contains("walls of about 8000 BC"));
}

#[tokio::test]
async fn a_person_decides_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.json");
    let script = Script::answers([call("refund", &json!({"order": 7}))]);
    let waits = approval::begin(&script.client(), "test/m", "Refund order 7.", &file).await.unwrap();
    assert_eq!(waits, None);
    let script = Script::answers([Said::ok(hello())]);
    let answer = approval::decide(&script.client(), &file, true).await.unwrap();
    assert_eq!(answer.as_deref(), Some("Hello, wörld"));
    assert!(script.body(0).to_string().contains("order 7 is paid back"));
}
