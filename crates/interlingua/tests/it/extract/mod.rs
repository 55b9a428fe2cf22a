//! Values out of answers.

mod choosing;
mod example;
mod failures;
mod forms;
mod model;
mod protocols;
mod streams;

use std::collections::BTreeMap;

use interlingua::{Request, schemars::JsonSchema};
use serde::Deserialize;

/// A trip, with all that types may be made of.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
struct Trip {
    /// Where it goes.
    city: String,
    days: u32,
    stops: Vec<Stop>,
    mood: Option<Mood>,
    #[serde(default)]
    budget: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Stop {
    Museum { name: String },
    Walk { km: f64 },
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mood {
    Glad,
    Tired,
}

/// Something that holds more of its kind.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
struct Tree {
    name: String,
    children: Vec<Self>,
}

type Prices = BTreeMap<String, u32>;

const TRIP: &str = r#"{"city":"Málaga","days":3,"stops":[{"kind":"museum","name":"Picasso"},{"kind":"walk","km":2.5}],"mood":null}"#;

fn trip() -> Trip {
    let stops = vec![Stop::Museum { name: "Picasso".into() }, Stop::Walk { km: 2.5 }];
    Trip { city: "Málaga".into(), days: 3, stops, mood: None, budget: 0 }
}

fn ask() -> Request {
    Request::new("test/m").user("Plan a trip.")
}
