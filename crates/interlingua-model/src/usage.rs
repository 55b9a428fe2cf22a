use serde::{Deserialize, Serialize};

use crate::Extra;

/// Tokens that an answer has used.
///
/// Totals include their parts: `input` includes what was read from and written to a cache, `output` includes reasoning.
/// `None` means that the provider did not report the figure; it never means zero. In a stream the figures are
/// cumulative, so the last value of each wins ([`Usage::update`]). Prices are not here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// All tokens of the prompt, cached ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// Prompt tokens that were read from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<u64>,
    /// Prompt tokens that were written to a cache, for any time to live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<u64>,
    /// Those of `cache_write` that were written for the provider's long time to live, which costs more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_long: Option<u64>,
    /// Prompt tokens that stand for audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_audio: Option<u64>,
    /// All tokens of the answer, reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// Tokens of the answer that the model spent on reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
    /// Tokens of the answer that stand for audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_audio: Option<u64>,
    /// What only one protocol counts.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Usage {
    /// Takes over every figure that `newer` reports; what it does not report stays.
    pub fn update(&mut self, newer: &Self) {
        let Self {
            input,
            cache_read,
            cache_write,
            cache_write_long,
            input_audio,
            output,
            reasoning,
            output_audio,
            extra,
        } = newer;
        replace(&mut self.input, *input);
        replace(&mut self.cache_read, *cache_read);
        replace(&mut self.cache_write, *cache_write);
        replace(&mut self.cache_write_long, *cache_write_long);
        replace(&mut self.input_audio, *input_audio);
        replace(&mut self.output, *output);
        replace(&mut self.reasoning, *reasoning);
        replace(&mut self.output_audio, *output_audio);
        self.extra.merge(extra);
    }

    /// Adds what another answer has used. A figure that one of them lacks is unknown for both; what only one protocol counts
    /// stays that of the first.
    ///
    /// ```
    /// use interlingua_model::Usage;
    ///
    /// let mut sum = Usage::default();
    /// (sum.input, sum.output) = (Some(10), Some(5));
    /// let mut other = Usage::default();
    /// other.input = Some(7);
    /// sum.add(&other);
    /// assert_eq!((sum.input, sum.output), (Some(17), None));
    /// ```
    pub fn add(&mut self, other: &Self) {
        let both = |a: Option<u64>, b: Option<u64>| a?.checked_add(b?);
        self.input = both(self.input, other.input);
        self.cache_read = both(self.cache_read, other.cache_read);
        self.cache_write = both(self.cache_write, other.cache_write);
        self.cache_write_long = both(self.cache_write_long, other.cache_write_long);
        self.input_audio = both(self.input_audio, other.input_audio);
        self.output = both(self.output, other.output);
        self.reasoning = both(self.reasoning, other.reasoning);
        self.output_audio = both(self.output_audio, other.output_audio);
    }

    /// Input and output together, when both are known.
    pub fn total(&self) -> Option<u64> {
        self.input?.checked_add(self.output?)
    }

    /// Whether nothing was reported.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn replace(old: &mut Option<u64>, new: Option<u64>) {
    if new.is_some() {
        *old = new;
    }
}
