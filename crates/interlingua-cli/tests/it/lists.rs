//! Models, providers, the doctor, completions, and the choice of a model.

use interlingua_wire::Protocol;

use crate::il::{Il, KEY};
use crate::server::{Act, Server, text};

const MODELS: &str = r#"{"object":"list","data":[{"id":"small","object":"model","context_length":4096},{"id":"large","object":"model"}]}"#;

#[test]
fn providers_are_listed_with_where_their_key_is() {
    let ran = Il::new(["providers"]).variable("ANTHROPIC_API_KEY", KEY).run().ended(0);
    let line =
        |id: &str| ran.out.lines().find(|line| line.starts_with(&format!("{id} "))).unwrap().to_owned();
    assert!(line("anthropic").contains("ANTHROPIC_API_KEY") && line("anthropic").contains("key: env"));
    assert!(line("openai").contains("no key: set OPENAI_API_KEY"));
    let with_key =
        Il::new(["providers", "--with-key", "--json"]).variable("ANTHROPIC_API_KEY", KEY).run().ended(0);
    let row: serde_json::Value = serde_json::from_str(with_key.out.trim_end()).unwrap();
    assert_eq!(row["id"], "anthropic");
}

#[test]
fn models_of_a_provider_are_listed_and_filtered() {
    for (arguments, expected) in [
        (&["models", "test"][..], "test/small  4096 tokens\ntest/large\n"),
        (&["models", "test", "--filter", "LARGE"], "test/large\n"),
    ] {
        let server = Server::listing(MODELS);
        let row = format!("{}models = {{ url = \"/models\" }}\n", server.provider_row("test"));
        Il::new(arguments.iter().copied())
            .config(&row)
            .variable("TEST_KEY", KEY)
            .run()
            .ended(0)
            .printed(expected);
    }
}

#[test]
fn a_server_at_an_address_answers_with_its_first_model() {
    let server = Server::new(
        Protocol::OpenaiChat,
        [Act::Body(200, "application/json", MODELS), Act::Say(text(&["here"]))],
    );
    let il = Il::new(["--base-url", &server.base_url(), "hi"]);
    il.run().ended(0).printed("here\n");
    assert_eq!(server.asked()[0].request.model, "small");
}

#[test]
fn a_model_of_the_config_file_is_used_and_told() {
    let server = Server::new(Protocol::OpenaiChat, [Act::Say(text(&["ok"]))]);
    let config =
        format!("model = \"quick\"\n[aliases]\nquick = \"test/tiny\"\n{}", server.provider_row("test"));
    let ran = Il::new(["hi"]).config(&config).variable("TEST_KEY", KEY).run().ended(0).printed("ok\n");
    assert_eq!(ran.err, "model test/tiny: set in the config file\n");
    assert_eq!(server.asked()[0].request.model, "tiny");
}

#[test]
fn a_server_of_this_machine_answers_when_there_is_no_key() {
    let server = Server::new(
        Protocol::OpenaiChat,
        [
            Act::Hang,
            Act::Body(200, "application/json", r#"{"models":[{"name":"tiny:1b"}]}"#),
            Act::Say(text(&["ok"])),
        ],
    );
    let il = Il::new(["hi"]).variable("OLLAMA_HOST", &server.host());
    il.run().ended(0).printed("ok\n").said("model ollama/tiny:1b: ollama answers on this machine");
}

#[test]
fn a_key_command_gives_the_key() {
    let server = Server::new(Protocol::OpenaiChat, [Act::Say(text(&["ok"]))]);
    let il = Il::new(["-m", "test/model", "--key-command", &format!("echo {KEY}"), "hi"]);
    il.config(&server.provider_row("test")).run().ended(0).printed("ok\n");
    let headers = &server.asked()[0].headers;
    assert!(headers.contains(&("authorization".into(), format!("Bearer {KEY}"))), "{headers:?}");
}

#[test]
fn the_doctor_says_what_there_is() {
    let server = Server::new(Protocol::OpenaiChat, []);
    let ran = Il::asking(&server, Vec::<&str>::new())
        .replace(["doctor"])
        .config("model = \"test/x\"")
        .run()
        .ended(0);
    assert!(ran.out.contains("TEST_KEY"), "{}", ran.out);
    assert!(ran.out.contains("config.toml (read)"), "{}", ran.out);
    assert!(ran.out.contains("test/x: set in the config file"), "{}", ran.out);
}

#[test]
fn completions_are_scripts() {
    for (shell, expected) in [("bash", "_il()"), ("zsh", "#compdef il"), ("fish", "complete -c il")] {
        let ran = Il::new(["completions", shell]).run().ended(0);
        assert!(ran.out.contains(expected), "{shell}: {}", ran.out);
    }
}
