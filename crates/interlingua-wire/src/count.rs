//! What the calls that count the tokens of a prompt have in common: the fields of the usual body that they take, and a
//! number in the answer.

use interlingua_model::{Error, ErrorKind, Json};

use crate::refusal::kept;
use crate::{Call, Encoded, Object};

/// The call to another path, with these fields of its body alone.
pub(crate) fn call(encoded: Encoded, path: &str, fields: &[&str]) -> Result<Call, Error> {
    let mut call = encoded.call;
    let body = Object::from_slice(&call.body).map_err(|error| {
        Error::new(ErrorKind::InvalidRequest, "the body of the request is no JSON object").with_source(error)
    })?;
    let kept = body.iter().filter(|(name, _)| fields.contains(name));
    let kept: Vec<String> =
        kept.map(|(name, value)| format!("{}:{}", Json::string(name), value.get())).collect();
    path.clone_into(&mut call.path);
    call.body = format!("{{{}}}", kept.join(",")).into();
    Ok(call)
}

/// The same body inside of another: `before` the object and `after` it.
pub(crate) fn wrapped(mut call: Call, before: &str, after: &str) -> Call {
    call.body = [before.as_bytes(), &call.body, after.as_bytes()].concat().into();
    call
}

/// The number in this field of an answer.
pub(crate) fn number(body: &[u8], field: &str) -> Result<u64, Error> {
    let found = Object::from_slice(body).ok().and_then(|object| object.peek::<u64>(field));
    found.ok_or_else(|| {
        let message = format!("the answer does not say how many tokens there are (`{field}`)");
        Error::new(ErrorKind::Protocol, message).with_body(kept(body))
    })
}
