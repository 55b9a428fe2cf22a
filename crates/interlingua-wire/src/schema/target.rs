use serde_json::Value;

/// Whose rules a schema is to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Openai,
    Anthropic,
}

/// What becomes of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes out as it is.
    Keep,
    /// It constrains nothing and goes without a word.
    Forget,
    /// It is removed and restated in the description.
    Restate,
}

/// Formats that both services take (the last for Anthropic alone).
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"];

impl Target {
    /// What becomes of a keyword that needs no rewriting.
    pub(super) fn fate(self, keyword: &str, value: &Value) -> Fate {
        match keyword {
            "title" | "description" if value.is_string() => Fate::Keep,
            "$schema" | "$id" | "$comment" | "$anchor" | "$vocabulary" | "$dynamicAnchor" | "id" => {
                Fate::Forget
            }
            "const" if is_scalar(value) => Fate::Keep,
            "enum" if value.as_array().is_some_and(|values| values.iter().all(is_scalar)) => Fate::Keep,
            "format" => self.format(value),
            "default" if self == Self::Anthropic => Fate::Keep,
            "minItems" if self == Self::Anthropic && value.as_u64().is_some_and(|count| count <= 1) => {
                Fate::Keep
            }
            "multipleOf" | "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
                if self == Self::Openai && value.is_number() =>
            {
                Fate::Keep
            }
            "minItems" | "maxItems" if self == Self::Openai && value.is_u64() => Fate::Keep,
            "pattern" if self == Self::Openai && value.is_string() => Fate::Keep,
            _ => Fate::Restate,
        }
    }

    fn format(self, value: &Value) -> Fate {
        let known = match self {
            Self::Openai => FORMATS.get(..9),
            Self::Anthropic => FORMATS.get(..),
        };
        let is_known = known.zip(value.as_str()).is_some_and(|(known, format)| known.contains(&format));
        if is_known { Fate::Keep } else { Fate::Restate }
    }

    /// Whether references stay references.
    pub(super) const fn keeps_references(self) -> bool {
        matches!(self, Self::Openai)
    }

    /// Whether every property must be required.
    pub(super) const fn requires_all(self) -> bool {
        matches!(self, Self::Openai)
    }

    /// Whether the root must be an object.
    pub(super) const fn wants_object(self) -> bool {
        matches!(self, Self::Openai)
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}
