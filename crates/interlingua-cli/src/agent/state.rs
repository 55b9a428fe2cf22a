//! The file in which a run is saved.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use interlingua::Run;

use crate::args::Run as Command;
use crate::exit::{Failure, Result};

/// Where a run is saved. It holds the whole conversation, so only its owner may read it.
pub(super) struct State {
    path: PathBuf,
    /// Whether the user named it; then it stays when the run is done.
    named: bool,
}

impl State {
    /// The file that the command line names, or the one beside the agent: `tidy.toml` has `tidy.run.json`.
    pub(super) fn of(command: &Command) -> Self {
        match &command.state {
            Some(path) => Self { path: path.clone(), named: true },
            None => Self { path: command.file.with_extension("run.json"), named: false },
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The saved run, if there is one.
    ///
    /// # Errors
    /// When the file cannot be read or holds no run.
    pub(super) fn read(&self) -> Result<Option<Run>> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file("read the saved run", &self.path, &error)),
        };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            let path = self.path.display();
            Failure::configuration(format!("{path} holds no run: {error}; --new forgets it"))
        })
    }

    /// Saves the run in place of what was there, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn save(&self, run: &Run) -> Result<()> {
        let text = serde_json::to_vec(run)
            .map_err(|error| Failure::configuration(format!("the run cannot be saved: {error}")))?;
        let fresh = self.path.with_extension("json.new");
        let written = write(&fresh, &text).and_then(|()| fs::rename(&fresh, &self.path));
        written.map_err(|error| Failure::file("save the run in", &self.path, &error))
    }

    /// Forgets a run that is done, unless the user named the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finished(&self, run: &Run) -> Result<()> {
        if self.named {
            return self.save(run);
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::file("remove the saved run", &self.path, &error))
            }
            _ => Ok(()),
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
