use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::layer::cache::entry::Entry;

/// Answers in memory, of which those that were used longest ago make room.
#[derive(Debug)]
pub(crate) struct Memory {
    room: u64,
    taken: u64,
    slots: BTreeMap<String, Slot>,
    /// The names by when they were used last.
    used: BTreeMap<u64, String>,
    clock: u64,
}

#[derive(Debug)]
struct Slot {
    entry: Arc<Entry>,
    kept: Instant,
    weight: u64,
    used: u64,
}

impl Memory {
    pub(crate) fn new(room: u64) -> Self {
        Self { room, taken: 0, slots: BTreeMap::new(), used: BTreeMap::new(), clock: 0 }
    }

    pub(crate) const fn room(&self) -> u64 {
        self.room
    }

    /// An answer that is fresh, and its age.
    pub(crate) fn get(&mut self, key: &str, fresh: Duration) -> Option<(Arc<Entry>, Duration)> {
        self.clock += 1;
        let now = self.clock;
        let slot = self.slots.get_mut(key)?;
        let age = slot.kept.elapsed();
        if age >= fresh {
            self.remove(key);
            return None;
        }
        self.used.remove(&slot.used);
        slot.used = now;
        self.used.insert(now, key.to_owned());
        Some((Arc::clone(&slot.entry), age))
    }

    pub(crate) fn put(&mut self, key: &str, entry: Entry, weight: u64) {
        self.remove(key);
        self.clock += 1;
        self.taken = self.taken.saturating_add(weight);
        self.used.insert(self.clock, key.to_owned());
        let slot = Slot { entry: Arc::new(entry), kept: Instant::now(), weight, used: self.clock };
        self.slots.insert(key.to_owned(), slot);
        while self.taken > self.room {
            let Some((_, oldest)) = self.used.first_key_value() else { break };
            let oldest = oldest.clone();
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some(slot) = self.slots.remove(key) {
            self.used.remove(&slot.used);
            self.taken = self.taken.saturating_sub(slot.weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use interlingua_model::Origin;

    use super::*;
    use crate::Meta;

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let entry = || Entry::new(Origin::new("", "p", "m"), &Meta::default(), Vec::new());
        let mut memory = Memory::new(100);
        let has = |memory: &mut Memory, key: &str| memory.get(key, Duration::from_secs(60)).is_some();
        for key in ["a", "b", "c", "d"] {
            memory.put(key, entry(), 25);
        }
        assert!(has(&mut memory, "a"));
        memory.put("e", entry(), 25);
        assert!(!has(&mut memory, "b") && has(&mut memory, "a"));
        memory.put("a", entry(), 50);
        assert_eq!(memory.taken, memory.slots.values().map(|slot| slot.weight).sum::<u64>());
        assert!(memory.taken <= 100 && memory.slots.len() == memory.used.len());
        assert!(memory.get("a", Duration::ZERO).is_none(), "it is no longer fresh");
        assert!(!has(&mut memory, "a"), "and is gone");
    }
}
