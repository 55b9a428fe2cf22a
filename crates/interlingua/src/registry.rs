use std::sync::Arc;

use interlingua_model::{Error, ErrorKind};
use interlingua_wire::{Provider, catalog};

use crate::Backend;
use crate::backend::Asked;

/// Every provider that a client knows: rows of its own, models in the process, the built-in table.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    rows: Vec<Provider>,
    /// What is wrong with the rows that were added.
    wrong: Vec<(String, Error)>,
    backends: Vec<(String, Box<dyn Asked>)>,
}

/// Who answers.
pub(crate) enum Answerer<'a> {
    Provider(&'a Provider),
    Backend(&'a str, &'a dyn Asked),
}

impl Registry {
    /// Adds a row, or replaces the one of the same id.
    pub(crate) fn add(&mut self, row: Provider) {
        self.rows.retain(|known| known.id != row.id);
        self.wrong.retain(|(id, _)| *id != row.id);
        if let Err(error) = row.check() {
            self.wrong.push((row.id.to_string(), error));
        }
        self.rows.push(row);
    }

    /// Says what is wrong with the rows that were added.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        if self.wrong.is_empty() { Ok(()) } else { Err(self.wrong.swap_remove(0).1) }
    }

    /// Adds a model in the process, or replaces the one of the same id.
    pub(crate) fn add_backend(&mut self, id: String, backend: Arc<dyn Backend>) {
        self.backends.retain(|(known, _)| *known != id);
        self.backends.push((id, Box::new(backend)));
    }

    /// All rows, those of the program first.
    pub(crate) fn providers<'s>(&'s self) -> impl Iterator<Item = &'s Provider> {
        let built_in = |row: &'static Provider| -> Option<&'s Provider> {
            (!self.rows.iter().any(|own| own.id == row.id)).then_some(row)
        };
        self.rows.iter().chain(catalog::all().filter_map(built_in))
    }

    /// The row that a word means.
    pub(crate) fn provider(&self, word: &str) -> Result<&Provider, Error> {
        let own = || self.rows.iter().find(|row| row.answers_to(word));
        let exact = self.rows.iter().find(|row| row.id == word);
        exact.or_else(own).or_else(|| catalog::find(word)).ok_or_else(|| self.unknown(word))
    }

    /// Who answers to the word before the slash.
    pub(crate) fn answerer(&self, word: &str) -> Result<Answerer<'_>, Error> {
        match self.backend(word) {
            Some((id, backend)) => Ok(Answerer::Backend(id, backend)),
            None => self.provider(word).map(Answerer::Provider),
        }
    }

    /// The id of the provider and the name of the model that `provider/model` means.
    pub(crate) fn target<'s, 'w: 's>(&'s self, model: &'w str) -> Result<(&'s str, &'w str), Error> {
        let (word, model) = self.split(model)?;
        Ok(match self.answerer(word)? {
            Answerer::Provider(provider) => (&*provider.id, model),
            Answerer::Backend(id, _) => (id, model),
        })
    }

    /// The model in the process of this id.
    pub(crate) fn backend(&self, word: &str) -> Option<(&str, &dyn Asked)> {
        self.backends.iter().find(|(id, _)| id == word).map(|(id, backend)| (id.as_str(), &**backend))
    }

    /// Takes `provider/model` apart at the first slash; the name of a model may hold more of them.
    pub(crate) fn split<'w>(&self, model: &'w str) -> Result<(&'w str, &'w str), Error> {
        match model.split_once('/') {
            Some((provider, name)) if !provider.is_empty() && !name.is_empty() => Ok((provider, name)),
            _ => Err(self.no_target(model)),
        }
    }

    fn no_target(&self, word: &str) -> Error {
        let word = word.trim_matches('/');
        let example = match self.provider(word) {
            Ok(row) if row.default_model.is_empty() => format!("{}/MODEL", row.id),
            Ok(row) => format!("{}/{}", row.id, row.default_model),
            Err(_) if word.is_empty() => "openai/MODEL".to_owned(),
            Err(_) => format!("openai/{word}"),
        };
        let message = format!("the model `{word}` must be written as provider/model, for instance {example}");
        Error::new(ErrorKind::Configuration, message)
    }

    fn unknown(&self, word: &str) -> Error {
        if catalog::is_left_out(word) {
            let message = format!(
                "`{word}` speaks Chat Completions, which are not part of this program: build it with the feature \
                 `openai-chat`"
            );
            return Error::new(ErrorKind::Unsupported, message);
        }
        let ids = self.backends.iter().map(|(id, _)| id.as_str());
        let near = catalog::nearest(word, self.providers(), ids);
        let advice = match near.as_slice() {
            [] => String::new(),
            [rest @ .., last] => {
                let quoted: Vec<_> = rest.iter().map(|id| format!("`{id}`, ")).collect();
                format!(": did you mean {}`{last}`?", quoted.concat())
            }
        };
        let message = format!("there is no provider `{word}`{advice}");
        Error::new(ErrorKind::Configuration, message)
    }
}
