//! Schemas for strict targets: valid there, idempotent, in order, and bounded.

use std::time::{Duration, Instant};

use interlingua_model::{Json, Warning, WarningKind};
use interlingua_wire::schema::{for_anthropic, for_openai};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::strict::check;

type Rewrite = fn(&Json) -> (Json, Vec<Warning>);

const BOTH: [(&str, Rewrite); 2] = [("openai", for_openai), ("anthropic", for_anthropic)];

fn rewrite(rewrite: Rewrite, schema: &Value) -> (Value, Vec<Warning>) {
    let (found, warnings) = rewrite(&Json::from(schema));
    (found.to_value().unwrap(), warnings)
}

/// The settings and kinds of warnings, for comparison.
fn said(warnings: &[Warning]) -> Vec<(WarningKind, &str)> {
    warnings.iter().map(|warning| (warning.kind, &*warning.setting)).collect()
}

/// Any schema, sensible or not.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({})),
        Just(json!(true)),
        Just(json!({"type": "string", "minLength": 2, "format": "email"})),
        Just(json!({"type": "integer", "minimum": 0, "format": "uint32"})),
        Just(json!({"type": ["string", "null"], "description": "A name", "default": "x"})),
        Just(json!({"enum": ["a", "b", 3]})),
        Just(json!({"const": "fixed"})),
        Just(json!({"$ref": "#"})),
        Just(json!({"$ref": "#/$defs/One"})),
        Just(json!({"$ref": "#/$defs/Two", "description": "with a sibling"})),
        Just(json!({"$ref": "#/$defs/Two", "minimum": 3})),
        Just(json!({"$ref": "#/definitions/Old"})),
        Just(json!({"$ref": "#/properties/a"})),
        Just(json!({"$ref": "http://elsewhere/x"})),
        Just(json!({"type": "nonsense", "x-vendor": {"deep": [1]}})),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let properties = proptest::collection::vec(("[a-d]", inner.clone()), 0..4);
        prop_oneof![
            (properties.clone(), any::<bool>(), any::<bool>()).prop_map(|(list, required, open)| {
                let names: Vec<_> = list.iter().map(|(name, _)| name.clone()).take(1).collect();
                let mut map = json!({"type": "object", "properties": Map::from_iter(list)});
                if required {
                    map["required"] = json!(names);
                }
                if open {
                    map["additionalProperties"] = json!({"type": "string"});
                }
                map
            }),
            inner.clone().prop_map(|items| json!({"type": "array", "items": items, "minItems": 2})),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(|list| json!({"prefixItems": list})),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|list| json!({"anyOf": list})),
            proptest::collection::vec(inner.clone(), 1..4)
                .prop_map(|list| json!({"oneOf": list, "title": "One of"})),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(|list| json!({"allOf": list})),
            (properties, proptest::collection::vec(inner, 1..3)).prop_map(|(list, alternatives)| {
                json!({"properties": Map::from_iter(list), "anyOf": alternatives, "nullable": true})
            }),
        ]
    })
}

fn any_document() -> impl Strategy<Value = Value> {
    (any_schema(), any_schema(), any_schema(), any_schema()).prop_map(|(mut root, one, two, old)| {
        if let Some(map) = root.as_object_mut() {
            map.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
            map.insert("$defs".to_owned(), json!({"One": one, "Two": two}));
            map.insert("definitions".to_owned(), json!({"Old": old}));
        }
        root
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_output_keeps_the_rules_and_is_left_alone_the_second_time(schema in any_document()) {
        for (target, function) in BOTH {
            let (once, _) = function(&Json::from(&schema));
            check(target, &once.to_value().unwrap());
            let (twice, warnings) = function(&once);
            prop_assert_eq!(twice.as_str(), once.as_str());
            let changes: Vec<_> = warnings.iter().filter(|warning| warning.kind != WarningKind::Ignored).collect();
            prop_assert!(changes.is_empty(), "{changes:?}");
        }
    }

    #[test]
    fn properties_keep_their_order(names in proptest::collection::hash_set("[a-z]{1,6}", 1..20)) {
        let names: Vec<String> = names.into_iter().collect();
        let properties: Map<_, _> = names.iter().map(|name| (name.clone(), json!({"type": "integer", "minLength": 1}))).collect();
        for (_, function) in BOTH {
            let (found, _) = rewrite(function, &json!({"type": "object", "properties": properties}));
            let order: Vec<_> = found["properties"].as_object().unwrap().keys().cloned().collect();
            prop_assert_eq!(&order, &names);
        }
    }
}

#[test]
fn what_conforms_passes_byte_for_byte() {
    let strict = r##"{ "type":"object", "properties":{"b":{"type":"string","enum":["x"]},"a":{"anyOf":[{"$ref":"#/$defs/N"},{"type":"null"}]},
        "n":{"type":"number","minimum":1.50}}, "required":["b","a","n"], "additionalProperties":false,
        "$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N"},"root":{"$ref":"#"}},"required":["next","root"],"additionalProperties":false}} }"##;
    let (found, warnings) = for_openai(&Json::from_text(strict));
    assert_eq!((found.as_str(), &*warnings), (strict, &[][..]));
    let plain = r#"{"type":"object","properties":{"b":{"type":"array","items":{"type":"string","format":"uri"},"minItems":1},"a":{"type":"integer","default":3}},
        "required":["b"],"additionalProperties":false}"#;
    let (found, warnings) = for_anthropic(&Json::from_text(plain));
    assert_eq!((found.as_str(), &*warnings), (plain, &[][..]));
}

#[test]
fn what_a_target_does_not_take_is_restated_and_said() {
    let schema = json!({"type": "object", "properties": {
        "name": {"type": "string", "minLength": 1, "description": "A name"},
        "count": {"type": "integer", "minimum": 1},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "minItems": 2},
    }, "required": ["name", "count", "tags"]});
    let (found, warnings) = rewrite(for_openai, &schema);
    assert_eq!(found["properties"]["name"]["description"], "A name\nMust satisfy: minLength 1.");
    assert_eq!(found["properties"]["count"], json!({"type": "integer", "minimum": 1}));
    let kind = WarningKind::Adjusted;
    assert_eq!(
        said(&warnings),
        [(kind, "#/properties/name/minLength"), (kind, "#/properties/tags/uniqueItems")]
    );
    let (found, warnings) = rewrite(for_anthropic, &schema);
    assert_eq!(found["properties"]["tags"]["description"], "Must satisfy: uniqueItems true, minItems 2.");
    assert_eq!(found["properties"]["count"]["description"], "Must satisfy: minimum 1.");
    assert_eq!(warnings.len(), 4);
}

#[test]
fn optional_properties_become_nullable_for_openai_alone() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": ["integer", "null"]}, "c": {"$ref": "#/$defs/C"},
    }, "$defs": {"C": {"type": "object", "properties": {}}}});
    let (found, warnings) = rewrite(for_openai, &schema);
    assert_eq!(found["properties"]["a"], json!({"type": ["string", "null"], "enum": ["x", "y", null]}));
    assert_eq!(found["properties"]["b"], json!({"type": ["integer", "null"]}));
    assert_eq!(found["properties"]["c"], json!({"anyOf": [{"$ref": "#/$defs/C"}, {"type": "null"}]}));
    assert_eq!(found["required"], json!(["a", "b", "c"]));
    assert_eq!(said(&warnings).len(), 2, "{warnings:?}");
    let (found, warnings) = rewrite(for_anthropic, &schema);
    assert!(found.get("required").is_none() && warnings.is_empty(), "{found} {warnings:?}");
    assert_eq!(found["properties"]["c"]["additionalProperties"], false);
}

#[test]
fn all_of_is_merged_and_one_of_becomes_any_of() {
    let schema = json!({"type": "object", "properties": {
        "x": {"allOf": [{"$ref": "#/$defs/Base"}, {"properties": {"more": {"type": "string"}}, "required": ["more"]}]},
        "y": {"oneOf": [{"const": "a"}, {"const": "b"}]},
        "z": {"oneOf": [{"type": "string"}, {"type": "string", "title": "again"}]},
    }, "required": ["x", "y", "z"],
    "$defs": {"Base": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}}});
    for (_, function) in BOTH {
        let (found, warnings) = rewrite(function, &schema);
        assert_eq!(found["properties"]["x"]["required"], json!(["id", "more"]));
        assert!(found["properties"]["y"]["anyOf"].is_array());
        assert_eq!(
            said(&warnings),
            [(WarningKind::Adjusted, "#/properties/z/oneOf")],
            "disjoint alternatives lose nothing"
        );
    }
}

#[test]
fn what_stands_beside_a_union_belongs_to_each_alternative() {
    let schema = json!({"type": "object", "properties": {"shape": {
        "type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"], "oneOf": [
            {"properties": {"kind": {"const": "a"}}, "required": ["kind"]},
            {"properties": {"kind": {"const": "b"}}, "required": ["kind"]},
        ]}}, "required": ["shape"]});
    for (_, function) in BOTH {
        let (found, warnings) = rewrite(function, &schema);
        let alternatives = found["properties"]["shape"]["anyOf"].as_array().unwrap();
        for (alternative, kind) in alternatives.iter().zip(["a", "b"]) {
            assert_eq!(alternative["required"], json!(["id", "kind"]));
            assert_eq!(alternative["properties"]["kind"]["const"], kind);
        }
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn recursion_stays_for_openai_and_is_cut_for_anthropic() {
    let schema = json!({"$ref": "#/$defs/Node", "$defs": {"Node": {"type": "object", "properties": {
        "value": {"type": "string"},
        "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
        "maybe": {"$ref": "#/$defs/Node"},
    }, "required": ["value", "next", "children"]}}});
    let (found, warnings) = rewrite(for_openai, &schema);
    assert_eq!(found["properties"]["children"]["items"], json!({"$ref": "#/$defs/Node"}));
    assert_eq!(warnings.len(), 2, "`maybe` at the root and in the definition: {warnings:?}");
    let (found, warnings) = rewrite(for_anthropic, &schema);
    assert_eq!(found["properties"]["next"], json!({"anyOf": [{"type": "null"}]}));
    assert_eq!(found["properties"]["children"]["items"]["properties"], json!({}));
    assert!(found["properties"].get("maybe").is_none());
    assert_eq!(warnings.iter().filter(|warning| warning.kind == WarningKind::Dropped).count(), 3);
}

#[test]
fn a_root_that_is_no_object_is_wrapped_for_openai() {
    let (found, warnings) = rewrite(for_openai, &json!({"type": "array", "items": {"$ref": "#"}}));
    assert_eq!(found["properties"]["value"], json!({"$ref": "#/$defs/Root"}));
    assert_eq!(found["$defs"]["Root"]["items"], json!({"$ref": "#/$defs/Root"}));
    assert_eq!(said(&warnings), [(WarningKind::Adjusted, "#")]);
}

#[test]
fn what_is_no_schema_is_said() {
    for (_, function) in BOTH {
        let (found, warnings) = function(&Json::from_text("{not json"));
        assert_eq!((found.as_str(), warnings.len()), ("{not json", 1));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(function(&Json::from_text(deep)).1.len(), 1);
    }
}

/// Definitions that each refer twice to the next: two to the power of their number, when inlined.
fn bomb(reference: fn(String) -> Value) -> Value {
    let definitions: Map<_, _> = (0..60)
        .map(|index| {
            let next = format!("#/$defs/d{}", index + 1);
            (format!("d{index}"), reference(next))
        })
        .chain([("d60".to_owned(), json!({"type": "string"}))])
        .collect();
    json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "required": ["a"], "$defs": definitions})
}

#[test]
fn hostile_schemas_take_bounded_work() {
    let bombs: [fn(String) -> Value; 4] = [
        |next| json!({"type": "object", "properties": {"x": {"$ref": next}, "y": {"$ref": next}}}),
        |next| json!({"allOf": [{"$ref": next}, {"$ref": next}]}),
        |next| json!({"anyOf": [{"$ref": next, "minimum": 1}, {"$ref": next, "minimum": 2}], "type": "number"}),
        |next| json!({"type": "object", "properties": {"x": {"$ref": next, "minProperties": 1}, "y": {"$ref": next, "minProperties": 2}}}),
    ];
    let wide: Vec<_> = (0..20_000).map(|index| json!({"const": format!("{index}")})).collect();
    let properties: Map<_, _> =
        (0..20_000).map(|index| (format!("p{index}"), json!({"$ref": "#/$defs/d"}))).collect();
    let mut schemas: Vec<Value> = bombs.into_iter().map(bomb).collect();
    schemas.push(json!({"type": "object", "properties": {"a": {"oneOf": wide}}}));
    schemas.push(json!({"type": "object", "properties": properties, "anyOf": wide, "$defs": {"d": {"enum": ["x".repeat(100_000)]}}}));
    schemas.push(
        json!({"type": "object", "properties": properties, "$defs": {"d": {"enum": ["x".repeat(100_000)]}}}),
    );
    for (target, function) in BOTH {
        for schema in &schemas {
            let begun = Instant::now();
            let (found, warnings) = function(&Json::from(schema));
            assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
            assert!(found.as_str().len() < 40 << 20 && warnings.len() <= 256);
            check(target, &found.to_value().unwrap());
        }
    }
}
