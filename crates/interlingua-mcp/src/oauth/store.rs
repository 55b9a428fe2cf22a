//! Where tokens are kept.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use interlingua::Secret;
use ring::digest::{SHA256, digest};

/// Where the tokens of servers are kept between logins. What is kept is one secret text for each address.
pub trait TokenStore: Send + Sync {
    /// What is kept for the server at an address; `None` if nothing is.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn load(&self, server: &str) -> io::Result<Option<Secret>>;

    /// Keeps a text for the server at an address, in place of what was kept.
    ///
    /// # Errors
    /// When it cannot be written.
    fn save(&self, server: &str, tokens: &Secret) -> io::Result<()>;
}

/// Keeps tokens until the program ends.
#[derive(Default)]
pub(super) struct Memory(Mutex<HashMap<String, Secret>>);

impl TokenStore for Memory {
    fn load(&self, server: &str) -> io::Result<Option<Secret>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(server).cloned())
    }

    fn save(&self, server: &str, tokens: &Secret) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(server.to_owned(), tokens.clone());
        Ok(())
    }
}

/// Keeps tokens in a folder, a file for each server, readable by the user alone.
///
/// ```
/// use interlingua::Secret;
/// use interlingua_mcp::{FileStore, TokenStore};
///
/// let folder = tempfile::tempdir()?;
/// let store = FileStore::new(folder.path().join("tokens"));
/// assert!(store.load("https://example.com/mcp")?.is_none());
/// store.save("https://example.com/mcp", &Secret::new("{}"))?;
/// assert_eq!(store.load("https://example.com/mcp")?.unwrap().expose(), "{}");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FileStore {
    folder: PathBuf,
}

impl FileStore {
    /// A store in a folder, which is made when the first token is kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn path(&self, server: &str) -> PathBuf {
        let mut name = String::new();
        for byte in digest(&SHA256, server.as_bytes()).as_ref() {
            let _ = write!(name, "{byte:02x}");
        }
        self.folder.join(name + ".json")
    }
}

impl TokenStore for FileStore {
    fn load(&self, server: &str) -> io::Result<Option<Secret>> {
        match fs::read_to_string(self.path(server)) {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn save(&self, server: &str, tokens: &Secret) -> io::Result<()> {
        make(&self.folder)?;
        let path = self.path(server);
        let new = path.with_extension(format!("{}.new", super::pkce::word().map_err(io::Error::other)?));
        let written = write(&new, tokens).and_then(|()| fs::rename(&new, &path));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written
    }
}

/// A folder for this user alone, unless it is there.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a new file for this user alone.
fn write(path: &Path, tokens: &Secret) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(tokens.expose().as_bytes())?;
    file.sync_all()
}
