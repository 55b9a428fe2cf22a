//! What the server does about one attempt, step by step.

use std::ops::Range;
use std::time::Duration;

use interlingua::wire::frame::{Value, write_message};
use interlingua::wire::{Encoder, Mint, Mode, Protocol, Serve};
use interlingua::{Error, ErrorKind, Event, Output, Request};

use super::http::{LAST, chunk, chunked, sized};
use crate::dice::Dice;
use crate::fault::Fault;
use crate::nonce::Nonce;
use crate::said::Said;

/// One thing that the server does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Writes bytes.
    Write(Vec<u8>),
    /// Waits.
    Pause(Duration),
    /// Writes the same bytes over and over, and closes.
    Flood { bytes: Vec<u8>, times: usize },
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Says nothing until the client goes away.
    Hold,
}

/// One attempt, as it is to be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) codec: &'a dyn Serve,
    pub(super) protocol: Protocol,
    pub(super) request: &'a Request,
    pub(super) mode: Mode,
    pub(super) nonce: Nonce,
    pub(super) number: u64,
    pub(super) fault: Fault,
    pub(super) seed: u64,
}

/// The bytes of an answer.
#[derive(Debug, Default)]
struct Written {
    pieces: Vec<Vec<u8>>,
    /// How many bytes come before the end of the answer.
    content: usize,
    /// Where calls of tools are.
    calls: Vec<Range<usize>>,
}

/// A page for people.
const PAGE: &str = "<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>";
/// More than the client takes of one line, in pieces.
const FLOOD: (usize, usize) = (64 << 10, 64);

impl Attempt<'_> {
    /// What is done.
    pub(super) fn steps(&self) -> Result<Vec<Step>, Error> {
        Ok(match self.fault {
            Fault::ResetEarly => vec![Step::Reset],
            Fault::CloseEarly => vec![Step::Close],
            Fault::Silence => vec![Step::Hold],
            Fault::Limited => self.refused(ErrorKind::RateLimited, 429, "retry-after: 0\r\n"),
            Fault::LimitedSecond => self.refused(ErrorKind::RateLimited, 429, "retry-after: 1\r\n"),
            Fault::LimitedMillis => self.refused(ErrorKind::RateLimited, 429, "retry-after-ms: 30\r\n"),
            Fault::Broken => self.refused(ErrorKind::Server, 500, ""),
            Fault::Unavailable => self.refused(ErrorKind::Overloaded, 503, ""),
            Fault::Overloaded => self.refused(ErrorKind::Overloaded, 529, ""),
            Fault::Html => self.whole(200, "text/html", PAGE.as_bytes(), ""),
            Fault::EndlessLine => self.endless(),
            Fault::Reset | Fault::Close | Fault::End | Fault::CutCall | Fault::ErrorEvent | Fault::Stall => {
                self.broken_off()?
            }
            _ => self.answered()?,
        })
    }

    fn dice(&self) -> Dice {
        let mut dice = Fault::dice(self.seed, self.nonce, self.number);
        // The first throw has chosen the fault.
        dice.next();
        dice
    }

    /// The whole answer, by detours.
    fn answered(&self) -> Result<Vec<Step>, Error> {
        let (mut dice, mut steps) = (self.dice(), Vec::new());
        let mut written = self.written(self.fault == Fault::Noise)?;
        if self.mode == Mode::Whole {
            steps.push(Step::Pause(Duration::from_millis(pause(&mut dice, 60))));
            let body = written.pieces.concat();
            steps.push(Step::Write(sized(200, "application/json", self.number, body.len(), "")));
            written.pieces = vec![body];
        } else {
            steps.push(Step::Write(self.stream_head()));
        }
        self.deliver(&written.pieces, &mut dice, &mut steps);
        if self.mode == Mode::Stream {
            match self.fault {
                // An answer without an end marker ends with its body.
                Fault::NoEnd if self.protocol != Protocol::Gemini => steps.push(Step::Hold),
                Fault::LateEnd => steps.extend([
                    Step::Pause(Duration::from_millis(pause(&mut dice, 200))),
                    Step::Write(LAST.to_vec()),
                ]),
                _ => steps.push(Step::Write(LAST.to_vec())),
            }
        }
        if self.fault == Fault::CloseAfter {
            steps.push(Step::Close);
        }
        Ok(steps)
    }

    /// A part of the answer, and then what the fault is.
    fn broken_off(&self) -> Result<Vec<Step>, Error> {
        let mut dice = self.dice();
        let written = self.written(false)?;
        let body = written.pieces.concat();
        if self.mode == Mode::Whole && self.fault == Fault::ErrorEvent {
            return Ok(self.refused(ErrorKind::Server, 500, ""));
        }
        let cut = match written.calls.get(dice.between(0, written.calls.len())) {
            Some(call) if self.fault == Fault::CutCall => dice.between(call.start + 1, call.end - 1),
            _ => dice.between(0, written.content),
        };
        let sized_head = self.mode == Mode::Whole && self.fault != Fault::End;
        let head = if sized_head {
            sized(200, "application/json", self.number, body.len(), "")
        } else if self.mode == Mode::Whole {
            chunked("application/json", self.number)
        } else {
            self.stream_head()
        };
        let mut steps = vec![Step::Write(head)];
        // An error event is a frame of its own, so it comes between two pieces.
        let before = if self.fault == Fault::ErrorEvent {
            self.failing(cut)?
        } else {
            vec![body.get(..cut).unwrap_or_default().to_vec()]
        };
        if sized_head {
            steps.extend(before.into_iter().map(Step::Write));
        } else {
            self.deliver(&halves(before, &mut dice), &mut dice, &mut steps);
        }
        steps.push(match self.fault {
            Fault::Reset => Step::Reset,
            Fault::Stall => Step::Hold,
            Fault::End | Fault::ErrorEvent => Step::Write(LAST.to_vec()),
            _ => Step::Close,
        });
        Ok(steps)
    }

    /// The pieces up to a place and the report of an error.
    fn failing(&self, cut: usize) -> Result<Vec<Vec<u8>>, Error> {
        let mut encoder = self.encoder();
        let (mut pieces, mut length) = (Vec::new(), 0);
        for event in Said::to(self.nonce).events(self.protocol) {
            if length >= cut || is_end(&event) {
                break;
            }
            encoder.push(&event)?;
            let piece = encoder.take().to_vec();
            length += piece.len();
            pieces.push(piece);
        }
        encoder.fail(&Error::new(ErrorKind::Overloaded, "no room in the middle"));
        pieces.push(encoder.take().to_vec());
        Ok(pieces)
    }

    fn encoder(&self) -> Encoder {
        let id = format!("{}x{}x{}", self.nonce.slot, self.nonce.turn, self.number);
        self.codec.encoder(self.request, self.mode, Mint::new(1_790_000_000, id))
    }

    /// What the server half makes of the answer.
    fn written(&self, noisy: bool) -> Result<Written, Error> {
        let (mut encoder, mut dice) = (self.encoder(), self.dice());
        let (mut written, mut length, mut in_call) = (Written::default(), 0, false);
        for event in Said::to(self.nonce).events(self.protocol) {
            in_call |= matches!(&event, Event::Open { part, .. } if matches!(**part, Output::ToolCall(_)));
            encoder.push(&event)?;
            let piece = encoder.take().to_vec();
            if !is_end(&event) {
                written.content = length + piece.len();
            }
            if in_call && piece.len() > 1 {
                written.calls.push(length..length + piece.len());
            }
            in_call &= !matches!(event, Event::Close { .. });
            length += piece.len();
            written.pieces.push(piece);
            if noisy && self.mode == Mode::Stream && !is_end(&event) && dice.once_in(4) {
                written.pieces.push(noise(self.protocol, &mut dice));
            }
        }
        if self.mode == Mode::Whole {
            // There is one piece, which is cut anywhere.
            written.content = length.saturating_sub(1);
        }
        written.pieces.retain(|piece| !piece.is_empty());
        Ok(written)
    }

    /// Writes pieces as the fault wants it: several at a time with pauses, cut anywhere, or by and by.
    fn deliver(&self, pieces: &[Vec<u8>], dice: &mut Dice, steps: &mut Vec<Step>) {
        let framed = |bytes: &[u8]| {
            let framed = if self.mode == Mode::Stream { chunk(bytes) } else { bytes.to_vec() };
            Step::Write(framed)
        };
        if matches!(self.fault, Fault::Chopped | Fault::Trickle) {
            let body = pieces.concat();
            let most = if self.fault == Fault::Trickle { body.len() / 100 } else { body.len() / 20 };
            let mut rest = &body[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at(dice.between(1, most.max(2)).min(rest.len()));
                steps.push(framed(now));
                if self.fault == Fault::Trickle {
                    steps.push(Step::Pause(Duration::from_millis(5)));
                }
                rest = later;
            }
            return;
        }
        let mut rest = pieces;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(dice.between(1, 10).min(rest.len()));
            steps.push(match self.mode {
                // Each piece is a chunk of its own.
                Mode::Stream => Step::Write(now.iter().flat_map(|piece| chunk(piece)).collect()),
                Mode::Whole => Step::Write(now.concat()),
            });
            steps.push(Step::Pause(Duration::from_millis(pause(dice, 20))));
            rest = later;
        }
    }

    fn refused(&self, kind: ErrorKind, status: u16, headers: &str) -> Vec<Step> {
        let reply = self.codec.encode_error(&Error::new(kind, "not for now"));
        self.whole(status, "application/json", &reply.body, headers)
    }

    fn whole(&self, status: u16, kind: &str, body: &[u8], headers: &str) -> Vec<Step> {
        let head = sized(status, kind, self.number, body.len(), headers);
        vec![Step::Write([&head, body].concat())]
    }

    fn endless(&self) -> Vec<Step> {
        let (bytes, times) = FLOOD;
        let (head, begin): (_, &[u8]) = match self.mode {
            Mode::Stream => (self.stream_head(), b"data: \""),
            Mode::Whole => (chunked("application/json", self.number), b"{\"id\":\""),
        };
        let flood = Step::Flood { bytes: chunk(&vec![b'a'; bytes]), times };
        vec![Step::Write(head), Step::Write(chunk(begin)), flood]
    }

    fn stream_head(&self) -> Vec<u8> {
        chunked("text/event-stream; charset=utf-8", self.number)
    }
}

/// What is told to a client whose request cannot be answered.
pub(super) fn apology(error: &Error) -> Vec<Step> {
    let body = serde_json::json!({ "error": { "message": error.to_string() } }).to_string();
    let head = sized(400, "application/json", 0, body.len(), "");
    vec![Step::Write([&head[..], body.as_bytes()].concat())]
}

fn is_end(event: &Event) -> bool {
    matches!(event, Event::Usage(_) | Event::Finish(_))
}

fn pause(dice: &mut Dice, most: usize) -> u64 {
    u64::try_from(dice.between(0, most)).unwrap_or(0)
}

/// Cuts what is one piece in two.
fn halves(mut pieces: Vec<Vec<u8>>, dice: &mut Dice) -> Vec<Vec<u8>> {
    if let [piece] = &mut pieces[..] {
        let rest = piece.split_off(dice.between(0, piece.len()));
        pieces.push(rest);
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// A comment, or a frame that a client has to leave alone.
fn noise(protocol: Protocol, dice: &mut Dice) -> Vec<u8> {
    if protocol == Protocol::Ollama {
        // Between lines of JSON stand blank lines and lines of JSON.
        let kinds = ["\n", "\r\n", "{\"novelty\":7,\"done\":false}\n"];
        return dice.pick(&kinds).copied().unwrap_or_default().as_bytes().to_vec();
    }
    if protocol == Protocol::Bedrock {
        // Between messages stands nothing but messages.
        let headers = [
            (":message-type", Value::Text("event")),
            (":event-type", Value::Text("novelty")),
            (":content-type", Value::Text("application/json")),
        ];
        let mut message = Vec::new();
        let written = write_message(&headers, br#"{"contentBlockIndex":7}"#, &mut message);
        return written.map_or_else(|_| Vec::new(), |()| message);
    }
    let unknown = match protocol {
        Protocol::Anthropic | Protocol::Cohere => {
            "event: novelty\ndata: {\"type\":\"novelty\",\"index\":7}\n\n"
        }
        Protocol::OpenaiResponses => {
            "event: response.novelty\ndata: {\"type\":\"response.novelty\",\"output_index\":7}\n\n"
        }
        Protocol::Gemini => "data: {\"novelty\":{}}\n\n",
        Protocol::GeminiInteractions => "data: {\"event_type\":\"novelty\",\"index\":7}\n\n",
        _ => "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"choices\":[],\"novelty\":{}}\n\n",
    };
    let kinds = [": keep-alive\n\n", ":\n\n", "\n", "retry: 3000\n\n", "id: 7\n\n", unknown];
    dice.pick(&kinds).copied().unwrap_or_default().as_bytes().to_vec()
}
