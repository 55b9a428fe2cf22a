use std::fmt;

use bytes::Bytes;
use interlingua_model::{Error, Event, Fold, Response};

use crate::Mode;
use crate::frame::Framing;

/// Makes the bytes of one answer out of events: the server half of a stream.
///
/// Events go in by [`push`](Self::push), bytes come out by [`take`](Self::take). In whole mode the bytes come at the
/// finish. What fails midway goes in by [`fail`](Self::fail), which says so in the protocol's own words.
#[derive(Debug)]
pub struct Encoder {
    writer: Box<dyn Writer>,
    fold: Option<Fold>,
    framing: Framing,
    out: Vec<u8>,
    finished: bool,
}

/// What a protocol does with events.
pub trait Writer: Send {
    /// Writes the frames that one event makes.
    ///
    /// # Errors
    /// When the protocol cannot express the event at all.
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error>;

    /// Writes a whole answer.
    ///
    /// # Errors
    /// When the protocol cannot express the answer at all.
    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error>;

    /// Writes the frames by which a stream reports an error and ends.
    fn fail(&mut self, error: &Error, out: &mut Vec<u8>);
}

impl fmt::Debug for dyn Writer + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl Encoder {
    /// An encoder for an answer that was asked for in this mode.
    pub fn new(mode: Mode, writer: Box<dyn Writer>) -> Self {
        let fold = (mode == Mode::Whole).then(Fold::new);
        Self { writer, fold, framing: Framing::default(), out: Vec::new(), finished: false }
    }

    /// An encoder whose streams have another framing than server-sent events.
    #[must_use]
    pub const fn with_framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// When the protocol cannot express the event at all.
    pub fn push(&mut self, event: &Event) -> Result<(), Error> {
        self.finished |= matches!(event, Event::Finish(_));
        let Some(fold) = &mut self.fold else { return self.writer.event(event, &mut self.out) };
        fold.push(event);
        if !fold.is_finished() {
            return Ok(());
        }
        let response = std::mem::take(fold).into_response()?;
        self.writer.whole(&response, &mut self.out)
    }

    /// Reports an error after the first byte and ends the stream.
    pub fn fail(&mut self, error: &Error) {
        self.finished = true;
        self.writer.fail(error, &mut self.out);
    }

    /// Takes the bytes that are ready to be sent.
    pub fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.out).into()
    }

    /// Whether the answer is complete, or failed.
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// The content type of the answer.
    pub const fn content_type(&self) -> &'static str {
        if self.fold.is_some() { "application/json" } else { self.framing.content_type() }
    }
}
