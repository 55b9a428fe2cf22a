//! Decisions: typed questions about an input, answered with probabilities.

use std::sync::Arc;

use interlingua_model::{Error, ErrorKind};
use interlingua_wire::decision::{Asked, Decided};
use interlingua_wire::{Decisions, Provider};

use crate::exchange::Call;
use crate::plan::{self, Draft};
use crate::registry::Answerer;
use crate::{Client, Options, exchange};

impl Client {
    /// Asks typed questions about an input, of a provider whose row says where it decides. The model is written
    /// `provider/model`; a call is made again as any other, and passes no [layer](crate::layer::Layer).
    ///
    /// ```
    /// # use std::io::{Read as _, Write as _};
    /// use interlingua::decision::{Answered, Asked, Question};
    /// use interlingua::{Client, Message};
    ///
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = format!("http://{}", server.local_addr()?);
    /// # std::thread::spawn(move || {
    /// #     let (mut stream, _) = server.accept().unwrap();
    /// #     let _ = stream.read(&mut [0; 4096]).unwrap();
    /// #     let body = r#"{"answers":{"urgent":{"type":"noul","noul":0.93}}}"#;
    /// #     write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    /// # });
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async move {
    /// let client = Client::builder().env(|_| None).base_url("ollama", address).build()?;
    /// let question = Question::predicate("Is it urgent?").named("urgent");
    /// let asked = Asked::new("ollama/decider", Message::user("The house is on fire!")).question(question);
    /// let decided = client.decide(&asked).await?;
    /// assert_eq!(decided.answers[0].answered, Answered::Predicate { probability: 0.93 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the provider decides nothing, [`ErrorKind::InvalidRequest`] without a question,
    /// [`ErrorKind::Protocol`] when the body holds no answers, and everything that can go wrong with a call.
    pub async fn decide(&self, asked: &Asked) -> Result<Decided, Error> {
        self.decide_with(asked, Options::none()).await
    }

    /// Asks typed questions about an input, with options.
    ///
    /// # Errors
    /// As [`decide`](Self::decide), and [`ErrorKind::Unsupported`] in strict mode for what cannot be said.
    pub async fn decide_with(&self, asked: &Asked, options: &Options) -> Result<Decided, Error> {
        let (word, model) = self.0.registry.split(&asked.model)?;
        let (provider, decisions) = self.decider(word)?;
        let route = self.0.routes.to(provider, model, options.protocol, &asked.model)?;
        let mut bare = asked.clone();
        model.clone_into(&mut bare.model);
        let mut encoded = decisions.style.encode(&bare).map_err(|error| route.sign(error))?;
        let warnings = std::mem::take(&mut encoded.warnings);
        if options.strict.unwrap_or(self.0.settings.strict) {
            plan::refuse(&warnings).map_err(|error| route.sign(error))?;
        }
        let root = options.base_url.as_deref().or_else(|| self.0.base_url(provider));
        let url = provider.decisions_url(root, &*self.0.lookup)?.unwrap_or_default();
        let draft = Draft::beside(provider, Arc::clone(&route), encoded, url, options)?;
        let plan = draft.authorized(&self.0, options).await?;
        let body = exchange::whole(Call::new(Arc::clone(&self.0), plan)).await?;
        let mut decided = decisions.style.decode(&bare, &body).map_err(|error| route.sign(error))?;
        decided.warnings = warnings;
        Ok(decided)
    }

    /// The row that a word means, and where it decides.
    fn decider(&self, word: &str) -> Result<(&Provider, &Decisions), Error> {
        let none = |id: &str| {
            let others = self.providers().filter(|row| row.decisions.is_some()).map(|row| &*row.id);
            let others = others.collect::<Vec<_>>().join(", ");
            Error::new(
                ErrorKind::Unsupported,
                format!("`{id}` decides no typed questions; those that do: {others}"),
            )
        };
        match self.0.registry.answerer(word)? {
            Answerer::Provider(provider) => {
                provider.decisions.as_ref().map(|found| (provider, found)).ok_or_else(|| none(&provider.id))
            }
            Answerer::Backend(id, _) => Err(none(id)),
        }
    }
}
