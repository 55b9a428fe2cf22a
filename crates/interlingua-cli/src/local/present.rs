//! A model in the process, as one more provider: `local/NAME`.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::Stream;
use interlingua::wire::ModelInfo;
use interlingua::{Backend, ClientBuilder, Error, ErrorKind, Event, Request};
use interlingua_local::{LocalModel, Store};

use crate::exit::{Exit, Failure, Result};
use crate::local::progress::Bar;
use crate::terminal::Terminal;

/// The provider's id.
pub(crate) const PROVIDER: Option<&str> = Some("local");
/// The model for someone who has neither key nor server.
pub(crate) const DEFAULT_MODEL: Option<&str> = Some("local/smollm2");
/// Its name without the provider.
const DEFAULT_NAME: &str = "smollm2";

type Events = Pin<Box<dyn Stream<Item = Result<Event, Error>> + Send>>;

/// Adds the models in the process to the client.
pub(crate) fn install(builder: ClientBuilder) -> ClientBuilder {
    builder.backend("local", Arc::new(InProcess::default()))
}

/// The model that was used last stays loaded, so that a chat does not read the file again for every answer.
#[derive(Debug, Clone, Default)]
struct InProcess(Arc<Mutex<Option<(PathBuf, LocalModel)>>>);

impl InProcess {
    /// Blocks while the file is read.
    fn load(&self, name: &str) -> Result<LocalModel, Error> {
        let path = file_of(name)?.ok_or_else(|| missing(name))?;
        let mut loaded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, model)) = loaded.as_ref().filter(|(loaded, _)| *loaded == path) {
            return Ok(model.clone());
        }
        let model = LocalModel::open(&path)?;
        *loaded = Some((path, model.clone()));
        Ok(model)
    }
}

impl Backend for InProcess {
    fn stream(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Events, Error>> + Send>> {
        let models = self.clone();
        Box::pin(async move {
            let begun = move || models.load(&request.model)?.stream(&request);
            let answer = tokio::task::spawn_blocking(begun).await.map_err(|error| {
                Error::new(ErrorKind::Model, "the model in the process failed").with_source(error)
            })??;
            Ok(Box::pin(answer) as Events)
        })
    }

    fn models(&self) -> Pin<Box<dyn Future<Output = Result<Vec<ModelInfo>, Error>> + Send>> {
        Box::pin(std::future::ready(Store::open().map(|store| names(&store).map(ModelInfo::new).collect())))
    }
}

/// The default model, whether it is there or not, and every other file that is.
fn names(store: &Store) -> impl Iterator<Item = String> {
    let others = store.models().into_iter().filter(|path| !path.ends_with(interlingua_local::DEFAULT_MODEL));
    std::iter::once(DEFAULT_NAME.to_owned()).chain(others.map(|path| stem(&path).to_owned()))
}

/// Makes sure that the file of a model in the process is there; the default one is fetched at its first use.
///
/// # Errors
/// When it is not there and cannot be fetched.
pub(crate) async fn provide(model: &str, terminal: &mut Terminal) -> Result<()> {
    let Some(name) = model.strip_prefix("local/") else { return Ok(()) };
    if file_of(name)?.is_some() {
        return Ok(());
    }
    if name != DEFAULT_NAME {
        return Err(missing(name).into());
    }
    terminal.note("fetching the model, 98 MB, once");
    fetch(None, terminal).await.map(drop)
}

/// Fetches a model.
///
/// # Errors
/// When it cannot be fetched.
pub(crate) async fn pull(name: Option<&str>, terminal: &mut Terminal) -> Result<Exit> {
    let name =
        name.map(|name| name.strip_prefix("local/").unwrap_or(name)).filter(|name| *name != DEFAULT_NAME);
    let path = fetch(name.map(str::to_owned), terminal).await?;
    let model = name.map_or(DEFAULT_NAME, |_| stem(&path));
    terminal.print(&format!("local/{model}\n"))?;
    terminal.note(&format!("kept in {}", path.display()));
    Ok(Exit::Success)
}

/// What there is, in a few words.
pub(crate) fn state() -> String {
    match file_of(DEFAULT_NAME) {
        Ok(Some(path)) => format!("{} ({})", DEFAULT_MODEL.unwrap_or_default(), path.display()),
        Ok(None) => "not fetched yet: `il models pull` fetches it, 98 MB".into(),
        Err(error) => error.message().to_owned(),
    }
}

/// Fetching blocks, so it is done on a thread of its own while the bar is drawn from there.
async fn fetch(name: Option<String>, terminal: &Terminal) -> Result<PathBuf> {
    let bar = Bar::new(terminal.draws());
    let shown = bar.shown();
    let work = move || {
        let store = Store::open()?;
        let progress = |done, total| bar.show(done, total);
        match &name {
            Some(name) => store.pull(name, &progress),
            None => store.pull_default(&progress),
        }
    };
    let fetched = tokio::task::spawn_blocking(work).await;
    drop(shown);
    let failed = |error| Failure::new(Exit::Local, format!("fetching the model failed: {error}"));
    fetched.map_err(failed)?.map_err(Failure::from)
}

fn file_of(name: &str) -> Result<Option<PathBuf>, Error> {
    let store = Store::open()?;
    let file = if name == DEFAULT_NAME { interlingua_local::DEFAULT_MODEL } else { name };
    Ok(store.find(file))
}

fn missing(name: &str) -> Error {
    let message = format!(
        "there is no model file `{name}`: `il models local` lists those that are there, `il models pull` fetches one"
    );
    Error::new(ErrorKind::Configuration, message)
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_model_is_listed_once_by_its_short_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path());
        assert_eq!(names(&store).collect::<Vec<_>>(), ["smollm2"]);
        for file in [interlingua_local::DEFAULT_MODEL, "other.gguf", "notes.txt"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        assert_eq!(names(&store).collect::<Vec<_>>(), ["smollm2", "other"]);
    }
}
