//! Everything that can be wrong: a line that says what to do, a code of its own, no key shown.

use std::net::TcpListener;
use std::sync::Arc;

use interlingua::{Error, ErrorKind};
use interlingua_wire::Protocol;

use crate::il::{Il, KEY};
use crate::server::{Act, Server, begun, text};

#[test]
fn mistakes_of_the_command_line() {
    for (arguments, code, words) in [
        (&["--no-such-option"][..], 2, "--no-such-option"),
        (&["--effort", "huge", "hi"], 2, "huge"),
        (&["--temperature", "hot", "hi"], 2, "expected a number"),
        (&["--tool", "browser", "-m", "ollama/x", "hi"], 2, "unknown tool `browser`"),
        (&["--schema", "{\"type\":", "hi"], 2, "not valid JSON"),
        (&["--schema", "{\"type\":\"strnig\"}", "hi"], 2, "unknown type"),
        (&["--schema", "nowhere.json", "hi"], 14, "nowhere.json: there is no such file"),
        (&["-f", "nowhere.txt", "hi"], 14, "nowhere.txt: there is no such file"),
        (&["-f", ".", "hi"], 14, "directory"),
        (&["-m", "antropic/claude", "hi"], 3, "anthropic"),
        (&["-m", "nonsense", "hi"], 3, "nonsense"),
        (&["--base-url", "localhost:8000", "-m", "x", "hi"], 2, "http"),
        (&["-v", "doctor"], 2, "`doctor` is a command"),
        (&[], 2, "there is no prompt"),
        (&["-"], 2, "standard input is empty"),
        (&["models", "nonsense"], 3, "nonsense"),
    ] {
        let ran = Il::new(arguments.iter().copied()).run().ended(code).said(words).printed("");
        let is_clap = code == 2 && ran.err.starts_with("error:");
        assert!(is_clap || ran.err.lines().count() == 1, "more than one line: {ran:#?}");
    }
}

#[test]
fn binary_standard_input() {
    let il = Il::new(["-m", "ollama/x", "what is this?"]).stdin(b"\x7fELF\x02\x01\0\0\xff");
    il.run().ended(2).said("standard input is binary");
}

#[test]
fn a_missing_key_is_named() {
    Il::new(["-m", "openai/gpt", "hi"]).run().ended(3).said("OPENAI_API_KEY");
    let malformed = format!("{KEY}\nsecond line");
    let il = Il::new(["-m", "openai/gpt", "hi"]).variable("OPENAI_API_KEY", &malformed);
    let ran = il.run();
    assert!(matches!(ran.code, 3 | 4), "{ran:#?}");
    ran.said("OPENAI_API_KEY");
}

#[test]
fn a_broken_config_file_is_named_with_its_line() {
    Il::new(["hi"])
        .config("model = \"a/b\"\nmodle = 1")
        .run()
        .ended(3)
        .said("config.toml, line 2: unknown field `modle`");
    Il::new(["doctor"]).config("tools = 7").run().ended(3).said("config.toml, line 1");
}

#[test]
fn what_a_provider_refuses() {
    for (kind, status, code) in [
        (ErrorKind::Authentication, 401, 4),
        (ErrorKind::Permission, 403, 4),
        (ErrorKind::NotFound, 404, 3),
        (ErrorKind::InvalidRequest, 400, 5),
        (ErrorKind::QuotaExceeded, 402, 6),
    ] {
        for protocol in Protocol::ALL {
            let error = Error::new(kind, "this is why").with_status(status);
            let server = Server::new(protocol, [Act::Refuse(Arc::new(error))]);
            Il::asking(&server, ["hi"]).run().ended(code).printed("").said("this is why");
        }
    }
}

#[test]
fn an_overloaded_provider_is_tried_again_and_each_time_is_told() {
    let overloaded = || Act::Refuse(Arc::new(Error::new(ErrorKind::Overloaded, "busy").with_status(503)));
    let server = Server::new(Protocol::OpenaiChat, [overloaded(), Act::Say(text(&["ok"]))]);
    Il::asking(&server, ["hi"]).run().ended(0).printed("ok\n").said("retry 1");
}

#[test]
fn a_web_page_instead_of_an_answer() {
    let server =
        Server::new(Protocol::OpenaiChat, [Act::Body(200, "text/html", "<html><body>Sign in</body></html>")]);
    let ran = Il::asking(&server, ["hi"]).run().ended(9).printed("");
    assert_eq!(ran.err.lines().count(), 1, "{ran:#?}");
}

#[cfg(feature = "local")]
#[test]
fn models_in_the_process_that_are_none() {
    let il = Il::new(["-m", "local/x.gguf", "hi"]).file("x.gguf", "this is no model");
    il.run().ended(13).printed("").said("x.gguf");
    Il::new(["-m", "local/nowhere.gguf", "hi"]).run().ended(3).printed("").said("il models pull");
    Il::new(["-m", "local", "--dry-run", "hi"]).run().ended(2).printed("").said("runs in this program");
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let il = Il::new(["--base-url", &format!("http://127.0.0.1:{port}/v1"), "-m", "model", "hi"]);
    il.run().ended(7).printed("");
}

#[test]
fn no_tls_where_tls_was_asked_for() {
    let server = Server::new(Protocol::OpenaiChat, []);
    let address = server.base_url().replace("http://", "https://");
    let ran = Il::new(["--base-url", &address, "-m", "model", "hi"]).run().ended(7).printed("");
    assert!(!ran.err.is_empty());
}

#[test]
fn errors_are_json_lines_where_answers_are() {
    let error = Error::new(ErrorKind::Authentication, "bad key").with_status(401);
    let server = Server::new(Protocol::Anthropic, [Act::Refuse(Arc::new(error))]);
    let ran = Il::asking(&server, ["--json", "hi"]).run().ended(4);
    let line: serde_json::Value = serde_json::from_str(ran.out.trim_end()).unwrap();
    assert_eq!(line["error"]["kind"], "authentication");
    assert_eq!(line["error"]["exit"], 4);
    assert_eq!(line["error"]["status"], 401);

    let server = Server::new(Protocol::Anthropic, [Act::Cut(begun(&["Once"]))]);
    let ran = Il::asking(&server, ["--json", "hi"]).run().ended(9);
    let last: serde_json::Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["kind"], "truncated");
}

#[test]
fn a_strict_run_sends_nothing_that_cannot_be_said() {
    let server = Server::new(Protocol::Anthropic, []);
    let il = Il::asking(&server, ["--strict", "--temperature", "1.5", "hi"]);
    il.run().ended(5);
    assert!(server.asked().is_empty());
}
