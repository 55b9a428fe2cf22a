use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;

use interlingua_model::{Error, ErrorKind, Retry};

use super::asked::Asked;
use super::tape::Tape;

/// Why a [`Cassette`](super::Cassette) has no answer. It is inside the [`Error`], whose kind is
/// [`Configuration`](ErrorKind::Configuration).
///
/// ```
/// use interlingua::Unrecorded;
///
/// # fn example(error: &interlingua::Error) {
/// if let Some(unrecorded) = Unrecorded::of(error) {
///     println!("{:?}", unrecorded.differences);
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unrecorded {
    /// The file.
    pub path: PathBuf,
    /// The method and the address that were asked.
    pub asked: String,
    /// How many recordings there are.
    pub recordings: usize,
    /// The line of the recording that is most like the request, from 1; `None` when there is none at all.
    pub nearest: Option<usize>,
    /// What differs from that one, a phrase for each; nothing when it is the same and was played before.
    pub differences: Vec<String>,
}

/// Most differences that the line for people lists.
const LISTED: usize = 4;

impl Unrecorded {
    /// What is inside an error; `None` when it came from elsewhere.
    pub fn of(error: &Error) -> Option<&Self> {
        StdError::source(error)?.downcast_ref()
    }

    pub(crate) fn new(asked: &Asked, tape: &Tape) -> Self {
        let (recordings, nearest) = tape.nearest(asked);
        let (nearest, differences) = nearest.map_or((None, Vec::new()), |(line, all)| (Some(line), all));
        let path = tape.path.clone();
        Self { path, asked: format!("{} {}", asked.method, asked.url), recordings, nearest, differences }
    }

    pub(crate) fn into_error(self) -> Error {
        Error::new(ErrorKind::Configuration, self.to_string()).with_retry(Retry::Never).with_source(self)
    }
}

impl fmt::Display for Unrecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not on the cassette {}", self.asked, self.path.display())?;
        let Some(line) = self.nearest else { return f.write_str(", which is empty: record it first") };
        if self.differences.is_empty() {
            return write!(
                f,
                " any more: line {line} was played, and is played again with `reuse(true)` alone"
            );
        }
        let listed: Vec<_> = self.differences.iter().take(LISTED).map(String::as_str).collect();
        write!(f, ": of the nearest recording, line {line}, differs: {}", listed.join("; "))?;
        match self.differences.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl StdError for Unrecorded {}
