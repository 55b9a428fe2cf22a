//! The table of providers: the only place that names vendors.
//!
//! A new service is a new row in a file of `catalog/`; a quirk of it is a field of a dialect in that row; what holds for
//! some of its models is a [`Family`] of the row. The files are made into one compact table, of which
//! a program reads the rows that it asks for.

use std::sync::{LazyLock, OnceLock};

use serde_json::{Map, Value};

use crate::fields::{Field as _, fields};
use crate::provider::Provider;
use crate::{Family, Patch, Protocol, Table};

mod page;

pub use page::page;

/// One row a line: its number, then the row as JSON. What several rows have in common stands once, in lines that begin with a
/// star and a name; rows name it in `like`. One line says the number of every word. A test makes the tables out of the files
/// and keeps them equal to these.
const TABLE: &str = include_str!("../../catalog/table.txt");

/// The rows that speak Chat Completions alone, which are half of all.
#[cfg(feature = "openai-chat")]
const CHAT: &str = include_str!("../../catalog/chat.txt");
#[cfg(not(feature = "openai-chat"))]
const CHAT: &str = "";

/// The rows by their numbers, as far as they are part of the program.
static ROWS: LazyLock<Vec<Option<Row>>> = LazyLock::new(|| {
    let mut rows = Vec::new();
    for line in TABLE.lines().chain(CHAT.lines()) {
        if let Some((number, text)) = line.split_once(' ')
            && let Ok(number) = number.parse::<usize>()
        {
            if rows.len() <= number {
                rows.resize_with(number + 1, || None);
            }
            if let Some(row) = rows.get_mut(number) {
                *row = Some(Row { text, provider: OnceLock::new() });
            }
        }
    }
    rows
});

/// Every word, in order, and the number of its row, as the line of the table says that begins with an equals sign.
static WORDS: LazyLock<Vec<(&str, usize)>> = LazyLock::new(|| {
    let mut words = Vec::new();
    let line = TABLE.lines().find_map(|line| line.strip_prefix('=')).unwrap_or_default();
    for pair in line.split(' ') {
        if let Some((word, number)) = pair.split_once(':')
            && let Ok(number) = number.parse()
        {
            words.push((word, number));
        }
    }
    words
});

/// A row that is read when it is asked for.
struct Row {
    text: &'static str,
    provider: OnceLock<Provider>,
}

fields! {
    /// What several rows have in common.
    #[derive(Default)]
    struct Shared {
        /// The fields of dialects, which come before a row's own.
        dialect: Table<Protocol, Patch>,
        /// The families, which come before a row's own.
        families: Vec<Family>,
    }
}

impl Row {
    #[expect(
        clippy::expect_used,
        reason = "the table is part of the program, and a test reads every row of it"
    )]
    fn provider(&self) -> &Provider {
        self.provider.get_or_init(|| self.read().expect("a row of the built-in table"))
    }

    fn read(&self) -> Result<Provider, String> {
        let mut fields = tree(self.text)?;
        let like = fields.remove("like").map_or(Ok(Vec::new()), Vec::<String>::read)?;
        let mut row = Provider::read(Value::Object(fields))?;
        let own = std::mem::take(&mut row.dialect);
        let families = std::mem::take(&mut row.families);
        for name in like {
            let shared = shared(&name)?;
            merge(&mut row.dialect, shared.dialect);
            row.families.extend(shared.families);
        }
        merge(&mut row.dialect, own);
        row.families.extend(families);
        Ok(row)
    }
}

/// What stands in the table under a name.
fn shared(name: &str) -> Result<Shared, String> {
    let lines =
        || TABLE.lines().filter_map(|line| line.strip_prefix('*')?.strip_prefix(name)?.strip_prefix(' '));
    Shared::read(Value::Object(tree(lines().next().unwrap_or_default())?))
}

fn tree(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn merge(all: &mut Table<Protocol, Patch>, more: Table<Protocol, Patch>) {
    for (protocol, patch) in more {
        let mut own = all.get(&protocol).cloned().unwrap_or_default();
        own.merge(&patch);
        all.insert(protocol, own);
    }
}

/// Every built-in provider: vendors, clouds, hosts, gateways, local programs.
pub fn all() -> impl Iterator<Item = &'static Provider> {
    ROWS.iter().flatten().map(Row::provider)
}

/// The built-in provider that a word means, by id or alias.
///
/// ```
/// use interlingua_wire::{Protocol, catalog};
///
/// let openai = catalog::find("openai").expect("a built-in row");
/// assert_eq!(openai.protocol_for("gpt-6-sol")?, Protocol::OpenaiResponses);
/// assert_eq!(openai.key_vars().next(), Some("OPENAI_API_KEY"));
/// # Ok::<(), interlingua_model::Error>(())
/// ```
pub fn find(word: &str) -> Option<&'static Provider> {
    ROWS.get(number_of(word)?)?.as_ref().map(Row::provider)
}

/// Whether a word means a provider that is left out of this program, since it speaks Chat Completions alone and these are not
/// part of it.
pub fn is_left_out(word: &str) -> bool {
    number_of(word).is_some_and(|number| ROWS.get(number).is_none_or(Option::is_none))
}

fn number_of(word: &str) -> Option<usize> {
    let at = WORDS.binary_search_by_key(&word, |(known, _)| known).ok()?;
    WORDS.get(at).map(|(_, number)| *number)
}

/// The ids that someone who wrote an unknown word may have meant, the likeliest first; at most three.
///
/// ```
/// assert_eq!(interlingua_wire::catalog::suggest("antropic").first(), Some(&"anthropic"));
/// ```
pub fn suggest(word: &str) -> Vec<&'static str> {
    nearest(word, all(), std::iter::empty())
}

/// The ids, out of these rows and these further ones, that someone who wrote an unknown word may have meant, the
/// likeliest first; at most three.
pub fn nearest<'a>(
    word: &str,
    rows: impl Iterator<Item = &'a Provider>,
    further: impl Iterator<Item = &'a str>,
) -> Vec<&'a str> {
    let word = word.to_ascii_lowercase();
    let bound = (word.len() / 3).max(1);
    let mut found: Vec<(usize, &str)> = Vec::new();
    let mut take = |known: &str, id: &'a str| {
        let distance = distance(&word, known);
        if distance <= bound && !found.iter().any(|(nearer, other)| *other == id && *nearer <= distance) {
            found.retain(|(_, other)| *other != id);
            let at = found.iter().take_while(|other| **other < (distance, id)).count();
            found.insert(at, (distance, id));
        }
    };
    for row in rows {
        std::iter::once(&row.id).chain(&row.aliases).for_each(|known| take(known, &row.id));
    }
    further.for_each(|id| take(id, id));
    found.into_iter().take(3).map(|(_, id)| id).collect()
}

/// How many letters must be put in, taken out or changed to make one word of the other. A word that begins the other
/// is one step away.
fn distance(word: &str, known: &str) -> usize {
    if word.len() > 2 && known.starts_with(word) {
        return usize::from(word != known);
    }
    let mut row: Vec<usize> = (0..=known.len()).collect();
    for (line, a) in word.bytes().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        if let Some(cell) = row.first_mut() {
            *cell = left;
        }
        for (cell, b) in row.iter_mut().skip(1).zip(known.bytes()) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *cell;
            *cell = changed.min(*cell + 1).min(left + 1);
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
        assert_eq!(distance("open", "openai"), 1);
    }
}
