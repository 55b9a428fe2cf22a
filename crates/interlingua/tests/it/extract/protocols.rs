//! Every way over every protocol, on a real connection with the server half.

use interlingua::extract::{ExtractOptions, Way};
use interlingua::wire::{Mode, Serve};
use interlingua::{
    Delta, Event, Finish, FinishReason, Format, Input, Message, Output, Protocol, Request, Start, Text,
};
use serde_json::Value;

use super::{Prices, Stop, TRIP, Tree, Trip, ask, trip};
use crate::extract::model::called;
use crate::halves::{said, start};

/// How a request asks for a value, as the server sees it.
fn way(request: &Request) -> Option<Way> {
    let last = request.messages.last();
    let is_told = matches!(last, Some(Message::User(user)) if user.parts.iter().any(
        |part| matches!(part, Input::Text(text) if text.text.contains("JSON Schema")),
    ));
    match &request.format {
        Some(Format::Schema(_)) => Some(Way::Schema),
        // Not every protocol can force a call.
        _ if !request.tools.is_empty() => Some(Way::Tool),
        _ if is_told => Some(Way::Prompt),
        _ => None,
    }
}

/// The schema that came.
fn schema(request: &Request) -> Value {
    match (&request.format, request.tools.last()) {
        (Some(Format::Schema(format)), _) => format.schema.to_value().unwrap(),
        (_, Some(interlingua::Tool::Function(tool))) => tool.input.to_value().unwrap(),
        _ => Value::Null,
    }
}

/// Answers in the way that is asked for.
fn answer(codec: &dyn Serve, request: &Request, mode: Mode, json: &str) -> Vec<crate::server::Step> {
    let is_wrapped = schema(request)["properties"].get("value").is_some();
    let json = if is_wrapped { format!("{{\"value\":{json}}}") } else { json.to_owned() };
    let text = |text: String| {
        let open = Event::open(0, Output::Text(Text::default()));
        let end = Event::finish(Finish::new(FinishReason::Stop));
        vec![Event::start(Start::default()), open, Event::delta(0, Delta::text(&*text)), Event::close(0), end]
    };
    let events = match way(request).expect("a value is asked for") {
        Way::Tool => called(&json),
        Way::Prompt => text(format!("Here you are:\n```json\n{json}\n```\nAnything else?")),
        _ => text(json),
    };
    said(codec, request, mode, &events, None)
}

#[tokio::test]
async fn every_protocol_gives_values_in_every_way() {
    for protocol in Protocol::ALL {
        let (client, requests) =
            start(protocol, Box::new(|codec, request, mode| answer(codec, request, mode, TRIP))).await;
        for forced in [None, Some(Way::Schema), Some(Way::Tool), Some(Way::Prompt)] {
            let mut options = ExtractOptions::default();
            options.way = forced;
            let extracted = client.extract_with::<Trip>(&ask(), &options).await.unwrap();
            assert_eq!((extracted.value, extracted.responses.len()), (trip(), 1), "{protocol} {forced:?}");
            let asked = requests.lock().unwrap().pop().unwrap();
            assert_eq!(Some(extracted.way), way(&asked), "{protocol} {forced:?}");
            assert!(forced.is_none_or(|forced| forced == extracted.way), "{protocol}");
            let streamed = client.stream_extract_with::<Trip>(&ask(), &options).await.unwrap();
            assert_eq!(streamed.into_extracted().await.unwrap().value, trip(), "{protocol} {forced:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_object_is_wrapped_and_unwrapped() {
    const STOPS: &str = r#"[{"kind":"walk","km":1.0},{"kind":"museum","name":"Thyssen"}]"#;
    let stops = vec![Stop::Walk { km: 1.0 }, Stop::Museum { name: "Thyssen".into() }];
    for protocol in [Protocol::OpenaiChat, Protocol::OpenaiResponses, Protocol::Anthropic, Protocol::Gemini] {
        let (client, _) =
            start(protocol, Box::new(|codec, request, mode| answer(codec, request, mode, STOPS))).await;
        for way in [Way::Schema, Way::Tool, Way::Prompt] {
            let options = ExtractOptions::default().way(way);
            let extracted = client.extract_with::<Vec<Stop>>(&ask(), &options).await.unwrap();
            assert_eq!(extracted.value, stops, "{protocol} {way}");
            let mut elements = client.stream_elements_with::<Stop>(&ask(), &options).await.unwrap();
            let mut seen = Vec::new();
            while let Some(stop) = elements.next().await {
                seen.push(stop.unwrap());
            }
            assert_eq!(seen, stops, "{protocol} {way}");
        }
    }
}

#[tokio::test]
async fn maps_and_recursion_go_where_they_can_be_said() {
    const PRICES: &str = r#"{"tea":3,"cake":5}"#;
    const TREE: &str = r#"{"name":"a","children":[{"name":"b","children":[]}]}"#;
    let prices: Prices = serde_json::from_str(PRICES).unwrap();
    let tree: Tree = serde_json::from_str(TREE).unwrap();
    for (protocol, of_map, of_tree) in [
        (Protocol::OpenaiChat, Way::Schema, Way::Schema),
        (Protocol::OpenaiResponses, Way::Schema, Way::Schema),
        (Protocol::Anthropic, Way::Tool, Way::Tool),
        (Protocol::Gemini, Way::Schema, Way::Schema),
    ] {
        let (client, requests) =
            start(protocol, Box::new(|codec, request, mode| answer(codec, request, mode, PRICES))).await;
        let extracted = client.extract::<Prices>(&ask()).await.unwrap();
        assert_eq!((&extracted.value, extracted.way), (&prices, of_map), "{protocol}");
        let asked = schema(&requests.lock().unwrap().pop().unwrap());
        assert_eq!(asked["additionalProperties"]["type"], "integer", "{protocol}: a map stays one");
        let (client, _) =
            start(protocol, Box::new(|codec, request, mode| answer(codec, request, mode, TREE))).await;
        let extracted = client.extract::<Tree>(&ask()).await.unwrap();
        assert_eq!((&extracted.value, extracted.way), (&tree, of_tree), "{protocol}");
    }
}
