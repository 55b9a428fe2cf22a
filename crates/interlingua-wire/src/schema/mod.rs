//! JSON Schema to the dialect of a protocol, reporting what was lost.
//!
//! Services that promise to keep to a schema take only a part of JSON Schema. These functions rewrite a schema so that
//! the service takes it, keep everything that they can, and say what they could not keep. What constrains a value and
//! has no place in the target is removed and restated in `description`, where the model can still read it.
//!
//! | | OpenAI strict | Anthropic |
//! |---|---|---|
//! | kept | `type`, `enum`, `const`, `anyOf`, `properties`, `required`, `items`, `title`, `description` | the same |
//! | | `pattern`, `multipleOf`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum` | `default` |
//! | | `minItems`, `maxItems` | `minItems` of 0 or 1 |
//! | | `format` of `date-time`, `time`, `date`, `duration`, `email`, `hostname`, `ipv4`, `ipv6`, `uuid` | the same and `uri` |
//! | `$ref` | to `#` and `#/$defs/…`, recursion included, without siblings | inlined; recursion is cut |
//! | objects | closed; every property required, an optional one made nullable | closed |
//! | root | an object | anything |
//! | converted | `oneOf` to `anyOf`, `allOf` merged, `definitions` to `$defs`, `prefixItems` to `items`, `nullable` | the same |
//! | removed in silence | `$schema`, `$id`, `$comment`, `$anchor`, `$vocabulary`: they constrain nothing | the same |
//!
//! Gemini takes most of JSON Schema as it is and passes over the rest: see [`for_gemini`].
//!
//! Sources: OpenAI's guide to structured outputs, section "Supported schemas"; Anthropic's guide to structured outputs,
//! section "JSON Schema limitations", and the sanitisers of both vendors' SDKs. References are inlined for Anthropic
//! although it takes some, because models were seen to fill referenced enums wrongly.
//!
//! A schema that already conforms passes byte for byte. The order of properties, in which models fill them, is kept.
//! The work is bounded whatever the schema: what nests deeper than 24 schemas is cut, and so is what goes beyond 100,000
//! values with references inlined.

mod check;
mod gemini;
mod merge;
mod rewrite;
mod target;

use interlingua_model::{Json, Warning};
use serde_json::{Map, Value};

pub use check::{Mismatch, check};
use rewrite::Rewriter;
use target::Target;

/// Rewrites a schema for OpenAI's strict mode: structured output and strict tools.
///
/// The path of a warning is a JSON Pointer into the schema, such as `#/properties/city/minLength`. A root that is not an
/// object is put into the only property, `value`, of one, with a warning. Text that is no JSON is returned as it is,
/// with a warning.
///
/// ```
/// use interlingua_model::Json;
/// use interlingua_wire::schema::for_openai;
///
/// let schema = Json::new(r#"{"type":"object","properties":{"city":{"type":"string","minLength":1}}}"#)?;
/// let (strict, warnings) = for_openai(&schema);
/// assert_eq!(
///     strict.as_str(),
///     r#"{"type":"object","properties":{"city":{"type":["string","null"],"description":"Must satisfy: minLength 1."}},"required":["city"],"additionalProperties":false}"#
/// );
/// assert_eq!(warnings.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn for_openai(schema: &Json) -> (Json, Vec<Warning>) {
    rewritten(schema, Target::Openai)
}

/// Rewrites a schema for Anthropic's structured output and strict tools.
///
/// The path of a warning is a JSON Pointer into the schema. Where a schema refers to itself, the reference is cut: an
/// optional property and an alternative of a union are left out, anything else becomes an object without properties.
/// Text that is no JSON is returned as it is, with a warning.
///
/// ```
/// use interlingua_model::Json;
/// use interlingua_wire::schema::for_anthropic;
///
/// let schema = Json::new(r##"{"$ref":"#/$defs/City","$defs":{"City":{"type":"string"}}}"##)?;
/// let (strict, warnings) = for_anthropic(&schema);
/// assert_eq!(strict.as_str(), r#"{"type":"string"}"#);
/// assert!(warnings.is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn for_anthropic(schema: &Json) -> (Json, Vec<Warning>) {
    rewritten(schema, Target::Anthropic)
}

/// Rewrites a schema for Gemini's structured output (`responseJsonSchema`).
///
/// Gemini reads JSON Schema and passes over what it does not know, so nothing is closed and references stay. What it passes
/// over is restated in `description`, with a warning whose path is a JSON Pointer into the schema.
///
/// ```
/// use interlingua_model::Json;
/// use interlingua_wire::schema::for_gemini;
///
/// let schema = Json::new(r#"{"type":"string","minLength":1}"#)?;
/// let (found, warnings) = for_gemini(&schema);
/// assert_eq!(found.as_str(), r#"{"type":"string","description":"Must satisfy: minLength 1."}"#);
/// assert_eq!(warnings.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn for_gemini(schema: &Json) -> (Json, Vec<Warning>) {
    let root = match read(schema) {
        Ok(root) => root,
        Err(unread) => return unread,
    };
    let (found, warnings) = gemini::rewrite(&root);
    (if found == root { schema.clone() } else { Json::from(found) }, warnings)
}

/// A schema in Gemini's older words, those of `OpenAPI`, in the words of JSON Schema.
pub(crate) fn from_gemini(schema: &Json) -> Json {
    let Ok(root) = serde_json::from_str(schema.as_str()) else { return schema.clone() };
    let found = gemini::plain(&root);
    if found == root { schema.clone() } else { Json::from(found) }
}

/// The schema as a tree, or what becomes of text that is none.
fn read(schema: &Json) -> Result<Value, (Json, Vec<Warning>)> {
    serde_json::from_str(schema.as_str()).map_err(|error| {
        let detail = format!("the schema cannot be read and goes out as it is: {error}");
        (schema.clone(), vec![Warning::ignored("#", detail)])
    })
}

fn rewritten(schema: &Json, target: Target) -> (Json, Vec<Warning>) {
    let root = match read(schema) {
        Ok(root) => root,
        Err(unread) => return unread,
    };
    let (found, warnings) = Rewriter::new(target, &root).run();
    // Values compare without regard to the order of keys, which a rewrite never changes.
    let json = if found == root { schema.clone() } else { Json::from(found) };
    (json, warnings)
}

/// Sets a value by name; here it is a call, where the map's own would be the code of a string, an insertion and the dropping of
/// what stood there before.
trait Put {
    fn put(&mut self, name: &str, value: Value);
}

impl Put for Map<String, Value> {
    #[inline(never)]
    fn put(&mut self, name: &str, value: Value) {
        self.insert(name.to_owned(), value);
    }
}
