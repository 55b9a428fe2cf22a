use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use http::{HeaderMap, Uri};
use interlingua_model::{Error, Origin as Author};
use interlingua_wire::{Codec, Patch, Protocol, Provider, join, with_model};

use crate::Lookup;
use crate::named::Named;
use crate::origin::Origin;

/// Most models that are remembered; then all are forgotten. A gateway's clients may name any number.
const MOST: usize = 256;

/// Longest name of a model that is remembered.
const LONGEST: usize = 256;

/// How the models that were asked before are reached.
#[derive(Debug, Default)]
pub(crate) struct Routes(RwLock<Named<Arc<Route>>>);

/// What all calls to a model have in common, worked out once.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) provider: Arc<str>,
    pub(crate) model: Arc<str>,
    pub(crate) protocol: Protocol,
    pub(crate) codec: Box<dyn Codec>,
    /// Who answers.
    pub(crate) author: Author,
    /// What is known of the model.
    #[cfg(feature = "models")]
    known: OnceLock<Option<Box<interlingua_catalog::Model>>>,
    home: OnceLock<Home>,
}

/// Where the calls go, and what they all carry.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) base: String,
    pub(crate) origin: Option<Origin>,
    pub(crate) headers: HeaderMap,
    /// What is changed in each body.
    pub(crate) body: Patch,
    /// The path that was asked for first, which nearly always is the only one, and its address.
    first: OnceLock<(String, Uri)>,
}

impl Routes {
    /// The route to a model of a provider; `protocol` takes the place of the one that the row names.
    pub(crate) fn to(
        &self,
        provider: &Provider,
        model: &str,
        protocol: Option<Protocol>,
        word: &str,
    ) -> Result<Arc<Route>, Error> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(word).cloned();
        if let Some(route) = known.filter(|route| protocol.is_none_or(|asked| asked == route.protocol)) {
            return Ok(route);
        }
        let route = Arc::new(Route::new(provider, model, protocol)?);
        if protocol.is_none() && word.len() <= LONGEST {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(word.to_owned(), Arc::clone(&route));
        }
        Ok(route)
    }
}

impl Home {
    /// The address of a path; `parse` reads one that was not asked for before.
    pub(crate) fn address(
        &self,
        path: &str,
        parse: impl FnOnce(String) -> Result<Uri, Error>,
    ) -> Result<Uri, Error> {
        if let Some((_, uri)) = self.first.get().filter(|(known, _)| known == path) {
            return Ok(uri.clone());
        }
        let uri = parse(join(&self.base, path))?;
        self.first.get_or_init(|| (path.to_owned(), uri.clone()));
        Ok(uri)
    }
}

impl Route {
    fn new(provider: &Provider, model: &str, protocol: Option<Protocol>) -> Result<Self, Error> {
        let protocol = protocol.map_or_else(|| provider.protocol_for(model), Ok)?;
        let codec: Box<dyn Codec> = provider.codec(protocol, model)?;
        let author = Author::new(protocol.id(), &*provider.id, model);
        let (provider, model) = (Arc::from(&*provider.id), Arc::from(model));
        Ok(Self {
            provider,
            model,
            protocol,
            codec,
            author,
            #[cfg(feature = "models")]
            known: OnceLock::new(),
            home: OnceLock::new(),
        })
    }

    /// Where the calls go, by the row, the program and the environment, which is read once.
    pub(crate) fn home<'i>(
        &self,
        provider: &Provider,
        root: impl FnOnce() -> Option<&'i str>,
        lookup: &Lookup,
    ) -> Result<&Home, Error> {
        if let Some(home) = self.home.get() {
            return Ok(home);
        }
        let base = with_model(provider.base_url(self.protocol, root(), lookup)?, &self.model);
        let (origin, headers) = (Origin::parse(&base), provider.static_headers(lookup)?);
        let body = provider.body_patch(&self.model, lookup)?;
        Ok(self.home.get_or_init(|| Home { base, origin, headers, body, first: OnceLock::new() }))
    }

    /// What the catalogue of a client knows of the model, looked up once.
    #[cfg(feature = "models")]
    pub(crate) fn known(&self, inner: &crate::client::Inner) -> Option<&interlingua_catalog::Model> {
        let find = || inner.catalog().find(&self.provider, &self.model).map(Box::new);
        self.known.get_or_init(find).as_deref()
    }

    /// An error with the name of whom it came from.
    pub(crate) fn sign(&self, error: Error) -> Error {
        error.with_target(&self.provider, &self.model)
    }
}
