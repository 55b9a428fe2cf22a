//! Questions that are answered.

use std::io::Read as _;
use std::process::Command;

use interlingua::{
    Delta, Event, Finish, FinishReason, Input, Json, Message, Output, Reasoning, Start, Text, ToolCall,
};
use interlingua_wire::Protocol;

use crate::il::Il;
use crate::server::{Act, Server, begun, finished, text};

#[test]
fn standard_output_is_the_answer_in_every_protocol_and_mode() {
    for protocol in Protocol::ALL {
        for mode in [&[][..], &["--no-stream"]] {
            let server = Server::new(protocol, [Act::Say(text(&["Blue", ", mostly."]))]);
            let arguments = ["Why", "blue?"].iter().chain(mode).copied();
            Il::asking(&server, arguments).run().ended(0).printed("Blue, mostly.\n");
            let asked = &server.asked()[0].request;
            assert_eq!(asked.messages, [Message::user("Why blue?")], "{protocol}");
        }
    }
}

#[test]
fn standard_input_stands_below_the_prompt() {
    for (arguments, stdin, expected) in [
        (&["explain", "this"][..], "x = 1\n", "explain this\n\nx = 1\n"),
        (&["-"], "only this", "only this"),
        (&[], "only this", "only this"),
        (&["only this"], "", "only this"),
    ] {
        let server = Server::new(Protocol::OpenaiChat, [Act::Say(text(&["ok"]))]);
        Il::asking(&server, arguments.iter().copied()).stdin(stdin).run().ended(0).printed("ok\n");
        assert_eq!(server.asked()[0].request.messages, [Message::user(expected)]);
    }
}

#[test]
fn files_come_before_the_prompt() {
    let server = Server::new(Protocol::Anthropic, [Act::Say(text(&["A cat."]))]);
    Il::asking(&server, ["-f", "cat.png", "--file", "notes.md", "What is it?"])
        .file("cat.png", b"\x89PNG\r\n\x1a\nrest")
        .file("notes.md", "a note")
        .run()
        .ended(0);
    let Message::User(user) = &server.asked()[0].request.messages[0] else { panic!("no user message") };
    let [Input::Media(image), Input::Text(notes), Input::Text(question)] = user.parts.as_slice() else {
        panic!("{user:?}")
    };
    assert_eq!(image.mime, "image/png");
    assert_eq!(notes.text, "notes.md:\n```md\na note\n```");
    assert_eq!(question.text, "What is it?");
}

#[test]
fn the_knobs_are_sent() {
    let server = Server::new(Protocol::OpenaiChat, [Act::Say(text(&["{}"]))]);
    let schema = r#"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#;
    Il::asking(
        &server,
        ["-s", "Be brief.", "--max-tokens", "50", "--temperature", "0.5", "--schema", schema, "hi"],
    )
    .config("effort = \"low\"")
    .run()
    .ended(0);
    let request = &server.asked()[0].request;
    assert!(matches!(&request.messages[0], Message::System(system) if system.parts == ["Be brief.".into()]));
    assert_eq!(request.max_output, Some(50));
    assert_eq!(request.sampling.temperature, Some(0.5));
    assert_eq!(request.effort, Some(interlingua::Effort::Low));
    assert!(
        matches!(&request.format, Some(interlingua::Format::Schema(format)) if format.schema.as_str() == schema)
    );
}

#[test]
fn reasoning_goes_to_standard_error() {
    let events = || {
        vec![
            Event::start(Start::default()),
            Event::open(0, Output::Reasoning(Reasoning::default())),
            Event::delta(0, Delta::text("let me think")),
            Event::close(0),
            Event::open(1, Output::Text(Text::default())),
            Event::delta(1, Delta::text("42")),
            Event::close(1),
            Event::finish(Finish::new(FinishReason::Stop)),
        ]
    };
    let server = Server::new(Protocol::Anthropic, [Act::Say(events()), Act::Say(events())]);
    let il = Il::asking(&server, ["hi"]);
    il.run().ended(0).printed("42\n").said("let me think\n");
    let quiet = Il::asking(&server, ["hi", "-q"]).run().ended(0).printed("42\n");
    assert_eq!(quiet.err, "");
}

#[test]
fn json_lines_are_our_events() {
    for arguments in [&["hi", "--json"][..], &["hi", "--json", "--no-stream"]] {
        let server = Server::new(Protocol::OpenaiResponses, [Act::Say(text(&["Blue"]))]);
        let ran = Il::asking(&server, arguments.iter().copied()).run().ended(0);
        let events: Vec<Event> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(matches!(events.first(), Some(Event::Start(_))), "{events:?}");
        assert!(matches!(events.last(), Some(Event::Finish(_))), "{events:?}");
        let mut fold = interlingua::Fold::new();
        for event in &events {
            fold.push(event);
        }
        assert_eq!(fold.into_response().unwrap().text(), "Blue");
    }
}

#[test]
fn raw_frames_are_printed_as_they_came() {
    let server = Server::new(Protocol::Anthropic, [Act::Say(text(&["Blue"]))]);
    let ran = Il::asking(&server, ["hi", "--raw"]).run().ended(0);
    assert!(ran.out.starts_with("event: message_start\ndata: {"), "{}", ran.out);
    assert!(ran.out.contains("event: message_stop\n"), "{}", ran.out);
}

#[test]
fn a_dry_run_sends_nothing_and_masks_the_key() {
    let server = Server::new(Protocol::Anthropic, []);
    let ran = Il::asking(&server, ["hi", "--dry-run"]).run().ended(0);
    assert!(ran.out.starts_with("POST http://127.0.0.1:"), "{}", ran.out);
    assert!(ran.out.contains("/v1/messages"), "{}", ran.out);
    assert!(ran.out.contains(r#""content""#) && ran.out.contains("hi"), "{}", ran.out);
    assert!(server.asked().is_empty());
}

#[test]
fn control_sequences_are_kept_in_a_pipe() {
    let server = Server::new(Protocol::OpenaiChat, [Act::Say(text(&["\u{1b}[31mred"]))]);
    Il::asking(&server, ["hi"]).run().ended(0).printed("\u{1b}[31mred\n");
}

#[test]
fn an_unusual_end_is_said_and_has_its_code() {
    for (reason, code, words) in
        [(FinishReason::Length, 10, "output limit"), (FinishReason::Refused, 11, "refused")]
    {
        let server = Server::new(Protocol::Anthropic, [Act::Say(finished(&["Once"], reason))]);
        Il::asking(&server, ["hi"]).run().ended(code).printed("Once\n").said(words);
    }
}

#[test]
fn a_tool_that_only_reads_runs_and_the_answer_follows() {
    for protocol in Protocol::ALL {
        let server = Server::new(
            protocol,
            [Act::Say(call("read_file", r#"{"path":"notes.md"}"#)), Act::Say(text(&["It says so."]))],
        );
        let il = Il::asking(&server, ["--tool", "all", "What do my notes say?"]).file("notes.md", "buy milk");
        il.run().ended(0).printed("It says so.\n").said("read_file");
        let requests = server.asked();
        assert_eq!(requests[0].request.tools.len(), 4);
        assert_eq!(result(&requests[1].request.messages), ("buy milk".into(), false), "{protocol}");
    }
}

#[test]
fn without_a_terminal_a_command_is_refused_unless_allowed() {
    let command = || Act::Say(call("run_command", r#"{"command":"echo out > made"}"#));
    for (extra, config, made) in
        [(&[][..], "", false), (&["--yes"], "", true), (&[], "allow = [\"run_command\"]", true)]
    {
        let server = Server::new(Protocol::Anthropic, [command(), Act::Say(text(&["Done."]))]);
        let il =
            Il::asking(&server, ["--tool", "run_command", "go"].iter().chain(extra).copied()).config(config);
        il.run().ended(0).printed("Done.\n");
        let (_, is_error) = result(&server.asked()[1].request.messages);
        assert_eq!(is_error, !made);
        assert_eq!(il.folder().join("made").exists(), made);
    }
}

#[test]
fn a_cassette_plays_what_it_holds_and_records_the_rest() {
    let server = Server::new(Protocol::OpenaiChat, [text(&["one"]), text(&["two"])].map(Act::Say));
    let il = Il::asking(&server, ["--cassette", "said.jsonl", "hi"]);
    il.run().ended(0).printed("one\n");
    il.run().ended(0).printed("one\n");
    assert_eq!(server.asked().len(), 1, "the second answer came out of the file");
    let kept = std::fs::read_to_string(il.folder().join("said.jsonl")).unwrap();
    assert!(!kept.contains(crate::il::KEY), "{kept}");
    let other = il.replace(["-m", "test/model", "--cassette", "said.jsonl", "ho"]);
    other.run().ended(0).printed("two\n");
    std::fs::write(other.folder().join("said.jsonl"), "nonsense").unwrap();
    other.run().ended(3).said("said.jsonl: line 1 is not");
}

#[test]
fn a_cut_answer_keeps_its_beginning_and_fails() {
    let server = Server::new(Protocol::OpenaiChat, [Act::Cut(begun(&["Once upon"]))]);
    Il::asking(&server, ["hi"]).run().ended(9).printed("Once upon\n").said("il: test/model: ");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130_and_the_beginning_stays() {
    let server = Server::new(Protocol::OpenaiChat, [Act::Stall(begun(&["Once upon"]))]);
    let il = Il::asking(&server, ["hi"]);
    let mut child = il.start();
    let mut out = child.stdout.take().unwrap();
    let mut beginning = [0; 9];
    out.read_exact(&mut beginning).unwrap();
    assert_eq!(&beginning, b"Once upon");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "\n");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    server.wait_for_hang_up();
}

#[test]
fn a_reader_that_goes_away_ends_it_in_silence() {
    let many = vec!["word "; 2000];
    let server = Server::new(Protocol::OpenaiChat, [Act::Say(text(&many))]);
    let il = Il::asking(&server, ["hi"]);
    let mut child = il.start();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 5]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

pub(crate) fn call(name: &str, input: &str) -> Vec<Event> {
    vec![
        Event::start(Start::default()),
        Event::open(0, Output::ToolCall(ToolCall::new("call_1", name, Json::from_text("")))),
        Event::delta(0, Delta::input(input)),
        Event::close(0),
        Event::finish(Finish::new(FinishReason::ToolUse)),
    ]
}

/// The text of the last message's only tool result, and whether it is an error.
pub(crate) fn result(messages: &[Message]) -> (String, bool) {
    let Some(Message::User(user)) = messages.last() else { panic!("{messages:?}") };
    let [Input::ToolResult(result)] = user.parts.as_slice() else { panic!("{user:?}") };
    (result.text(), result.is_error || result.text().starts_with("refused"))
}
