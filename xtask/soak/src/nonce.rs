//! What marks a question, so that its answer can be told from any other.

use std::fmt;

use crate::dice::Dice;

/// One question of one conversation. It stands in the text that is sent, as `[soak 17.42]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Nonce {
    /// The conversation.
    pub(crate) slot: u64,
    /// The question, counted from 0.
    pub(crate) turn: u64,
}

impl Nonce {
    /// The first mark in a text.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("[soak ")?;
        let (mark, _) = rest.split_once(']')?;
        let (slot, turn) = mark.split_once('.')?;
        Some(Self { slot: slot.parse().ok()?, turn: turn.parse().ok()? })
    }

    /// Dice that only this question throws, for one purpose.
    pub(crate) fn dice(self, purpose: u64) -> Dice {
        Dice::of(&[self.slot, self.turn, purpose])
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[soak {}.{}]", self.slot, self.turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_again() {
        let nonce = Nonce { slot: 17, turn: 42 };
        assert_eq!(Nonce::find(&format!("Hello {nonce}, {}", Nonce { slot: 1, turn: 1 })), Some(nonce));
        assert_eq!(Nonce::find("Hello [soak 1], nobody"), None);
    }
}
