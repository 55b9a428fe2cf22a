//! From a value to a type, with the place where that fails.

use interlingua_model::PartialJson;
use interlingua_wire::schema::Mismatch;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a value as a type. The place of an error is where it came up; what a conversion within the type refuses is noticed
/// behind the object or list that holds it.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Mismatch> {
    // As text, since an error of serde_json tells where in a text it came up.
    let text = value.to_string();
    drop(value);
    serde_json::from_str(&text).map_err(|error| mismatch(&text, &error))
}

fn mismatch(text: &str, error: &serde_json::Error) -> Mismatch {
    let mut reader = PartialJson::new();
    let read = text.as_bytes().get(..error.column()).unwrap_or_default();
    let path = reader.push(read).map_or_else(|_| String::new(), |()| reader.path().to_owned());
    let said = error.to_string();
    let message = said.rsplit_once(" at line ").map_or(&*said, |(message, _)| message);
    Mismatch::new(path, message)
}
