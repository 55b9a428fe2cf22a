//! Text that may be handed out: whole characters only, and nothing of a stop sequence.

/// Holds back what may still become a stop sequence or a whole character.
#[derive(Debug, Default)]
pub(crate) struct Outlet {
    stops: Vec<String>,
    bytes: Vec<u8>,
    text: String,
}

/// What a piece of output came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Released {
    /// Text that may be handed out; perhaps none.
    Text(String),
    /// The last text, and the stop sequence that ended it.
    Stopped(String, String),
}

impl Outlet {
    pub(crate) fn new(stops: &[String]) -> Self {
        let stops = stops.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        Self { stops, ..Self::default() }
    }

    /// Where the bytes of the next token are put.
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Takes what is whole and safe.
    pub(crate) fn release(&mut self) -> Released {
        self.take_characters();
        if let Some((at, stop)) = self.first_stop() {
            let mut text = std::mem::take(&mut self.text);
            text.truncate(at);
            return Released::Stopped(text, stop);
        }
        let rest = self.text.split_off(self.text.len() - self.held());
        Released::Text(std::mem::replace(&mut self.text, rest))
    }

    /// Takes everything; the answer has ended.
    pub(crate) fn flush(&mut self) -> String {
        self.take_characters();
        let mut text = std::mem::take(&mut self.text);
        text.push_str(&String::from_utf8_lossy(&std::mem::take(&mut self.bytes)));
        text
    }

    /// Moves whole characters over; bytes that can never become one are replaced by U+FFFD.
    fn take_characters(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = bytes.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => return self.text.push_str(text),
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    self.text.push_str(&String::from_utf8_lossy(valid));
                    let Some(broken) = error.error_len() else {
                        self.bytes = after.to_vec();
                        return;
                    };
                    self.text.push(char::REPLACEMENT_CHARACTER);
                    rest = after.get(broken..).unwrap_or_default();
                }
            }
        }
    }

    fn first_stop(&self) -> Option<(usize, String)> {
        let found = self.stops.iter().filter_map(|stop| Some((self.text.find(stop)?, stop)));
        found.min_by_key(|(at, _)| *at).map(|(at, stop)| (at, stop.clone()))
    }

    /// Bytes at the end of the text with which a stop sequence may begin.
    fn held(&self) -> usize {
        let longest = |stop: &String| {
            let ends = stop.char_indices().rev().map(|(at, _)| at).filter(|at| *at > 0);
            let mut held =
                ends.filter(|end| stop.get(..*end).is_some_and(|start| self.text.ends_with(start)));
            held.next().unwrap_or(0)
        };
        self.stops.iter().map(longest).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(stops: &[&str], pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut outlet = Outlet::new(&stops);
        let mut texts = Vec::new();
        for piece in pieces {
            outlet.bytes().extend_from_slice(piece);
            match outlet.release() {
                Released::Text(text) => texts.push(text),
                Released::Stopped(text, stop) => {
                    texts.push(text);
                    return (texts, Some(stop));
                }
            }
        }
        texts.push(outlet.flush());
        (texts, None)
    }

    #[test]
    fn a_stop_sequence_over_several_pieces_is_never_seen() {
        let (texts, stop) = run(&["END"], &[b"one E", b"N", b"D two"]);
        assert_eq!(texts, ["one ", "", ""]);
        assert_eq!(stop.as_deref(), Some("END"));
    }

    #[test]
    fn what_only_began_like_a_stop_sequence_comes_later() {
        let (texts, stop) = run(&["END"], &[b"EN", b"NUI"]);
        assert_eq!(texts.concat(), "ENNUI");
        assert_eq!(stop, None);
    }

    #[test]
    fn a_character_over_several_pieces_comes_whole() {
        let (texts, _) = run(&[], &[b"\xE2\x82", b"\xAC!", b"\xFF", b"\xE2"]);
        assert_eq!(texts, ["", "€!", "\u{FFFD}", "", "\u{FFFD}"]);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_text(text in "[ab€]{0,20}", stop in "[ab€]{1,3}", cuts in prop::collection::vec(0_usize..40, 0..6)) {
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < text.len()).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([text.len()]) {
                pieces.push(&text.as_bytes()[from..cut]);
                from = cut;
            }
            let (texts, found) = run(&[&stop], &pieces);
            let expected = text.find(&stop).map_or(&*text, |at| &text[..at]);
            prop_assert_eq!(texts.concat(), expected);
            prop_assert_eq!(found.is_some(), text.contains(&stop));
        }
    }
}
