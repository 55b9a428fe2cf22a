//! AWS event streams as they are written down: one message a line.
//!
//! `event NAME PAYLOAD`, `exception NAME PAYLOAD`, `error CODE MESSAGE`, and at the end perhaps `cut N`, which takes the
//! last N bytes away.

use interlingua_wire::frame::{Value, write_message};

/// The bytes of the stream.
pub(crate) fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines() {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (name, payload) = rest.split_once(' ').unwrap_or((rest, ""));
        let json = (":content-type", Value::Text("application/json"));
        let is = (":message-type", Value::Text(kind));
        match kind {
            "event" => message(&[(":event-type", Value::Text(name)), json, is], payload, &mut bytes),
            "exception" => message(&[(":exception-type", Value::Text(name)), json, is], payload, &mut bytes),
            "error" => {
                let told = (":error-message", Value::Text(payload));
                message(&[(":error-code", Value::Text(name)), told, is], "", &mut bytes);
            }
            "cut" => bytes.truncate(bytes.len() - name.parse::<usize>().unwrap()),
            _ => panic!("a line of a stream begins with event, exception, error or cut: {line}"),
        }
    }
    bytes
}

fn message(headers: &[(&str, Value<'_>)], payload: &str, bytes: &mut Vec<u8>) {
    write_message(headers, payload.as_bytes(), bytes).unwrap();
}
