//! Which way is taken, by what goes out.

use std::sync::Arc;

use interlingua::extract::{ExtractOptions, Failure, Way};
use interlingua::wire::{Patch, Protocol, Provider};
use interlingua::{ClientBuilder, FunctionTool, Json, Request, schemars};
use serde_json::{Value, json};

use super::{Trip, ask};
use crate::script::{Said, Script};

/// The body that goes out.
async fn body(script: Arc<Script>, client: ClientBuilder, request: &Request) -> Value {
    let client = client.build().unwrap();
    let error = client.extract::<Trip>(request).await.unwrap_err();
    assert_eq!(error.failure(), Failure::Call);
    script.body(0)
}

fn script() -> Arc<Script> {
    Script::answers([Said::status(401, "{}")])
}

async fn of_model(model: &str) -> Value {
    let script = script();
    let (provider, _) = model.split_once('/').unwrap();
    let client = script.builder().key(provider, "sk-test-2");
    body(script, client, &Request::new(model).user("Plan a trip.")).await
}

/// The body for a service of a dialect.
async fn of_dialect(dialect: Value, request: &Request) -> Value {
    let script = script();
    let mut row = Provider::new("test", Protocol::OpenaiChat, "https://api.test/v1");
    let Value::Object(fields) = dialect else { panic!() };
    row.dialect.insert(Protocol::OpenaiChat, Patch::new(fields));
    let client = script.builder().provider(row);
    body(script, client, request).await
}

#[tokio::test]
async fn what_services_are_known_to_take_is_taken() {
    let openai = of_model("openai/gpt-6-sol").await;
    let format = &openai["text"]["format"];
    assert_eq!(
        (&format["type"], &format["strict"], &format["name"]),
        (&json!("json_schema"), &json!(true), &json!("Trip"))
    );
    assert_eq!(format["description"], "A trip, with all that types may be made of.");
    assert!(!openai.to_string().contains("uint32"), "no width of a number goes out");
    assert_eq!(format["schema"]["required"], json!(["city", "days", "stops", "mood", "budget"]));
    let claude = of_model("anthropic/claude-opus-5-5").await;
    assert_eq!(claude["output_config"]["format"]["type"], "json_schema");
    let older = of_model("anthropic/claude-3-5-haiku-20241022").await;
    assert_eq!(older["tool_choice"], json!({"type": "tool", "name": "answer"}));
    assert!(older.get("output_config").is_none());
    let gemini = of_model("google/gemini-3-flash").await;
    assert_eq!(gemini["generationConfig"]["responseJsonSchema"]["type"], "object");
    let deepseek = of_model("deepseek/deepseek-v4-flash").await;
    assert_eq!(deepseek["tool_choice"]["function"]["name"], "answer");
    assert!(deepseek.get("response_format").is_none());
}

#[tokio::test]
async fn what_a_strict_schema_would_keep_out_is_not_asked_for_strictly() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Anything {
        #[expect(dead_code, reason = "nothing comes")]
        any: Value,
    }
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct List {
        #[expect(dead_code, reason = "nothing comes")]
        all: Vec<Value>,
    }
    for model in ["openai/gpt-6-sol", "anthropic/claude-opus-5-5"] {
        let scripts = [script(), script()];
        let clients = scripts.each_ref().map(|script| {
            script.builder().key("openai", "sk-test-2").key("anthropic", "sk-test-3").build().unwrap()
        });
        let request = Request::new(model).user("?");
        assert_eq!(clients[0].extract::<Anything>(&request).await.err().unwrap().failure(), Failure::Call);
        assert_eq!(clients[1].extract::<List>(&request).await.err().unwrap().failure(), Failure::Call);
        for script in scripts {
            let body = script.body(0);
            if model.starts_with("openai") {
                assert_eq!(body["text"]["format"]["strict"], false);
            } else {
                // This one cannot be forced to call a tool either.
                assert!(
                    body["messages"].to_string().contains("JSON Schema")
                        && body.get("output_config").is_none()
                );
            }
        }
    }
}

#[tokio::test]
async fn a_dialect_that_has_less_is_asked_for_less() {
    let whole = of_dialect(json!({}), &ask()).await;
    assert_eq!(whole["response_format"]["type"], "json_schema");
    let unnamed = json!({"json_schema": false, "tool_choice": {"named": false}});
    let unnamed = of_dialect(unnamed, &ask()).await;
    assert_eq!(
        (&unnamed["tool_choice"], unnamed["tools"].as_array().map(Vec::len)),
        (&json!("required"), Some(1))
    );
    let object = of_dialect(json!({"json_schema": false, "tools": false}), &ask()).await;
    assert_eq!(object["response_format"], json!({"type": "json_object"}));
    let told = object["messages"][0]["content"].to_string();
    assert!(told.contains("Plan a trip.") && told.contains("It must follow this JSON Schema"), "{told}");
    let prompt =
        of_dialect(json!({"json_schema": false, "json_object": false, "tools": false}), &ask()).await;
    assert!(
        prompt.get("response_format").is_none()
            && prompt["messages"][0]["content"].to_string().contains("JSON Schema")
    );
}

#[cfg(feature = "models")]
#[tokio::test]
async fn what_is_known_of_a_model_counts() {
    use interlingua::catalog::{Catalog, Model, Trait};

    for (cannot, field) in
        [(vec![Trait::Schema], "tools"), (vec![Trait::Schema, Trait::ForcedTools], "messages")]
    {
        let mut model = Model::default();
        (model.provider, model.id) = ("test".into(), "m".into());
        for what in &cannot {
            model.traits.set(*what, false);
        }
        let script = script();
        let client = script.builder().catalog(Catalog::new("2026-11-29", "a test", vec![model]));
        let body = body(script, client, &ask()).await;
        assert!(body[field].to_string().contains("mood"), "{cannot:?}: {body}");
        assert_ne!(body["response_format"]["type"], "json_schema");
    }
}

#[tokio::test]
async fn tools_of_the_request_are_not_called() {
    let schema = Json::from_text(r#"{"type":"object","properties":{}}"#);
    let request = ask().tool(FunctionTool::new("answer", "Answers the phone.", schema));
    let bound = of_dialect(json!({}), &request).await;
    assert_eq!((&bound["tool_choice"], bound["tools"].as_array().map(Vec::len)), (&json!("none"), Some(1)));
    let by_tool = of_dialect(json!({"json_schema": false}), &request).await;
    assert_eq!(by_tool["tool_choice"]["function"]["name"], "answer_", "the name is taken");
    assert_eq!(by_tool["tools"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn an_option_forces_a_way() {
    for (way, field) in [(Way::Schema, "response_format"), (Way::Tool, "tool_choice")] {
        let script = script();
        let options = ExtractOptions::default().way(way).name("a trip").description("where to go");
        let error = script.client().extract_with::<Trip>(&ask(), &options).await.unwrap_err();
        assert_eq!(error.failure(), Failure::Call);
        let body = script.body(0);
        assert!(body.get(field).is_some(), "{way}");
        assert!(body.to_string().contains("where to go"), "{way}");
    }
}

#[tokio::test]
async fn strict_clients_can_extract() {
    let script = script();
    let client = script.builder().strict(true);
    let body = body(script, client, &ask()).await;
    assert_eq!(body["response_format"]["json_schema"]["strict"], true);
}

#[tokio::test]
async fn an_unknown_provider_is_the_error_of_the_call() {
    let client = script().client();
    let error = client.extract::<Trip>(&Request::new("nobody/m").user("?")).await.unwrap_err();
    assert_eq!(error.failure(), Failure::Call);
    assert!(error.to_string().contains("there is no provider `nobody`"), "{error}");
}
