use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::layer::cache::entry::{Entry, VERSION};

/// Answers in a folder, a file for each.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    room: u64,
    written: AtomicU32,
}

/// The folder is swept when so many answers were written.
const OFTEN: u32 = 32;

impl Disk {
    pub(crate) fn new(folder: PathBuf, room: u64) -> Self {
        Self { folder, room, written: AtomicU32::new(0) }
    }

    pub(crate) const fn room(&self) -> u64 {
        self.room
    }

    /// An answer that is fresh, and its age. What another version has written, or nobody can read, is none.
    pub(crate) fn get(&self, key: &str, fresh: Duration) -> Option<(Arc<Entry>, Duration)> {
        let bytes = fs::read(self.path(key)).ok()?;
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        let age = now().saturating_sub(Duration::from_secs(entry.kept));
        (entry.interlingua == VERSION && age < fresh).then(|| (Arc::new(entry), age))
    }

    /// Keeps an answer; how many bytes it has, when it was written.
    pub(crate) fn put(&self, key: &str, mut entry: Entry, fresh: Duration) -> Option<u64> {
        entry.kept = now().as_secs();
        let bytes = serde_json::to_vec(&entry).ok()?;
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        self.write(key, number, &bytes).ok()?;
        if number.is_multiple_of(OFTEN) {
            self.sweep(fresh);
        }
        u64::try_from(bytes.len()).ok()
    }

    /// Writes beside the file first, so that nobody reads half of it.
    fn write(&self, key: &str, number: u32, bytes: &[u8]) -> io::Result<()> {
        make_folder(&self.folder)?;
        let part = self.folder.join(format!("{key}.{}-{number}.part", std::process::id()));
        let written = private(&part).and_then(|mut file| {
            file.write_all(bytes)?;
            fs::rename(&part, self.path(key))
        });
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written
    }

    /// Removes what is no longer fresh, and the oldest of what is too much.
    fn sweep(&self, fresh: Duration) {
        let mut kept = Vec::new();
        for (path, time, length) in self.files() {
            if time.elapsed().is_ok_and(|age| age >= fresh) {
                let _ = fs::remove_file(path);
            } else {
                kept.push((time, length, path));
            }
        }
        kept.sort();
        let mut taken: u64 = kept.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in kept {
            if taken <= self.room {
                break;
            }
            if fs::remove_file(path).is_ok() {
                taken -= length;
            }
        }
    }

    /// The files of the cache and what interrupted writers left, with their times and lengths. Others are none of its business.
    fn files(&self) -> impl Iterator<Item = (PathBuf, SystemTime, u64)> + use<> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| {
            let path = entry.path();
            let name = path.file_name()?.to_str()?;
            let is_ours = name.len() > 64 && name.bytes().take(64).all(|byte| byte.is_ascii_hexdigit());
            let data = entry.metadata().ok()?;
            let time = data.modified().ok()?;
            is_ours.then_some((path, time, data.len()))
        })
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A folder for this user alone, unless it is there.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A new file for this user alone.
fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
