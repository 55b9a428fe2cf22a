//! Chance that can be had again: the same seed gives the same choices, on both sides of the wire.

/// A generator of numbers: `SplitMix64`.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The dice of a question: equal words give equal throws.
    pub(crate) fn of(words: &[u64]) -> Self {
        let mut dice = Self(0x9e37_79b9_7f4a_7c15);
        for word in words {
            dice.0 ^= *word;
            dice.0 = dice.next();
        }
        dice
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        let span = u64::try_from(high.saturating_sub(low)).unwrap_or(u64::MAX).saturating_add(1);
        low + usize::try_from(self.next() % span).unwrap_or(0)
    }

    /// True once in so many throws.
    pub(crate) fn once_in(&mut self, throws: usize) -> bool {
        self.between(1, throws) == 1
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.between(0, among.len().saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_give_the_same_throws() {
        let throws = |words: &[u64]| {
            let mut dice = Dice::of(words);
            [dice.next(), dice.next(), dice.next()]
        };
        assert_eq!(throws(&[1, 2]), throws(&[1, 2]));
        assert_ne!(throws(&[1, 2]), throws(&[2, 1]));
        assert_ne!(throws(&[1]), throws(&[1, 0]));
    }

    #[test]
    fn a_throw_stays_within_its_bounds_and_reaches_them() {
        let mut dice = Dice::of(&[7]);
        let throws: Vec<usize> = (0..1_000).map(|_| dice.between(3, 5)).collect();
        assert!(throws.iter().all(|throw| (3..=5).contains(throw)));
        assert!((3..=5).all(|wanted| throws.contains(&wanted)));
    }
}
