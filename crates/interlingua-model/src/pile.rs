/// Bytes that grow by pieces, in blocks that are never moved. A buffer that doubles holds up to twice what is in it, and
/// leaves a hole behind each time it moves, which a program with a thousand answers at once cannot use again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pile {
    /// The blocks that are full.
    full: Vec<Box<[u8]>>,
    last: Vec<u8>,
}

/// Least bytes of the first block, which is the only one of a short text.
const FIRST: usize = 64;
/// Least bytes of a later block.
const SMALL: usize = 256;
/// Up to this size a block is as large as all before it; a larger one is an eighth of them.
const LARGE: usize = 512;

impl Pile {
    /// Adds a piece.
    #[inline]
    pub(crate) fn push(&mut self, piece: &[u8]) {
        if piece.len() > self.last.capacity() - self.last.len() {
            self.begin(piece.len());
        }
        self.last.extend_from_slice(piece);
    }

    /// Begins a block with room for a piece.
    #[cold]
    fn begin(&mut self, piece: usize) {
        if !self.last.is_empty() {
            self.full.push(std::mem::take(&mut self.last).into_boxed_slice());
        }
        let held = self.held();
        let size = if held == 0 { FIRST } else { held.clamp(SMALL, LARGE).max(held / 8) };
        self.last = Vec::with_capacity(size.max(piece));
    }

    /// Bytes of the blocks that are full.
    fn held(&self) -> usize {
        self.full.iter().map(|block| block.len()).sum()
    }

    /// All pieces in a row.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        if self.full.is_empty() {
            return self.last;
        }
        let mut bytes = Vec::with_capacity(self.held() + self.last.len());
        for block in &self.full {
            bytes.extend_from_slice(block);
        }
        bytes.extend_from_slice(&self.last);
        bytes
    }

    /// The text that the pieces make; they were texts themselves, so nothing is ever replaced.
    pub(crate) fn into_text(self) -> String {
        String::from_utf8(self.into_bytes())
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Adds the text that the pieces make to another.
    pub(crate) fn add_to(self, text: &mut String) {
        if text.is_empty() {
            *text = self.into_text();
        } else {
            text.push_str(&self.into_text());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piled(pieces: &[&str]) -> Pile {
        let mut pile = Pile::default();
        for piece in pieces {
            pile.push(piece.as_bytes());
        }
        pile
    }

    #[test]
    fn pieces_of_any_size_stay_in_order() {
        assert_eq!(piled(&[]).into_text(), "");
        assert_eq!(piled(&["", "ü"]).into_text(), "ü");
        let pieces: Vec<String> = (0..900).map(|at| format!("{at} ").repeat(at % 7)).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        assert_eq!(piled(&pieces).into_text(), pieces.concat());
        let mut text = "before ".to_owned();
        piled(&["and ", "behind"]).add_to(&mut text);
        assert_eq!(text, "before and behind");
    }

    #[test]
    fn little_more_is_held_than_came() {
        let pile = piled(&vec!["a piece of 19 bytes"; 300]);
        let held = pile.held() + pile.last.capacity();
        assert!(held <= 300 * 19 + LARGE, "{held}");
        assert!(pile.full.len() <= 12, "{}", pile.full.len());
        let large = piled(&vec!["a piece of 19 bytes"; 60_000]);
        assert!(large.full.len() <= 90, "{}", large.full.len());
    }

    #[test]
    fn one_piece_is_not_copied_again() {
        let pile = piled(&[&"x".repeat(5_000)]);
        let place = pile.last.as_ptr();
        let bytes = pile.into_bytes();
        assert_eq!(bytes.as_ptr(), place);
        assert_eq!(bytes.capacity(), 5_000);
    }
}
