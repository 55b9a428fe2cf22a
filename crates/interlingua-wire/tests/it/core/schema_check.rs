//! Values held against schemas, beside another validator.

use interlingua_wire::schema::check;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn told(schema: &Value, value: &Value) -> Vec<String> {
    check(schema, value).iter().map(ToString::to_string).collect()
}

/// Values that are small enough to fit now and then.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3_i64..5).prop_map(Value::from),
        prop::sample::select(vec![1.0, 1.5, -0.5, 2.0, 1e300]).prop_map(Value::from),
        prop::sample::select(vec!["", "a", "bé", "abcd"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names(), inner), 0..4).prop_map(|members| Map::from_iter(members).into()),
        ]
    })
}

fn names() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c/~", "d"]).prop_map(str::to_owned)
}

/// A keyword with schemas within, which the rest of the schema stands beside.
fn keyword(inner: &BoxedStrategy<Value>) -> impl Strategy<Value = (&'static str, Value)> + use<> {
    let kinds = ["null", "boolean", "integer", "number", "string", "array", "object"];
    let some_names =
        || prop::collection::hash_set(names(), 0..3).prop_map(|names| json!(Vec::from_iter(names)));
    let count = || (0_u64..4).prop_map(Value::from);
    let number = || prop_oneof![(-3_i64..4).prop_map(Value::from), Just(json!(0.5)), Just(json!(1.5))];
    let list =
        |inner: &BoxedStrategy<Value>| prop::collection::vec(inner.clone(), 1..3).prop_map(Value::from);
    let map = |inner: &BoxedStrategy<Value>| {
        prop::collection::vec((names(), inner.clone()), 0..3)
            .prop_map(|members| Value::Object(Map::from_iter(members)))
    };
    let mut all: Vec<BoxedStrategy<(&'static str, Value)>> = Vec::new();
    let mut add = |name: &'static str, value: BoxedStrategy<Value>| {
        all.push(value.prop_map(move |value| (name, value)).boxed());
    };
    add("type", prop::sample::select(kinds.to_vec()).prop_map(Value::from).boxed());
    add("type", prop::sample::subsequence(kinds.to_vec(), 1..4).prop_map(|kinds| json!(kinds)).boxed());
    add("enum", prop::collection::vec(values(), 1..4).prop_map(Value::from).boxed());
    add("const", values().boxed());
    add("properties", map(inner).boxed());
    add("required", some_names().boxed());
    add("additionalProperties", inner.clone());
    add("propertyNames", prop_oneof![Just(json!({"maxLength": 1})), inner.clone()].boxed());
    add("dependentRequired", (names(), some_names()).prop_map(|(name, names)| json!({name: names})).boxed());
    add("dependentSchemas", map(inner).boxed());
    add("items", inner.clone());
    add("prefixItems", list(inner).boxed());
    add("contains", inner.clone());
    add("uniqueItems", any::<bool>().prop_map(Value::from).boxed());
    for name in [
        "minContains",
        "maxContains",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minProperties",
        "maxProperties",
    ] {
        add(name, count().boxed());
    }
    for name in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
        add(name, number().boxed());
    }
    add("multipleOf", prop::sample::select(vec![json!(1), json!(2), json!(0.5)]).boxed());
    for name in ["anyOf", "oneOf", "allOf"] {
        add(name, list(inner).boxed());
    }
    for name in ["not", "if", "then", "else"] {
        add(name, inner.clone());
    }
    add(
        "$ref",
        prop::sample::select(vec!["#/$defs/a", "#/$defs/c~1~0", "#/$defs/%61"]).prop_map(Value::from).boxed(),
    );
    prop::strategy::Union::new(all)
}

fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({})),
        Just(json!(true)),
        Just(json!(false)),
        Just(json!({"type": "string"})),
        Just(json!({"type": "integer"}))
    ];
    let nested = leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::vec(keyword(&inner.boxed()), 1..5).prop_map(|keywords| {
            Value::Object(keywords.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        })
    });
    // References lead to definitions that refer to nothing, or to themselves one level down.
    let tree = json!({"type": ["object", "integer"], "additionalProperties": {"$ref": "#/$defs/c~1~0"}});
    nested.prop_map(move |mut schema| {
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("$defs".to_owned(), json!({"a": {"type": ["string", "null"]}, "c/~": tree}));
        }
        schema
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn another_validator_agrees(schema in schemas(), values in prop::collection::vec(values(), 1..6)) {
        let judge = jsonschema::draft202012::new(&schema).unwrap();
        for value in values {
            let found = check(&schema, &value);
            prop_assert_eq!(found.is_empty(), judge.is_valid(&value), "{} of {}: {:?}", value, schema, found);
            for mismatch in found {
                prop_assert!(value.pointer(&mismatch.path).is_some(), "{mismatch:?} of {value}");
                prop_assert!(!mismatch.message.is_empty() && !mismatch.message.contains('\n'));
            }
        }
    }
}

#[test]
fn messages_say_what_is_there_and_what_is_wanted() {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 5},
            "age": {"type": "integer", "minimum": 0, "exclusiveMaximum": 150},
            "tags": {"type": "array", "items": {"enum": ["red", "green"]}, "minItems": 1, "uniqueItems": true},
            "price": {"type": ["number", "null"], "multipleOf": 0.01}
        },
        "required": ["name", "tags"],
        "additionalProperties": false
    });
    let found = |value: &Value| told(&schema, value).join("; ");
    assert_eq!(found(&json!([])), "is [], and must be an object");
    assert_eq!(
        found(&json!({"nme": 1, "tags": ["red"]})),
        "the property `name` is missing; \
         has a property `nme`, which is not allowed; allowed: `name`, `age`, `tags`, `price`"
    );
    assert_eq!(
        found(&json!({"name": "", "tags": ["red", "blue"]})),
        "/name: has 0 characters, and must have at least 1 character; \
         /tags/1: is \"blue\", and must be one of \"red\", \"green\""
    );
    assert_eq!(
        found(&json!({"name": "abcdef", "age": 150, "tags": ["red", "red"]})),
        "/name: has 6 characters, and must have at most 5 characters; \
         /age: is 150, and must be less than 150; \
         /tags: has \"red\" twice, at 0 and 1, and must have no item twice"
    );
    assert_eq!(found(&json!({"name": "a", "tags": ["red"], "price": 0.3})), "");
    assert_eq!(
        found(&json!({"name": null, "tags": ["red"], "price": 0.305, "age": "7"})),
        "/name: is null, and must be a string; \
         /price: is 0.305, and must be a multiple of 0.01; /age: is \"7\", and must be an integer"
    );
}

#[test]
fn of_a_union_the_nearest_alternative_is_told() {
    let schema = json!({
        "oneOf": [
            {"title": "Circle", "type": "object", "properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}}, "required": ["kind", "radius"]},
            {"$ref": "#/$defs/Square"}
        ],
        "$defs": {"Square": {"type": "object", "properties": {"kind": {"const": "square"}, "side": {"type": "number"}}, "required": ["kind", "side"]}}
    });
    assert_eq!(
        told(&schema, &json!({"kind": "square", "side": "2"})),
        ["fits none of 2 alternatives; to be `Square`:", r#"/side: is "2", and must be a number"#,]
    );
    assert_eq!(
        told(&schema, &json!({"kind": "circle"})),
        ["fits none of 2 alternatives; to be `Circle`:", "the property `radius` is missing",]
    );
    let both = json!({"oneOf": [{"type": "integer"}, {"minimum": 0}]});
    assert_eq!(
        told(&both, &json!(3)),
        ["fits several alternatives, and must fit one of them only: alternative 1, alternative 2"]
    );
}

#[test]
fn older_words_are_understood() {
    assert!(told(&json!({"type": "string", "nullable": true}), &json!(null)).is_empty());
    assert_eq!(
        told(&json!({"minimum": 1, "exclusiveMinimum": true}), &json!(1)),
        ["is 1, and must be more than 1"]
    );
    let tuple = json!({"items": [{"type": "string"}], "additionalItems": false});
    assert!(told(&tuple, &json!(["a"])).is_empty());
    assert_eq!(told(&tuple, &json!(["a", 2])), ["/1: is 2, and nothing may stand there"]);
    let patterns = json!({"patternProperties": {"^x": {}}, "additionalProperties": false});
    assert!(told(&patterns, &json!({"xy": 1})).is_empty(), "patterns are passed over");
    assert!(told(&json!({"$ref": "https://example.com/schema"}), &json!(1)).is_empty());
    assert!(told(&json!({"$ref": "#/$defs/none"}), &json!(1)).is_empty());
}

#[test]
fn what_cannot_be_checked_does_not_pass() {
    let circle = json!({"$ref": "#"});
    assert_eq!(told(&circle, &json!(1)), ["cannot be checked: the schema leads too deep"]);
    let explosion = json!({"anyOf": [{"items": {"$ref": "#"}, "type": "array"}, {"items": {"$ref": "#"}, "minItems": 1}, {"items": {"$ref": "#"}, "not": {}}]});
    let mut value = json!("x");
    for _ in 0..40 {
        value = json!([value]);
    }
    let found = told(&explosion, &value);
    assert!(found.len() <= 32);
    let mut deep = json!(null);
    let list = json!({"type": ["object", "null"], "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}});
    for _ in 0..100 {
        deep = json!({"next": deep});
    }
    assert!(told(&list, &deep).is_empty());
    let many = json!({"items": {"type": "string"}});
    assert_eq!(told(&many, &Value::from(vec![1; 100])).len(), 32);
}
