//! A line of the text form: the fields of a model, with tabs between them.
//!
//! Name, kind, context, output, traits (`!` before what it cannot do), prices, and what few models have. Prices stand
//! in dollars for a million tokens behind a letter (`i2 o10 r0.2`), one group for each class of service and step, as in
//! `i2 o10; >272000 i4 o15; batch i1 o5`.

use std::fmt::Write as _;

use crate::{Kind, Model, Price, Prices, Rates, Tier, Trait, Traits};

/// The letter of each rate.
const LETTERS: [char; 8] = ['i', 'o', 'r', 'w', 'l', 't', 'a', 's'];

/// Writes a model as a line without its end.
pub(crate) fn write(model: &Model) -> String {
    let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    let fields = [
        model.id.clone(),
        model.kind.word().to_owned(),
        number(model.context),
        number(model.output),
        traits(model.traits),
        prices(&model.prices),
        more(model),
    ];
    fields.join("\t").trim_end().to_owned()
}

fn traits(traits: Traits) -> String {
    let words = traits.iter().map(|(what, can)| format!("{}{}", if can { "" } else { "!" }, what.word()));
    words.collect::<Vec<_>>().join(" ")
}

fn prices(prices: &Prices) -> String {
    let groups = prices.rates.iter().map(|rates| {
        let mut words = Vec::new();
        if rates.tier != Tier::Standard {
            words.push(rates.tier.word().to_owned());
        }
        if rates.above > 0 {
            words.push(format!(">{}", rates.above));
        }
        let mut rates = *rates;
        for letter in LETTERS {
            if let Some(Some(price)) = rate(&mut rates, letter).map(|rate| *rate) {
                words.push(format!("{letter}{price}"));
            }
        }
        words.join(" ")
    });
    groups.collect::<Vec<_>>().join("; ")
}

fn more(model: &Model) -> String {
    let mut words = String::new();
    let numbers = [("dim", model.dimensions), ("cache", model.cache_from)];
    for (name, value) in numbers {
        if let Some(value) = value {
            let _ = write!(words, "{name}={value} ");
        }
    }
    for (name, value) in [("ends", &model.ends), ("next", &model.successor)] {
        if let Some(value) = value {
            let _ = write!(words, "{name}={value} ");
        }
    }
    words.trim_end().to_owned()
}

fn rate(rates: &mut Rates, letter: char) -> Option<&mut Option<Price>> {
    Some(match letter {
        'i' => &mut rates.input,
        'o' => &mut rates.output,
        'r' => &mut rates.cache_read,
        'w' => &mut rates.cache_write,
        'l' => &mut rates.cache_write_long,
        't' => &mut rates.reasoning,
        'a' => &mut rates.input_audio,
        's' => &mut rates.output_audio,
        _ => return None,
    })
}

/// The name in a line.
pub(crate) fn name(line: &str) -> &str {
    line.split('\t').next().unwrap_or_default()
}

/// Reads a line. What it says in words that are not known yet is left out, so that an older program reads newer data.
pub(crate) fn read(provider: &str, line: &str) -> Result<Model, String> {
    let mut fields = line.split('\t');
    let mut next = || fields.next().unwrap_or_default();
    let mut model = Model::new(provider, next());
    if model.id.is_empty() {
        return Err("a model has no name".to_owned());
    }
    model.kind = Kind::from_word(next()).unwrap_or_default();
    model.context = read_number(next())?;
    model.output = read_number(next())?;
    model.traits = read_traits(next());
    model.prices = read_prices(next())?;
    read_more(&mut model, next())?;
    Ok(model)
}

fn read_number(text: &str) -> Result<Option<u64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| format!("`{text}` is not a number of tokens"))
}

fn read_traits(text: &str) -> Traits {
    let mut traits = Traits::default();
    for word in text.split_ascii_whitespace() {
        let (can, word) = word.strip_prefix('!').map_or((true, word), |word| (false, word));
        if let Some(what) = Trait::from_word(word) {
            traits.set(what, can);
        }
    }
    traits
}

fn read_prices(text: &str) -> Result<Prices, String> {
    let mut prices = Prices::default();
    for group in text.split(';').filter(|group| !group.trim().is_empty()) {
        if let Some(rates) = read_rates(group)? {
            prices.rates.push(rates);
        }
    }
    Ok(prices)
}

/// `None` for a class of service that is not known yet.
fn read_rates(group: &str) -> Result<Option<Rates>, String> {
    let mut words = group.split_ascii_whitespace().peekable();
    let mut rates = Rates::default();
    if let Some(word) =
        words.next_if(|word| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
    {
        let Some(tier) = Tier::from_word(word) else { return Ok(None) };
        rates.tier = tier;
    }
    if let Some(above) = words.peek().and_then(|word| word.strip_prefix('>')) {
        rates.above = above.parse().map_err(|_| format!("`{above}` is not a number of tokens"))?;
        words.next();
    }
    for word in words {
        let mut letters = word.chars();
        let Some(letter) = letters.next() else { continue };
        if let Some(rate) = rate(&mut rates, letter) {
            *rate = Some(letters.as_str().parse()?);
        }
    }
    Ok(Some(rates))
}

fn read_more(model: &mut Model, text: &str) -> Result<(), String> {
    for (name, value) in text.split_ascii_whitespace().filter_map(|word| word.split_once('=')) {
        match name {
            "dim" => model.dimensions = read_number(value)?,
            "cache" => model.cache_from = read_number(value)?,
            "ends" => model.ends = Some(value.to_owned()),
            "next" => model.successor = Some(value.to_owned()),
            _ => {}
        }
    }
    Ok(())
}
