//! The loop that runs tools.

use std::sync::Arc;
use std::time::Duration;

use interlingua::{
    Approval, BoxFuture, Error, ErrorKind, Event, Message, Observer, Options, Request, RunLimits, ToolCall,
    ToolResult, Toolbox, schemars, tool,
};
use serde_json::json;

use crate::script::{Said, Script};
use crate::server::{hello, whole_hello};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Place {
    /// The city, in English.
    city: String,
    /// How long the answer takes.
    seconds: Option<u64>,
}

fn tools() -> Toolbox {
    Toolbox::new().add(tool("weather", "The weather now.", |place: Place| async move {
        tokio::time::sleep(Duration::from_secs(place.seconds.unwrap_or(0))).await;
        if place.city == "Atlantis" { Err("no such city") } else { Ok(format!("{}: sunny", place.city)) }
    }))
}

fn calls(calls: &[(&str, &str, &str)]) -> Said {
    let calls: Vec<_> = calls
        .iter()
        .map(|(id, name, arguments)| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}))
        .collect();
    let message = json!({"role": "assistant", "content": null, "tool_calls": calls});
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 5});
    Said::ok(
        json!({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": usage})
            .to_string(),
    )
}

fn ask() -> Request {
    Request::new("test/m").user("What is the weather?")
}

/// The results in a body, as call and text.
fn results(body: &serde_json::Value) -> Vec<(String, String)> {
    let messages = body["messages"].as_array().unwrap().iter().filter(|message| message["role"] == "tool");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    messages.map(|message| (text(&message["tool_call_id"]), text(&message["content"]))).collect()
}

#[tokio::test(start_paused = true)]
async fn calls_run_together_and_results_go_back_in_order() {
    let script = Script::answers([
        calls(&[
            ("a", "weather", r#"{"city":"Paris","seconds":30}"#),
            ("b", "weather", r#"{"city":"Rome","seconds":20}"#),
            ("c", "weather", r#"{"city":"Atlantis"}"#),
            ("d", "wether", "{}"),
            ("e", "weather", r#"{"town":"Paris"}"#),
            ("f", "weather", r#"{"city":"#),
        ]),
        Said::ok(whole_hello()),
    ]);
    let begun = tokio::time::Instant::now();
    let run = script.client().run(ask(), &tools(), RunLimits::default()).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(30), "the calls run at the same time");
    assert_eq!((run.response.text().as_str(), run.turns), ("Hello, wörld", 2));
    assert_eq!((run.usage.input, run.usage.output), (Some(17), Some(7)));
    assert_eq!(run.messages.len(), 4);
    let told = results(&script.body(1));
    let ids: Vec<_> = told.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e", "f"]);
    assert_eq!((told[0].1.as_str(), told[1].1.as_str()), ("Paris: sunny", "Rome: sunny"));
    assert!(told[2].1.contains("no such city"));
    assert!(told[3].1.contains("there is no tool `wether`, only: weather"));
    assert!(told[4].1.contains("missing field `city`") && told[5].1.contains("do not fit"));
    let Message::User(user) = &run.messages[2] else { panic!("no results") };
    let errors = user
        .parts
        .iter()
        .map(|part| matches!(part, interlingua::Input::ToolResult(result) if result.is_error));
    assert_eq!(errors.collect::<Vec<_>>(), [false, false, true, true, true, true]);
    let schema = &script.body(0)["tools"][0]["function"]["parameters"];
    assert_eq!(schema["properties"]["city"]["description"], "The city, in English.");
    assert_eq!(schema["required"], json!(["city"]));
}

#[tokio::test]
async fn a_model_that_never_ends_is_stopped_with_the_conversation_kept() {
    let script = Script::answers((0..3).map(|_| calls(&[("a", "weather", r#"{"city":"Paris"}"#)])));
    let error = script.client().run(ask(), &tools(), RunLimits::default().turns(3)).await.unwrap_err();
    assert_eq!((error.error().kind(), error.turns()), (ErrorKind::Tool, 3));
    assert_eq!(error.messages().len(), 7, "every call has its result");
    assert_eq!(error.usage().input, Some(30));
    assert_eq!(Error::from(error).message(), "the model was not done after 3 answers");
}

#[tokio::test]
async fn a_call_that_fails_keeps_the_conversation() {
    let script =
        Script::answers([calls(&[("a", "weather", r#"{"city":"Paris"}"#)]), Said::status(401, "{}")]);
    let error = script.client().run(ask(), &tools(), RunLimits::default()).await.unwrap_err();
    assert_eq!((error.error().kind(), error.messages().len()), (ErrorKind::Authentication, 3));
}

/// Lets Paris through and notes what it sees.
#[derive(Default)]
struct Guard {
    stop_at: Option<&'static str>,
    events: usize,
    results: Vec<String>,
}

impl Observer for Guard {
    fn event(&mut self, _: u32, _: &Event) {
        self.events += 1;
    }

    fn approve<'a>(&'a mut self, call: &'a ToolCall) -> BoxFuture<'a, Approval> {
        let stop = self.stop_at == Some(&*call.id);
        let paris = call.input.as_str().contains("Paris");
        Box::pin(async move {
            match (stop, paris) {
                (true, _) => Approval::Stop,
                (_, true) => Approval::Run,
                _ => Approval::Deny("the user does not care".into()),
            }
        })
    }

    fn result(&mut self, result: &ToolResult) {
        self.results.push(result.text());
    }
}

fn two() -> Said {
    calls(&[("a", "weather", r#"{"city":"Paris"}"#), ("b", "weather", r#"{"city":"Rome"}"#)])
}

#[tokio::test]
async fn an_observer_sees_everything_and_has_a_say() {
    let script = Script::answers([two(), Said::ok(hello())]);
    let mut guard = Guard::default();
    let client = script.client();
    let options = Options::default();
    let run = client.run_stream(ask(), &tools(), RunLimits::default(), &options, &mut guard).await.unwrap();
    assert_eq!(run.response.text(), "Hello, wörld");
    assert_eq!(guard.results, ["Paris: sunny", "the user does not care"]);
    assert!(guard.events > 6);
}

#[tokio::test]
async fn an_observer_can_end_the_run_and_no_call_is_left_open() {
    let script = Script::answers([two()]);
    let mut guard = Guard { stop_at: Some("b"), ..Guard::default() };
    let client = script.client();
    let options = Options::default();
    let stopped = client.run_stream(ask(), &tools(), RunLimits::default(), &options, &mut guard).await;
    let error = stopped.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::Cancelled);
    assert_eq!(guard.results, ["the user stopped before this ran", "the user stopped before this ran"]);
    assert_eq!(error.messages().len(), 3);
}

#[test]
fn boxes_are_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    shared(&Arc::new(tools()));
}
