//! Runs of agents.

use interlingua::{Event, Finish, FinishReason, Input, Json, Message, Output, Start, ToolCall, ToolResult};
use interlingua_wire::Protocol;

use crate::il::Il;
use crate::server::{Act, Server, text};

/// An answer that calls one tool.
fn call(name: &str, input: &str) -> Act {
    let call = ToolCall::new("c1", name, Json::from_text(input));
    Act::Say(vec![
        Event::start(Start::default()),
        Event::open(0, Output::ToolCall(call)),
        Event::close(0),
        Event::finish(Finish::new(FinishReason::ToolUse)),
    ])
}

fn agent(rest: &str) -> String {
    format!("model = \"test/model\"\nsystem = \"Be short.\"\ntask = \"Tidy up.\"\n{rest}")
}

fn prepared(server: &Server, agent: &str) -> Il {
    Il::new(["run", "tidy.toml"])
        .config(&server.provider_row("test"))
        .variable("TEST_KEY", crate::il::KEY)
        .file("tidy.toml", agent)
}

/// The results that a request carries.
fn results(server: &Server, at: usize) -> Vec<ToolResult> {
    let messages = &server.asked()[at].request.messages;
    let parts = messages.iter().filter_map(|message| match message {
        Message::User(user) => Some(&user.parts),
        _ => None,
    });
    let results = parts.flatten().filter_map(|part| match part {
        Input::ToolResult(result) => Some(result.clone()),
        _ => None,
    });
    results.collect()
}

#[test]
fn an_agent_runs_to_its_end_and_leaves_nothing_behind() {
    let server = Server::new(
        Protocol::Anthropic,
        [call("list_directory", r#"{"path":"."}"#), Act::Say(text(&["All tidy."]))],
    );
    let il = prepared(&server, &agent("tools = [\"list_directory\"]")).file("old.txt", "x");
    il.run().ended(0).printed("All tidy.\n").said("call list_directory").said("2 answers");
    assert_eq!(server.asked()[0].request.messages.len(), 2, "instructions and task");
    assert!(results(&server, 1)[0].text().contains("old.txt"));
    assert!(!il.folder().join("tidy.run.json").exists());
}

#[test]
fn a_call_waits_for_approval_across_a_restart() {
    let command = r#"{"command":"echo swept"}"#;
    let server =
        Server::new(Protocol::OpenaiChat, [call("run_command", command), Act::Say(text(&["Done."]))]);
    let il = prepared(&server, &agent("tools = [\"run_command\"]"));
    il.run().ended(15).printed("").said("waits for approval").said("il run tidy.toml --resume --yes");
    il.run().ended(2).said("--resume goes on with it, --new forgets it");
    let saved = std::fs::read_to_string(il.folder().join("tidy.run.json")).unwrap();
    assert!(saved.contains("echo swept") && !saved.contains(crate::il::KEY));
    let il = il.replace(["run", "tidy.toml", "--resume", "--yes"]);
    il.run().ended(0).printed("Done.\n").said("swept");
    assert_eq!(results(&server, 1)[0].text(), "exit code 0\n\nstandard output:\nswept\n");
}

#[test]
fn a_call_may_be_refused_with_a_reason() {
    let command = r#"{"command":"rm -r old"}"#;
    let server = Server::new(
        Protocol::OpenaiResponses,
        [call("run_command", command), Act::Say(text(&["As you like."]))],
    );
    let il = prepared(&server, &agent("tools = [\"run_command\"]")).replace([
        "run",
        "tidy.toml",
        "--deny",
        "too bold",
    ]);
    il.run().ended(0).printed("As you like.\n");
    assert!(results(&server, 1)[0].text().contains("too bold"));
}

#[test]
fn limits_stop_a_run_that_then_goes_on() {
    let server = Server::new(
        Protocol::OpenaiChat,
        [call("clock", "{}"), call("clock", "{}"), Act::Say(text(&["It is late."]))],
    );
    let il = prepared(&server, &agent("tools = [\"clock\"]\n[limits]\nturns = 2"));
    il.run().ended(15).said("the model was not done after 2 answers");
    let il = il.file("tidy.toml", agent("tools = [\"clock\"]\n[limits]\nturns = 5"));
    il.replace(["run", "tidy.toml", "--resume", "Hurry up."]).run().ended(0).printed("It is late.\n");
    let last = server.asked()[2].request.messages.last().cloned();
    assert_eq!(last, Some(Message::user("Hurry up.")), "what was said comes behind the results");
    assert_eq!(results(&server, 2).len(), 2);
}

#[test]
fn an_error_keeps_the_run() {
    let refusal = Act::Body(401, "application/json", r#"{"error":{"message":"no such key"}}"#);
    let server =
        Server::new(Protocol::OpenaiChat, [call("clock", "{}"), refusal, Act::Say(text(&["Noon."]))]);
    let il = prepared(&server, &agent("tools = [\"clock\"]"));
    il.run().ended(4).said("no such key").said("--resume");
    il.replace(["run", "tidy.toml", "--resume"]).run().ended(0).printed("Noon.\n");
}

#[test]
fn steps_are_json_lines() {
    let server = Server::new(Protocol::OpenaiChat, [call("clock", "{}"), Act::Say(text(&["Noon."]))]);
    let il = prepared(&server, &agent("tools = [\"clock\"]"));
    let ran = il.replace(["run", "tidy.toml", "--json", "--state", "kept.json"]);
    let out = ran.run().ended(0).out;
    let steps: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for name in ["turn", "answered", "started", "returned", "ended"] {
        assert!(steps.iter().any(|step| !step[name].is_null()), "no {name} in {out}");
    }
    assert!(ran.folder().join("kept.json").exists(), "a file that was named stays");
}

#[test]
fn what_is_wrong_with_an_agent_is_said() {
    for (file, arguments, code, words) in [
        ("modle = 'x'", &[][..], 3, "tidy.toml, line 1: unknown field `modle`"),
        ("model = 'test/m'", &[], 2, "tidy.toml has no `task`"),
        ("task = 'x'\ntools = ['broom']", &[], 2, "unknown tool `broom`"),
        ("task = 'x'\n[limits]\ncost = 'much'", &[], 3, "limits.cost: `much` is not an amount of dollars"),
        ("task = 'x'", &["--resume"], 2, "there is no saved run in tidy.run.json"),
        ("task = 'x'", &["--budget", "cheap"], 2, "is not an amount of dollars"),
    ] {
        let il = Il::new(["run", "tidy.toml"].iter().chain(arguments).copied());
        il.file("tidy.toml", file).config("model = 'local/none'").run().ended(code).printed("").said(words);
    }
    Il::new(["run", "none.toml"])
        .run()
        .ended(14)
        .said("cannot read the agent none.toml: there is no such file");
    let broken = Il::new(["run", "tidy.toml", "--resume"]).file("tidy.toml", "task = 'x'");
    broken.file("tidy.run.json", "{").config("model = 'openai/gpt'").run().ended(3).said("holds no run");
}

#[test]
fn another_model_answers_and_money_is_counted() {
    let refusal = r#"{"error":{"message":"this model is gone"}}"#;
    let acts = [Act::Body(404, "application/json", refusal), Act::Say(text(&["Here."]))];
    let server = Server::new(Protocol::OpenaiChat, acts);
    let ran = Il::asking(&server, ["hi", "--fallback", "test/second"]).run().ended(0).printed("Here.\n");
    ran.said("test/second");
    let server = Server::new(Protocol::OpenaiChat, [Act::Say(text(&["Here."]))]);
    let ran = Il::asking(&server, ["hi", "--budget", "0.5"]).run().ended(3);
    ran.said("the price of test/model is not known");
}
