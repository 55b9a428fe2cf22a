use interlingua_model::Warning;
use serde_json::{Map, Value, json};

use super::Put as _;

use super::target::{Fate, Target};

/// Schemas nested deeper than this are cut.
const DEPTH: usize = 24;

/// What a schema may weigh in all, in values and stretches of 64 bytes of text; inlined parts count each time.
const WEIGHT: usize = 100_000;

/// The names of JSON's types.
const TYPES: [&str; 7] = ["object", "array", "string", "number", "integer", "boolean", "null"];

/// Rewrites one schema for one target.
pub(super) struct Rewriter<'s> {
    pub(super) target: Target,
    pub(super) root: &'s Value,
    pub(super) warnings: Vec<Warning>,
    /// The pointers that are being inlined, to notice recursion.
    pub(super) inlining: Vec<Inlining>,
    /// How deep `allOf` and references are being gathered.
    pub(super) gathering: usize,
    /// Where a reference to the root leads in the output.
    root_pointer: String,
    root_is_referenced: bool,
    depth: usize,
    weight: usize,
    is_cut: bool,
}

/// A reference that is being inlined.
pub(super) struct Inlining {
    pub(super) pointer: String,
    /// It stands in an `allOf`: what lies beside it may refer to the same schema without being part of it.
    pub(super) is_member: bool,
}

/// A schema that was rewritten; `None` where it had to be cut.
type Rewritten = Option<Value>;

impl<'s> Rewriter<'s> {
    pub(super) fn new(target: Target, root: &'s Value) -> Self {
        Self {
            target,
            root,
            warnings: Vec::new(),
            inlining: Vec::new(),
            gathering: 0,
            root_pointer: "#".to_owned(),
            root_is_referenced: false,
            depth: 0,
            weight: 0,
            is_cut: false,
        }
    }

    pub(super) fn run(mut self) -> (Value, Vec<Warning>) {
        let mut out = if self.target.wants_object() { self.object_root() } else { self.any_root() };
        if self.target.keeps_references() {
            self.definitions(&mut out);
            self.name_wrapped_root(&mut out);
            self.check_limits(&out);
        } else {
            self.check_optional(&out);
        }
        (out, self.warnings)
    }

    fn any_root(&mut self) -> Value {
        self.node(self.root, "#", 0).unwrap_or_else(nothing)
    }

    fn object_root(&mut self) -> Value {
        if let Value::Object(map) = self.root {
            let mark = self.inlining.len();
            let flat = self.flatten(map, "#");
            if !has_union(&flat) && types_of(&flat).iter().any(|name| name == "object") {
                self.depth = 1;
                let out = self.plain(&flat, "#").unwrap_or_else(nothing);
                self.inlining.truncate(mark);
                self.depth = 0;
                return only_object(out);
            }
            self.inlining.truncate(mark);
        }
        self.wrapped_root()
    }

    /// Puts a root that is no object into the only property of one.
    fn wrapped_root(&mut self) -> Value {
        self.warn(Warning::adjusted(
            "#",
            "the root must be an object: the answer stands in its property `value`",
        ));
        let mut name = "Root".to_owned();
        while self.definition(&name).is_some() {
            name.push('_');
        }
        self.root_pointer = format!("#/$defs/{name}");
        let body = self.node(self.root, "#", 2).unwrap_or_else(nothing);
        let mut out = nothing();
        if let Some(map) = out.as_object_mut() {
            map.put("properties", Value::Object(Map::from_iter([("value".to_owned(), body)])));
            map.put("required", json!(["value"]));
        }
        out
    }

    /// Where something refers to a root that was wrapped, its schema becomes a definition.
    fn name_wrapped_root(&self, out: &mut Value) {
        let Some(name) = self.root_pointer.strip_prefix("#/$defs/") else { return };
        if !self.root_is_referenced {
            return;
        }
        let reference = json!({"$ref": self.root_pointer});
        let body = out.pointer_mut("/properties/value").map(|value| std::mem::replace(value, reference));
        let Some((body, map)) = body.zip(out.as_object_mut()) else { return };
        let definitions = map.entry("$defs").or_insert_with(|| json!({}));
        if let Some(definitions) = definitions.as_object_mut() {
            definitions.put(name, body);
        }
    }

    /// Rewrites the definitions at the root, in order; references lead to nowhere else.
    fn definitions(&mut self, out: &mut Value) {
        let root = self.root;
        let Value::Object(out) = out else { return };
        let mut definitions = match out.get_mut("$defs").map(Value::take) {
            Some(Value::Object(begun)) => begun,
            _ => Map::new(),
        };
        for key in ["$defs", "definitions"] {
            for (name, definition) in root.get(key).and_then(Value::as_object).into_iter().flatten() {
                if !definitions.contains_key(name) {
                    let at = below(&below("#", "$defs"), name);
                    let found = self.node(definition, &at, 0).unwrap_or_else(nothing);
                    definitions.put(name, found);
                }
            }
        }
        let has_key = root.get("$defs").is_some();
        if definitions.is_empty() && !has_key {
            out.shift_remove("$defs");
        } else {
            out.put("$defs", Value::Object(definitions));
        }
    }

    /// Rewrites a schema that stands `extra` schemas deeper in the output than in the input.
    fn node(&mut self, node: &Value, at: &str, extra: usize) -> Rewritten {
        self.charge(1);
        if self.depth + extra >= DEPTH || self.is_spent() {
            self.cut(at);
            return None;
        }
        let Value::Object(map) = node else {
            self.warn(Warning::adjusted(
                at.to_owned(),
                "a schema that is no object is taken as any scalar value",
            ));
            return Some(anything());
        };
        self.depth += 1 + extra;
        let mark = self.inlining.len();
        let out = self.schema(map, at);
        self.inlining.truncate(mark);
        self.depth -= 1 + extra;
        out
    }

    fn schema(&mut self, map: &Map<String, Value>, at: &str) -> Rewritten {
        if let Some(pointer) = map.get("$ref").and_then(Value::as_str) {
            return self.reference(pointer, map, at);
        }
        if map.contains_key("allOf") || is_mixed_union(map) {
            let flat = self.flatten(map, at);
            return self.plain(&flat, at);
        }
        self.plain(map, at)
    }

    fn reference(&mut self, pointer: &str, map: &Map<String, Value>, at: &str) -> Rewritten {
        let is_bare = map.keys().all(|key| key == "$ref" || is_silent(key));
        if let Some(kept) = self.kept_pointer(pointer) {
            let is_annotated = map.keys().all(|key| key == "$ref" || is_silent(key) || is_annotation(key));
            let is_recursive = self.is_open(pointer);
            if is_bare {
                return Some(json!({"$ref": kept}));
            }
            if is_annotated || is_recursive {
                return self.annotated(&kept, map, at);
            }
        } else if self.is_open(pointer) {
            let detail = format!(
                "`{}` refers to itself, which the service does not take; it is cut here",
                short(pointer)
            );
            self.warn(Warning::dropped(at.to_owned(), detail));
            return None;
        }
        let flat = self.flatten(map, at);
        self.plain(&flat, at)
    }

    /// A reference takes no siblings, but the only member of a union may be one, and a union takes them.
    fn annotated(&mut self, kept: &str, map: &Map<String, Value>, at: &str) -> Rewritten {
        let mut union = Map::new();
        for (key, value) in map {
            match &**key {
                "$ref" => {
                    union.put("anyOf", json!([{"$ref": kept}]));
                }
                _ if is_silent(key) => {}
                _ if is_annotation(key) => {
                    union.put(key, value.clone());
                }
                _ => {
                    let detail = format!("`{}` beside a reference to itself cannot be expressed", short(key));
                    self.warn(Warning::dropped(at.to_owned(), detail));
                }
            }
        }
        self.plain(&union, at)
    }

    /// Whether inlining a reference would not end.
    pub(super) fn is_open(&self, pointer: &str) -> bool {
        let open = self.inlining.iter().filter(|open| open.pointer == pointer);
        open.map(|open| if open.is_member { 1 } else { 2 }).sum::<usize>() >= 2
    }

    /// The pointer by which a target that keeps references can say this one.
    fn kept_pointer(&mut self, pointer: &str) -> Option<String> {
        if !self.target.keeps_references() {
            return None;
        }
        if pointer == "#" || pointer == self.root_pointer {
            self.root_is_referenced = true;
            return Some(self.root_pointer.clone());
        }
        let name = pointer.strip_prefix("#/$defs/").or_else(|| pointer.strip_prefix("#/definitions/"))?;
        let found = self.resolve(pointer)?;
        let is_kept = !name.contains('/') && std::ptr::eq(found, self.definition(&unescape(name))?);
        is_kept.then(|| format!("#/$defs/{name}"))
    }

    fn definition(&self, name: &str) -> Option<&'s Value> {
        let root = self.root;
        ["$defs", "definitions"].iter().find_map(|key| root.get(key)?.as_object()?.get(name))
    }

    /// The schema at a pointer into the root.
    pub(super) fn resolve(&self, pointer: &str) -> Option<&'s Value> {
        let mut found = self.root;
        let path = pointer.strip_prefix('#')?;
        if path.is_empty() {
            return Some(found);
        }
        for segment in path.strip_prefix('/')?.split('/') {
            found = match found {
                Value::Object(map) => map.get(&unescape(segment))?,
                Value::Array(list) => list.get(segment.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(found)
    }

    /// Rewrites a schema without `$ref` and `allOf`, keyword by keyword, in order.
    fn plain(&mut self, map: &Map<String, Value>, at: &str) -> Rewritten {
        let types = types_of(map);
        let mut node = Node { out: Map::new(), restated: Vec::new() };
        if !map.contains_key("type") && !has_union(map) {
            node.out.put("type", self.inferred(&types, at));
        }
        for (keyword, value) in map {
            self.keyword(map, keyword, value, at, &mut node)?;
        }
        if !node.out.contains_key("type") && !node.out.contains_key("anyOf") {
            node.out.put("type", json!(["string", "number", "boolean", "null"]));
        }
        if types.iter().any(|name| name == "object") && !has_union(map) {
            self.close(map, at, &mut node.out);
        }
        if types.iter().any(|name| name == "array") && !has_union(map) && !node.out.contains_key("items") {
            let warning =
                Warning::adjusted(at.to_owned(), "an array of anything is asked for as one of scalars");
            self.warn(warning);
            node.out.put("items", anything());
        }
        let is_nullable = map.get("nullable") == Some(&Value::Bool(true));
        let out = node.finish();
        Some(if is_nullable { nullable(out) } else { out })
    }

    fn keyword(
        &mut self,
        map: &Map<String, Value>,
        keyword: &str,
        value: &Value,
        at: &str,
        node: &mut Node,
    ) -> Option<()> {
        match keyword {
            "type" => self.types(map, at, node),
            "anyOf" | "oneOf" => self.union(keyword, value, at, node)?,
            "properties" | "required" => self.properties(map, at, node),
            "additionalProperties" | "unevaluatedProperties" => self.openness(keyword, value, at, node),
            "items" | "prefixItems" if !node.out.contains_key("items") => self.items(map, at, node),
            "$defs" | "definitions" if self.depth == 1 && at == "#" && self.target.keeps_references() => {
                node.out.put("$defs", json!({}));
            }
            "$defs" | "definitions" | "$ref" | "allOf" | "items" | "prefixItems" | "nullable" => {}
            _ => self.constraint(keyword, value, at, node),
        }
        Some(())
    }

    fn constraint(&mut self, keyword: &str, value: &Value, at: &str, node: &mut Node) {
        match self.target.fate(keyword, value) {
            Fate::Forget => {}
            Fate::Keep => {
                self.charge(weight(value));
                let kept = if self.is_spent() { Value::Null } else { value.clone() };
                if kept == *value {
                    node.out.put(keyword, kept);
                } else {
                    self.cut(&below(at, keyword));
                }
            }
            Fate::Restate => {
                let warning = Warning::adjusted(
                    below(at, keyword),
                    "not taken by the service; said in the description",
                );
                self.warn(warning);
                node.restated.push(format!("{} {}", short(keyword), short_value(value)));
            }
        }
    }

    fn types(&mut self, map: &Map<String, Value>, at: &str, node: &mut Node) {
        let Some(value) = map.get("type") else { return };
        let is_known = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
        let kept = match value {
            Value::Array(names) if !names.is_empty() && names.iter().all(is_known) => value.clone(),
            value if is_known(value) => value.clone(),
            _ => {
                let warning = Warning::adjusted(below(at, "type"), "not a type of JSON Schema");
                self.warn(warning);
                self.inferred(&types_of(map), at)
            }
        };
        if !has_union(map) {
            node.out.put("type", kept);
        }
    }

    /// The type of a schema that names none.
    fn inferred(&mut self, types: &[String], at: &str) -> Value {
        match types {
            [] => {
                let warning =
                    Warning::adjusted(at.to_owned(), "any value would do; a scalar one is asked for");
                self.warn(warning);
                json!(["string", "number", "boolean", "null"])
            }
            [one] => json!(one),
            several => json!(several),
        }
    }

    fn union(&mut self, keyword: &str, value: &Value, at: &str, node: &mut Node) -> Option<()> {
        let alternatives = value.as_array().map(Vec::as_slice).unwrap_or_default();
        if node.out.contains_key("anyOf") || alternatives.is_empty() {
            self.constraint("union", value, at, node);
            return Some(());
        }
        if keyword == "oneOf" && !self.are_disjoint(alternatives) {
            let detail = "`oneOf` became `anyOf`: a value may match several alternatives";
            self.warn(Warning::adjusted(below(at, keyword), detail));
        }
        let path = below(at, keyword);
        let mut kept = Vec::new();
        for (index, alternative) in alternatives.iter().enumerate() {
            kept.extend(self.node(alternative, &format!("{path}/{index}"), 0));
            if self.is_spent() {
                break;
            }
        }
        if kept.is_empty() {
            return None;
        }
        node.out.put("anyOf", Value::Array(kept));
        Some(())
    }

    /// Writes `properties` and `required` where the first of them stands.
    fn properties(&mut self, map: &Map<String, Value>, at: &str, node: &mut Node) {
        if node.out.contains_key("properties") || node.out.contains_key("required") || has_union(map) {
            return;
        }
        if !types_of(map).iter().any(|name| name == "object") {
            return;
        }
        let (properties, required) = self.fields(map, at);
        let first_is_required = map
            .keys()
            .find(|key| matches!(&***key, "properties" | "required"))
            .is_some_and(|key| key == "required");
        let has_properties = map.contains_key("properties") || self.target.requires_all();
        let has_required = self.target.requires_all() || map.contains_key("required");
        if first_is_required && has_required {
            node.out.put("required", json!(required));
        }
        if has_properties {
            node.out.put("properties", Value::Object(properties));
        }
        if has_required && !first_is_required {
            node.out.put("required", json!(required));
        }
    }

    fn fields(&mut self, map: &Map<String, Value>, at: &str) -> (Map<String, Value>, Vec<String>) {
        let given = map.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let known = map.get("properties").and_then(Value::as_object);
        let mut names = std::collections::HashSet::new();
        let mut required = Vec::new();
        for name in given.iter().filter_map(Value::as_str) {
            if !known.is_some_and(|known| known.contains_key(name)) {
                let detail = format!("`{}` is required and not described", short(name));
                self.warn(Warning::dropped(below(at, "required"), detail));
            } else if names.insert(name) {
                required.push(name.to_owned());
            }
        }
        let mut properties = Map::new();
        for (name, property) in known.into_iter().flatten() {
            let is_required = names.contains(&**name);
            let found = self.field(name, property, is_required, at);
            let Some(found) = found else { continue };
            properties.put(name, found);
            if !is_required && self.target.requires_all() {
                required.push(name.clone());
            }
        }
        (properties, required)
    }

    fn field(&mut self, name: &str, property: &Value, is_required: bool, at: &str) -> Rewritten {
        let path = below(&below(at, "properties"), name);
        let becomes_nullable = !is_required && self.target.requires_all();
        match self.node(property, &path, usize::from(becomes_nullable)) {
            None if is_required => Some(nothing()),
            Some(found) if becomes_nullable && !takes_null(&found) => {
                self.warn(Warning::adjusted(
                    path,
                    "every property must be given: this one may now be null instead",
                ));
                Some(nullable(found))
            }
            found => found,
        }
    }

    fn openness(&mut self, keyword: &str, value: &Value, at: &str, node: &mut Node) {
        if *value != Value::Bool(false) {
            let detail = "properties that are not described cannot be allowed";
            self.warn(Warning::dropped(below(at, keyword), detail));
            if value.as_object().is_some_and(|schema| !schema.is_empty()) {
                node.restated.push(format!("{keyword} {}", short_value(value)));
            }
        }
        if keyword == "additionalProperties" {
            node.out.put(keyword, Value::Bool(false));
        }
    }

    /// Closes an object and gives it what it must have.
    fn close(&mut self, map: &Map<String, Value>, at: &str, out: &mut Map<String, Value>) {
        if self.target.requires_all() && !out.contains_key("properties") {
            let mut node = Node { out: std::mem::take(out), restated: Vec::new() };
            self.properties(map, at, &mut node);
            *out = node.out;
        }
        out.entry("additionalProperties").or_insert(Value::Bool(false));
    }

    fn items(&mut self, map: &Map<String, Value>, at: &str, node: &mut Node) {
        if !types_of(map).iter().any(|name| name == "array") || has_union(map) {
            return;
        }
        let tuple = map.get("prefixItems").or_else(|| map.get("items").filter(|items| items.is_array()));
        let Some(Value::Array(places)) = tuple else {
            let Some(items) = map.get("items") else { return };
            let found = self.node(items, &below(at, "items"), 0).unwrap_or_else(nothing);
            node.out.put("items", found);
            return;
        };
        let detail = "items by position became items of any of their kinds";
        self.warn(Warning::adjusted(below(at, "prefixItems"), detail));
        let mut kinds = Vec::new();
        for (index, place) in places.iter().enumerate() {
            let found = self.node(place, &format!("{at}/prefixItems/{index}"), 1);
            if let Some(found) = found.filter(|found| kinds.len() < 64 && !kinds.contains(found)) {
                kinds.push(found);
            }
        }
        node.restated.push(format!("items by position {}", short_value(&Value::Array(places.clone()))));
        let items = match kinds.len() {
            0 => anything(),
            1 => kinds.swap_remove(0),
            _ => union_of(kinds),
        };
        node.out.put("items", items);
    }

    /// Says which limits of OpenAI the output exceeds.
    fn check_limits(&mut self, out: &Value) {
        let mut measure = Measure::default();
        measure.take(out, 1);
        let limits = [
            (measure.properties, 5_000, "properties"),
            (measure.depth, 10, "levels of nesting"),
            (measure.enums, 1_000, "values of enumerations"),
            (measure.text, 120_000, "characters of names and enumerated values"),
        ];
        for (found, most, what) in limits {
            if found > most {
                self.warn(Warning::ignored(
                    "#",
                    format!("the schema has {found} {what}; the service takes {most}"),
                ));
            }
        }
    }

    /// Says when Anthropic is likely to find the schema too complex.
    fn check_optional(&mut self, out: &Value) {
        let mut measure = Measure::default();
        measure.take(out, 1);
        if measure.optional > 24 {
            let detail = format!(
                "the schema has {} optional properties; the service takes about 24",
                measure.optional
            );
            self.warn(Warning::ignored("#", detail));
        }
    }

    /// Adds to what the output weighs.
    pub(super) const fn charge(&mut self, weight: usize) {
        self.weight = self.weight.saturating_add(weight);
    }

    /// Whether the output weighs all it may.
    pub(super) const fn is_spent(&self) -> bool {
        self.weight > WEIGHT
    }

    /// Says once that the schema is too deep or too large.
    pub(super) fn cut(&mut self, at: &str) {
        if !self.is_cut {
            self.is_cut = true;
            let detail = "the schema is too deep or too large with its references inlined; it is cut here and perhaps elsewhere";
            self.warn(Warning::dropped(at.to_owned(), detail));
        }
    }

    /// Keeps a warning; a schema that is all wrong need not say so without end.
    #[cold]
    pub(super) fn warn(&mut self, warning: Warning) {
        if self.warnings.len() < 256 {
            self.warnings.push(warning);
        }
    }
}

/// A schema in the making.
struct Node {
    out: Map<String, Value>,
    restated: Vec<String>,
}

impl Node {
    fn finish(mut self) -> Value {
        if !self.restated.is_empty() {
            let constraints = format!("Must satisfy: {}.", self.restated.join(", "));
            let text = match self.out.get("description").and_then(Value::as_str) {
                Some(text) if !text.is_empty() => format!("{text}\n{constraints}"),
                _ => constraints,
            };
            self.out.put("description", Value::String(text));
        }
        Value::Object(self.out)
    }
}

/// What OpenAI and Anthropic count.
#[derive(Default)]
struct Measure {
    properties: usize,
    optional: usize,
    depth: usize,
    enums: usize,
    text: usize,
}

impl Measure {
    fn take(&mut self, schema: &Value, depth: usize) {
        let Value::Object(map) = schema else { return };
        if let Some(properties) = map.get("properties").and_then(Value::as_object) {
            self.depth = self.depth.max(depth);
            self.properties += properties.len();
            let required = map.get("required").and_then(Value::as_array).map_or(0, Vec::len);
            self.optional += properties.len().saturating_sub(required);
            for (name, property) in properties {
                self.text += name.len();
                self.take(property, depth + 1);
            }
        }
        for definition in map.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            self.text += definition.0.len();
            self.take(definition.1, depth);
        }
        let values = map.get("enum").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        self.enums += values.len();
        self.text += values.iter().filter_map(Value::as_str).map(str::len).sum::<usize>();
        let alternatives = map.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        for inner in alternatives.chain(map.get("items")) {
            self.take(inner, depth);
        }
    }
}

/// The path of a child, with its name cut to a readable length.
pub(super) fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", short(name).replace('~', "~0").replace('/', "~1"))
}

/// The first 64 characters.
pub(super) fn short(text: &str) -> &str {
    text.char_indices().nth(64).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// Whether a keyword constrains nothing.
pub(super) fn is_silent(keyword: &str) -> bool {
    matches!(
        keyword,
        "$schema"
            | "$id"
            | "$comment"
            | "$anchor"
            | "$vocabulary"
            | "$dynamicAnchor"
            | "$defs"
            | "definitions"
    )
}

/// Whether a keyword only describes.
pub(super) fn is_annotation(keyword: &str) -> bool {
    matches!(
        keyword,
        "title"
            | "description"
            | "default"
            | "examples"
            | "example"
            | "deprecated"
            | "readOnly"
            | "writeOnly"
            | "nullable"
    )
}

/// Whether the schema is a union.
pub(super) fn has_union(map: &Map<String, Value>) -> bool {
    map.contains_key("anyOf") || map.contains_key("oneOf")
}

/// Whether a union has siblings that constrain, which then belong to each alternative.
pub(super) fn is_mixed_union(map: &Map<String, Value>) -> bool {
    has_union(map)
        && map
            .keys()
            .any(|key| !matches!(&**key, "anyOf" | "oneOf") && !is_silent(key) && !is_annotation(key))
}

/// The types that a schema names, or that its keywords speak of.
pub(super) fn types_of(map: &Map<String, Value>) -> Vec<String> {
    let known = |value: &Value| value.as_str().filter(|name| TYPES.contains(name)).map(str::to_owned);
    let named: Vec<String> = match map.get("type") {
        Some(Value::Array(names)) => names.iter().take(TYPES.len()).filter_map(known).collect(),
        Some(name) => known(name).into_iter().collect(),
        None => Vec::new(),
    };
    if !named.is_empty() {
        return named;
    }
    if let Some(value) = map.get("const") {
        return vec![type_of(value).to_owned()];
    }
    if let Some(Value::Array(values)) = map.get("enum") {
        let mut found: Vec<String> = Vec::new();
        for value in values {
            let name = type_of(value);
            if !found.iter().any(|found| found == name) {
                found.push(name.to_owned());
            }
        }
        return found;
    }
    let speaks = |words: &[&str]| words.iter().any(|word| map.contains_key(*word));
    let kind = if speaks(&["properties", "required", "additionalProperties", "patternProperties"]) {
        "object"
    } else if speaks(&["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]) {
        "array"
    } else if speaks(&["pattern", "minLength", "maxLength", "format"]) {
        "string"
    } else if speaks(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) {
        "number"
    } else {
        return Vec::new();
    };
    vec![kind.to_owned()]
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What a value adds to the weight of the output.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + text.len() / 64,
        Value::Array(list) => 1 + list.iter().map(weight).sum::<usize>(),
        Value::Object(map) => {
            1 + map.iter().map(|(key, value)| key.len() / 64 + weight(value)).sum::<usize>()
        }
        _ => 1,
    }
}

/// A value in at most 200 characters.
pub(super) fn short_value(value: &Value) -> String {
    let text = crate::object::written(value);
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// A name as it stands in a pointer: percent-decoded, `~1` and `~0` resolved.
fn unescape(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).replace("~1", "/").replace("~0", "~")
}

/// Any scalar: the nearest that a strict service comes to any value.
fn anything() -> Value {
    json!({"type": ["string", "number", "boolean", "null"]})
}

/// An object without properties, where something had to be cut.
fn nothing() -> Value {
    json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false})
}

/// A root that may also be something else becomes one that may not.
fn only_object(mut root: Value) -> Value {
    if root.get("type").is_some_and(|kind| kind != "object")
        && let Some(map) = root.as_object_mut()
    {
        map.put("type", json!("object"));
    }
    root
}

fn union_of(alternatives: Vec<Value>) -> Value {
    Value::Object(Map::from_iter([("anyOf".to_owned(), Value::Array(alternatives))]))
}

fn takes_null(schema: &Value) -> bool {
    let is_null = |value: &Value| value == "null";
    let by_type = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(is_null),
        Some(name) => is_null(name),
        None => false,
    };
    let by_values =
        schema.get("enum").and_then(Value::as_array).is_none_or(|values| values.contains(&Value::Null));
    let by_const = schema.get("const").is_none_or(Value::is_null);
    let mut alternatives = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    by_type && by_values && by_const || alternatives.any(takes_null)
}

fn nullable(mut schema: Value) -> Value {
    if takes_null(&schema) {
        return schema;
    }
    let Some(map) = schema.as_object_mut() else { return schema };
    if let Some(Value::Array(alternatives)) = map.get_mut("anyOf") {
        alternatives.push(json!({"type": "null"}));
        return schema;
    }
    let is_simple = !map.contains_key("const")
        && match map.get("type") {
            Some(Value::String(name)) => name != "object" && name != "array",
            Some(Value::Array(_)) => true,
            _ => false,
        };
    if !is_simple {
        return union_of(vec![schema, json!({"type": "null"})]);
    }
    if let Some(names) = map.get_mut("type") {
        let mut list = match names.take() {
            Value::Array(list) => list,
            name => vec![name],
        };
        if !list.iter().any(|name| name == "null") {
            list.push(json!("null"));
        }
        *names = Value::Array(list);
    }
    if let Some(Value::Array(values)) = map.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    schema
}
