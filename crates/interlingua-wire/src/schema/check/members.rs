//! Objects and lists.

use serde_json::{Map, Value};

use super::{Check, same, shown};

impl<'s> Check<'s> {
    pub(super) fn members(&mut self, schema: &'s Map<String, Value>, members: &Map<String, Value>) {
        self.required(schema, members);
        let known = schema.get("properties").and_then(Value::as_object);
        for (name, value) in members {
            if let Some(schema) = known.and_then(|known| known.get(name)) {
                self.below(name, schema, value);
            } else if !schema.contains_key("patternProperties") {
                self.additional(schema, name, value);
            }
            if let Some(rule) = schema.get("propertyNames")
                && !self.fits(rule, &Value::from(name.as_str()))
            {
                self.tell(format!("has a property `{name}`, whose name is not allowed"));
            }
        }
        self.count(schema, ["minProperties", "maxProperties"], members.len(), "member");
        self.dependent(schema, members);
    }

    fn required(&mut self, schema: &Map<String, Value>, members: &Map<String, Value>) {
        let names = schema.get("required").and_then(Value::as_array);
        for name in names.into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                self.tell(format!("the property `{name}` is missing"));
            }
        }
    }

    /// A member that the schema does not name.
    fn additional(&mut self, schema: &'s Map<String, Value>, name: &str, value: &Value) {
        match schema.get("additionalProperties") {
            None | Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => {
                let known = schema.get("properties").and_then(Value::as_object);
                let names: Vec<_> =
                    known.into_iter().flatten().map(|(name, _)| format!("`{name}`")).collect();
                let only = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                self.tell(format!("has a property `{name}`, which is not allowed; allowed: {only}"));
            }
            Some(rule) => self.below(name, rule, value),
        }
    }

    fn dependent(&mut self, schema: &'s Map<String, Value>, members: &Map<String, Value>) {
        let of = |keyword: &str| schema.get(keyword).and_then(Value::as_object).into_iter().flatten();
        for (name, wanted) in of("dependentRequired").filter(|(name, _)| members.contains_key(*name)) {
            for wanted in wanted.as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !members.contains_key(wanted) {
                    self.tell(format!("the property `{wanted}` is missing, which `{name}` needs beside it"));
                }
            }
        }
        for (_, rule) in of("dependentSchemas").filter(|(name, _)| members.contains_key(*name)) {
            self.node(rule, &Value::Object(members.clone()));
        }
    }

    pub(super) fn items(&mut self, schema: &'s Map<String, Value>, items: &[Value]) {
        let listed = |name: &str| schema.get(name).and_then(Value::as_array);
        // Before 2020-12 a list in `items` was what `prefixItems` is, and `additionalItems` what `items` is.
        let (first, rest) = match (listed("prefixItems"), listed("items")) {
            (None, Some(first)) => (Some(first), schema.get("additionalItems")),
            (first, _) => (first, schema.get("items")),
        };
        let first = first.map_or(&[][..], Vec::as_slice);
        for (at, item) in items.iter().enumerate() {
            if let Some(rule) = first.get(at).or(rest) {
                self.below(&at.to_string(), rule, item);
            }
        }
        self.count(schema, ["minItems", "maxItems"], items.len(), "item");
        self.unique(schema, items);
        self.contains(schema, items);
    }

    fn unique(&mut self, schema: &Map<String, Value>, items: &[Value]) {
        if schema.get("uniqueItems") != Some(&Value::Bool(true)) {
            return;
        }
        for (at, item) in items.iter().enumerate() {
            // Comparing all with all is bounded as the rest is.
            self.looks = self.looks.saturating_sub(at / 8);
            self.is_given_up |= self.looks == 0;
            let before = items.iter().take(if self.is_given_up { 0 } else { at });
            if let Some(twin) = before.enumerate().find_map(|(twin, other)| same(other, item).then_some(twin))
            {
                self.tell(format!(
                    "has {} twice, at {twin} and {at}, and must have no item twice",
                    shown(item)
                ));
                return;
            }
        }
    }

    fn contains(&mut self, schema: &'s Map<String, Value>, items: &[Value]) {
        let Some(rule) = schema.get("contains") else { return };
        let count = items.iter().filter(|item| self.fits(rule, item)).count();
        if !schema.contains_key("minContains") && count == 0 {
            self.tell("has no item of the kind of which one must be there");
        }
        self.count(schema, ["minContains", "maxContains"], count, "item of the wanted kind");
    }
}
