//! Finds names by a few of their letters.

/// The things whose name has the letters of each word of a text in order, the likeliest first; those that are alike keep
/// their order.
pub(crate) fn best<T>(things: Vec<T>, text: &str, name: impl Fn(&T) -> String) -> Vec<T> {
    let words: Vec<String> = text.split_whitespace().map(plain).collect();
    if words.is_empty() {
        return things;
    }
    let rated = |thing: T| {
        let name = plain(&name(&thing));
        let rates = words.iter().map(|word| rate(&name, word)).collect::<Option<Vec<_>>>()?;
        Some((rates.into_iter().sum::<usize>(), name.len(), thing))
    };
    let mut found: Vec<_> = things.into_iter().filter_map(rated).collect();
    found.sort_by_key(|(rate, length, _)| (*rate, *length));
    found.into_iter().map(|(_, _, thing)| thing).collect()
}

/// Small letters, and dashes where providers differ: what one calls `5.5` is `5-5` to another.
fn plain(text: &str) -> String {
    text.to_lowercase().replace(['.', '_', ':'], "-")
}

/// How far a name is from a word: 0 when it holds it from the beginning of a part, 1 when it holds it, else the letters that
/// must be skipped between the first and the last of the word's; `None` when it has not all letters in order.
fn rate(name: &str, word: &str) -> Option<usize> {
    if let Some(at) = name.find(word) {
        let before = name.get(..at).and_then(|before| before.chars().next_back());
        return Some(usize::from(before.is_some_and(char::is_alphanumeric)));
    }
    // The shortest stretch that holds the letters in order, by its last letter.
    let starts = name.char_indices().filter(|(_, letter)| word.starts_with(*letter));
    starts
        .filter_map(|(at, _)| stretch(name.get(at..)?, word))
        .min()
        .map(|length| 2 + length - word.chars().count())
}

/// How many letters from here on hold the word's in order.
fn stretch(name: &str, word: &str) -> Option<usize> {
    let mut letters = name.chars().enumerate();
    let mut last = 0;
    for wanted in word.chars() {
        (last, _) = letters.find(|(_, letter)| *letter == wanted)?;
    }
    Some(last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_comes_first() {
        let names = ["openai/gpt-5-mini", "anthropic/claude-opus-5-5", "anthropic/claude-opus-5", "x/corpus"];
        let found = |text: &str| best(names.to_vec(), text, |name| (*name).to_owned());
        assert_eq!(found("opus"), ["anthropic/claude-opus-5", "anthropic/claude-opus-5-5", "x/corpus"]);
        assert_eq!(found("opus5"), ["anthropic/claude-opus-5", "anthropic/claude-opus-5-5"]);
        assert_eq!(found("CLAUDE 55"), ["anthropic/claude-opus-5-5"]);
        assert_eq!(found("g5m"), ["openai/gpt-5-mini"]);
        assert_eq!(found("pus"), ["x/corpus", "anthropic/claude-opus-5", "anthropic/claude-opus-5-5"]);
        assert_eq!(found("opus-5.5"), ["anthropic/claude-opus-5-5"]);
        assert_eq!(found("corp"), ["x/corpus"]);
        assert_eq!(found(""), names, "no word, no choice");
        assert!(found("zzz").is_empty());
    }
}
