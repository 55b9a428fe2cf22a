//! The events of the protocol inside the messages of an AWS event stream: `{"bytes":"…base64 of one event…"}`.

use interlingua_model::{Data, Error, ErrorKind};
#[cfg(feature = "server")]
use interlingua_model::{Event, Json, Response};
use serde::Deserialize;

use super::PROTOCOL;
#[cfg(feature = "server")]
use crate::Writer;
use crate::frame::{Frame, Headers};
#[cfg(feature = "server")]
use crate::frame::{Sse, Value, write_message};
use crate::{Object, Parts, Reader, exception, object};

/// Reads what is in the messages.
#[derive(Debug)]
pub(super) struct InvokeReader<R>(pub(super) R);

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    bytes: std::borrow::Cow<'a, str>,
}

impl<R: Reader> Reader for InvokeReader<R> {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        if let Some(error) = exception::in_frame(frame) {
            return Err(error);
        }
        if frame.name != Some(b"chunk") {
            // A gateway may make server-sent events of the stream.
            return self.0.frame(frame, out);
        }
        let chunk: Chunk<'_> = object::read(frame.data).map_err(|error| broken(&error.to_string()))?;
        let event = Data::from_base64(&chunk.bytes).map_err(|error| broken(&error.to_string()))?;
        let data = event.as_bytes();
        self.0.frame(&Frame { name: None, data, id: None, headers: Headers::default(), cut: false }, out)
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        let object = Object::from_slice(body).ok();
        if object.is_some_and(|object| object.get("content").is_none() && exception::is_envelope(&object)) {
            return Err(exception::of_body(body).reported());
        }
        self.0.body(body, out)
    }

    fn end(&mut self, out: &mut Parts) -> Result<(), Error> {
        self.0.end(out)
    }
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("a message of the stream holds no event of {PROTOCOL}: {what}"))
}

/// Puts events into messages.
#[cfg(feature = "server")]
#[derive(Debug)]
pub(super) struct InvokeWriter<W>(pub(super) W);

#[cfg(feature = "server")]
impl<W: Writer> Writer for InvokeWriter<W> {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut events = Vec::new();
        self.0.event(event, &mut events)?;
        Sse::new(usize::MAX).push(&events, &mut |frame| {
            let bytes = Data::from(frame.data).to_base64();
            let payload = ["{\"bytes\":", Json::string(&bytes).as_str(), "}"].concat();
            let headers = [
                (":event-type", Value::Text("chunk")),
                (":content-type", Value::Text("application/json")),
                (":message-type", Value::Text("event")),
            ];
            write_message(&headers, payload.as_bytes(), out)
        })
    }

    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
        self.0.whole(response, out)
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        exception::write(error, out);
    }
}
