//! Keeps a model from steering the terminal: control sequences are taken out of what it writes.

/// Strips control sequences from text that arrives in pieces, wherever the pieces are cut.
///
/// Line feeds and tabs pass, `\r\n` becomes `\n`, every other control character of ASCII and Latin-1 is dropped, and
/// so are whole escape sequences: CSI, OSC, DCS and their relatives, in both spellings (`ESC [` and U+009B). A string
/// sequence that is never closed ends at the line's end, so that it cannot swallow the rest of an answer.
/// Characters that turn the direction of writing are replaced by U+FFFD, because they can make a line read as what
/// it is not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hygiene {
    state: State,
}

/// Where in a control sequence the text stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After `ESC`; inside a string that ends it, be it by `ESC \` or by the begin of another sequence.
    Escape,
    /// After `ESC` and an intermediate such as `(`: one more final character follows.
    Designation,
    /// Inside `CSI … final`.
    Control,
    /// Inside `OSC`, `DCS`, `SOS`, `PM` or `APC`, up to `BEL` or `ST`.
    String,
}

impl Hygiene {
    /// The next piece without its control sequences.
    pub(crate) fn clean(&mut self, piece: &str) -> String {
        let mut out = String::with_capacity(piece.len());
        for c in piece.chars() {
            self.take(c, &mut out);
        }
        out
    }

    fn take(&mut self, c: char, out: &mut String) {
        self.state = match self.state {
            State::Text => text(c, out),
            State::Escape => escape(c, out),
            State::Designation => designation(c, out),
            State::Control => control(c, out),
            State::String => string(c, out),
        };
    }
}

/// One text without its control sequences, on one line: for messages that hold foreign words.
pub(crate) fn line(text: &str) -> String {
    let clean = Hygiene::default().clean(text);
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One text with its control characters made visible, so that what is shown is what will be done.
pub(crate) fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push('\t'),
            c if c.is_control() || turns_direction(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
        out
    })
}

fn text(c: char, out: &mut String) -> State {
    match c {
        '\u{1b}' => State::Escape,
        '\u{9b}' => State::Control,
        '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => State::String,
        '\n' | '\t' => {
            out.push(c);
            State::Text
        }
        c if c.is_control() => State::Text,
        c if turns_direction(c) => {
            out.push(char::REPLACEMENT_CHARACTER);
            State::Text
        }
        c => {
            out.push(c);
            State::Text
        }
    }
}

fn escape(c: char, out: &mut String) -> State {
    match c {
        '[' => State::Control,
        ']' | 'P' | 'X' | '^' | '_' => State::String,
        ' '..='/' => State::Designation,
        '0'..='~' => State::Text,
        c => text(c, out),
    }
}

fn designation(c: char, out: &mut String) -> State {
    match c {
        ' '..='/' => State::Designation,
        '0'..='~' => State::Text,
        c => text(c, out),
    }
}

fn control(c: char, out: &mut String) -> State {
    match c {
        ' '..='?' => State::Control,
        '@'..='~' => State::Text,
        c => text(c, out),
    }
}

fn string(c: char, out: &mut String) -> State {
    match c {
        '\u{7}' | '\u{9c}' | '\u{18}' | '\u{1a}' => State::Text,
        '\u{1b}' => State::Escape,
        '\n' => text(c, out),
        _ => State::String,
    }
}

const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clean(text: &str) -> String {
        Hygiene::default().clean(text)
    }

    #[test]
    fn sequences_vanish_and_text_stays() {
        for (dirty, expected) in [
            ("plain\ttext\n", "plain\ttext\n"),
            ("red \u{1b}[31mand\u{1b}[0m black", "red and black"),
            ("title \u{1b}]0;owned\u{7}set", "title set"),
            ("link \u{1b}]8;;http://x\u{1b}\\here\u{1b}]8;;\u{1b}\\.", "link here."),
            ("C1 \u{9b}2Jcsi \u{9d}0;t\u{9c}osc", "C1 csi osc"),
            ("charset \u{1b}(0lqk\u{1b}(B", "charset lqk"),
            ("dcs \u{1b}Pq#0\u{1b}\\sixel", "dcs sixel"),
            ("crlf\r\nover\rwrite\u{8}\u{7f}\0", "crlf\noverwrite"),
            ("open \u{1b}]0;never closed\nnext line", "open \nnext line"),
            ("cut \u{1b}[12\u{1b}[31mtwice", "cut twice"),
            ("turned \u{202e}txt.exe", "turned \u{fffd}txt.exe"),
            ("ümlaut 漢字 👩‍👩‍👧", "ümlaut 漢字 👩‍👩‍👧"),
        ] {
            assert_eq!(clean(dirty), expected, "{dirty:?}");
        }
    }

    #[test]
    fn what_will_run_is_shown_as_it_is() {
        assert_eq!(visible("ls\u{1b}[2K\rrm -rf"), "ls\\u{1b}[2K\\u{d}rm -rf");
        assert_eq!(line("two\nlines \u{1b}[1mbold"), "two lines bold");
    }

    /// Text with many control characters, so that sequences are likely.
    fn wild() -> impl Strategy<Value = String> {
        let special = prop::sample::select(vec![
            '\u{1b}', '[', ']', '\\', ';', '0', 'm', '\u{7}', '\n', '\r', '\u{9b}', '\u{9d}', '\u{9c}', 'P',
            '(', '\u{202e}',
        ]);
        prop::collection::vec(prop_oneof![3 => special, 1 => any::<char>()], 0..60)
            .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn nothing_that_steers_comes_through(text in wild()) {
            let out = clean(&text);
            prop_assert!(out.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{out:?}");
            prop_assert!(!out.chars().any(turns_direction));
        }

        #[test]
        fn cuts_do_not_matter(text in wild(), sizes in prop::collection::vec(1usize..5, 1..40)) {
            let mut hygiene = Hygiene::default();
            let (mut out, mut rest, mut sizes) = (String::new(), text.chars().collect::<Vec<_>>(), sizes.into_iter().cycle());
            while !rest.is_empty() {
                let tail = rest.split_off(sizes.next().unwrap().min(rest.len()));
                out.push_str(&hygiene.clean(&rest.iter().collect::<String>()));
                rest = tail;
            }
            prop_assert_eq!(out, clean(&text));
        }

        #[test]
        fn lines_are_never_lost(text in wild()) {
            prop_assert_eq!(clean(&text).matches('\n').count(), text.matches('\n').count());
        }

        #[test]
        fn harmless_text_is_untouched(text in "[ -~\n\tà-ü一-龥]{0,80}") {
            prop_assert_eq!(clean(&text), text);
        }
    }
}
