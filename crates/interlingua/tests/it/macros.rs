//! The attribute `#[tool]`.

use interlingua::{ToolCall, ToolContext, Toolbox, tool};
use serde_json::{Value, json};

/// Where to.
#[derive(serde::Deserialize, interlingua::schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Unit {
    Celsius,
    Fahrenheit,
}

/// The weather of the next days,
/// as far as anyone knows.
///
/// Never for Mars.
#[tool(timeout = 2.5, concurrency = 3, idempotent)]
async fn weather(
    /// The city, in English.
    city: String,
    #[serde(rename = "unit", default)] unit: Option<Unit>,
    /// How many.
    #[schemars(range(min = 1))]
    days: Option<u32>,
    context: ToolContext,
) -> Result<String, String> {
    context.progress("looking");
    let unit = match unit {
        Some(Unit::Fahrenheit) => "F",
        Some(Unit::Celsius) | None => "C",
    };
    if city == "Mars" { Err("never".to_owned()) } else { Ok(format!("{city}: {} {unit}", days.unwrap_or(1))) }
}

#[tool(name = "what-time", description = "The time.")]
async fn clock() {}

async fn call(tools: &Toolbox, name: &str, input: Value) -> (String, bool) {
    let call = ToolCall::new("1", name, interlingua::Json::from(input));
    let result = tools.call(&call).await;
    (result.text(), result.is_error)
}

#[tokio::test]
async fn a_function_is_a_tool() {
    let tools = Toolbox::new().add(weather::tool()).add(clock::tool());
    let definitions = serde_json::to_value(tools.definitions()).unwrap();
    assert_eq!(
        definitions[0]["function"]["description"],
        "The weather of the next days, as far as anyone knows.\n\nNever for Mars."
    );
    let schema = &definitions[0]["function"]["input"];
    let fields: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["city", "unit", "days"], "in the order of the function");
    assert_eq!(
        (&schema["required"], &schema["properties"]["days"]["minimum"]),
        (&json!(["city"]), &json!(1))
    );
    assert_eq!(definitions[1]["function"]["name"], "what-time");
    assert!(tools.get("weather").unwrap().is_idempotent());

    assert_eq!(
        call(&tools, "weather", json!({"city": "Rome", "unit": "fahrenheit"})).await,
        ("Rome: 1 F".into(), false)
    );
    assert_eq!(call(&tools, "weather", json!({"city": "Mars"})).await, ("never".into(), true));
    assert_eq!(call(&tools, "what-time", json!({})).await, ("done".into(), false));
    let (told, is_error) = call(&tools, "weather", json!({"town": "Rome"})).await;
    assert!(is_error && told.contains("the property `city` is missing"), "{told}");
    assert_eq!(weather("Oslo".into(), None, Some(3), ToolContext::default()).await.unwrap(), "Oslo: 3 C");
}

#[tokio::test]
async fn a_function_within_a_function_is_a_tool() {
    struct Local(u8);
    /// Adds one.
    #[tool]
    async fn next(number: u8) -> String {
        Local(number + 1).0.to_string()
    }
    assert_eq!(
        call(&Toolbox::new().add(next::tool()), "next", json!({"number": 1})).await,
        ("2".into(), false)
    );
}
