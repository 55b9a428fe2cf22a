//! What a collector of OpenTelemetry gets to see.

use interlingua::layer::Fallback;
use interlingua::{Request, RetryPolicy, Runner, Toolbox, schemars, tool};
use serde_json::{Value, json};

use crate::collector::{Collector, attribute};
use crate::script::{Said, Script};
use crate::server::hello;

/// A key that can be told from everything else.
const CANARY: &str = "sk-canary-7f3a";

fn ask() -> Request {
    Request::new("test/m").system("Be brief.").user("a secret question").max_output(9)
}

fn whole() -> Said {
    let usage = json!({
        "prompt_tokens": 11, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 2},
    });
    let message = json!({"content": "a secret answer"});
    let choices = json!([{"message": message, "finish_reason": "stop"}]);
    Said::ok(json!({"id": "c-1", "model": "m-2026", "choices": choices, "usage": usage}).to_string())
}

fn calling() -> Said {
    let call =
        json!({"id": "t-1", "type": "function", "function": {"name": "dig", "arguments": "{\"deep\":true}"}});
    let message = json!({"content": null, "tool_calls": [call]});
    Said::ok(json!({"choices": [{"message": message, "finish_reason": "tool_calls"}]}).to_string())
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Dig {
    deep: bool,
}

fn tools() -> Toolbox {
    Toolbox::new().add(tool("dig", "Digs.", |dig: Dig| async move {
        if dig.deep { Ok("a secret find") } else { Err("nothing") }
    }))
}

fn refused(status: u16) -> Said {
    Said::status(status, format!("{{\"error\":{{\"message\":\"no: {CANARY}\"}}}}"))
}

/// Asserts what a span has, attribute by attribute.
#[track_caller]
fn has(span: &Value, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        assert_eq!(attribute(span, key), *value, "{key} of {span:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_a_span_with_its_retries_and_without_its_words() {
    let collector = Collector::new();
    let guard = collector.trace();
    let script = Script::answers([refused(503), whole()]);
    let client = script.builder().key("test", CANARY).build().unwrap();
    client.send(&ask()).await.unwrap();
    drop(guard);
    let [span] = &collector.spans()[..] else { panic!("{}", collector.text()) };
    assert_eq!((&span["name"], &span["kind"]), (&json!("chat m"), &json!(3)));
    has(
        span,
        &[
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "test"),
            ("gen_ai.request.model", "m"),
            ("gen_ai.request.max_tokens", "9"),
            ("gen_ai.request.stream", "false"),
            ("gen_ai.response.id", "c-1"),
            ("gen_ai.response.model", "m-2026"),
            ("gen_ai.response.finish_reasons", "[\"stop\"]"),
            ("gen_ai.usage.input_tokens", "11"),
            ("gen_ai.usage.output_tokens", "7"),
            ("gen_ai.usage.cache_read.input_tokens", "3"),
            ("gen_ai.usage.reasoning.output_tokens", "2"),
            ("server.address", "api.test"),
            ("server.port", "443"),
            ("error.type", ""),
            ("gen_ai.input.messages", ""),
        ],
    );
    let retry = &span["events"][0];
    assert!(retry["name"].as_str().unwrap().starts_with("retry: "), "{retry:#}");
    has(retry, &[("http.response.status_code", "503"), ("interlingua.retry.attempt", "1")]);
    for secret in [CANARY, "secret", "Be brief"] {
        assert!(!collector.text().contains(secret), "{secret}: {}", collector.text());
    }
}

#[tokio::test]
async fn a_refusal_and_a_call_that_is_dropped_are_spans_with_an_error() {
    let collector = Collector::new();
    let guard = collector.trace();
    let script = Script::answers([refused(401), Said::ok(hello())]);
    let client = script.builder().key("test", CANARY).retry(RetryPolicy::never()).build().unwrap();
    client.send(&ask()).await.unwrap_err();
    let mut events = client.stream(&ask()).await.unwrap();
    events.next().await.unwrap().unwrap();
    drop(events);
    drop(guard);
    let spans = collector.spans();
    let errors: Vec<_> = spans.iter().map(|span| attribute(span, "error.type")).collect();
    assert_eq!(errors, ["authentication", "cancelled"]);
    assert!(spans.iter().all(|span| span["status"]["code"] == 2), "{spans:#?}");
    assert!(!collector.text().contains(CANARY));
}

#[tokio::test]
async fn a_run_has_its_calls_and_its_tools_in_it() {
    let collector = Collector::new();
    let guard = collector.trace();
    let script = Script::answers([calling(), whole()]);
    Runner::new(&script.client())
        .mode(interlingua::Mode::Whole)
        .tools(&tools())
        .complete(ask())
        .await
        .unwrap();
    drop(guard);
    let spans = collector.spans();
    let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["chat m", "execute_tool dig", "chat m", "invoke_agent"]);
    let run = spans.last().unwrap();
    for inner in &spans[..3] {
        assert_eq!(inner["parentSpanId"], run["spanId"], "{inner:#}");
    }
    has(
        &spans[1],
        &[("gen_ai.tool.name", "dig"), ("gen_ai.tool.call.id", "t-1"), ("gen_ai.tool.type", "function")],
    );
    has(run, &[("gen_ai.operation.name", "invoke_agent"), ("interlingua.turns", "2"), ("error.type", "")]);
    assert!(!collector.text().contains("secret"), "{}", collector.text());
}

#[tokio::test]
async fn words_are_in_the_spans_when_that_is_wanted() {
    let collector = Collector::new();
    let guard = collector.trace();
    let script = Script::answers([calling(), whole()]);
    let client = script.builder().trace_content(true).build().unwrap();
    Runner::new(&client).mode(interlingua::Mode::Whole).tools(&tools()).complete(ask()).await.unwrap();
    drop(guard);
    let spans = collector.spans();
    let read = |span: &Value, key: &str| -> Value { serde_json::from_str(&attribute(span, key)).unwrap() };
    let last = &spans[2];
    assert_eq!(
        read(last, "gen_ai.input.messages"),
        json!([
            {"role": "user", "parts": [{"type": "text", "content": "a secret question"}]},
            {"role": "assistant", "parts": [
                {"type": "tool_call", "id": "t-1", "name": "dig", "arguments": {"deep": true}}
            ]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t-1", "response": "a secret find"}]},
        ])
    );
    assert_eq!(
        read(last, "gen_ai.output.messages"),
        json!([{"role": "assistant", "parts": [{"type": "text", "content": "a secret answer"}], "finish_reason": "stop"}])
    );
    assert_eq!(read(last, "gen_ai.system_instructions"), json!([{"type": "text", "content": "Be brief."}]));
    has(
        &spans[1],
        &[("gen_ai.tool.call.arguments", "{\"deep\":true}"), ("gen_ai.tool.call.result", "a secret find")],
    );
}

/// The data points of a metric.
fn points(collector: &Collector, name: &str) -> Vec<Value> {
    let metric = collector.metrics().into_iter().find(|metric| metric["name"] == name);
    let metric = metric.unwrap_or_else(|| panic!("no {name}: {}", collector.text()));
    let kind = if metric["sum"].is_object() { "sum" } else { "histogram" };
    metric[kind]["dataPoints"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn calls_runs_tools_and_notices_are_measured() {
    let collector = Collector::new();
    let meters = collector.meters();
    let meter = opentelemetry::metrics::MeterProvider::meter(&meters, "test");
    let script = Script::answers([refused(401), Said::ok(hello()), refused(503), calling(), whole()]);
    let row = interlingua::Provider::new("other", interlingua::Protocol::OpenaiChat, "https://api.other/v1");
    let builder = script.builder().provider(row).key("other", CANARY).layer(Fallback::to(["other/n"]));
    let client = builder.meter(&meter).build().unwrap();
    client.stream(&ask()).await.unwrap().into_answer().await.unwrap();
    Runner::new(&client).mode(interlingua::Mode::Whole).tools(&tools()).complete(ask()).await.unwrap();
    meters.force_flush().unwrap();
    let tokens = |kind: &str| -> f64 {
        let all = points(&collector, "gen_ai.client.token.usage");
        let mut found = all.iter().filter(|point| attribute(point, "gen_ai.response.model") == "m-2026");
        let point = found.find(|point| attribute(point, "gen_ai.token.type") == kind).unwrap();
        point["sum"].as_f64().unwrap()
    };
    assert_eq!((tokens("input"), tokens("output")), (11.0, 7.0));
    let calls = points(&collector, "gen_ai.client.operation.duration");
    let count: u64 = calls.iter().map(|point| point["count"].as_str().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(count, 3, "{calls:#?}");
    assert_eq!(points(&collector, "gen_ai.client.operation.time_to_first_chunk").len(), 1);
    has(
        &points(&collector, "gen_ai.execute_tool.duration")[0],
        &[("gen_ai.tool.name", "dig"), ("error.type", "")],
    );
    has(&points(&collector, "gen_ai.invoke_agent.duration")[0], &[("gen_ai.provider.name", "test")]);
    has(&points(&collector, "interlingua.notices")[0], &[("interlingua.notice", "fell_back")]);
    assert_eq!(points(&collector, "interlingua.retries")[0]["asInt"], "1");
    assert!(!collector.text().contains(CANARY));
}
