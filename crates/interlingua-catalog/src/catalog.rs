use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use crate::{Model, text};

/// The first line of the text form.
const MARK: &str = "interlingua models 1";

const BUILT_IN: &str = include_str!("../data/models.txt");

static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| Catalog::index(Cow::Borrowed(BUILT_IN)).unwrap_or_default());

/// What is known of many models.
///
/// The built-in one is text in the program; a program that does not ask for it pays nothing for it, and one that does
/// reads the lines that it asks for. A newer one can be read from a file ([`parse`](Self::parse)).
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    text: Cow<'static, str>,
    date: Range<usize>,
    source: Range<usize>,
    /// How many models the text says it has, if it does.
    count: Range<usize>,
    /// The name and the lines of each provider, in the order of names.
    blocks: Vec<(Range<usize>, Range<usize>)>,
}

impl Catalog {
    /// What was known when this library was made.
    pub fn built_in() -> &'static Self {
        &CATALOG
    }

    /// A catalogue of these models, with the day of its data (`YYYY-MM-DD`) and where they are from, in one line.
    pub fn new(date: &str, source: &str, mut models: Vec<Model>) -> Self {
        models.sort_by(|a, b| (&a.provider, &a.id).cmp(&(&b.provider, &b.id)));
        let mut written = format!("{MARK}\ndate {date}\nsource {source}\nmodels {}\n", models.len());
        let mut provider = "";
        for model in &models {
            if model.provider != provider {
                provider = &model.provider;
                let _ = writeln!(written, "[{provider}]");
            }
            let _ = writeln!(written, "{}", text::write(model));
        }
        Self::index(Cow::Owned(written)).unwrap_or_default()
    }

    /// Reads the text form, all of it.
    ///
    /// ```
    /// use interlingua_catalog::Catalog;
    ///
    /// let text = "interlingua models 1\ndate 2026-11-28\nsource by hand\n[attic]\nbig\tchat\t8192\t1024\ttools\ti0.1 o0.2\n";
    /// let catalog = Catalog::parse(text)?;
    /// assert_eq!(catalog.find("attic", "big").and_then(|model| model.context), Some(8192));
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// When it is no such text, with the line that is wrong.
    pub fn parse(text: impl Into<String>) -> Result<Self, String> {
        let catalog = Self::index(Cow::Owned(text.into()))?;
        let mut found = 0;
        for (provider, lines) in &catalog.blocks {
            for line in catalog.at(lines).lines() {
                let model = text::read(catalog.at(provider), line);
                model.map_err(|error| format!("{error}, in the line `{line}`"))?;
                found += 1;
            }
        }
        match catalog.at(&catalog.count) {
            "" => Ok(catalog),
            said if said.parse() == Ok(found) => Ok(catalog),
            said => Err(format!("it should hold {said} models and holds {found}: it was cut or changed")),
        }
    }

    /// Finds the blocks.
    fn index(text: Cow<'static, str>) -> Result<Self, String> {
        let mut catalog = Self::default();
        let mut at = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let (start, end) = (at, at + line.trim_end().len());
            at += line.len();
            let line = line.trim_end();
            match (number, line.strip_prefix('[').and_then(|line| line.strip_suffix(']'))) {
                (0, _) if line == MARK => {}
                (0, _) => return Err(format!("not a catalogue of models: its first line is not `{MARK}`")),
                (_, Some(_)) => catalog.blocks.push((start + 1..end - 1, at..at)),
                _ => match catalog.blocks.last_mut() {
                    Some((_, lines)) => lines.end = at,
                    None if line.starts_with("date ") => catalog.date = start + 5..end,
                    None if line.starts_with("models ") => catalog.count = start + 7..end,
                    None if line.starts_with("source ") => catalog.source = start + 7..end,
                    None => {}
                },
            }
        }
        if text.is_empty() {
            return Err("not a catalogue of models: it is empty".to_owned());
        }
        catalog.text = text;
        Ok(catalog)
    }

    fn at(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The text form.
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// The day of the data, as `YYYY-MM-DD`.
    pub fn date(&self) -> &str {
        self.at(&self.date)
    }

    /// Where the data are from, and under which licence.
    pub fn source(&self) -> &str {
        self.at(&self.source)
    }

    /// The ids of the providers.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().map(|(provider, _)| self.at(provider))
    }

    /// The models of a provider, by name.
    pub fn models<'c>(&'c self, provider: &str) -> impl Iterator<Item = Model> + use<'c> {
        let block = self.blocks.iter().find(|(name, _)| self.at(name) == provider);
        block.into_iter().flat_map(|block| self.read(block))
    }

    /// All models, by provider and name.
    pub fn all(&self) -> impl Iterator<Item = Model> {
        self.blocks.iter().flat_map(|block| self.read(block))
    }

    fn read<'c>(
        &'c self,
        (provider, lines): &'c (Range<usize>, Range<usize>),
    ) -> impl Iterator<Item = Model> + use<'c> {
        self.at(lines).lines().filter_map(|line| text::read(self.at(provider), line).ok())
    }

    /// What is known of a model.
    pub fn find(&self, provider: &str, model: &str) -> Option<Model> {
        let (_, lines) = self.blocks.iter().find(|(name, _)| self.at(name) == provider)?;
        let line = self.at(lines).lines().find(|line| text::name(line) == model)?;
        text::read(provider, line).ok()
    }
}
