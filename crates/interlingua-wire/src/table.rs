use std::borrow::Borrow;

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use crate::fields::{Field, Name, wrong};

/// Some values by name in a row or a dialect, sorted by their names.
///
/// It serializes as an object. It is a list inside: there are never many of them, and a map of the standard library is much
/// code for each kind of value.
///
/// ```
/// use interlingua_wire::{Patch, Protocol, Table};
///
/// let mut dialects = Table::new();
/// dialects.insert(Protocol::Anthropic, Patch::default());
/// assert!(dialects.get(&Protocol::Anthropic).is_some_and(Patch::is_empty));
/// assert!(dialects.get(&Protocol::Gemini).is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<K, V>(Vec<(K, V)>);

impl<K, V> Table<K, V> {
    /// An empty table.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether there is no value.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names and their values in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (K, V)> {
        self.0.iter()
    }
}

impl<K: Ord, V> Table<K, V> {
    /// The value of a name.
    pub fn get<Q: Ord + ?Sized>(&self, name: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.0.binary_search_by(|(known, _)| known.borrow().cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Gives a name a value, in place of one that it has.
    pub fn insert(&mut self, name: K, value: V) {
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(at) => {
                if let Some((_, old)) = self.0.get_mut(at) {
                    *old = value;
                }
            }
            Err(at) => self.0.insert(at, (name, value)),
        }
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> IntoIterator for Table<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a Table<K, V> {
    type Item = &'a (K, V);
    type IntoIter = std::slice::Iter<'a, (K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Table<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut table = Self::new();
        pairs.into_iter().for_each(|(name, value)| table.insert(name, value));
        table
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Table<K, V> {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Table<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<K: Name, V: Field> Field for Table<K, V> {
    fn read(value: Value) -> Result<Self, String> {
        let Value::Object(fields) = value else { return Err(wrong(&value, "a table")) };
        let mut table = Self::new();
        for (name, value) in fields {
            let value = V::read(value).map_err(|why| format!("{name}: {why}"))?;
            table.insert(K::of(name)?, value);
        }
        Ok(table)
    }
}
