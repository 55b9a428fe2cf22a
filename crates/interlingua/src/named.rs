//! Values by name.

/// Some hundred values by name, sorted: a tenth of the code of a map.
#[derive(Debug, Clone)]
pub(crate) struct Named<T>(Vec<(String, T)>);

impl<T> Named<T> {
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

    /// The value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.0.get(self.find(name).ok()?).map(|(_, value)| value)
    }

    /// Gives a name a value, in place of one that it has.
    pub(crate) fn insert(&mut self, name: String, value: T) {
        match self.find(&name) {
            Ok(at) => {
                if let Some((_, old)) = self.0.get_mut(at) {
                    *old = value;
                }
            }
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// The same values by names that are written otherwise.
    pub(crate) fn renamed<E>(self, rename: impl Fn(String) -> Result<String, E>) -> Result<Self, E> {
        let mut renamed = Self::new();
        for (name, value) in self.0 {
            renamed.insert(rename(name)?, value);
        }
        Ok(renamed)
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self::new()
    }
}
