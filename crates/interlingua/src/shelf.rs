//! The models of a provider, with what it says of them and what is known of them, kept on disk for a while.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use interlingua_catalog::{Kind, Model};
use interlingua_model::{Error, ErrorKind};
use interlingua_wire::ModelInfo;
use serde::{Deserialize, Serialize};

use crate::Client;
use crate::registry::Answerer;

/// A model that can be asked: what its provider says of it, and what the catalogue knows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ListedModel {
    /// The id of the provider.
    pub provider: String,
    /// The name that requests use, without the provider.
    pub id: String,
    /// What the provider says; `None` when only the catalogue knows the model.
    pub told: Option<ModelInfo>,
    /// What the catalogue knows.
    pub known: Option<Model>,
}

/// The models of a provider, and how fresh the list is.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ModelList {
    /// The models, in the provider's order.
    pub models: Vec<ListedModel>,
    /// Since when the list lay on disk; `None` when the provider was asked just now, or never, because it has no list.
    pub age: Option<Duration>,
    /// Why the provider could not be asked although the list on disk was too old.
    pub trouble: Option<Error>,
}

/// Lists of models in a folder, a file for each provider.
///
/// ```no_run
/// use std::time::Duration;
///
/// use interlingua::{Client, ModelCache};
///
/// # async fn example(client: &Client) -> Result<(), interlingua::Error> {
/// let cache = ModelCache::new("/var/cache/mine", Duration::from_secs(24 * 60 * 60));
/// for model in cache.list(client, "groq").await?.models {
///     println!("{}/{}: {:?} tokens", model.provider, model.id, model.context());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ModelCache {
    folder: PathBuf,
    fresh: Duration,
}

/// A file of the cache.
#[derive(Serialize, Deserialize)]
struct Shelf {
    interlingua: u32,
    /// When the provider was asked, in seconds since 1970.
    asked: u64,
    /// Where it was asked.
    url: String,
    models: Vec<ModelInfo>,
}

impl ListedModel {
    /// A model by what its provider says alone.
    pub fn told(provider: impl Into<String>, told: ModelInfo) -> Self {
        Self { provider: provider.into(), id: told.id.clone(), told: Some(told), known: None }
    }

    /// Most tokens of a prompt, by the provider, else by the catalogue.
    pub fn context(&self) -> Option<u64> {
        let told = self.told.as_ref().and_then(|model| model.context);
        told.or_else(|| self.known.as_ref().and_then(|model| model.context))
    }

    /// Most tokens of an answer, by the provider, else by the catalogue.
    pub fn output(&self) -> Option<u64> {
        let told = self.told.as_ref().and_then(|model| model.output);
        told.or_else(|| self.known.as_ref().and_then(|model| model.output))
    }

    /// The name for people, where the provider has one.
    pub fn name(&self) -> Option<&str> {
        self.told.as_ref().and_then(|model| model.name.as_deref()).filter(|name| *name != self.id)
    }
}

impl Client {
    /// The models of a provider with what is known of them. Of a provider that has no list, those that the catalogue
    /// knows for conversations.
    ///
    /// # Errors
    /// Everything that can go wrong with a call, and [`ErrorKind::Unsupported`] when there is no list at all.
    pub async fn list_models(&self, provider: &str) -> Result<ModelList, Error> {
        match self.models(provider).await {
            Ok(told) => Ok(ModelList { models: self.listed(provider, told)?, age: None, trouble: None }),
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let models = self.known_models(provider)?;
                if models.is_empty() {
                    return Err(error);
                }
                Ok(ModelList { models, age: None, trouble: None })
            }
            Err(error) => Err(error),
        }
    }

    /// The models of a provider that the catalogue knows for conversations. Nobody is asked.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is no such provider.
    pub fn known_models(&self, provider: &str) -> Result<Vec<ListedModel>, Error> {
        let id = self.canonical(provider)?;
        let talks = |model: &Model| matches!(model.kind, Kind::Chat | Kind::Responses);
        let listed = |model: Model| ListedModel {
            provider: id.clone(),
            id: model.id.clone(),
            told: None,
            known: Some(model),
        };
        Ok(self.catalog().models(&id).filter(talks).map(listed).collect())
    }

    fn listed(&self, provider: &str, told: Vec<ModelInfo>) -> Result<Vec<ListedModel>, Error> {
        let provider = self.canonical(provider)?;
        let catalog = self.catalog();
        let listed = |told: ModelInfo| ListedModel {
            known: catalog.find(&provider, &told.id),
            provider: provider.clone(),
            id: told.id.clone(),
            told: Some(told),
        };
        Ok(told.into_iter().map(listed).collect())
    }

    fn canonical(&self, provider: &str) -> Result<String, Error> {
        Ok(match self.0.registry.answerer(provider)? {
            Answerer::Provider(provider) => provider.id.to_string(),
            Answerer::Backend(id, _) => id.to_owned(),
        })
    }

    /// Where the models of a provider are listed; `None` for a model in the process, and where there is no list.
    fn listed_at(&self, provider: &str) -> Result<Option<String>, Error> {
        match self.0.registry.answerer(provider)? {
            Answerer::Provider(provider) => provider.models_url(self.0.base_url(provider), &*self.0.lookup),
            Answerer::Backend(..) => Ok(None),
        }
    }
}

impl ModelCache {
    /// Lists in a folder, which is made when it is needed, that are good for so long.
    pub fn new(folder: impl Into<PathBuf>, fresh: Duration) -> Self {
        Self { folder: folder.into(), fresh }
    }

    /// The models of a provider: those on disk when they are fresh enough, else the provider is asked. When it cannot be, an
    /// older list is better than none, and [`ModelList::trouble`] says why.
    ///
    /// # Errors
    /// As [`Client::list_models`], when there is no list on disk either. A folder that cannot be written is no error: nothing is kept
    /// then.
    pub async fn list(&self, client: &Client, provider: &str) -> Result<ModelList, Error> {
        let Some(kept) = self.kept(client, provider)? else { return self.refresh(client, provider).await };
        let age = age(kept.asked);
        if age <= self.fresh {
            let models = client.listed(provider, kept.models)?;
            return Ok(ModelList { models, age: Some(age), trouble: None });
        }
        match self.refresh(client, provider).await {
            Ok(list) => Ok(list),
            Err(error) => {
                let models = client.listed(provider, kept.models)?;
                Ok(ModelList { models, age: Some(age), trouble: Some(error) })
            }
        }
    }

    /// Asks the provider, and keeps what it says.
    ///
    /// # Errors
    /// As [`Client::list_models`].
    pub async fn refresh(&self, client: &Client, provider: &str) -> Result<ModelList, Error> {
        let list = client.list_models(provider).await?;
        let told: Vec<_> = list.models.iter().filter_map(|model| model.told.clone()).collect();
        if let Some(url) = client.listed_at(provider)?
            && !told.is_empty()
        {
            let made = Shelf { interlingua: 1, asked: age(0).as_secs(), url, models: told };
            self.keep(&client.canonical(provider)?, &made);
        }
        Ok(list)
    }

    /// What lies on disk, if it is from where the provider would be asked today.
    fn kept(&self, client: &Client, provider: &str) -> Result<Option<Shelf>, Error> {
        let path = self.path(&client.canonical(provider)?);
        let url = client.listed_at(provider)?;
        let read = fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Shelf>(&bytes).ok());
        Ok(read.filter(|shelf| shelf.interlingua == 1 && Some(&shelf.url) == url.as_ref()))
    }

    /// Writes beside the file first, so that nobody reads half of it.
    fn keep(&self, provider: &str, made: &Shelf) {
        let path = self.path(provider);
        let part = path.with_extension(format!("{}.part", std::process::id()));
        let written = serde_json::to_vec(made).map_err(std::io::Error::other).and_then(|bytes| {
            fs::create_dir_all(&self.folder)?;
            fs::write(&part, bytes)?;
            fs::rename(&part, &path)
        });
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
    }

    fn path(&self, provider: &str) -> PathBuf {
        Path::new(&self.folder).join(format!("{provider}.json"))
    }
}

/// The time since a moment, which is given in seconds since 1970.
fn age(since: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from_secs(since))
}
