use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use interlingua_model::{Error, ErrorKind, Retry};

use crate::layer::notice::Seconds;

/// Why a layer did not let a call through. It is inside the [`Error`], which nothing was sent for.
///
/// ```
/// use interlingua::layer::Refusal;
///
/// # fn example(error: &interlingua::Error) {
/// if let Some(Refusal::BreakerOpen { scope, wait }) = Refusal::of(error) {
///     println!("{scope} is left alone for {} s more", wait.as_secs());
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Every key of a provider is left alone for now.
    KeysCooling {
        /// The id of the provider.
        provider: String,
        /// How long until the first of them may be used again.
        wait: Duration,
        /// What the last one of them failed with.
        kind: ErrorKind,
    },
    /// A rate limit would have to be waited for longer than is allowed.
    RateLimit {
        /// What the limit is for: `all`, a provider, or a model.
        scope: String,
        /// How long would have to be waited.
        wait: Duration,
    },
    /// Too many calls are under way, and none of them ended in time.
    Busy {
        /// What the limit is for: `all`, a provider, or a model.
        scope: String,
        /// How many calls may be under way.
        most: usize,
    },
    /// Too much failed, so that nothing is asked for a while.
    BreakerOpen {
        /// What is not asked: `all`, a provider, or a model.
        scope: String,
        /// How long until it is tried again.
        wait: Duration,
    },
    /// A budget is spent.
    BudgetSpent {
        /// What is spent: `money`, `tokens`, or `calls`.
        what: &'static str,
        /// How long until some of it is free again; `None` when it never is.
        wait: Option<Duration>,
    },
    /// A budget counts money, and nobody knows what the model costs.
    UnknownPrice {
        /// The model.
        model: String,
    },
}

impl Refusal {
    /// The refusal inside an error; `None` when it came from elsewhere.
    pub fn of(error: &Error) -> Option<&Self> {
        StdError::source(error)?.downcast_ref()
    }

    pub(crate) fn into_error(self) -> Error {
        let (kind, retry) = match &self {
            Self::KeysCooling { kind: ErrorKind::RateLimited, wait, .. } => {
                (ErrorKind::RateLimited, Retry::After(*wait))
            }
            Self::KeysCooling { kind, .. } => (*kind, Retry::Never),
            Self::RateLimit { wait, .. } => (ErrorKind::RateLimited, Retry::After(*wait)),
            Self::Busy { .. } => (ErrorKind::Overloaded, Retry::Soon),
            Self::BreakerOpen { wait, .. } => (ErrorKind::Overloaded, Retry::After(*wait)),
            Self::BudgetSpent { wait: Some(wait), .. } => (ErrorKind::QuotaExceeded, Retry::After(*wait)),
            Self::BudgetSpent { wait: None, .. } => (ErrorKind::QuotaExceeded, Retry::Never),
            Self::UnknownPrice { .. } => (ErrorKind::Configuration, Retry::Never),
        };
        Error::new(kind, self.to_string()).with_retry(retry).with_source(self)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeysCooling { provider, wait, .. } => {
                write!(f, "every key of {provider} has failed: the first may be used in {}", Seconds(*wait))
            }
            Self::RateLimit { scope, wait } => {
                write!(f, "the rate limit of {scope} is used up for {}", Seconds(*wait))
            }
            Self::Busy { scope, most } => {
                write!(f, "{most} calls of {scope} are under way, and none of them ended in time")
            }
            Self::BreakerOpen { scope, wait } => {
                write!(f, "{scope} failed too often and is not asked for {}", Seconds(*wait))
            }
            Self::BudgetSpent { what, wait: Some(wait) } => {
                write!(f, "the budget of {what} is spent; some is free again in {}", Seconds(*wait))
            }
            Self::BudgetSpent { what, wait: None } => write!(f, "the budget of {what} is spent"),
            Self::UnknownPrice { model } => write!(
                f,
                "the price of {model} is not known, and the budget counts money: add it to the catalogue, or allow \
                 unknown prices"
            ),
        }
    }
}

impl StdError for Refusal {}
