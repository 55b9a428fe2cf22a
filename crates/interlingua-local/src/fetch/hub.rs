//! The model hub, through its own client.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use hf_hub::api::sync::{ApiBuilder, ApiError};
use interlingua_model::{Error, ErrorKind};

use super::{Progress, disk};

/// How long the hub may take to its first word; it is then taken to be out of reach.
const FIRST_WORD: Duration = Duration::from_secs(6);
/// How long the hub may be silent after that.
const SILENCE: Duration = Duration::from_secs(60);

/// What the thread that talks to the hub has to say.
enum News {
    Progress(u64, u64),
    Done(Result<PathBuf, Error>),
}

/// Reports what has come from the hub.
struct Counter {
    news: mpsc::SyncSender<News>,
    done: u64,
    total: u64,
}

/// The hub's client has no time limits, so it works on a thread of its own, which is left alone when it is silent.
pub(super) fn fetch(
    partial: PathBuf,
    repository: &str,
    file: &str,
    progress: Progress<'_>,
) -> Result<PathBuf, Error> {
    let (news, heard) = mpsc::sync_channel(16);
    let (name, path) = (repository.to_owned(), file.to_owned());
    std::thread::spawn(move || {
        let counter = Counter { news: news.clone(), done: 0, total: 0 };
        let found = download(partial, &name, &path, counter).map_err(|error| hub_error(&name, &path, &error));
        // Nobody may be listening any more.
        let _ = news.send(News::Done(found));
    });
    let mut patience = FIRST_WORD;
    loop {
        match heard.recv_timeout(patience) {
            Ok(News::Progress(done, total)) => {
                patience = SILENCE;
                progress(done, total);
            }
            Ok(News::Done(found)) => return found,
            Err(_) => {
                let message = format!("the model hub cannot be reached: silent for {} s", patience.as_secs());
                return Err(Error::new(ErrorKind::Connect, message));
            }
        }
    }
}

fn download(cache: PathBuf, repository: &str, file: &str, counter: Counter) -> Result<PathBuf, ApiError> {
    let api = ApiBuilder::from_env().with_cache_dir(cache).with_progress(false).with_retries(1).build()?;
    api.model(repository.to_owned()).download_with_progress(file, counter)
}

impl Counter {
    fn report(&self) {
        // Nobody may be listening any more.
        let _ = self.news.send(News::Progress(self.done, self.total));
    }
}

impl hf_hub::api::Progress for Counter {
    fn init(&mut self, size: usize, _filename: &str) {
        (self.done, self.total) = (0, size as u64);
        self.report();
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        self.report();
    }

    fn finish(&mut self) {
        self.done = self.total;
        self.report();
    }
}

fn hub_error(repository: &str, file: &str, error: &ApiError) -> Error {
    match error {
        ApiError::IoError(error) => disk(Path::new(file), error),
        ApiError::RequestError(request) if request.to_string().contains("404") => {
            Error::new(ErrorKind::NotFound, format!("the model hub has no {repository}/{file}"))
        }
        other => {
            let text = other.to_string();
            let line = text.lines().next().unwrap_or_default();
            Error::new(ErrorKind::Connect, format!("the model hub cannot be reached: {line}"))
        }
    }
}
