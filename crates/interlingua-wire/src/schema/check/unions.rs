//! Schemas that are made of schemas.

use serde_json::{Map, Value};

use super::{Check, Mismatch};

impl<'s> Check<'s> {
    pub(super) fn unions(&mut self, schema: &'s Map<String, Value>, value: &Value) {
        let listed = |name: &str| schema.get(name).and_then(Value::as_array);
        for rule in listed("allOf").into_iter().flatten() {
            self.node(rule, value);
        }
        if let Some(rules) = listed("anyOf") {
            self.any_of(rules, value);
        }
        if let Some(rules) = listed("oneOf")
            && self.any_of(rules, value)
        {
            self.only_one(rules, value);
        }
        if let Some(rule) = schema.get("not")
            && self.fits(rule, value)
        {
            self.tell("is what it must not be");
        }
        self.condition(schema, value);
    }

    /// Some alternative fits; where none does, what is wrong with the nearest is told.
    fn any_of(&mut self, rules: &'s [Value], value: &Value) -> bool {
        let mut nearest: Option<(usize, Vec<Mismatch>)> = None;
        for (at, rule) in rules.iter().enumerate() {
            let found = self.tried(rule, value);
            if found.is_empty() {
                return true;
            }
            if nearest
                .as_ref()
                .is_none_or(|(_, best)| distance(&found, &self.path) < distance(best, &self.path))
            {
                nearest = Some((at, found));
            }
        }
        let Some((at, found)) = nearest else {
            self.tell("fits no alternative: there are none");
            return false;
        };
        if rules.len() > 1 {
            let name = self.name_of(rules.get(at), at);
            self.tell(format!("fits none of {} alternatives; to be {name}:", rules.len()));
        }
        for mismatch in found {
            if self.found.len() < 2 * super::MOST {
                self.found.push(mismatch);
            }
        }
        false
    }

    fn only_one(&mut self, rules: &'s [Value], value: &Value) {
        let fitting: Vec<usize> =
            rules.iter().enumerate().filter(|(_, rule)| self.fits(rule, value)).map(|(at, _)| at).collect();
        if fitting.len() > 1 {
            let names: Vec<_> = fitting.into_iter().map(|at| self.name_of(rules.get(at), at)).collect();
            self.tell(format!(
                "fits several alternatives, and must fit one of them only: {}",
                names.join(", ")
            ));
        }
    }

    /// What an alternative is called: its title, its definition, or its number.
    fn name_of(&self, rule: Option<&Value>, at: usize) -> String {
        let reference = rule.and_then(|rule| rule.get("$ref")).and_then(Value::as_str);
        let target = reference.and_then(|reference| self.target(reference));
        let title = rule.into_iter().chain(target).find_map(|rule| rule.get("title")?.as_str());
        let name = title.or_else(|| reference?.rsplit('/').next());
        name.map_or_else(|| format!("alternative {}", at + 1), |name| format!("`{name}`"))
    }

    fn condition(&mut self, schema: &'s Map<String, Value>, value: &Value) {
        let Some(condition) = schema.get("if") else { return };
        let branch = if self.fits(condition, value) { "then" } else { "else" };
        if let Some(rule) = schema.get(branch) {
            self.node(rule, value);
        }
    }
}

/// How far a value is from an alternative: what is wrong with the value itself (a tag among its members included) weighs
/// more than what is wrong further within.
fn distance(found: &[Mismatch], path: &str) -> usize {
    let weight = |mismatch: &Mismatch| match mismatch.path.get(path.len()..) {
        Some("") if mismatch.message.contains("must be ") => 1000,
        Some(below) if below.matches('/').count() <= 1 && mismatch.message.contains("must be ") => 100,
        Some(below) if below.matches('/').count() <= 1 => 10,
        _ => 1,
    };
    found.iter().map(weight).sum()
}
