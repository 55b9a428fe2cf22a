//! Services that speak Chat Completions inside an object of their own. What goes out is put into it, and what comes in is
//! taken out of it, so that everything else is done once.

mod parameters;
mod result;

use std::borrow::Cow;

use interlingua_model::{Error, Json};
use serde_json::value::RawValue;

use super::events::ChatReader;
use crate::draft::{Draft, array};
use crate::fields::words;
use crate::frame::Frame;
use crate::{Encoded, Mode, Object, Parts, Reader};

#[cfg(feature = "server")]
pub(super) use serving::EnvelopeWriter;

words! {
    /// What a service puts around the bodies of Chat Completions.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Envelope {
        /// Nothing.
        #[default]
        None = "none",
        /// A request of `input` and `parameters`, an answer in `output`, streams that are asked for by a header and end
        /// with the body (the native protocol of `DashScope`).
        Parameters = "parameters",
        /// A request below `/run/{model}`, an answer of `result` and `success`, or frames with a `response` (the `run` of Workers AI).
        Result = "result",
    }
}

impl Envelope {
    pub(super) fn is_none(self) -> bool {
        self == Self::None
    }

    /// A request as it goes out.
    pub(super) fn wrap(self, encoded: Encoded, mode: Mode) -> Encoded {
        if self.is_none() {
            return encoded;
        }
        let Ok(body) = Object::from_slice(&encoded.call.body) else { return encoded };
        let call = match self {
            Self::None => return encoded,
            Self::Parameters => parameters::wrap(body, mode),
            Self::Result => result::wrap(body),
        };
        Encoded::new(call, encoded.warnings)
    }

    /// A chunk, a whole answer or an error as Chat Completions has it. What is not in the envelope stays as it is.
    pub(super) fn unwrap(self, data: &[u8], mode: Mode) -> Cow<'_, [u8]> {
        let Ok(body) = Object::from_slice(data) else { return Cow::Borrowed(data) };
        let unwrapped = match self {
            Self::None => None,
            Self::Parameters => parameters::unwrap(body, mode),
            Self::Result => result::unwrap(body, mode),
        };
        unwrapped.map_or(Cow::Borrowed(data), |unwrapped| Cow::Owned(unwrapped.body().into_bytes()))
    }
}

/// Reads what a service has put into an envelope.
#[derive(Debug)]
pub(super) struct EnvelopeReader {
    envelope: Envelope,
    inner: ChatReader,
}

impl EnvelopeReader {
    pub(super) const fn new(envelope: Envelope, inner: ChatReader) -> Self {
        Self { envelope, inner }
    }
}

impl Reader for EnvelopeReader {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        let data = self.envelope.unwrap(frame.data, Mode::Stream);
        self.inner.frame(&Frame { data: &data, ..*frame }, out)
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        self.inner.body(&self.envelope.unwrap(body, Mode::Whole), out)
    }

    fn end(&mut self, out: &mut Parts) -> Result<(), Error> {
        self.inner.end(out)
    }
}

/// The items of a list.
fn items(list: Option<&RawValue>) -> Vec<&RawValue> {
    list.and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default()
}

/// The name of the field of a choice that holds what was said.
const fn said(mode: Mode) -> &'static str {
    match mode {
        Mode::Stream => "delta",
        Mode::Whole => "message",
    }
}

/// A list of one choice.
fn choice(mode: Mode, message: &Draft, finish_reason: Option<&RawValue>) -> Json {
    let reason = finish_reason.map_or_else(|| Json::from_text("null"), Json::from);
    let choice =
        Draft::default().figure("index", 0).set(said(mode), message.json()).set("finish_reason", reason);
    array(&[choice.json()])
}

#[cfg(feature = "server")]
mod serving {
    use interlingua_model::{Error, Event, Response};

    use super::{Envelope, parameters, result};
    use crate::draft::{Draft, one_line};
    use crate::{Call, Mode, Object, Reply, Writer};

    impl Envelope {
        /// A client's request as Chat Completions has it.
        pub(in super::super) fn asked(self, call: &Call) -> Option<Call> {
            let body = Object::from_slice(&call.body).ok()?;
            let body = match self {
                Self::None => return None,
                Self::Parameters => parameters::asked(body, call),
                Self::Result => result::asked(body, call),
            };
            Some(Call::post("/chat/completions", body.body()))
        }

        /// The answer to a call that failed.
        pub(in super::super) fn refuse(self, reply: Reply) -> Reply {
            let Ok(body) = Object::from_slice(&reply.body) else { return reply };
            let body = match self {
                Self::None => return reply,
                Self::Parameters => parameters::failed(&body),
                Self::Result => result::failed(&body),
            };
            Reply { body: body.body().into(), ..reply }
        }
    }

    /// Puts what is written into the envelope of a service.
    #[derive(Debug)]
    pub(in super::super) struct EnvelopeWriter<W> {
        envelope: Envelope,
        inner: W,
        frames: usize,
    }

    impl<W: Writer> EnvelopeWriter<W> {
        pub(in super::super) const fn new(envelope: Envelope, inner: W) -> Self {
            Self { envelope, inner, frames: 0 }
        }

        /// Puts the frames that were written into the envelope, one by one.
        fn wrap(&mut self, written: &[u8], out: &mut Vec<u8>) {
            let text = String::from_utf8_lossy(written);
            for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
                match (Object::parse(data), self.envelope) {
                    (Err(_), Envelope::Result) => out.extend_from_slice(b"data: [DONE]\n\n"),
                    (Err(_), _) => {}
                    (Ok(chunk), Envelope::Result) => {
                        frame(out, "data: ", &result::answered(&chunk, Mode::Stream));
                    }
                    (Ok(chunk), _) => {
                        self.frames += 1;
                        let (event, body) = match chunk.get("error") {
                            Some(_) => ("error", parameters::failed(&chunk)),
                            None => ("result", parameters::answered(&chunk, Mode::Stream)),
                        };
                        let head = format!("id:{}\nevent:{event}\n:HTTP_STATUS/200\ndata:", self.frames);
                        frame(out, &head, &body);
                    }
                }
            }
        }
    }

    fn frame(out: &mut Vec<u8>, head: &str, body: &Draft) {
        out.extend_from_slice(head.as_bytes());
        one_line(out, &body.json());
        out.extend_from_slice(b"\n\n");
    }

    impl<W: Writer> Writer for EnvelopeWriter<W> {
        fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
            let mut written = Vec::new();
            self.inner.event(event, &mut written)?;
            self.wrap(&written, out);
            Ok(())
        }

        fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
            let mut written = Vec::new();
            self.inner.whole(response, &mut written)?;
            let Ok(body) = Object::from_slice(&written) else { return Ok(()) };
            let body = match self.envelope {
                Envelope::Result => result::answered(&body, Mode::Whole),
                _ => parameters::answered(&body, Mode::Whole),
            };
            one_line(out, &body.json());
            Ok(())
        }

        fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
            let mut written = Vec::new();
            self.inner.fail(error, &mut written);
            self.wrap(&written, out);
        }
    }
}
