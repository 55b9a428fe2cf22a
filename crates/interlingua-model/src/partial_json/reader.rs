//! One piece of text on its way into the value.

use serde_json::{Map, Value};

use super::lexer::{Escape, Escaped, Frame, Kind, State};
use super::{Failure, PartialJson};
use crate::ErrorKind;

/// Reads one piece of text.
pub(super) struct Pieces<'r> {
    reader: &'r mut PartialJson,
    /// What was not read yet.
    rest: &'r str,
    each: &'r mut dyn FnMut(&str, &Value),
}

type Outcome<T> = Result<T, Failure>;

impl<'r> Pieces<'r> {
    pub(super) fn new(
        reader: &'r mut PartialJson,
        rest: &'r str,
        each: &'r mut dyn FnMut(&str, &Value),
    ) -> Self {
        Self { reader, rest, each }
    }

    /// Goes down to where the text stands and reads on from there.
    pub(super) fn document(mut self, root: &mut Value) -> Outcome<()> {
        self.container(root, 0).map(drop)
    }

    /// Reads on in the container of a level; whether it was closed.
    fn container(&mut self, container: &mut Value, level: usize) -> Outcome<bool> {
        self.reader.steps += 1;
        let mut inner = self.reader.stack.len() > level + 1;
        while inner || !self.rest.is_empty() {
            if inner {
                let child = self.frame(level)?.last(container);
                let child = child.ok_or(self.wrong("is inconsistent"))?;
                if !self.container(child, level + 1)? {
                    return Ok(false);
                }
                self.complete(child);
                inner = false;
                continue;
            }
            match self.step(container, level)? {
                Step::On => {}
                Step::Open => inner = true,
                Step::Close => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Reads at least one byte.
    fn step(&mut self, container: &mut Value, level: usize) -> Outcome<Step> {
        match self.reader.state {
            State::InKey | State::Text => self.string(container, level)?,
            State::Number | State::Word => self.token(container, level)?,
            _ => return self.structure(container, level),
        }
        Ok(Step::On)
    }

    /// Reads a byte between values.
    fn structure(&mut self, container: &mut Value, level: usize) -> Outcome<Step> {
        let Some(byte) = self.rest.bytes().next() else { return Ok(Step::On) };
        if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            self.skip(1);
            return Ok(Step::On);
        }
        let kind = self.frame(level)?.kind;
        match (self.reader.state, byte, kind) {
            (State::ValueOrEnd | State::After, b']', Kind::List)
            | (State::KeyOrEnd | State::After, b'}', Kind::Object) => {
                self.skip(1);
                return self.close();
            }
            (State::KeyOrEnd | State::Key, b'"', _) => self.state(State::InKey),
            (State::Colon, b':', _) | (State::After, b',', Kind::List) => self.state(State::Value),
            (State::After, b',', Kind::Object) => self.state(State::Key),
            (State::Value | State::ValueOrEnd, _, _) => return self.open(byte, container, level),
            (State::After, _, Kind::Document) => return Err(self.wrong("goes on behind its value")),
            _ => return Err(self.wrong("has a character that cannot stand there")),
        }
        self.skip(1);
        Ok(Step::On)
    }

    /// Begins a value with its first byte.
    fn open(&mut self, byte: u8, container: &mut Value, level: usize) -> Outcome<Step> {
        let PartialJson { stack, path, .. } = &mut *self.reader;
        if let Some(frame) = stack.get(level) {
            frame.enter(path, container);
        }
        match byte {
            b'{' => return self.nest(container, level, Kind::Object),
            b'[' => return self.nest(container, level, Kind::List),
            b'"' => {
                self.skip(1);
                self.put(container, level, Value::String(String::new()))?;
                self.state(State::Text);
            }
            b'-' | b'0'..=b'9' => self.state(State::Number),
            b't' | b'f' | b'n' => self.state(State::Word),
            _ => return Err(self.wrong("has a character that begins no value")),
        }
        Ok(Step::On)
    }

    fn nest(&mut self, container: &mut Value, level: usize, kind: Kind) -> Outcome<Step> {
        if level >= self.reader.depth {
            let at = self.reader.read;
            return Err(Failure { kind: ErrorKind::TooLarge, what: "is nested deeper than it may be", at });
        }
        self.skip(1);
        let (value, state) = match kind {
            Kind::Object => (Value::Object(Map::new()), State::KeyOrEnd),
            _ => (Value::Array(Vec::new()), State::ValueOrEnd),
        };
        self.put(container, level, value)?;
        let path = self.reader.path.len();
        self.reader.stack.push(Frame::new(kind, path));
        self.state(state);
        Ok(Step::Open)
    }

    fn close(&mut self) -> Outcome<Step> {
        let Some(frame) = self.reader.stack.pop() else { return Err(self.wrong("is inconsistent")) };
        self.reader.path.truncate(frame.path);
        self.state(State::After);
        Ok(Step::Close)
    }

    /// Reads more of a key or a string.
    fn string(&mut self, container: &mut Value, level: usize) -> Outcome<()> {
        let is_key = self.reader.state == State::InKey;
        let mut key = std::mem::take(&mut self.reader.token);
        let is_done = match self.frame(level)?.last(container) {
            _ if is_key => self.grow(&mut key)?,
            Some(Value::String(text)) => self.grow(text)?,
            _ => return Err(self.wrong("is inconsistent")),
        };
        match (is_done, is_key) {
            (false, _) => self.reader.token = key,
            (true, true) => self.end_key(key, level)?,
            (true, false) => self.end_value(container, level)?,
        }
        Ok(())
    }

    /// Reads more of a text; whether its end has come.
    fn grow(&mut self, text: &mut String) -> Outcome<bool> {
        while let Some(byte) = self.rest.bytes().next() {
            match (self.reader.escape, byte) {
                (Escape::None, b'"') => {
                    self.skip(1);
                    return Ok(true);
                }
                (Escape::None, b'\\') => {
                    self.reader.escape = Escape::Begun;
                    self.skip(1);
                }
                (Escape::None, ..=0x1f) => return Err(self.wrong("has a control character within a string")),
                (Escape::None, _) => {
                    let plain = self.rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..=0x1f));
                    let (more, _) = self.rest.split_at(plain.unwrap_or(self.rest.len()));
                    text.push_str(more);
                    self.skip(more.len());
                }
                (escape, byte) => {
                    self.reader.escape = match escape.byte(byte) {
                        Escaped::Wrong => return Err(self.wrong("has a wrong escape")),
                        Escaped::More(escape) => escape,
                        Escaped::Char(char) => {
                            text.push(char);
                            Escape::None
                        }
                    };
                    self.skip(1);
                }
            }
        }
        Ok(false)
    }

    fn end_key(&mut self, key: String, level: usize) -> Outcome<()> {
        let wrong = self.wrong("is inconsistent");
        self.reader.stack.get_mut(level).ok_or(wrong)?.key = key;
        self.state(State::Colon);
        Ok(())
    }

    /// Reads more of a number or a word, which what follows it completes.
    fn token(&mut self, container: &mut Value, level: usize) -> Outcome<()> {
        let is_number = self.reader.state == State::Number;
        let of_number = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let belongs = |byte: u8| if is_number { of_number(byte) } else { byte.is_ascii_alphanumeric() };
        let length = self.rest.bytes().position(|byte| !belongs(byte));
        let (text, rest) = self.rest.split_at(length.unwrap_or(self.rest.len()));
        self.reader.token.push_str(text);
        self.skip(text.len());
        if rest.is_empty() {
            return Ok(());
        }
        // What a number comes to is for serde_json to say.
        let value = serde_json::from_str(&self.reader.token);
        self.reader.token.clear();
        let value = value.map_err(|_| self.wrong("has a malformed value before it"))?;
        self.put(container, level, value)?;
        self.end_value(container, level)
    }

    fn end_value(&mut self, container: &mut Value, level: usize) -> Outcome<()> {
        if let Some(value) = self.frame(level)?.last(container) {
            let value = &*value;
            (self.each)(&self.reader.path, value);
        }
        self.state(State::After);
        Ok(())
    }

    fn complete(&mut self, value: &Value) {
        (self.each)(&self.reader.path, value);
    }

    fn put(&self, container: &mut Value, level: usize, value: Value) -> Outcome<()> {
        let put = self.frame(level)?.put(container, value);
        put.map(drop).ok_or(self.wrong("is inconsistent"))
    }

    fn frame(&self, level: usize) -> Outcome<&Frame> {
        self.reader.stack.get(level).ok_or(self.wrong("is inconsistent"))
    }

    const fn state(&mut self, state: State) {
        self.reader.state = state;
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
        self.reader.read += bytes;
        self.reader.steps += u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    const fn wrong(&self, what: &'static str) -> Failure {
        Failure { kind: ErrorKind::Protocol, what, at: self.reader.read }
    }
}

/// What a step did.
enum Step {
    On,
    /// A container was opened.
    Open,
    /// The container was closed.
    Close,
}
