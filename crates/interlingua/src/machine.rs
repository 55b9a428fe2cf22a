//! What tells of the user and the machine: variables, files in the user's folder, services beside the machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::time::timeout;

use crate::exchange::read_some;
use crate::{Lookup, Timeouts, Transport};

/// Most bytes of an answer that holds credentials.
const ANSWER: usize = 64 << 10;

/// What it is that credentials are asked of.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) http: &'a dyn Transport,
    pub(crate) lookup: &'a Lookup,
}

/// The value of a variable that holds something.
pub(crate) fn set(lookup: &Lookup, name: &str) -> Option<String> {
    lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The folder of the user.
pub(crate) fn home(lookup: &Lookup) -> Option<PathBuf> {
    set(lookup, "HOME").or_else(|| set(lookup, "USERPROFILE")).map(PathBuf::from)
}

/// Reads a small file.
pub(crate) fn contents(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Asks a server in a given time. What it says is not part of an error, for it may be a secret.
pub(crate) async fn fetch(
    http: &dyn Transport,
    request: Request<Bytes>,
    time: Duration,
) -> Result<(StatusCode, Vec<u8>), String> {
    let limits = Timeouts::default().connect(time);
    let answer = timeout(time, http.send(request, limits)).await.map_err(|_| "does not answer".to_owned())?;
    let (head, body) = answer.map_err(|error| error.message().to_owned())?.into_parts();
    Ok((head.status, read_some(body, &head.headers, ANSWER).await))
}
