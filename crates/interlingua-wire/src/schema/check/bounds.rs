//! Numbers and lengths.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::Check;

impl Check<'_> {
    pub(super) fn length(&mut self, schema: &Map<String, Value>, text: &str) {
        let length = text.chars().count();
        self.count(schema, ["minLength", "maxLength"], length, "character");
    }

    /// Holds a number of things against the least and the most.
    pub(super) fn count(
        &mut self,
        schema: &Map<String, Value>,
        [least, most]: [&str; 2],
        count: usize,
        what: &str,
    ) {
        let has = Number::from(count);
        let plural = |number: &Number| if number.as_f64() == Some(1.0) { "" } else { "s" };
        if let Some(Value::Number(least)) = schema.get(least)
            && compare(&has, least).is_lt()
        {
            let s = plural(least);
            self.tell(format!(
                "has {count} {what}{}, and must have at least {least} {what}{s}",
                plural(&has)
            ));
        }
        if let Some(Value::Number(most)) = schema.get(most)
            && compare(&has, most).is_gt()
        {
            let s = plural(most);
            self.tell(format!("has {count} {what}{}, and must have at most {most} {what}{s}", plural(&has)));
        }
    }

    pub(super) fn number(&mut self, schema: &Map<String, Value>, number: &Number) {
        let bound = |name: &str| schema.get(name).and_then(as_number);
        // In draft 4 the exclusive ones are truth values that sharpen the others.
        let is_sharp = |name: &str| schema.get(name) == Some(&Value::Bool(true));
        let bounds = [
            (bound("minimum"), is_sharp("exclusiveMinimum"), Ordering::Less),
            (bound("maximum"), is_sharp("exclusiveMaximum"), Ordering::Greater),
            (bound("exclusiveMinimum"), true, Ordering::Less),
            (bound("exclusiveMaximum"), true, Ordering::Greater),
        ];
        for (bound, is_sharp, wrong) in bounds {
            let Some(bound) = bound else { continue };
            let found = compare(number, bound);
            if found == wrong || (is_sharp && found.is_eq()) {
                let words = match (wrong, is_sharp) {
                    (Ordering::Less, false) => "at least",
                    (Ordering::Less, true) => "more than",
                    (_, false) => "at most",
                    (_, true) => "less than",
                };
                self.tell(format!("is {number}, and must be {words} {bound}"));
            }
        }
        if let Some(step) = bound("multipleOf")
            && !is_multiple(number, step)
        {
            self.tell(format!("is {number}, and must be a multiple of {step}"));
        }
    }
}

const fn as_number(value: &Value) -> Option<&Number> {
    match value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}

/// The order of two numbers; whole ones are compared exactly.
pub(super) fn compare(a: &Number, b: &Number) -> Ordering {
    if let (Some(a), Some(b)) = (a.as_i128(), b.as_i128()) {
        return a.cmp(&b);
    }
    let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// Whether a number is a whole multiple. Decimal fractions are no binary ones, so a quotient that is as near to a whole
/// number as its precision lets it be counts as whole: 0.3 is three times 0.1.
fn is_multiple(number: &Number, step: &Number) -> bool {
    if let (Some(number), Some(step)) = (number.as_i128(), step.as_i128()) {
        return step == 0 || number % step == 0;
    }
    let (Some(number), Some(step)) = (number.as_f64(), step.as_f64()) else { return true };
    if step == 0.0 {
        return true;
    }
    let quotient = number / step;
    (quotient - quotient.round()).abs() <= f64::EPSILON * 4.0 * quotient.abs().max(1.0)
}
