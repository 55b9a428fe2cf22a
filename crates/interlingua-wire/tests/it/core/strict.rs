//! The rules of a strict target. The fuzz targets hold them as well.

use serde_json::Value;

/// Panics when a schema breaks the rules of its target.
pub(crate) fn check(target: &str, schema: &Value) {
    if target == "openai" {
        assert_eq!(schema["type"], "object", "the root is no object: {schema}");
        assert!(schema.get("anyOf").is_none(), "the root is a union: {schema}");
    }
    check_node(target, schema, schema, true);
}

const OPENAI: &[&str] = &[
    "type",
    "enum",
    "const",
    "anyOf",
    "properties",
    "required",
    "items",
    "title",
    "description",
    "additionalProperties",
    "pattern",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
    "format",
];
const ANTHROPIC: &[&str] = &[
    "type",
    "enum",
    "const",
    "anyOf",
    "properties",
    "required",
    "items",
    "title",
    "description",
    "additionalProperties",
    "default",
    "minItems",
    "format",
];

fn check_node(target: &str, root: &Value, node: &Value, is_root: bool) {
    let map = node.as_object().unwrap_or_else(|| panic!("no object: {node}"));
    if let Some(pointer) = map.get("$ref") {
        assert_eq!((target, map.len()), ("openai", 1), "{node}");
        let pointer = pointer.as_str().unwrap();
        assert!(pointer == "#" || root.pointer(&pointer[1..]).is_some(), "{pointer} leads nowhere in {root}");
        return;
    }
    let allowed = if target == "openai" { OPENAI } else { ANTHROPIC };
    for key in map.keys().filter(|key| !(is_root && *key == "$defs")) {
        assert!(allowed.contains(&&**key), "{key} in {node}");
    }
    let types: Vec<&str> = match &map.get("type") {
        Some(Value::Array(names)) => names.iter().map(|name| name.as_str().unwrap()).collect(),
        Some(name) => vec![name.as_str().unwrap()],
        None => Vec::new(),
    };
    assert_eq!(map.contains_key("anyOf"), types.is_empty(), "either a union or types: {node}");
    if types.contains(&"object") {
        assert_eq!(map["additionalProperties"], false, "{node}");
        if target == "openai" {
            let properties: Vec<&str> =
                map["properties"].as_object().unwrap().keys().map(|key| &**key).collect();
            let mut required: Vec<&str> =
                map["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            assert_eq!(properties.len(), required.len(), "{node}");
            required.sort_unstable();
            required.dedup();
            assert_eq!(properties.len(), required.len(), "{node}");
            assert!(properties.iter().all(|name| required.binary_search(name).is_ok()), "{node}");
        }
    }
    assert_eq!(types.contains(&"array"), map.contains_key("items"), "{node}");
    if target == "anthropic"
        && let Some(count) = map.get("minItems")
    {
        assert!(count.as_u64().unwrap() <= 1);
    }
    let properties =
        map.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(_, inner)| inner);
    let definitions =
        map.get("$defs").and_then(Value::as_object).into_iter().flatten().map(|(_, inner)| inner);
    let alternatives = map.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    for inner in properties.chain(definitions).chain(alternatives).chain(map.get("items")) {
        check_node(target, root, inner, false);
    }
}
