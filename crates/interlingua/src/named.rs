//! Values by name.

use std::borrow::Borrow;

/// Some hundred values by name, or by another key, sorted: a tenth of the code of a map.
#[derive(Debug, Clone)]
pub(crate) struct Named<T, K = String>(Vec<(K, T)>);

impl<T, K> Named<T, K> {
    /// No values.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps those of which the function says so.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        self.0.retain_mut(|(_, value)| keep(value));
    }
}

impl<T, K: Ord> Named<T, K> {
    /// The value of a name.
    pub(crate) fn get<N: Ord + ?Sized>(&self, name: &N) -> Option<&T>
    where
        K: Borrow<N>,
    {
        self.0.get(self.find(name).ok()?).map(|(_, value)| value)
    }

    /// The value of a name.
    pub(crate) fn get_mut<N: Ord + ?Sized>(&mut self, name: &N) -> Option<&mut T>
    where
        K: Borrow<N>,
    {
        let at = self.find(name).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Gives a name a value, in place of one that it has.
    pub(crate) fn insert(&mut self, name: K, value: T) {
        match self.find(&name) {
            Ok(at) => {
                if let Some((_, old)) = self.0.get_mut(at) {
                    *old = value;
                }
            }
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    fn find<N: Ord + ?Sized>(&self, name: &N) -> Result<usize, usize>
    where
        K: Borrow<N>,
    {
        self.0.binary_search_by(|(known, _)| known.borrow().cmp(name))
    }
}

impl<T> Named<T> {
    /// Gives each value another name.
    pub(crate) fn rename<E>(&mut self, rename: &dyn Fn(&str) -> Result<String, E>) -> Result<(), E> {
        for (name, value) in std::mem::take(&mut self.0) {
            self.insert(rename(&name)?, value);
        }
        Ok(())
    }
}

impl<T, K> Default for Named<T, K> {
    fn default() -> Self {
        Self::new()
    }
}
