//! What the catalogue knows of a model is told before it is asked.

use interlingua::catalog::{Catalog, Model, Trait};
use interlingua::wire::{Family, Protocol, Provider};
use interlingua::{
    Client, Effort, ErrorKind, FunctionTool, Json, Media, Mode, Options, Request, ToolChoice, WarningKind,
};
use serde_json::json;

/// A client that knows one model, which cannot do these things.
fn client(cannot: &[Trait], families: Vec<Family>) -> Client {
    let mut model = Model::new("house", "m");
    for what in cannot {
        model.traits.set(*what, false);
    }
    model.output = Some(1000);
    let mut row = Provider::new("house", Protocol::OpenaiChat, "https://house.test/v1");
    row.families = families;
    let catalog = Catalog::new("2026-11-22", "a test", vec![model]);
    Client::builder().env(|_| None).provider(row).catalog(catalog).build().unwrap()
}

/// The settings that are doubted.
fn doubted(client: &Client, request: &Request) -> Vec<String> {
    let prepared = client.prepare(request, Mode::Whole, &Options::default()).unwrap();
    let doubts = prepared.warnings.iter().filter(|warning| warning.kind == WarningKind::Doubtful);
    doubts.map(ToString::to_string).collect()
}

fn asking() -> Request {
    let tool = FunctionTool::new("now", "The time.", Json::object());
    let mut request = Request::new("house/m").user("hi").tool(tool).tool_choice(ToolChoice::Required);
    request.effort = Some(Effort::High);
    request.max_output = Some(2000);
    request.sampling.temperature = Some(0.5);
    request.user(Media::bytes("image/png", vec![1_u8]))
}

#[test]
fn what_a_model_cannot_do_is_doubted_and_sent_all_the_same() {
    use Trait::{ForcedTools, Images, Reasoning, Sampling, Tools};

    let client = client(&[Tools, ForcedTools, Images, Reasoning, Sampling], Vec::new());
    assert_eq!(
        doubted(&client, &asking()),
        [
            "doubtful tools: the model is known not to call tools",
            "doubtful tool_choice: the model is known not to be forced to call a tool",
            "doubtful effort: the model is known not to reason",
            "doubtful sampling: the model is known to take neither temperature nor top-p",
            "doubtful messages: the model is known to take no pictures",
            "doubtful max_output: 2000 tokens are asked for, and the model is known to give 1000 at most",
        ]
    );
    let prepared = client.prepare(&asking(), Mode::Whole, &Options::default()).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&prepared.body).unwrap();
    assert_eq!((body["tools"].as_array().unwrap().len(), body["temperature"].clone()), (1, json!(0.5)));
    let error = client.prepare(&asking(), Mode::Whole, &Options::default().strict(true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("strict mode: doubtful tools: the model is known"), "{error}");
}

#[test]
fn what_is_not_known_or_not_asked_for_is_not_doubted() {
    let mut modest = asking();
    modest.max_output = Some(1000);
    assert_eq!(doubted(&client(&[], Vec::new()), &modest), Vec::<String>::new());
    let all = [
        Trait::Tools,
        Trait::Images,
        Trait::Audio,
        Trait::Video,
        Trait::Pdf,
        Trait::Schema,
        Trait::Reasoning,
    ];
    assert_eq!(doubted(&client(&all, Vec::new()), &Request::new("house/m").user("hi")), Vec::<String>::new());
    let mut stranger = asking();
    stranger.model = "house/other".to_owned();
    assert_eq!(doubted(&client(&all, Vec::new()), &stranger), Vec::<String>::new());
}

#[test]
fn a_family_knows_better_than_the_catalogue() {
    let mut family = Family::new(["m"]);
    let patch = serde_json::from_value(json!({ "sampling": "accepted", "effort_words": { "high": "high" } }));
    family.dialect.insert(Protocol::OpenaiChat, patch.unwrap());
    let client = client(&[Trait::Sampling, Trait::Reasoning, Trait::EffortMax], vec![family]);
    let mut request = asking();
    request.max_output = None;
    assert_eq!(doubted(&client, &request), Vec::<String>::new());
}

#[test]
fn a_level_that_a_model_does_not_have_is_doubted() {
    let client = client(&[Trait::EffortMax], Vec::new());
    let mut request = Request::new("house/m").user("hi");
    request.effort = Some(Effort::Max);
    assert_eq!(doubted(&client, &request), ["doubtful effort: the model is known not to have this level"]);
}
