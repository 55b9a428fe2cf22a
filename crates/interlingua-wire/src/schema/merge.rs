use interlingua_model::Warning;
use serde_json::{Map, Value, json};

use super::Put as _;

use super::rewrite::{
    Inlining, Rewriter, below, has_union, is_annotation, is_mixed_union, is_silent, short, types_of, weight,
};

/// Alternatives beyond this many are not compared with each other.
const COMPARED: usize = 64;

impl Rewriter<'_> {
    /// One schema that says what a schema, its `allOf` and the reference it makes say together, in the order in which
    /// they stand; siblings of a union move into its alternatives.
    pub(super) fn flatten(&mut self, map: &Map<String, Value>, at: &str) -> Map<String, Value> {
        let mut out = Map::new();
        self.gather(map, at, &mut out, false);
        if !is_mixed_union(&out) {
            return out;
        }
        let alternatives =
            ["anyOf", "oneOf"].iter().filter_map(|key| out.get(*key)?.as_array()).map(Vec::len);
        let copies = alternatives.max().unwrap_or_default();
        self.charge(copies.saturating_mul(out.values().map(weight).sum()));
        if self.is_spent() {
            self.cut(at);
            out.retain(|key, _| !matches!(&**key, "anyOf" | "oneOf"));
            return out;
        }
        distribute(out)
    }

    fn gather(&mut self, map: &Map<String, Value>, at: &str, out: &mut Map<String, Value>, is_member: bool) {
        if self.gathering >= COMPARED {
            return self.cut(at);
        }
        self.gathering += 1;
        for (keyword, value) in map {
            match &**keyword {
                "$ref" => self.gather_reference(value, at, out, is_member),
                "allOf" => {
                    for member in value.as_array().into_iter().flatten() {
                        self.gather_member(member, at, out);
                    }
                }
                _ => {
                    self.charge(weight(value));
                    if self.is_spent() {
                        self.cut(at);
                        break;
                    }
                    self.merge(keyword, value, at, out);
                }
            }
        }
        self.gathering -= 1;
    }

    fn gather_member(&mut self, member: &Value, at: &str, out: &mut Map<String, Value>) {
        self.charge(1);
        if self.is_spent() {
            return self.cut(at);
        }
        if let Value::Object(map) = member {
            self.gather(map, at, out, true);
        }
    }

    fn gather_reference(&mut self, pointer: &Value, at: &str, out: &mut Map<String, Value>, is_member: bool) {
        let Some(pointer) = pointer.as_str() else { return };
        let Some(Value::Object(target)) = self.resolve(pointer) else {
            let detail = format!("`{}` leads nowhere in this schema", short(pointer));
            return self.warn(Warning::dropped(below(at, "$ref"), detail));
        };
        if self.is_open(pointer) {
            let detail = format!("`{}` refers to itself and is cut here", short(pointer));
            return self.warn(Warning::dropped(below(at, "$ref"), detail));
        }
        self.inlining.push(Inlining { pointer: pointer.to_owned(), is_member });
        self.gather(target, at, out, is_member);
    }

    /// Adds one keyword to what is there; the narrower of two constraints wins.
    fn merge(&mut self, keyword: &str, value: &Value, at: &str, out: &mut Map<String, Value>) {
        let Some(old) = out.get_mut(keyword) else {
            out.put(keyword, value.clone());
            return;
        };
        if old == value {
            return;
        }
        let merged = match keyword {
            "properties" | "$defs" | "definitions" => {
                merge_named(old, value, keyword == "properties");
                true
            }
            "required" => {
                merge_list(old, value);
                true
            }
            "items" | "additionalProperties" => {
                *old = both(old, value);
                true
            }
            "type" => narrow_types(old, value),
            "enum" => narrow_list(old, value),
            _ if is_annotation(keyword) || is_silent(keyword) => {
                *old = value.clone();
                true
            }
            _ if keyword.starts_with("min") || keyword == "exclusiveMinimum" => bound(old, value, f64::gt),
            _ if keyword.starts_with("max") || keyword == "exclusiveMaximum" => bound(old, value, f64::lt),
            _ => false,
        };
        if !merged {
            let detail = "two values that cannot be joined; the first is kept";
            self.warn(Warning::dropped(below(at, keyword), detail));
        }
    }

    /// Whether a value can match at most one of the alternatives, as far as can be seen.
    pub(super) fn are_disjoint(&self, alternatives: &[Value]) -> bool {
        if alternatives.len() > COMPARED {
            return false;
        }
        let views: Vec<_> = alternatives.iter().map(|alternative| self.views(alternative)).collect();
        let mut pairs = views
            .iter()
            .enumerate()
            .flat_map(|(index, left)| views.iter().skip(index + 1).map(move |right| (left, right)));
        pairs.all(|(left, right)| left.iter().any(|left| right.iter().any(|right| excludes(left, right))))
    }

    /// The objects that a value must match to match a schema, as far as they are near.
    fn views<'v>(&'v self, schema: &'v Value) -> Vec<&'v Map<String, Value>> {
        let members = schema.get("allOf").and_then(Value::as_array).into_iter().flatten().take(8);
        members.chain([schema]).filter_map(|member| self.follow(member).as_object()).collect()
    }

    fn follow<'v>(&'v self, schema: &'v Value) -> &'v Value {
        let pointer = schema.get("$ref").and_then(Value::as_str);
        pointer.and_then(|pointer| self.resolve(pointer)).unwrap_or(schema)
    }
}

/// Moves the siblings of a union into its alternatives.
fn distribute(map: Map<String, Value>) -> Map<String, Value> {
    let (mut out, mut base) = (Map::new(), Map::new());
    let mut unions = Vec::new();
    for (keyword, value) in map {
        match &*keyword {
            "anyOf" | "oneOf" if unions.is_empty() => {
                out.put(&keyword, Value::Null);
                unions.push((keyword, value));
            }
            _ if is_annotation(&keyword) || is_silent(&keyword) => {
                out.insert(keyword, value);
            }
            _ => {
                base.insert(keyword, value);
            }
        }
    }
    let base = Value::Object(base);
    for (keyword, value) in unions {
        let alternatives = value.as_array().into_iter().flatten();
        let joined: Vec<_> = alternatives.map(|alternative| json!({"allOf": [base, alternative]})).collect();
        out.insert(keyword, Value::Array(joined));
    }
    out
}

fn both(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
        (Value::Bool(true), other) | (other, Value::Bool(true)) => other.clone(),
        _ => json!({"allOf": [old, new]}),
    }
}

fn merge_named(old: &mut Value, new: &Value, join: bool) {
    let (Some(old), Some(new)) = (old.as_object_mut(), new.as_object()) else { return };
    for (name, value) in new {
        match old.get_mut(name) {
            None => {
                old.put(name, value.clone());
            }
            Some(first) if join && first != value => *first = both(first, value),
            Some(_) => {}
        }
    }
}

fn merge_list(old: &mut Value, new: &Value) {
    let (Some(old), Some(new)) = (old.as_array_mut(), new.as_array()) else { return };
    // The names are made unique when the list is written.
    old.extend(new.iter().cloned());
}

fn narrow_types(old: &mut Value, new: &Value) -> bool {
    let names = |value: &Value| types_of(&Map::from_iter([("type".to_owned(), value.clone())]));
    let (left, right) = (names(old), names(new));
    let has = |names: &[String], name: &str| names.iter().any(|found| found == name);
    let mut common = Vec::new();
    for name in &left {
        if has(&right, name) || name == "integer" && has(&right, "number") {
            common.push(name.clone());
        } else if name == "number" && has(&right, "integer") {
            common.push("integer".to_owned());
        }
    }
    match &*common {
        [] => return false,
        [one] => *old = json!(one),
        _ => *old = json!(common),
    }
    true
}

fn narrow_list(old: &mut Value, new: &Value) -> bool {
    let (Some(list), Some(other)) = (old.as_array(), new.as_array()) else { return false };
    if list.len().saturating_mul(other.len()) > 1_000_000 {
        return false;
    }
    let common: Vec<_> = list.iter().filter(|value| other.contains(value)).cloned().collect();
    if common.is_empty() {
        return false;
    }
    *old = Value::Array(common);
    true
}

fn bound(old: &mut Value, new: &Value, is_narrower: fn(&f64, &f64) -> bool) -> bool {
    let (Some(first), Some(second)) = (old.as_f64(), new.as_f64()) else { return false };
    if is_narrower(&second, &first) {
        *old = new.clone();
    }
    true
}

/// Whether no value matches both schemas: by type, by constants, by a constant property, or by a property that one
/// demands and the other, closed, does not have.
fn excludes(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    if has_union(left) || has_union(right) {
        return false;
    }
    let (left_types, right_types) = (types_of(left), types_of(right));
    let is_number = |name: &str| matches!(name, "number" | "integer");
    let overlaps = left_types
        .iter()
        .any(|left| right_types.iter().any(|right| left == right || is_number(left) && is_number(right)));
    if !overlaps && !left_types.is_empty() && !right_types.is_empty() {
        return true;
    }
    if differ(constants(left), constants(right)) {
        return true;
    }
    required(left).any(|name| {
        required(right).any(|other| other == name)
            && differ(property(left, name).and_then(constants), property(right, name).and_then(constants))
    }) || demands_unknown(left, right)
        || demands_unknown(right, left)
}

fn constants(map: &Map<String, Value>) -> Option<&[Value]> {
    match map.get("const") {
        Some(value) => Some(std::slice::from_ref(value)),
        None => map.get("enum").and_then(Value::as_array).map(Vec::as_slice),
    }
}

fn differ(left: Option<&[Value]>, right: Option<&[Value]>) -> bool {
    left.zip(right).is_some_and(|(left, right)| {
        left.len().saturating_mul(right.len()) <= 10_000 && !left.iter().any(|value| right.contains(value))
    })
}

fn required(map: &Map<String, Value>) -> impl Iterator<Item = &str> {
    map.get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(COMPARED)
        .filter_map(Value::as_str)
}

fn property<'m>(map: &'m Map<String, Value>, name: &str) -> Option<&'m Map<String, Value>> {
    map.get("properties")?.get(name)?.as_object()
}

fn demands_unknown(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    let is_closed = right.get("additionalProperties") == Some(&Value::Bool(false));
    is_closed && required(left).any(|name| property(right, name).is_none())
}
