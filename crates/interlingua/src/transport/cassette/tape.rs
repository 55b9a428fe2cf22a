use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use interlingua_model::{Data, Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::asked::Asked;

/// The version of the format that is written.
const VERSION: u32 = 1;

/// The first line of a cassette.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    cassette: u32,
}

/// A line of a cassette.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recording {
    pub(crate) request: Asked,
    pub(crate) answer: Said,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) status: u16,
    /// Milliseconds until its head was there.
    pub(crate) after_ms: u64,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) chunks: Vec<Chunk>,
    #[serde(default, skip_serializing_if = "End::is_whole")]
    pub(crate) end: End,
}

/// A piece of a body.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Chunk {
    /// Milliseconds since the piece before it, or the head.
    pub(crate) after_ms: u64,
    #[serde(flatten)]
    pub(crate) content: Content,
}

/// Bytes, as readable as they can be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    /// A value of JSON; bodies of requests alone, since how it was written is lost.
    Json(Value),
    Text(String),
    Base64(Data),
}

/// How a body ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    #[default]
    Whole,
    /// It was not read further.
    GivenUp,
    Broken {
        kind: ErrorKind,
        message: String,
    },
}

/// The recordings of a file, and the file to which more are added.
#[derive(Debug)]
pub(crate) struct Tape {
    pub(crate) path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    slots: Vec<Slot>,
    file: Option<File>,
    failure: Option<String>,
}

#[derive(Debug)]
struct Slot {
    recording: Arc<Recording>,
    played: bool,
}

impl Tape {
    /// A new file.
    pub(crate) fn create(path: PathBuf) -> Result<Self, Error> {
        let file = File::create(&path)
            .and_then(|mut file| write_line(&mut file, &Head { cassette: VERSION }).map(|()| file));
        let file = file.map_err(|error| failure(&path, "written", &error))?;
        Ok(Self { path, state: Mutex::new(State { file: Some(file), ..State::default() }) })
    }

    /// A file that is there.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        let text = fs::read_to_string(&path).map_err(|error| failure(&path, "read", &error))?;
        let slots = parse(&text).map_err(|what| {
            Error::new(ErrorKind::Configuration, format!("the cassette {}: {what}", path.display()))
        })?;
        Ok(Self { path, state: Mutex::new(State { slots, ..State::default() }) })
    }

    /// A file that is there and takes more, or a new one.
    pub(crate) fn extend(path: PathBuf) -> Result<Self, Error> {
        if fs::metadata(&path).is_ok_and(|data| data.len() > 0) {
            let tape = Self::open(path)?;
            let file = OpenOptions::new().append(true).open(&tape.path);
            tape.lock().file = Some(file.map_err(|error| failure(&tape.path, "written", &error))?);
            return Ok(tape);
        }
        Self::create(path)
    }

    /// The next recording of a request; the last one of it again, when that is allowed and there is no other.
    pub(crate) fn take(&self, asked: &Asked, reuse: bool) -> Option<Arc<Recording>> {
        let mut state = self.lock();
        let mut same = state.slots.iter_mut().filter(|slot| slot.recording.request == *asked).peekable();
        let mut last = None;
        while let Some(slot) = same.next() {
            if !slot.played {
                slot.played = true;
                return Some(Arc::clone(&slot.recording));
            }
            last = Some(&slot.recording).filter(|_| same.peek().is_none());
        }
        last.filter(|_| reuse).map(Arc::clone)
    }

    /// Adds what was recorded just now, which counts as played.
    pub(crate) fn add(&self, recording: Recording) -> Result<(), Error> {
        let mut state = self.lock();
        if let Some(file) = &mut state.file
            && let Err(error) = write_line(file, &recording)
        {
            state.failure = Some(error.to_string());
            return Err(failure(&self.path, "written", &error));
        }
        state.slots.push(Slot { recording: Arc::new(recording), played: true });
        Ok(())
    }

    /// Whether all was written so far: a dropped answer has nobody to tell.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.lock().failure {
            Some(error) => Err(failure(&self.path, "written", error)),
            None => Ok(()),
        }
    }

    pub(crate) fn left(&self) -> usize {
        self.lock().slots.iter().filter(|slot| !slot.played).count()
    }

    /// The recording that is most like a request, its line in the file, and what differs; how many recordings there are.
    pub(crate) fn nearest(&self, asked: &Asked) -> (usize, Option<(usize, Vec<String>)>) {
        let state = self.lock();
        let all = state.slots.iter().enumerate();
        let compared = all.map(|(at, slot)| (at + 2, asked.differences(&slot.recording.request)));
        (state.slots.len(), compared.min_by_key(|(_, differences)| differences.len()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(Data::from(bytes.to_vec())),
        }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Json(value) => Bytes::from(value.to_string()),
            Self::Text(text) => Bytes::from(text),
            Self::Base64(data) => Bytes::copy_from_slice(data.as_bytes()),
        }
    }
}

impl End {
    const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }

    /// What whoever reads on gets.
    pub(crate) fn into_error(self) -> Option<Error> {
        match self {
            Self::Whole => None,
            Self::GivenUp => {
                let message = "the recording ends here: nobody read on when it was made";
                Some(Error::new(ErrorKind::Truncated, message))
            }
            Self::Broken { kind, message } => Some(Error::new(kind, message)),
        }
    }
}

fn parse(text: &str) -> Result<Vec<Slot>, String> {
    let mut lines = text.lines();
    let head: Head = lines
        .next()
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or("line 1 is not `{\"cassette\":1}`, with which each of them begins")?;
    if head.cassette != VERSION {
        return Err(format!("version {} is not known, {VERSION} is: record it anew", head.cassette));
    }
    lines
        .enumerate()
        .map(|(at, line)| {
            let recording = serde_json::from_str(line)
                .map_err(|error| format!("line {} is no recording: {error}; mend it or remove it", at + 2))?;
            Ok(Slot { recording: Arc::new(recording), played: false })
        })
        .collect()
}

fn write_line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)
}

fn failure(path: &std::path::Path, done: &str, error: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Io, format!("the cassette {} cannot be {done}: {error}", path.display()))
}
