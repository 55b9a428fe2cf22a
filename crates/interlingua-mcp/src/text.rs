//! What a server says is data of a stranger: it is cleaned and cut before anyone sees it.

use std::fmt::Write as _;

/// Most letters of a name that every provider takes.
pub(crate) const NAME: usize = 64;
/// Most bytes of a description.
pub(crate) const DESCRIPTION: usize = 8 << 10;
/// Most bytes of a message that is meant for people.
pub(crate) const MESSAGE: usize = 1 << 10;

/// Text without control characters but tab and line break, without marks that turn the direction of writing around, and
/// without letters that cannot be seen; cut to a number of bytes.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let visible: String = text.chars().filter(|letter| is_visible(*letter)).take(most).collect();
    cut(visible, most)
}

/// The same on one line.
pub(crate) fn line(text: &str, most: usize) -> String {
    clean(&text.replace(['\n', '\t'], " "), most)
}

/// Text cut to a number of bytes, with a word about what is left out.
pub(crate) fn cut(mut text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let left_out = text.len() - end;
    text.truncate(end);
    let _ = write!(text, "\n[cut: {left_out} more bytes]");
    text
}

/// A name of letters, digits, `_` and `-`, at most 64 of them; never empty.
pub(crate) fn name(text: &str) -> String {
    let safe = |letter: char| {
        if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-') { letter } else { '_' }
    };
    let name: String = text.chars().take(NAME).map(safe).collect();
    if name.is_empty() { "_".into() } else { name }
}

fn is_visible(letter: char) -> bool {
    let is_hidden = matches!(letter,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    !is_hidden && (!letter.is_control() || matches!(letter, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_taken_out() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\u{e0041}\r\nd", 100), "a[2Jbc\nd");
        assert_eq!(line("a\nb\tc", 100), "a b c");
        assert_eq!(clean("ééé", 3), "é\n[cut: 4 more bytes]");
        assert_eq!(clean("ab", 2), "ab");
    }

    #[test]
    fn names_suit_every_provider() {
        assert_eq!(name("read file/é"), "read_file__");
        assert_eq!(name(""), "_");
        assert_eq!(name(&"x".repeat(100)).len(), 64);
    }
}
