//! The table of providers: the only place that names vendors.
//!
//! A new service is a new row; a quirk of it is a field of a dialect in that row.

use std::sync::LazyLock;

use crate::provider::{Auth, Endpoint, Key, Kind, Listing, Provider};
use crate::{Protocol, provider::Text};

static TABLE: LazyLock<Vec<Provider>> = LazyLock::new(|| vec![openai(), anthropic(), ollama()]);

/// Every built-in provider. The table is made at the first call.
pub fn all() -> &'static [Provider] {
    &TABLE
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
    TABLE.iter().find(|provider| provider.answers_to(word))
}

/// The ids that someone who wrote an unknown word may have meant, the likeliest first; at most three.
///
/// ```
/// assert_eq!(interlingua_wire::catalog::suggest("antropic").first(), Some(&"anthropic"));
/// ```
pub fn suggest(word: &str) -> Vec<&'static str> {
    let word = word.to_ascii_lowercase();
    let near = |provider: &'static Provider| {
        let words = std::iter::once(&provider.id).chain(&provider.aliases);
        let distance = words.map(|known| distance(&word, known)).min()?;
        Some((distance, &*provider.id))
    };
    let bound = (word.len() / 3).max(1);
    let mut found: Vec<_> =
        TABLE.iter().filter_map(near).filter(|(distance, _)| *distance <= bound).collect();
    found.sort_unstable();
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
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), line + 1);
        let mut left = line + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(known.bytes()) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *cell;
            *cell = changed.min(*cell + 1).min(left + 1);
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(0)
}

fn openai() -> Provider {
    let mut row = Provider::new("openai", Protocol::OpenaiResponses, "https://api.openai.com/v1");
    row.name = Text::Borrowed("OpenAI");
    row.kind = Kind::Vendor;
    row.endpoints.push(Endpoint::new(Protocol::OpenaiChat, "https://api.openai.com/v1"));
    row.keys = vec![Key::new("OPENAI_API_KEY")];
    row.base_url_env = vec![Text::Borrowed("OPENAI_BASE_URL")];
    row.models = Some(Listing::new("/models"));
    row.verified = true;
    row
}

fn anthropic() -> Provider {
    let mut row = Provider::new("anthropic", Protocol::Anthropic, "https://api.anthropic.com");
    row.name = Text::Borrowed("Anthropic");
    row.aliases = vec![Text::Borrowed("claude")];
    row.kind = Kind::Vendor;
    row.auth = Auth::Header(Text::Borrowed("x-api-key"));
    row.keys = vec![Key::new("ANTHROPIC_API_KEY"), Key::new("ANTHROPIC_AUTH_TOKEN")];
    row.base_url_env = vec![Text::Borrowed("ANTHROPIC_BASE_URL")];
    row.models = Some(Listing::new("/v1/models"));
    row.verified = true;
    row
}

fn ollama() -> Provider {
    let mut row = Provider::new("ollama", Protocol::OpenaiChat, "http://localhost:11434/v1");
    row.name = Text::Borrowed("Ollama");
    row.kind = Kind::Local;
    row.root = Text::Borrowed("http://localhost:11434");
    row.auth = Auth::NoneOrBearer;
    row.keys = vec![Key::new("OLLAMA_API_KEY")];
    row.base_url_env = vec![Text::Borrowed("OLLAMA_HOST")];
    row.models = Some(Listing::new("/v1/models"));
    row.verified = true;
    row
}
