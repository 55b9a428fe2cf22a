/// Most fields that are kept.
const KEPT: usize = 256;

/// The fields of a stream whose meaning is not known, with their last values, so that one that every chunk repeats is reported
/// once.
#[derive(Debug, Default)]
pub(super) struct Seen {
    fields: Vec<(Box<str>, Box<str>)>,
    /// How many of them were said at the start.
    early: usize,
    /// Those that were said at the start and have another value since: their place, and the value that they began with.
    changed: Vec<(usize, Box<str>)>,
}

impl Seen {
    /// Whether a field has another value than before. One that is not kept always has.
    pub(super) fn is_news(&mut self, name: &str, value: &str) -> bool {
        let Some(place) = self.place(name) else {
            if self.fields.len() < KEPT {
                self.fields.push((name.into(), value.into()));
            }
            return true;
        };
        let Some((_, last)) = self.fields.get_mut(place).filter(|(_, last)| **last != *value) else {
            return false;
        };
        let before = std::mem::replace(last, value.into());
        if place < self.early && self.changed.iter().all(|(changed, _)| *changed != place) {
            self.changed.push((place, before));
        }
        true
    }

    /// Whether a field is new and one more than are kept.
    pub(super) fn is_too_many(&self, name: &str) -> bool {
        self.fields.len() >= KEPT && self.place(name).is_none()
    }

    /// Says that what is kept so far was said at the start.
    pub(super) fn begin(&mut self) {
        self.early = self.fields.len();
    }

    /// Whether a field that has changed since the start has the value again that it began with.
    pub(super) fn is_as_begun(&self, name: &str, value: &str) -> bool {
        let place = self.place(name);
        self.changed.iter().any(|(changed, begun)| Some(*changed) == place && **begun == *value)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|(seen, _)| **seen == *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_may_go_back_to_what_it_began_with() {
        let mut seen = Seen::default();
        assert!(seen.is_news("tier", "1"));
        seen.begin();
        assert!(!seen.is_news("tier", "1"));
        assert!(seen.is_news("tier", "2") && !seen.is_as_begun("tier", "2"));
        assert!(seen.is_news("tier", "3") && seen.is_news("tier", "1") && seen.is_as_begun("tier", "1"));
        assert!(seen.is_news("late", "1") && seen.is_news("late", "2") && seen.is_news("late", "1"));
        assert!(!seen.is_as_begun("late", "1"));
    }

    #[test]
    fn no_more_fields_are_kept_than_there_is_room_for() {
        let mut seen = Seen::default();
        assert!((0..KEPT).all(|at| seen.is_news(&at.to_string(), "1")));
        assert!(seen.is_too_many("x") && !seen.is_too_many("7"));
        assert!(seen.is_news("x", "1") && seen.is_news("x", "1"));
    }
}
