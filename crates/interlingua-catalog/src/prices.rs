use interlingua_model::Usage;

use crate::{Money, Price};

/// What the tokens of a model cost, by the class of service and by the length of the prompt.
///
/// ```
/// use interlingua_catalog::{Catalog, Tier};
/// use interlingua_model::Usage;
///
/// let model = Catalog::built_in().find("anthropic", "claude-haiku-4-5").expect("a known model");
/// let mut usage = Usage::default();
/// (usage.input, usage.cache_read, usage.output) = (Some(12_000), Some(10_000), Some(500));
/// let cost = model.prices.cost(&usage, Tier::Standard).expect("all its prices are known");
/// assert_eq!(cost.total().to_string(), "0.0055");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prices {
    /// One entry for each class of service and step; empty when no price is known.
    pub rates: Vec<Rates>,
}

/// What the kinds of tokens cost at one class of service, above one length of the prompt. `None` is unknown, not free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rates {
    /// The class of service.
    pub tier: Tier,
    /// The rates hold for prompts of more than so many tokens, for the whole request.
    pub above: u64,
    /// Tokens of the prompt.
    pub input: Option<Price>,
    /// Tokens of the answer.
    pub output: Option<Price>,
    /// Tokens of the prompt that are read from a cache.
    pub cache_read: Option<Price>,
    /// Tokens of the prompt that are written to a cache.
    pub cache_write: Option<Price>,
    /// The same for the provider's long time to live.
    pub cache_write_long: Option<Price>,
    /// Tokens of the answer that are reasoning, where they have a price of their own.
    pub reasoning: Option<Price>,
    /// Tokens of the prompt that stand for audio.
    pub input_audio: Option<Price>,
    /// Tokens of the answer that stand for audio.
    pub output_audio: Option<Price>,
}

/// A class of service, which providers price apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// The usual one.
    #[default]
    Standard,
    /// Answers within a day.
    Batch,
    /// Answers when there is room.
    Flex,
    /// Between flex and standard.
    Balanced,
    /// Answers before others.
    Priority,
    /// The fastest hardware.
    Ultrafast,
}

/// What a request cost, by the kinds of its tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// The prompt without what a cache had to do with.
    pub input: Money,
    /// What was read from a cache.
    pub cache_read: Money,
    /// What was written to a cache.
    pub cache_write: Money,
    /// The answer.
    pub output: Money,
}

impl Prices {
    /// Whether no price is known.
    pub fn is_empty(&self) -> bool {
        self.rates.is_empty()
    }

    /// The rates for a prompt of so many tokens; `None` when they are not known, as when the usual class of service has a
    /// step there of which the rates of this class say nothing.
    pub fn at(&self, tier: Tier, input: u64) -> Option<&Rates> {
        let has_step = |rates: &&Rates| rates.tier == tier || rates.tier == Tier::Standard;
        let holding = |rates: &&Rates| rates.above == 0 || input > rates.above;
        let steps = self.rates.iter().filter(has_step).filter(holding);
        let step = steps.map(|rates| rates.above).max()?;
        self.rates.iter().find(|rates| rates.tier == tier && rates.above == step)
    }

    /// What a request cost, in exact arithmetic. `None` when a price that it needs is unknown, when the provider did not
    /// report both totals, or when the figures contradict each other.
    ///
    /// A part that was not reported (cached, audio, reasoning) counts as none of it. Charges that are not by the token,
    /// such as searches, and discounts by the hour or the contract are not in it.
    pub fn cost(&self, usage: &Usage, tier: Tier) -> Option<Cost> {
        let (input, output) = (usage.input?, usage.output?);
        let rates = self.at(tier, input)?;
        let (read, written) = (usage.cache_read.unwrap_or(0), usage.cache_write.unwrap_or(0));
        let (long, audio) = (usage.cache_write_long.unwrap_or(0), usage.input_audio.unwrap_or(0));
        let plain = input.checked_sub(read)?.checked_sub(written)?.checked_sub(audio)?;
        let cost = Cost {
            input: sum([of(rates.input, plain)?, of(rates.input_audio, audio)?])?,
            cache_read: of(rates.cache_read, read)?,
            cache_write: sum([
                of(rates.cache_write, written.checked_sub(long)?)?,
                of(rates.cache_write_long, long)?,
            ])?,
            output: rates.answer(usage, output)?,
        };
        sum([cost.input, cost.cache_read, cost.cache_write, cost.output])?;
        Some(cost)
    }
}

impl Rates {
    /// Rates of a class of service above a length of the prompt, none of which is known yet.
    pub fn new(tier: Tier, above: u64) -> Self {
        Self { tier, above, ..Self::default() }
    }

    fn answer(&self, usage: &Usage, output: u64) -> Option<Money> {
        let audio = usage.output_audio.unwrap_or(0);
        let apart = if self.reasoning.is_some() { usage.reasoning.unwrap_or(0) } else { 0 };
        let plain = output.checked_sub(audio)?.checked_sub(apart)?;
        sum([of(self.output, plain)?, of(self.output_audio, audio)?, of(self.reasoning, apart)?])
    }

    /// Whether no rate is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::new(self.tier, self.above)
    }
}

impl Tier {
    /// All classes of service.
    pub const ALL: [Self; 6] =
        [Self::Standard, Self::Batch, Self::Flex, Self::Balanced, Self::Priority, Self::Ultrafast];

    /// The word for it, as in the `service_tier` of a request.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Balanced => "balanced",
            Self::Priority => "priority",
            Self::Ultrafast => "ultrafast",
        }
    }

    /// The class of service that a provider's word means; `default` and `auto` are the usual one.
    pub fn from_word(word: &str) -> Option<Self> {
        let usual = matches!(word, "default" | "auto" | "on_demand");
        Self::ALL.into_iter().find(|tier| tier.word() == word).or(usual.then_some(Self::Standard))
    }
}

impl Cost {
    /// All of it.
    pub fn total(&self) -> Money {
        [self.input, self.cache_read, self.cache_write, self.output].into_iter().sum()
    }
}

/// What so many tokens cost; nothing when there are none, whatever the price.
fn of(price: Option<Price>, tokens: u64) -> Option<Money> {
    if tokens == 0 { Some(Money::ZERO) } else { price.map(|price| price.of(tokens)) }
}

fn sum<const N: usize>(amounts: [Money; N]) -> Option<Money> {
    amounts.into_iter().try_fold(Money::ZERO, Money::checked_add)
}
