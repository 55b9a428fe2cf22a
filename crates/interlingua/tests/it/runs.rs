//! The loop that runs tools.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use interlingua::{
    Approval, Approvals, Backend, BoxFuture, BoxStream, Client, Compaction, Delta, Error, ErrorKind, Event,
    Finish, FinishReason, Hook, Json, Message, ModelInfo, OnError, Outcome, Output, Progress, Request, Run,
    RunEvent, RunLimits, Runner, Running, Start, Stop, ToolCall, ToolContext, ToolOutput, Toolbox, schemars,
    tool, tool_with,
};
use serde_json::json;

use crate::script::{Piece, Said, Script};
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
    assert_eq!((run.text().as_str(), run.turns()), ("Hello, wörld", 2));
    assert_eq!((run.usage().input, run.usage().output), (Some(17), Some(7)));
    assert_eq!(run.messages().len(), 4);
    let told = results(&script.body(1));
    let ids: Vec<_> = told.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e", "f"]);
    assert_eq!((told[0].1.as_str(), told[1].1.as_str()), ("Paris: sunny", "Rome: sunny"));
    assert!(told[2].1.contains("no such city"));
    assert!(told[3].1.contains("there is no tool `wether`, only: weather"));
    assert!(told[4].1.contains("the property `city` is missing") && told[5].1.contains("do not fit"));
    let Message::User(user) = &run.messages()[2] else { panic!("no results") };
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

fn two() -> Said {
    calls(&[("a", "weather", r#"{"city":"Paris"}"#), ("b", "weather", r#"{"city":"Rome"}"#)])
}

/// Lets Paris through.
struct Guard {
    stop_at: Option<&'static str>,
}

impl Hook for Guard {
    fn before_call(&self, call: &ToolCall) -> Option<Approval> {
        Some(match (self.stop_at == Some(&*call.id), call.input.as_str().contains("Paris")) {
            (true, _) => Approval::Stop,
            (_, true) => Approval::Run,
            _ => Approval::Deny("the user does not care".into()),
        })
    }

    fn after_call(&self, _: &ToolCall, output: &mut ToolOutput) {
        *output = ToolOutput::text(format!("{} (checked)", output.plain()));
    }
}

/// What happened, in words, without the events of answers.
async fn story(running: &mut Running) -> Vec<String> {
    let mut story = Vec::new();
    while let Some(event) = running.next().await {
        match event {
            RunEvent::Model(_) => {}
            RunEvent::Turn(turn) => story.push(format!("turn {turn}")),
            RunEvent::Answered(spent) => {
                story.push(format!("answered, {:?} tokens", spent.tokens().unwrap()));
            }
            RunEvent::Undecided { call, .. } => story.push(format!("may {} run?", call.id)),
            RunEvent::Started { call, .. } => story.push(format!("{} begins", call.id)),
            RunEvent::Progress { at, progress: Progress { message, .. } } => {
                story.push(format!("{at}: {message}"));
            }
            RunEvent::Returned { call, output, .. } => story.push(format!("{}: {}", call.id, output.plain())),
            RunEvent::Ended(outcome) => story.push(format!("{outcome:?}")),
            other => story.push(format!("{other:?}")),
        }
    }
    story
}

/// The text of what a tool said.
trait Plain {
    fn plain(&self) -> String;
}

impl Plain for ToolOutput {
    fn plain(&self) -> String {
        let texts = self.content.iter().map(|content| match content {
            interlingua::Content::Text(text) => text.text.as_str(),
            _ => "[media]",
        });
        texts.collect()
    }
}

#[tokio::test]
async fn a_hook_has_a_say_and_every_step_is_told() {
    let script = Script::answers([two(), Said::ok(hello())]);
    let runner = Runner::new(&script.client()).tools(&tools()).hook(Guard { stop_at: None });
    let mut running = runner.start(ask());
    let told = story(&mut running).await;
    assert_eq!(
        told,
        [
            "turn 1",
            "answered, 15 tokens",
            "a begins",
            "a: Paris: sunny (checked)",
            "turn 2",
            "answered, 24 tokens",
            "Finished"
        ]
    );
    let run = running.finish().await.unwrap();
    assert_eq!(run.text(), "Hello, wörld");
    assert_eq!(results(&script.body(1))[1].1, "Error: the user does not care");
}

#[tokio::test]
async fn a_hook_can_end_the_run_before_anything_runs() {
    let script = Script::answers([two()]);
    let runner = Runner::new(&script.client()).tools(&tools()).hook(Guard { stop_at: Some("b") });
    let error = runner.complete(ask()).await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::Cancelled);
    let Message::User(user) = error.messages().last().unwrap() else { panic!("no results") };
    for part in &user.parts {
        let interlingua::Input::ToolResult(result) = part else { panic!("{part:?}") };
        assert_eq!(result.text(), "the run was stopped before this ran");
    }
    assert_eq!((user.parts.len(), error.messages().len()), (2, 3));
}

#[tokio::test]
async fn a_person_decides_after_a_restart() {
    let script = Script::answers([two(), Said::ok(hello())]);
    let runner = Runner::new(&script.client()).tools(&tools()).approvals(Approvals::Ask);
    let mut running = runner.start(ask());
    let told = story(&mut running).await;
    assert_eq!(told, ["turn 1", "answered, 15 tokens", "may a run?", "may b run?"]);
    running.decide(0, Approval::Run).unwrap();
    assert!(running.decide(0, Approval::Run).is_err(), "a decision holds");
    assert!(running.decide(7, Approval::Run).is_err());
    assert_eq!(story(&mut running).await, ["a begins", "a: Paris: sunny"]);

    let stored = serde_json::to_string(&running.into_run()).unwrap();
    let restored: Run = serde_json::from_str(&stored).unwrap();
    assert_eq!(restored.undecided().map(|(at, call)| (at, &*call.id)).collect::<Vec<_>>(), [(1, "b")]);
    let mut running = runner.start(restored);
    assert_eq!(story(&mut running).await, ["may b run?"]);
    running.decide(1, Approval::Answer("hot".into())).unwrap();
    let run = running.finish().await.unwrap();
    let told = results(&script.body(1));
    assert_eq!((told[0].1.as_str(), told[1].1.as_str()), ("Paris: sunny", "hot"));
    assert_eq!((run.turns(), script.count()), (2, 2));
}

#[tokio::test]
async fn calls_that_nobody_decides_are_no_end() {
    let script = Script::answers([two()]);
    let runner = Runner::new(&script.client()).tools(&tools()).approvals(Approvals::Harmless);
    let error = runner.complete(ask()).await.unwrap_err();
    assert_eq!(error.error().message(), "calls wait for a decision: weather, weather");
    assert!(error.run().outcome().is_none());
}

/// A model that calls twice, and pauses before each call is complete; then it is done.
#[derive(Debug, Default)]
struct Slow(std::sync::atomic::AtomicU32);

impl Backend for Slow {
    fn stream(
        &self,
        _: Request,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<Event, Error>>, Error>> {
        let call = |at, id: &str| {
            let call = ToolCall::new(id, "weather", Json::from_text(r#"{"city":"Paris","seconds":5}"#));
            [Event::open(at, Output::ToolCall(call)), Event::close(at)]
        };
        let finish = |reason| Event::finish(Finish::new(reason));
        let start = Event::start(Start::new(None, None));
        let first = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        let events = if first {
            let mut events = vec![start];
            events.extend(call(0, "a").into_iter().chain(call(1, "b")));
            events.push(finish(FinishReason::ToolUse));
            events
        } else {
            vec![start, finish(FinishReason::Stop)]
        };
        let paused = stream::iter(events).then(|event| async move {
            if matches!(event, Event::Close { .. } | Event::Finish(_)) {
                tokio::time::sleep(Duration::from_secs(20)).await;
            }
            Ok(event)
        });
        Box::pin(async move { Ok(Box::pin(paused) as BoxStream<'static, _>) })
    }

    fn models(&self) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// When the calls of the slow model begin, in seconds.
async fn beginnings(tools: &Toolbox) -> Vec<u64> {
    let client = Client::builder().backend("slow", Arc::new(Slow::default())).build().unwrap();
    let mut running = Runner::new(&client).tools(tools).start(Request::new("slow/m").user("hi"));
    let (begun, mut beginnings) = (tokio::time::Instant::now(), Vec::new());
    while let Some(event) = running.next().await {
        if let RunEvent::Started { .. } = event {
            beginnings.push(begun.elapsed().as_secs());
        }
    }
    let run = running.finish().await.unwrap();
    assert_eq!(run.messages().len(), 4, "each call has one result");
    beginnings
}

#[tokio::test(start_paused = true)]
async fn harmless_calls_begin_while_the_answer_still_comes() {
    let harmless: Toolbox = [tools().get("weather").unwrap().idempotent(true)].into_iter().collect();
    assert_eq!(beginnings(&harmless).await, [20, 40]);
    assert_eq!(beginnings(&tools()).await, [60, 60]);
}

#[tokio::test(start_paused = true)]
async fn rules_of_tools_hold() {
    let nap = tool_with("nap", "Sleeps.", |seconds: Seconds, context: ToolContext| async move {
        context.progress(Progress::new("lying down").of(0.0, 1.0));
        tokio::time::sleep(Duration::from_secs(seconds.seconds)).await;
        format!("slept {}", seconds.seconds)
    });
    let tools = Toolbox::new().add(nap.timeout(Duration::from_secs(100)).concurrency(1));
    let nap = |id, seconds| (id, "nap", seconds);
    let answer = calls(&[
        nap("a", r#"{"seconds":60}"#),
        nap("b", r#"{"seconds":70}"#),
        nap("c", r#"{"seconds":500}"#),
    ]);
    let script = Script::answers([answer, Said::ok(hello())]);
    let begun = tokio::time::Instant::now();
    let mut running = Runner::new(&script.client()).tools(&tools).start(ask());
    let told = story(&mut running).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(60 + 70 + 100));
    assert!(told.contains(&"1: lying down".to_owned()), "{told:?}");
    assert!(told.contains(&"c: the tool was stopped, for it took longer than 100s".to_owned()), "{told:?}");
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Seconds {
    seconds: u64,
}

#[tokio::test(start_paused = true)]
async fn time_and_tokens_end_a_run() {
    let long = || calls(&[("a", "weather", r#"{"city":"Paris","seconds":500}"#)]);
    let script = Script::answers([long()]);
    let limits = RunLimits::default().time(Duration::from_secs(100));
    let error = script.client().run(ask(), &tools(), limits).await.unwrap_err();
    assert_eq!(error.run().outcome(), Some(&Outcome::Stopped(Stop::Time)));
    assert_eq!((error.error().kind(), error.messages().len()), (ErrorKind::Timeout, 3));
    assert_eq!(error.run().spent().time, Duration::from_secs(100));

    let script = Script::answers([two(), two()]);
    let error = script.client().run(ask(), &tools(), RunLimits::default().tokens(30)).await.unwrap_err();
    assert_eq!(error.run().outcome(), Some(&Outcome::Stopped(Stop::Tokens(Some(30)))));
    assert_eq!(error.messages().len(), 5, "what was called before has its results");
}

#[tokio::test(start_paused = true)]
async fn what_was_said_meanwhile_is_heard_at_the_next_turn() {
    let script = Script::answers([two(), Said::ok(hello()), Said::ok(hello())]);
    let mut running = Runner::new(&script.client()).tools(&tools()).start(ask());
    while let Some(event) = running.next().await {
        match event {
            RunEvent::Started { call, .. } if call.id == "a" => running.say(Message::user("And Oslo?")),
            RunEvent::Turn(2) => running.say(Message::user("And Rome?")),
            _ => {}
        }
    }
    let said = |at: usize| script.body(at)["messages"].as_array().unwrap().last().unwrap()["content"].clone();
    assert_eq!((said(1), said(2)), (json!("And Oslo?"), json!("And Rome?")));
    assert_eq!(running.run().turns(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_answer_keeps_its_text() {
    let begun = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Once upon\"}}]}\n\n";
    let script = Script::answers([Said::ok(begun).then(Piece::Forever), Said::ok(hello())]);
    let runner = Runner::new(&script.client());
    let mut running = runner.start(ask());
    while let Some(event) = running.next().await {
        if let RunEvent::Model(Event::Delta { delta: Delta::Text(_), .. }) = event {
            running.cancel();
        }
    }
    let (error, mut run) = running.finish().await.unwrap_err().into_parts();
    assert_eq!((error.kind(), run.messages().len()), (ErrorKind::Cancelled, 2));
    let Message::Assistant(kept) = &run.messages()[1] else { panic!("no answer") };
    assert_eq!(kept.text(), "Once upon");
    run.again();
    run.say(Message::user("Go on."));
    assert_eq!(runner.complete(run).await.unwrap().text(), "Hello, wörld");
}

/// Asks again twice.
struct Stubborn(std::sync::atomic::AtomicU32);

impl Hook for Stubborn {
    fn on_error(&self, _: &Error) -> OnError {
        let asked = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if asked < 2 { OnError::Again } else { OnError::End }
    }
}

#[tokio::test]
async fn a_hook_may_ask_again_after_an_error() {
    let refused = || Said::status(401, "{}");
    let script = Script::answers([refused(), refused(), Said::ok(hello())]);
    let runner = Runner::new(&script.client()).hook(Stubborn(0.into()));
    assert_eq!(runner.complete(ask()).await.unwrap().turns(), 1);
    let script = Script::answers([refused(), refused(), refused()]);
    let runner = Runner::new(&script.client()).hook(Stubborn(0.into()));
    assert_eq!(runner.complete(ask()).await.unwrap_err().error().kind(), ErrorKind::Authentication);
}

#[tokio::test]
async fn a_box_may_change_between_turns() {
    let script = Script::answers([two(), Said::ok(hello())]);
    let tools = tools();
    let mut running = Runner::new(&script.client()).tools(&tools).start(ask());
    while let Some(event) = running.next().await {
        if let RunEvent::Answered(_) = event {
            tools.insert(tool("clock", "The time.", |_: Seconds| async { "noon" }));
            tools.remove("weather");
        }
    }
    let offered = |at: usize| script.body(at)["tools"][0]["function"]["name"].clone();
    assert_eq!((offered(0), offered(1)), (json!("weather"), json!("clock")));
    assert!(results(&script.body(1))[0].1.contains("there is no tool `weather`, only: clock"));
}

#[tokio::test]
async fn a_long_history_becomes_a_summary() {
    let once = || calls(&[("a", "weather", r#"{"city":"Paris"}"#)]);
    let script = Script::answers([once(), once(), once(), Said::ok(whole_hello()), Said::ok(hello())]);
    let compaction = Compaction::above_messages(6).keep(2).summary(None);
    let runner = Runner::new(&script.client()).tools(&tools()).compaction(compaction);
    let mut running = runner.start(ask());
    let told = story(&mut running).await;
    assert!(told.iter().any(|told| told.contains("Compacted { messages: 4")), "{told:?}");
    let run = running.finish().await.unwrap();
    assert_eq!(script.body(3)["tool_choice"], "none");
    let told = script.body(4)["messages"].as_array().unwrap().clone();
    assert_eq!(told.len(), 4, "the question, the summary, the last call and its result: {told:?}");
    assert!(told[1]["content"].as_str().unwrap().ends_with("Hello, wörld"));
    assert_eq!(run.spent().tokens(), Some(15 * 3 + 9 * 2), "the summary is paid for as well");
}

#[tokio::test]
async fn a_run_within_a_tool_is_paid_for_by_the_run_outside() {
    let outside =
        Script::answers([calls(&[("r", "research", r#"{"task":"Find out."}"#)]), Said::ok(hello())]);
    let inside = Script::answers([two(), Said::ok(hello())]);
    let nested = Runner::new(&inside.client()).tools(&tools());
    let research = nested.into_tool(
        "research",
        "Finds things out.",
        Request::new("test/m").system("Look."),
        RunLimits::default(),
    );
    let mut running = Runner::new(&outside.client()).tools(&Toolbox::new().add(research)).start(ask());
    let told = story(&mut running).await;
    assert!(told.contains(&"0: weather {\"city\":\"Paris\"}".to_owned()), "{told:?}");
    let run = running.finish().await.unwrap();
    assert_eq!(results(&outside.body(1)), [("r".to_owned(), "Hello, wörld".to_owned())]);
    assert_eq!((run.turns(), run.spent().tokens()), (2, Some(15 + 9 + 15 + 9)));
}

#[test]
fn boxes_are_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    shared(&Arc::new(tools()));
}
