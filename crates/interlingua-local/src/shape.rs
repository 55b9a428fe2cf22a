//! What the metadata says about a model's architecture.

use std::io::{Read, Seek};

use crate::error::Error;
use crate::gguf::{Gguf, Value};

/// Gemma 3 attends to everything in each sixth layer and to a window in the others.
const GEMMA3_PATTERN: usize = 6;
/// The rotation base of Gemma 3's windowed layers, which its metadata does not carry.
const GEMMA3_LOCAL_BASE: f32 = 10_000.0;
/// Gemma 3 27B divides by the width per head of its hidden state instead of the head size.
const GEMMA3_27B_LAYERS: usize = 62;

/// An architecture, as `general.architecture` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Llama,
    Qwen2,
    Qwen3,
    Gemma3,
    Phi3,
}

impl Family {
    /// Every architecture that can run, by its name in the metadata.
    pub(crate) const ALL: [(&'static str, Self); 5] = [
        ("llama", Self::Llama),
        ("qwen2", Self::Qwen2),
        ("qwen3", Self::Qwen3),
        ("gemma3", Self::Gemma3),
        ("phi3", Self::Phi3),
    ];

    fn new(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|(known, _)| *known == name);
        known.map(|(_, family)| family).ok_or_else(|| Error::unsupported_architecture(name))
    }
}

/// Sizes and constants of a transformer.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) family: Family,
    pub(crate) layers: usize,
    pub(crate) hidden: usize,
    pub(crate) feed_forward: usize,
    pub(crate) heads: usize,
    pub(crate) key_heads: usize,
    pub(crate) head: usize,
    pub(crate) vocabulary: usize,
    /// Tokens that fit into the model's context.
    pub(crate) context: usize,
    pub(crate) epsilon: f32,
    pub(crate) embedding_scale: f32,
    pub(crate) attention_scale: f32,
    /// Tokens that a windowed layer looks back on, itself included.
    pub(crate) window: Option<usize>,
    pub(crate) rope: Rope,
    /// The rotation of windowed layers, where it differs.
    pub(crate) local_rope: Option<Rope>,
}

/// How positions are rotated into queries and keys.
#[derive(Debug, Clone)]
pub(crate) struct Rope {
    pub(crate) pairs: Pairs,
    /// Radians per position, one for each pair of numbers.
    pub(crate) frequencies: Vec<f32>,
    /// What sines and cosines are multiplied with.
    pub(crate) magnitude: f32,
}

/// Which two numbers of a head are rotated together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pairs {
    /// Neighbours. The converters order the weights of the llama family so.
    Adjacent,
    /// A number of the first half with its fellow in the second.
    Halves,
}

impl Shape {
    /// Reads and checks the metadata.
    pub(crate) fn read<R: Read + Seek>(gguf: &mut Gguf<R>) -> Result<Self, Error> {
        let name = gguf
            .text("general.architecture")
            .ok_or_else(|| Error::missing("general.architecture"))?
            .to_owned();
        let family = Family::new(&name)?;
        if gguf.integer(&format!("{name}.expert_count")).is_some_and(|experts| experts > 0) {
            return Err(Error::unsupported_architecture(&format!("{name} with a mixture of experts")));
        }
        let size = |key: &str| -> Result<usize, Error> {
            let key = format!("{name}.{key}");
            let size = gguf.integer(&key).filter(|size| (1..=1 << 24).contains(size));
            size.ok_or_else(|| Error::missing(&key))
        };
        let (hidden, heads, layers) =
            (size("embedding_length")?, size("attention.head_count")?, size("block_count")?);
        let key_heads = size("attention.head_count_kv").unwrap_or(heads);
        let head = size("attention.key_length").unwrap_or(hidden / heads);
        if !heads.is_multiple_of(key_heads) || head < 2 || !head.is_multiple_of(2) || head > 1 << 12 {
            return Err(Error::damaged(format!(
                "{heads} heads of {head} numbers cannot share {key_heads} keys"
            )));
        }
        let epsilon = gguf.float(&format!("{name}.attention.layer_norm_rms_epsilon"));
        let mut shape = Self {
            family,
            layers,
            hidden,
            feed_forward: size("feed_forward_length")?,
            heads,
            key_heads,
            head,
            vocabulary: gguf.texts("tokenizer.ggml.tokens").map_or(0, <[_]>::len),
            context: size("context_length")?,
            epsilon: epsilon.ok_or_else(|| Error::missing("attention.layer_norm_rms_epsilon"))?,
            embedding_scale: 1.0,
            attention_scale: float(head).sqrt().recip(),
            window: size("attention.sliding_window").ok(),
            rope: Rope::read(gguf, &name, family, head)?,
            local_rope: None,
        };
        shape.adapt(gguf, &name);
        Ok(shape)
    }

    /// What a family does differently and its metadata does not say.
    fn adapt<R: Read + Seek>(&mut self, gguf: &Gguf<R>, name: &str) {
        match self.family {
            Family::Gemma3 => {
                self.embedding_scale = float(self.hidden).sqrt();
                if self.layers == GEMMA3_27B_LAYERS {
                    self.attention_scale = float(self.hidden / self.heads).sqrt().recip();
                }
                self.local_rope = Some(Rope::new(Pairs::Halves, self.head, GEMMA3_LOCAL_BASE));
            }
            Family::Phi3 => {
                // Past this length other rotation factors hold, which would make every cached key wrong.
                let original = gguf.integer(&format!("{name}.rope.scaling.original_context_length"));
                self.context = original.map_or(self.context, |original| original.clamp(1, self.context));
            }
            Family::Llama | Family::Qwen2 | Family::Qwen3 => self.window = None,
        }
    }

    /// Whether a layer looks back on its window only.
    pub(crate) fn is_local(&self, layer: usize) -> bool {
        match self.family {
            Family::Gemma3 => !(layer + 1).is_multiple_of(GEMMA3_PATTERN),
            _ => self.window.is_some(),
        }
    }

    pub(crate) fn query_width(&self) -> usize {
        self.heads * self.head
    }

    pub(crate) fn key_width(&self) -> usize {
        self.key_heads * self.head
    }
}

impl Rope {
    fn new(pairs: Pairs, dimensions: usize, base: f32) -> Self {
        let step = -2.0 / float(dimensions);
        let frequencies = (0..dimensions / 2).map(|i| base.powf(step * float(i))).collect();
        Self { pairs, frequencies, magnitude: 1.0 }
    }

    fn read<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        name: &str,
        family: Family,
        head: usize,
    ) -> Result<Self, Error> {
        let dimensions = gguf.integer(&format!("{name}.rope.dimension_count")).unwrap_or(head);
        let base = gguf.float(&format!("{name}.rope.freq_base")).unwrap_or(10_000.0);
        let pairs = if family == Family::Llama { Pairs::Adjacent } else { Pairs::Halves };
        if dimensions == 0 || dimensions > head {
            return Err(Error::damaged(format!(
                "{name}.rope.dimension_count is not within a head of {head}"
            )));
        }
        let mut rope = Self::new(pairs, dimensions, base);
        let scaling = gguf.text(&format!("{name}.rope.scaling.type")).unwrap_or("none").to_owned();
        match scaling.as_str() {
            "none" | "longrope" | "su" => {}
            "linear" => {
                let factor =
                    gguf.float(&format!("{name}.rope.scaling.factor")).filter(|factor| *factor > 0.0);
                rope.divide(std::iter::repeat(factor.unwrap_or(1.0)));
            }
            other => {
                return Err(Error::unsupported_architecture(&format!("{name} with {other} rope scaling")));
            }
        }
        let factors = ["rope_freqs.weight", "rope_factors_short.weight"];
        if let Some(tensor) = factors.into_iter().find(|tensor| gguf.has_tensor(tensor)) {
            rope.divide(gguf.vector(tensor, dimensions / 2)?);
        }
        rope.magnitude = gguf.float(&format!("{name}.rope.scaling.attn_factor")).unwrap_or(1.0);
        Ok(rope)
    }

    fn divide(&mut self, factors: impl IntoIterator<Item = f32>) {
        self.frequencies.iter_mut().zip(factors).for_each(|(frequency, factor)| *frequency /= factor);
    }
}

/// Ids of the tokens that the metadata names, for example `tokenizer.ggml.eos_token_id`.
pub(crate) fn token_id<R: Read + Seek>(gguf: &Gguf<R>, name: &str) -> Option<u32> {
    match gguf.value(&format!("tokenizer.ggml.{name}_token_id"))? {
        Value::Integer(id) => u32::try_from(*id).ok(),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of layers are far below 2^24")]
fn float(size: usize) -> f32 {
    size as f32
}
