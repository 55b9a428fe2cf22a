//! JSON that is read while it comes.

mod lexer;
mod reader;

use serde_json::Value;

use crate::{Error, ErrorKind};
use lexer::{Escape, Frame, State};
use reader::Pieces;

/// Reads JSON text that comes in pieces, and has the value so far at any time.
///
/// The pieces may be cut anywhere, also within an escape, a surrogate pair or a character. A push costs the length of its
/// piece, and the levels (and the names on the way) to where the text stands, whatever was read before. What is shown of a value that is still open:
/// - a string, as far as it came;
/// - an object or a list, with the members that have something to show;
/// - a number, `true`, `false` and `null` only when they are complete, since `1` may become `12`.
///
/// So each value so far is a beginning of the final one. (Where a name stands twice in an object the last value counts, as
/// in `serde_json`, and takes the place of what was shown.) The whole text gives what `serde_json` makes of it, and is
/// refused where `serde_json` refuses it.
///
/// ```
/// use interlingua_model::PartialJson;
/// use serde_json::json;
///
/// let mut reader = PartialJson::new();
/// reader.push(r#"{"city":"Par"#)?;
/// assert_eq!(reader.value(), Some(&json!({"city": "Par"})));
/// reader.push(r#"is","days":[1"#)?;
/// assert_eq!(reader.value(), Some(&json!({"city": "Paris", "days": []})));
///
/// let mut done = Vec::new();
/// reader.push_with(",2]", |path, value| done.push(format!("{path} = {value}")))?;
/// assert_eq!(done, ["/days/0 = 1", "/days/1 = 2", "/days = [1,2]"]);
/// assert_eq!(reader.path(), "/days");
///
/// reader.push("}")?;
/// assert_eq!(reader.into_value()?, json!({"city": "Paris", "days": [1, 2]}));
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PartialJson {
    /// A list with the value so far, if any: the document is what stands in it.
    root: Value,
    /// The containers that are open, outermost first; the first is the list of the document.
    stack: Vec<Frame>,
    state: State,
    /// A key, number or word that is not complete.
    token: String,
    escape: Escape,
    /// The bytes of a character that is not complete.
    carry: Vec<u8>,
    /// The JSON Pointer of the value that was begun last.
    path: String,
    depth: usize,
    bytes: usize,
    read: usize,
    steps: u64,
    failure: Option<Failure>,
}

/// What is wrong, and how many bytes were read before.
#[derive(Debug, Clone, Copy)]
struct Failure {
    kind: ErrorKind,
    what: &'static str,
    at: usize,
}

/// Nested containers that `serde_json` reads.
const DEPTH: usize = 127;
/// Most bytes of a text.
const BYTES: usize = 64 << 20;

impl PartialJson {
    /// A reader that takes 127 levels, as many as `serde_json` does, and 64 MiB of text.
    pub fn new() -> Self {
        Self::with_limits(DEPTH, BYTES)
    }

    /// A reader that takes so many levels of lists and objects, at most 127, and so many bytes of text.
    pub fn with_limits(depth: usize, bytes: usize) -> Self {
        Self {
            root: Value::Array(Vec::new()),
            stack: vec![Frame::document()],
            state: State::Value,
            token: String::new(),
            escape: Escape::None,
            carry: Vec::new(),
            path: String::new(),
            depth: depth.min(DEPTH),
            bytes,
            read: 0,
            steps: 0,
            failure: None,
        }
    }

    /// Reads a piece of the text.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] where the text is no JSON, [`ErrorKind::TooLarge`] beyond a limit; then again at every push.
    /// The value so far stays.
    pub fn push(&mut self, piece: impl AsRef<[u8]>) -> Result<(), Error> {
        self.push_with(piece, |_, _| {})
    }

    /// Reads a piece of the text and shows each value that it completes, with its JSON Pointer: members before the object
    /// or list that holds them. A number that nothing follows completes at [`end`](Self::end).
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_with(
        &mut self,
        piece: impl AsRef<[u8]>,
        mut each: impl FnMut(&str, &Value),
    ) -> Result<(), Error> {
        let piece = piece.as_ref();
        if self.failure.is_none()
            && let Err(failure) = self.take(piece, &mut each)
        {
            self.failure = Some(failure);
        }
        self.failure.map_or(Ok(()), |failure| Err(failure.error()))
    }

    /// The text has come to its end.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when the value is not complete, and what [`push`](Self::push) said.
    pub fn end(&mut self) -> Result<(), Error> {
        self.end_with(|_, _| {})
    }

    /// The same, and shows the number that is complete now, if the text is one.
    ///
    /// # Errors
    /// As [`end`](Self::end).
    pub fn end_with(&mut self, mut each: impl FnMut(&str, &Value)) -> Result<(), Error> {
        if self.failure.is_none() && self.carry.is_empty() && self.stack.len() == 1 && self.is_in_token() {
            // White space ends a number or a word, and changes nothing else.
            let mut root = std::mem::take(&mut self.root);
            let outcome = self.pieces(" ", &mut each).document(&mut root);
            self.root = root;
            self.read -= 1;
            self.failure = outcome.err();
        }
        if let Some(failure) = self.failure {
            return Err(failure.error());
        }
        if self.is_whole() {
            return Ok(());
        }
        let message = format!("the JSON text ends after {} bytes, before its value is complete", self.read);
        Err(Error::new(ErrorKind::Truncated, message))
    }

    /// The value so far; `None` before there is something to show.
    pub fn value(&self) -> Option<&Value> {
        self.root.as_array()?.first()
    }

    /// The JSON Pointer of the place where the text stands: of the value that is being read or was read last.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the value is complete. Only white space may follow.
    pub fn is_whole(&self) -> bool {
        self.failure.is_none() && self.carry.is_empty() && self.stack.len() == 1 && self.state == State::After
    }

    /// The value, which must be complete.
    ///
    /// # Errors
    /// As [`end`](Self::end).
    pub fn into_value(mut self) -> Result<Value, Error> {
        self.end()?;
        let Value::Array(mut root) = self.root else { return Ok(Value::Null) };
        Ok(root.pop().unwrap_or_default())
    }

    /// How many bytes were read.
    pub const fn len(&self) -> usize {
        self.read
    }

    /// Whether nothing was read.
    pub const fn is_empty(&self) -> bool {
        self.read == 0
    }

    /// What it has cost: one for each byte, and one for each level that a push had to go down.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Makes text of bytes and reads it; the bytes of a character that is not complete wait for the next piece.
    fn take(&mut self, piece: &[u8], each: &mut dyn FnMut(&str, &Value)) -> Result<(), Failure> {
        let over = piece.len() > self.bytes.saturating_sub(self.read);
        let mut rest =
            if over { piece.get(..self.bytes.saturating_sub(self.read)).unwrap_or_default() } else { piece };
        while let (false, Some((first, behind))) = (self.carry.is_empty(), rest.split_first()) {
            self.carry.push(*first);
            rest = behind;
            let carry = std::mem::take(&mut self.carry);
            self.carry = self.take_text(&carry, each)?.to_vec();
        }
        let begun = self.take_text(rest, each)?;
        self.carry.extend_from_slice(begun);
        if over {
            return Err(Failure {
                kind: ErrorKind::TooLarge,
                what: "is longer than it may be",
                at: self.read,
            });
        }
        Ok(())
    }

    /// Reads what is whole of the bytes and returns the rest.
    fn take_text<'b>(
        &mut self,
        bytes: &'b [u8],
        each: &mut dyn FnMut(&str, &Value),
    ) -> Result<&'b [u8], Failure> {
        let (text, rest, is_broken) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, &[][..], false),
            Err(error) => {
                let (good, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(good).unwrap_or_default(), rest, error.error_len().is_some())
            }
        };
        if !text.is_empty() {
            let mut root = std::mem::take(&mut self.root);
            let outcome = self.pieces(text, each).document(&mut root);
            self.root = root;
            outcome?;
        }
        if is_broken {
            return Err(Failure { kind: ErrorKind::Protocol, what: "is not UTF-8", at: self.read });
        }
        Ok(rest)
    }

    fn pieces<'r>(&'r mut self, text: &'r str, each: &'r mut dyn FnMut(&str, &Value)) -> Pieces<'r> {
        Pieces::new(self, text, each)
    }

    fn is_in_token(&self) -> bool {
        matches!(self.state, State::Number | State::Word)
    }
}

impl Default for PartialJson {
    fn default() -> Self {
        Self::new()
    }
}

impl Failure {
    fn error(self) -> Error {
        Error::new(self.kind, format!("the JSON text {} at byte {}", self.what, self.at))
    }
}
