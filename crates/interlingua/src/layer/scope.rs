use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use interlingua_model::Error;

use crate::layer::{Ask, Next};

/// What a layer counts together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// All calls.
    All,
    /// Those to a provider.
    #[default]
    Provider,
    /// Those to a model of a provider.
    Model,
}

impl Scope {
    /// The name of what a call belongs to: `all`, the id of a provider, or that and the model.
    pub(crate) fn name(self, ask: &Ask<'_>, next: Next<'_>) -> Result<String, Error> {
        if self == Self::All {
            return Ok("all".to_owned());
        }
        let (provider, model) = next.client().0.registry.target(&ask.request.model)?;
        Ok(if self == Self::Provider { provider.to_owned() } else { format!("{provider}/{model}") })
    }
}

/// What a layer keeps for each of its scopes. Those that hold nothing are forgotten when there are many.
#[derive(Debug)]
pub(crate) struct Scoped<T>(Mutex<BTreeMap<String, Arc<T>>>);

/// Most scopes before the idle ones are forgotten. A gateway's clients may name any number of models.
const MANY: usize = 256;

impl<T> Scoped<T> {
    /// What is kept for a scope, made where there is nothing yet.
    pub(crate) fn get(&self, name: &str, make: impl FnOnce() -> T, is_idle: impl Fn(&T) -> bool) -> Arc<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = all.get(name) {
            return Arc::clone(kept);
        }
        if all.len() >= MANY {
            all.retain(|_, kept| Arc::strong_count(kept) > 1 || !is_idle(kept));
        }
        let fresh = Arc::new(make());
        all.insert(name.to_owned(), Arc::clone(&fresh));
        fresh
    }
}

impl<T> Default for Scoped<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_scopes_are_forgotten_and_busy_ones_are_not() {
        let scopes = Scoped::default();
        let held = scopes.get("held", || 0, |_| true);
        scopes.get("busy", || 1, |_| true);
        for number in 0..1000 {
            scopes.get(&number.to_string(), || 0, |kept| *kept == 0);
        }
        let all = scopes.0.lock().unwrap();
        assert!(all.len() <= MANY + 1, "{}", all.len());
        assert!(all.contains_key("busy") && Arc::ptr_eq(&all["held"], &held));
    }
}
