//! Inputs changed by chance that is always the same: what is tried where there is no fuzzer.

use std::panic::catch_unwind;

use super::Target;

/// What JSON, frames and our protocols are made of.
const WORDS: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e999",
    "18446744073709551616",
    "0.1",
    "\"\"",
    "{}",
    "[]",
    "\\u0000",
    "\\ud800",
    "\\",
    "\n",
    "\r\n\n",
    "data: ",
    "data: [DONE]\n\n",
    "event: error\n",
    ":\n",
    "\"type\":",
    "\"index\":",
    "\"id\":",
    "\"content\":",
    "\"role\":",
    "\"error\":",
    "\"usage\":",
    "\"tool_calls\":",
    "\"$ref\":\"#\"",
    "\"anyOf\":",
    "\u{feff}",
    "\u{1f980}",
    "\"\\ud83e\\udd80\"",
];

/// Tries a target on every seed, then on `rounds` changed ones. The same seeds give the same inputs.
///
/// # Errors
/// The input that breaks the law, escaped.
pub fn trial(target: &Target, seeds: &[Vec<u8>], rounds: usize) -> Result<(), String> {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15 ^ rounds as u64);
    let changed = (0..rounds).map(|_| chance.input(seeds));
    for input in seeds.iter().cloned().chain(changed) {
        let law = target.law;
        if catch_unwind(|| law(&input)).is_err() {
            return Err(format!("{} is broken by \"{}\"", target.name, input.escape_ascii()));
        }
    }
    Ok(())
}

/// Xorshift, 64 bits.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, or 0 when that is 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or_default() % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[7]
    }

    /// A stretch of at most 64 of `length` bytes.
    fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length);
        from..(from + 1 + self.below(64)).min(length)
    }

    /// A seed that was changed one to four times.
    fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.pick(seeds).to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut input, seeds);
        }
        input
    }

    fn pick<'s>(&mut self, seeds: &'s [Vec<u8>]) -> &'s [u8] {
        let at = self.below(seeds.len());
        seeds.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let length = input.len();
        if length == 0 {
            return input.push(self.byte());
        }
        let at = self.below(length);
        let stretch = self.stretch(length);
        match self.below(7) {
            0 => input[at] ^= 1 << self.below(8),
            1 => input[at] = self.byte(),
            2 => drop(input.drain(stretch)),
            3 => {
                let copy = input[stretch].to_vec();
                input.splice(at..at, copy);
            }
            4 => {
                let other = self.pick(seeds);
                let from = self.below(other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            5 => input.truncate(at),
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                let end = if self.below(2) == 0 { at } else { Self::token_end(input, at) };
                input.splice(at..end, word.bytes());
            }
        }
    }

    /// Where the word or number that begins at `at` ends.
    fn token_end(input: &[u8], at: usize) -> usize {
        let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        input[at..].iter().position(|byte| !is_inside(byte)).map_or(input.len(), |length| at + length.max(1))
    }
}
