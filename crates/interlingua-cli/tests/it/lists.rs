//! Models, providers, the doctor, completions, and the choice of a model.

use interlingua_wire::Protocol;

use crate::il::{Il, KEY};
use crate::server::{Act, Server, text};

const MODELS: &str = r#"{"object":"list","data":[{"id":"small","object":"model","context_length":4096},{"id":"large","object":"model"}]}"#;

const SMALL: &str = concat!(
    r#"{"model":"test/small","provider":"test","id":"small","name":null,"context":4096,"output":null,"created":null,"owner":null,"#,
    r#""can":[],"input_price":null,"output_price":null,"ends":null}"#,
    "\n"
);

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
        (
            &["models", "test"][..],
            "model       context  output  $ in/out  name\ntest/small  4096\ntest/large\n",
        ),
        (&["models", "test", "--filter", "LRG"], "model       context  output  $ in/out  name\ntest/large\n"),
        (&["models", "test", "--context", "4000", "--json"], SMALL),
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
fn known_models_are_found_without_asking_anyone() {
    let ran = Il::new(["models", "anthropic", "--known", "--filter", "opus 5.5", "--can", "tools,images"]);
    let ran = ran.run().ended(0);
    let line = ran.out.lines().nth(1).unwrap();
    assert!(line.starts_with("anthropic/claude-opus-5-5") && line.contains("4/20"), "{}", ran.out);
    assert!(line.contains(" 1M ") && line.contains("128k"), "{}", ran.out);
    let all = Il::new(["models", "--known", "--filter", "gpt-6-sol", "--json"]).run().ended(0);
    assert!(all.out.lines().any(|line| line.contains(r#""model":"openai/gpt-6-sol""#)), "{}", all.out);
    Il::new(["models", "openai", "--known", "--can", "fly"]).run().ended(2).printed("").said("effort_max");
    Il::new(["models", "openai", "--known", "--filter", "zzzz"])
        .run()
        .ended(3)
        .said("no model of openai is like `zzzz`");
}

#[test]
fn a_list_is_kept_until_it_is_asked_for_anew() {
    let server = Server::new(
        Protocol::OpenaiChat,
        [
            Act::Body(200, "application/json", MODELS),
            Act::Body(200, "application/json", r#"{"data":[{"id":"new"}]}"#),
        ],
    );
    let row = format!("{}models = {{ url = \"/models\" }}\n", server.provider_row("test"));
    let home = tempfile::tempdir().unwrap();
    let ask = |arguments: &[&str]| {
        let il = Il::new(arguments.iter().copied()).config(&row).variable("TEST_KEY", KEY);
        il.variable("XDG_CACHE_HOME", home.path().to_str().unwrap()).run().ended(0).out
    };
    let first = ask(&["models", "test"]);
    assert_eq!(ask(&["models", "test"]), first, "the second list comes from the disk");
    assert!(ask(&["models", "test", "--refresh"]).contains("test/new"));
}

#[test]
fn newer_limits_and_prices_are_taken_from_a_file() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("newer.txt");
    let text = "interlingua models 1\ndate 2999-01-01\nsource by hand\nmodels 1\n[openai]\ngpt-9\tchat\t5000000\t9\ttools\ti7 o8\n";
    std::fs::write(&file, text).unwrap();
    let run = |arguments: &[&str]| {
        Il::new(arguments.iter().copied()).variable("XDG_CACHE_HOME", home.path().to_str().unwrap()).run()
    };
    let path = file.to_str().unwrap();
    run(&["models", "update", path]).ended(0).printed("1 models of 2999-01-01, from by hand\n");
    let known = run(&["models", "openai", "--known"]).ended(0);
    assert_eq!(
        known.out,
        "model         context  output  $ in/out  name\nopenai/gpt-9  5M       9       7/8\n"
    );
    std::fs::write(&file, text.replace("models 1\n[", "models 2\n[")).unwrap();
    run(&["models", "update", path]).ended(3).said("holds 1");
    let theirs = r#"{"gpt-8":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":1e-06}}"#;
    std::fs::write(&file, theirs).unwrap();
    run(&["models", "update", path]).ended(0).said("");
    run(&["models", "update", "/nowhere/at/all"]).ended(14).said("/nowhere/at/all");
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
        Protocol::Ollama,
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

#[test]
fn a_service_without_conversations_says_so_and_is_never_chosen() {
    for model in ["voyage/voyage-4", "jina/jina-embeddings-v4"] {
        let il = Il::new(["-m", model, "hi"]).variable("VOYAGE_API_KEY", KEY).variable("JINA_API_KEY", KEY);
        il.run().ended(5).printed("").said("takes no conversations");
    }
    let il = Il::new(["doctor"]).variable("JINA_API_KEY", KEY);
    assert!(!il.run().out.contains("jina/"));
}
