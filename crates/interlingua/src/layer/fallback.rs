use std::error::Error as StdError;
use std::fmt;

use interlingua_model::{Error, ErrorKind, Retry};

use crate::layer::{Ask, Layer, Next, Notice};
use crate::{BoxFuture, Events};

/// Asks another model where one fails before it has begun to answer.
///
/// The model of the request is asked first, then those of its chain in their order. A failure moves on when it may pass,
/// and when the key, the quota or the model is at fault ([`ErrorKind::Authentication`], [`ErrorKind::Permission`],
/// [`ErrorKind::QuotaExceeded`], [`ErrorKind::NotFound`]); never, unless it is asked for, when the request is. Once a piece
/// of content was there, no other model is asked, and a failure is handed out as it is.
///
/// The call resolves with the first piece of content. Another provider gets neither key, base URL, protocol, headers nor
/// body fields of the [`Options`](crate::Options): they were meant for the first one.
///
/// ```
/// use interlingua::layer::Fallback;
/// use interlingua::{Client, ErrorKind};
///
/// let fallback = Fallback::to(["openai/gpt-6-sol", "groq/llama-4"])
///     .of("openai/gpt-6-sol", ["anthropic/claude-opus-5-5"])
///     .on([ErrorKind::ContextOverflow]);
/// let client = Client::builder().layer(fallback).build()?;
/// # Ok::<(), interlingua::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Fallback {
    to: Vec<String>,
    chains: Vec<(String, Vec<String>)>,
    on: Vec<ErrorKind>,
    not_on: Vec<ErrorKind>,
}

/// Every attempt of a call for which no model was left: inside its [`Error`], whose kind is that of the last one.
///
/// ```
/// # fn example(error: &interlingua::Error) {
/// for attempt in interlingua::layer::Attempts::of(error).into_iter().flatten() {
///     println!("{}: {}", attempt.model, attempt.error);
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Attempts(Vec<Attempt>);

/// A model that was asked in vain.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The model, as it was asked for.
    pub model: String,
    /// What it failed with.
    pub error: Error,
}

impl Fallback {
    /// Asks these models, in this order, after the one that the request names.
    pub fn to<M: Into<String>>(models: impl IntoIterator<Item = M>) -> Self {
        Self { to: models.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Asks these models after a certain one, in place of the others. With none, it has no fallback.
    #[must_use]
    pub fn of<M: Into<String>>(mut self, model: impl Into<String>, to: impl IntoIterator<Item = M>) -> Self {
        self.chains.push((model.into(), to.into_iter().map(Into::into).collect()));
        self
    }

    /// Moves on after errors of these kinds as well.
    #[must_use]
    pub fn on(mut self, kinds: impl IntoIterator<Item = ErrorKind>) -> Self {
        self.on.extend(kinds);
        self
    }

    /// Does not move on after errors of these kinds.
    #[must_use]
    pub fn not_on(mut self, kinds: impl IntoIterator<Item = ErrorKind>) -> Self {
        self.not_on.extend(kinds);
        self
    }

    fn chain(&self, model: &str) -> &[String] {
        let own = self.chains.iter().rev().find(|(of, _)| of == model);
        own.map_or(&self.to, |(_, chain)| chain)
    }

    fn moves_on(&self, error: &Error) -> bool {
        use ErrorKind::{Authentication, NotFound, Permission, QuotaExceeded};
        let kind = error.kind();
        let by_default = error.retry().is_allowed()
            || matches!(kind, Authentication | Permission | QuotaExceeded | NotFound);
        !self.not_on.contains(&kind) && (by_default || self.on.contains(&kind))
    }

    async fn answer(&self, ask: Ask<'_>, next: Next<'_>) -> Result<Events, Error> {
        let mut model = ask.request.model.clone();
        let mut rest = self.chain(&model).iter().filter(|other| **other != ask.request.model);
        let mut failed = Vec::new();
        loop {
            let error = match next.begin(ask.to_model(&model, next)).await {
                Ok(events) => return Ok(events),
                Err(error) => error,
            };
            let to = if self.moves_on(&error) { rest.next() } else { None };
            if let Some(to) = to {
                let (from, to, kind) = (model.clone(), to.clone(), error.kind());
                next.tell(Notice::FellBack { from, to, kind, reason: error.to_string() });
            }
            failed.push(Attempt { model, error });
            let Some(to) = to else { return Err(Attempts(failed).into_error()) };
            model = to.clone();
        }
    }
}

impl Layer for Fallback {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(self.answer(ask, next))
    }
}

impl Attempts {
    /// The attempts inside an error; `None` when it has none.
    pub fn of(error: &Error) -> Option<&Self> {
        StdError::source(error)?.downcast_ref()
    }

    /// The attempts, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Attempt> {
        self.0.iter()
    }

    /// The error of them all; a single attempt is its own.
    fn into_error(mut self) -> Error {
        if self.0.len() < 2
            && let Some(only) = self.0.pop()
        {
            return only.error;
        }
        let last = self.0.last().map(|attempt| &attempt.error);
        let kind = last.map_or(ErrorKind::Configuration, Error::kind);
        let status = last.and_then(Error::status);
        let error = Error::new(kind, format!("no model answered: {self}")).with_retry(self.retry());
        match status {
            Some(status) => error.with_status(status).with_source(self),
            None => error.with_source(self),
        }
    }

    /// When one of the models may answer again.
    fn retry(&self) -> Retry {
        let wait = |attempt: &Attempt| match attempt.error.retry() {
            Retry::Soon => Some(std::time::Duration::ZERO),
            Retry::After(wait) => Some(wait),
            _ => None,
        };
        match self.0.iter().filter_map(wait).min() {
            None => Retry::Never,
            Some(wait) if wait.is_zero() => Retry::Soon,
            Some(wait) => Retry::After(wait),
        }
    }
}

impl<'a> IntoIterator for &'a Attempts {
    type Item = &'a Attempt;
    type IntoIter = std::slice::Iter<'a, Attempt>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Attempt { model, error }) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{model}: {}", error.message())?;
            if let Some(status) = error.status() {
                write!(f, " (HTTP {status})")?;
            }
        }
        Ok(())
    }
}

impl StdError for Attempts {}
