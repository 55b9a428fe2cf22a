//! Values by number.

use std::collections::BTreeMap;

/// A map from numbers, in their order. All such maps share the code of one: that of where each value stands.
#[derive(Debug)]
pub(crate) struct Places<T> {
    at: BTreeMap<u64, usize>,
    list: Vec<(u64, T)>,
}

impl<T> Places<T> {
    /// Whether there is no value.
    pub(crate) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether a number has a value.
    pub(crate) fn contains(&self, number: u64) -> bool {
        self.at.contains_key(&number)
    }

    /// The value of a number.
    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let at = self.at.get(&number)?;
        self.list.get_mut(*at).map(|(_, value)| value)
    }

    /// The value of the highest number.
    pub(crate) fn last(&self) -> Option<&T> {
        let (_, at) = self.at.last_key_value()?;
        self.list.get(*at).map(|(_, value)| value)
    }

    /// The value of a number, or this one if it has none.
    #[expect(clippy::indexing_slicing, reason = "the index was just found or filled")]
    pub(crate) fn get_or_insert(&mut self, number: u64, value: T) -> &mut T {
        let at = *self.at.entry(number).or_insert(self.list.len());
        if at == self.list.len() {
            self.list.push((number, value));
        }
        &mut self.list[at].1
    }

    /// Gives a number a value, in place of one that it has.
    pub(crate) fn insert(&mut self, number: u64, value: T) {
        if let Some(old) = self.get_mut(number) {
            *old = value;
        } else {
            self.get_or_insert(number, value);
        }
    }

    /// Removes and returns the value of a number.
    pub(crate) fn remove(&mut self, number: u64) -> Option<T> {
        let at = self.at.remove(&number)?;
        let (_, value) = self.list.swap_remove(at);
        if let Some((moved, _)) = self.list.get(at) {
            self.at.insert(*moved, at);
        }
        Some(value)
    }

    /// Removes all values, and looks at each in the order of the numbers.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(&mut T)) {
        for (_, at) in std::mem::take(&mut self.at) {
            if let Some((_, value)) = self.list.get_mut(at) {
                each(value);
            }
        }
        self.list.clear();
    }
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { at: BTreeMap::new(), list: Vec::new() }
    }
}

/// Words, and a number for each.
#[derive(Debug, Default)]
pub(crate) struct Words(BTreeMap<String, usize>);

impl Words {
    /// The number of a word.
    pub(crate) fn get(&self, word: &str) -> Option<usize> {
        self.0.get(word).copied()
    }

    /// Gives a word a number, and returns the one that it had.
    pub(crate) fn set(&mut self, word: &str, number: usize) -> Option<usize> {
        if let Some(known) = self.0.get_mut(word) {
            return Some(std::mem::replace(known, number));
        }
        self.0.insert(word.to_owned(), number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_with_their_numbers() {
        let mut places = Places::default();
        for number in [7, 3, u64::MAX, 5] {
            places.insert(number, number.to_string());
        }
        places.insert(3, "three".to_owned());
        assert_eq!(places.remove(7).as_deref(), Some("7"));
        assert_eq!(places.remove(7), None);
        assert_eq!(places.get_mut(5).map(|text| text.clone()).as_deref(), Some("5"));
        assert_eq!(places.last().map(String::as_str), Some("18446744073709551615"));
        let mut seen = Vec::new();
        places.drain(|text| seen.push(text.clone()));
        assert_eq!(seen, ["three", "5", "18446744073709551615"]);
        assert!(places.is_empty() && !places.contains(5));
    }
}
