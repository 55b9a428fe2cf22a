use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use interlingua_model::{Error, ErrorKind, Request};

use crate::answer::{Answer, Job};
use crate::error::{ContextOverflow, Error as FileError};
use crate::gguf::Gguf;
use crate::prompt::Template;
use crate::tokenizer::Tokenizer;
use crate::transformer::{Cache, Transformer};

/// A chat model in memory, ready to answer.
///
/// Clones share the weights. Each answer is made on a thread of its own; the keys and values of the last conversation
/// are kept, so that the next turn of the same one reads only what is new.
#[derive(Clone)]
pub struct LocalModel(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) transformer: Transformer,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) pool: rayon::ThreadPool,
    pub(crate) memory: Mutex<Option<Remembered>>,
    template: Template,
}

/// A conversation whose keys and values are at hand.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) tokens: Vec<u32>,
    pub(crate) cache: Cache,
}

impl LocalModel {
    /// Reads a GGUF file. This takes as long as reading the file does, and blocks.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such file, [`ErrorKind::Io`] when it cannot be read, [`ErrorKind::Model`] when it is no GGUF file, is damaged or cut, or
    /// is of an architecture, a tensor format or a tokenizer that is not supported, or has no chat template.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let described = |error: FileError| {
            let error = Error::from(error);
            Error::new(error.kind(), format!("{}: {}", path.display(), error.message()))
        };
        let file = File::open(path).map_err(|error| described(error.into()))?;
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        Self::read(file, name).map_err(described)
    }

    /// How the file is called, without its ending.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Tokens that fit into the context, prompt and answer together.
    pub fn context(&self) -> usize {
        self.0.transformer.shape.context
    }

    /// Tokens of a text.
    pub fn count_tokens(&self, text: &str) -> usize {
        self.0.tokenizer.encode(text).len()
    }

    /// Begins an answer. Dropping it stops the model.
    ///
    /// `request.model` is not looked at. The answer ends at the end of turn, at a stop sequence, at `max_output` tokens (2048 when none are named) or
    /// where the context is full.
    ///
    /// # Errors
    /// [`ErrorKind::ContextOverflow`], with [`ContextOverflow`] as its source, when the prompt does not fit; [`ErrorKind::Model`] when the chat
    /// template refuses the conversation.
    pub fn stream(&self, request: &Request) -> Result<Answer, Error> {
        let inner = &self.0;
        let written = |id: Option<u32>| id.map_or("", |id| inner.tokenizer.written(id));
        let (bos, eos) = (written(inner.tokenizer.bos), written(inner.tokenizer.eos));
        let (text, warnings) =
            inner.template.render(request, bos, eos, &|text| inner.tokenizer.guard(text))?;
        let prompt = inner.tokenizer.encode_prompt(&text);
        let context = self.context();
        if prompt.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidRequest,
                "the conversation is empty; there is nothing to answer",
            ));
        }
        if prompt.len() >= context {
            let figures = ContextOverflow { input: prompt.len(), context };
            let message = format!("{figures}; shorten it or take a model with a larger context");
            let error = Error::new(ErrorKind::ContextOverflow, message).with_source(figures);
            return Err(error.with_target("local", &inner.name));
        }
        Answer::begin(Job::new(Arc::clone(inner), prompt, request, warnings))
    }

    /// Reads a GGUF file from anything that can be read and sought.
    pub(crate) fn read(source: impl std::io::Read + std::io::Seek, name: String) -> Result<Self, FileError> {
        let mut gguf = Gguf::read(source)?;
        let template = gguf
            .text("tokenizer.chat_template")
            .ok_or_else(|| FileError::missing("tokenizer.chat_template"))?;
        let template = Template::new(template.to_owned())?;
        // The architecture is looked at first: a tokenizer may be missing because the file is no language model.
        crate::shape::Shape::read(&mut gguf)?;
        let tokenizer = Tokenizer::read(&gguf)?;
        let transformer = Transformer::load(&mut gguf)?;
        let pool = rayon::ThreadPoolBuilder::new().thread_name(|index| format!("model-{index}")).build();
        let pool = pool.map_err(|error| FileError::new(format!("threads cannot be started: {error}")))?;
        Ok(Self(Arc::new(Inner { name, transformer, tokenizer, pool, memory: Mutex::new(None), template })))
    }
}

impl Inner {
    /// Takes the remembered conversation, cut to what it has in common with `prompt` less its last token, which has to
    /// be run in any case to know what follows it.
    pub(crate) fn recall(&self, prompt: &[u32]) -> Remembered {
        let taken = self.memory.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut remembered) = taken else {
            return Remembered { tokens: Vec::new(), cache: Cache::default() };
        };
        let common = remembered.tokens.iter().zip(prompt).take_while(|(old, new)| old == new).count();
        let common = common.min(prompt.len().saturating_sub(1));
        remembered.tokens.truncate(common);
        self.transformer.rewind(&mut remembered.cache, common);
        remembered
    }

    /// Keeps a conversation for the next turn.
    pub(crate) fn remember(&self, remembered: Remembered) {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(remembered);
    }
}

impl fmt::Debug for LocalModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalModel")
            .field("name", &self.0.name)
            .field("context", &self.context())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "../tests/it/gguf.rs"]
#[expect(dead_code, reason = "the integration tests use more of it")]
mod files;

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;

    fn model(family: &str) -> LocalModel {
        LocalModel::read(Cursor::new(files::model(family)), family.to_owned()).unwrap()
    }

    #[test]
    fn a_pass_that_is_stopped_leaves_the_cache_as_it_was() {
        for family in files::FAMILIES {
            let model = model(family);
            let (transformer, mut cache) = (&model.0.transformer, Cache::default());
            let go = || false;
            transformer.forward(&[1, 2, 3], &mut cache, &go).unwrap();
            for looks in 0..2 {
                let looked = AtomicUsize::new(0);
                let stop = || looked.fetch_add(1, Ordering::Relaxed) >= looks;
                assert!(transformer.forward(&[4, 5], &mut cache, &stop).is_none(), "{family}: it ran on");
                assert_eq!(cache.len(), 3);
            }
            let mut fresh = Cache::default();
            let whole = transformer.forward(&[1, 2, 3, 4, 5], &mut fresh, &go).unwrap();
            let after = transformer.forward(&[4, 5], &mut cache, &go).unwrap();
            for (whole, after) in whole.iter().zip(&after) {
                assert!((whole - after).abs() < 1e-3, "{family}: {whole} became {after}");
            }
        }
    }

    #[test]
    fn the_thread_of_a_dropped_answer_ends() {
        let model = model("llama");
        drop(model.stream(&Request::new("tiny").user("the thin man")).unwrap());
        let patience = Instant::now() + Duration::from_secs(60);
        while Arc::strong_count(&model.0) > 1 {
            assert!(Instant::now() < patience, "the model runs on although nobody listens");
            std::thread::yield_now();
        }
    }
}
