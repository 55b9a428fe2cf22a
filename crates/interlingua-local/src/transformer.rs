//! The forward pass: tokens in, the next token's logits out.
//!
//! The five families are one decoder: normalise, attend, add; normalise, feed forward, add. What a family leaves
//! out (query norms, biases, norms after a step) is an `Option` of [`Layer`] that its file does not have.

#![expect(
    clippy::inline_always,
    reason = "code is compiled for a level of the processor only where it is inlined"
)]

use std::io::{Read, Seek};
use std::iter::zip;
use std::ops::Range;

use rayon::prelude::*;

use crate::error::Error;
use crate::gguf::Gguf;
use crate::kernel::{Level, add_scaled, dot};
use crate::matrix::{Activations, Matrix};
use crate::shape::{Family, Pairs, Rope, Shape};

/// Multiplications below which attention stays on one thread.
const GRAIN: usize = 1 << 16;

/// The weights of a model.
#[derive(Debug)]
pub(crate) struct Transformer {
    pub(crate) shape: Shape,
    level: Level,
    embedding: Matrix,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    /// `None` where the embedding serves for the output as well.
    output: Option<Matrix>,
}

#[derive(Debug)]
struct Layer {
    attention_norm: Vec<f32>,
    query_key_value: Matrix,
    bias: Option<Vec<f32>>,
    query_norm: Option<Vec<f32>>,
    key_norm: Option<Vec<f32>>,
    attention_output: Matrix,
    attention_post_norm: Option<Vec<f32>>,
    feed_norm: Vec<f32>,
    gate_up: Matrix,
    down: Matrix,
    feed_post_norm: Option<Vec<f32>>,
}

/// Keys and values of the tokens that were seen, by layer.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    layers: Vec<Memory>,
    length: usize,
}

#[derive(Debug, Default)]
struct Memory {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// Sine and cosine of every pair at one position.
type Angles = Vec<(f32, f32)>;

/// The tokens of one pass: where they stand and how they are rotated.
struct Pass<'a> {
    start: usize,
    tokens: usize,
    angles: Vec<Angles>,
    local_angles: Option<Vec<Angles>>,
    stopped: &'a (dyn Fn() -> bool + Sync),
}

impl Cache {
    /// Tokens that are remembered.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Forgets everything from position `length` on.
    fn truncate(&mut self, length: usize, width: usize) {
        for memory in &mut self.layers {
            memory.keys.truncate(length * width);
            memory.values.truncate(length * width);
        }
        self.length = self.length.min(length);
    }
}

impl Transformer {
    /// Reads and packs all weights.
    pub(crate) fn load<R: Read + Seek>(gguf: &mut Gguf<R>) -> Result<Self, Error> {
        let shape = Shape::read(gguf)?;
        let embedding = Matrix::load(gguf, "token_embd.weight", shape.vocabulary, shape.hidden)?;
        let layers =
            (0..shape.layers).map(|index| Layer::load(gguf, &shape, index)).collect::<Result<_, _>>()?;
        let norm = gguf.vector("output_norm.weight", shape.hidden)?;
        let output = if gguf.has_tensor("output.weight") {
            Some(Matrix::load(gguf, "output.weight", shape.vocabulary, shape.hidden)?)
        } else {
            None
        };
        Ok(Self { level: Level::detect(), embedding, layers, norm, output, shape })
    }

    /// Forgets the cached tokens from `length` on.
    pub(crate) fn rewind(&self, cache: &mut Cache, length: usize) {
        cache.truncate(length, self.shape.key_width());
    }

    /// Appends `tokens` to the cache and returns the logits after the last of them.
    ///
    /// `None` when `stopped` said so in between; the cache is then as before.
    pub(crate) fn forward(
        &self,
        tokens: &[u32],
        cache: &mut Cache,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Option<Vec<f32>> {
        let start = cache.len();
        let mut hidden = self.embed(tokens);
        cache.layers.resize_with(self.layers.len(), Memory::default);
        let pass = self.pass(start, tokens.len(), stopped);
        for (index, (layer, memory)) in zip(&self.layers, &mut cache.layers).enumerate() {
            if stopped() {
                cache.truncate(start, self.shape.key_width());
                return None;
            }
            self.attention(layer, index, &pass, memory, &mut hidden);
            self.feed_forward(layer, &mut hidden, tokens.len());
        }
        cache.length = start + tokens.len();
        let mut last = hidden.split_off(hidden.len().saturating_sub(self.shape.hidden));
        self.normalise(&mut last, &self.norm);
        let last = Activations::new(self.level, &last, 1);
        Some(self.output.as_ref().unwrap_or(&self.embedding).multiply(self.level, &last))
    }

    fn embed(&self, tokens: &[u32]) -> Vec<f32> {
        let mut hidden = Vec::with_capacity(tokens.len() * self.shape.hidden);
        for token in tokens {
            let row = usize::try_from(*token).ok().and_then(|token| self.embedding.row(token));
            // Tokens come from the vocabulary, which has as many rows as the embedding.
            hidden.extend(row.unwrap_or_else(|| vec![0.0; self.shape.hidden]));
        }
        for number in &mut hidden {
            *number *= self.shape.embedding_scale;
        }
        hidden
    }

    fn pass<'a>(&self, start: usize, tokens: usize, stopped: &'a (dyn Fn() -> bool + Sync)) -> Pass<'a> {
        let angles = |rope: &Rope| (start..start + tokens).map(|position| rope.angles(position)).collect();
        Pass {
            start,
            tokens,
            angles: angles(&self.shape.rope),
            local_angles: self.shape.local_rope.as_ref().map(angles),
            stopped,
        }
    }

    /// Root-mean-square normalisation of each row of `weights.len()` numbers, in place.
    fn normalise(&self, rows: &mut [f32], weights: &[f32]) {
        let epsilon = self.shape.epsilon;
        self.level.run(|| {
            for row in rows.chunks_exact_mut(weights.len()) {
                let mean = dot(row, row) / length(row);
                let factor = (mean + epsilon).sqrt().recip();
                zip(row, weights).for_each(|(number, weight)| *number *= factor * weight);
            }
        });
    }

    fn normalised(&self, rows: &[f32], weights: &[f32], tokens: usize) -> Activations {
        let mut rows = rows.to_vec();
        self.normalise(&mut rows, weights);
        Activations::new(self.level, &rows, tokens)
    }

    fn attention(
        &self,
        layer: &Layer,
        index: usize,
        pass: &Pass<'_>,
        memory: &mut Memory,
        hidden: &mut [f32],
    ) {
        let shape = &self.shape;
        let input = self.normalised(hidden, &layer.attention_norm, pass.tokens);
        let mut projected = layer.query_key_value.multiply(self.level, &input);
        let width = layer.query_key_value.rows();
        let angles = match &pass.local_angles {
            Some(local) if shape.is_local(index) => local,
            _ => &pass.angles,
        };
        let mut queries = Vec::with_capacity(pass.tokens * shape.query_width());
        for (row, angles) in zip(projected.chunks_exact_mut(width), angles) {
            if let Some(bias) = &layer.bias {
                add_scaled(row, bias, 1.0);
            }
            let (query, rest) = row.split_at_mut(shape.query_width());
            let (key, value) = rest.split_at_mut(shape.key_width());
            self.position(query, layer.query_norm.as_deref(), angles);
            self.position(key, layer.key_norm.as_deref(), angles);
            queries.extend_from_slice(query);
            memory.keys.extend_from_slice(key);
            memory.values.extend_from_slice(value);
        }
        let window = shape.window.filter(|_| shape.is_local(index));
        let attended = self.attend(&queries, memory, pass, window);
        let attended = Activations::new(self.level, &attended, pass.tokens);
        let mut output = layer.attention_output.multiply(self.level, &attended);
        if let Some(norm) = &layer.attention_post_norm {
            self.normalise(&mut output, norm);
        }
        add_scaled(hidden, &output, 1.0);
    }

    /// Normalises each head if the family does, and rotates it.
    fn position(&self, heads: &mut [f32], norm: Option<&[f32]>, angles: &Angles) {
        if let Some(norm) = norm {
            self.normalise(heads, norm);
        }
        let pairs = self.shape.rope.pairs;
        self.level
            .run(|| heads.chunks_exact_mut(self.shape.head).for_each(|head| rotate(head, pairs, angles)));
    }

    /// What each query head takes from the values, weighted by how well it fits the keys.
    fn attend(&self, queries: &[f32], memory: &Memory, pass: &Pass<'_>, window: Option<usize>) -> Vec<f32> {
        let shape = &self.shape;
        let mut out = vec![0.0; queries.len()];
        let group = shape.heads / shape.key_heads;
        let one = |(index, (query, out)): (usize, (&[f32], &mut [f32]))| {
            if (pass.stopped)() {
                return;
            }
            let end = pass.start + index / shape.heads + 1;
            let positions = window.map_or(0, |window| end.saturating_sub(window))..end;
            let offset = index % shape.heads / group * shape.head;
            self.level.run(|| self.attend_head(query, memory, positions, offset, out));
        };
        let work = queries.len() * (pass.start + pass.tokens);
        if work < GRAIN {
            zip(queries.chunks_exact(shape.head), out.chunks_exact_mut(shape.head)).enumerate().for_each(one);
        } else {
            let queries = queries.par_chunks_exact(shape.head);
            queries.zip(out.par_chunks_exact_mut(shape.head)).enumerate().for_each(one);
        }
        out
    }

    #[inline(always)]
    fn attend_head(
        &self,
        query: &[f32],
        memory: &Memory,
        positions: Range<usize>,
        offset: usize,
        out: &mut [f32],
    ) {
        let (width, head) = (self.shape.key_width(), self.shape.head);
        let keys = remembered(&memory.keys, width, positions.clone(), offset, head);
        let values = remembered(&memory.values, width, positions, offset, head);
        let scale = self.shape.attention_scale;
        let mut scores: Vec<f32> = keys.map(|key| dot(query, key) * scale).collect();
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for score in &mut scores {
            *score = (*score - largest).exp();
        }
        let total: f32 = scores.iter().sum();
        for (score, value) in zip(&scores, values) {
            add_scaled(out, value, score / total);
        }
    }

    fn feed_forward(&self, layer: &Layer, hidden: &mut [f32], tokens: usize) {
        let input = self.normalised(hidden, &layer.feed_norm, tokens);
        let projected = layer.gate_up.multiply(self.level, &input);
        let mut gated = Vec::with_capacity(tokens * self.shape.feed_forward);
        let gelu = self.shape.family == Family::Gemma3;
        for row in projected.chunks_exact(layer.gate_up.rows()) {
            let (gate, up) = row.split_at(self.shape.feed_forward);
            let activation = if gelu { gelu_tanh } else { silu };
            gated.extend(zip(gate, up).map(|(gate, up)| activation(*gate) * up));
        }
        let mut output = layer.down.multiply(self.level, &Activations::new(self.level, &gated, tokens));
        if let Some(norm) = &layer.feed_post_norm {
            self.normalise(&mut output, norm);
        }
        add_scaled(hidden, &output, 1.0);
    }
}

impl Layer {
    fn load<R: Read + Seek>(gguf: &mut Gguf<R>, shape: &Shape, index: usize) -> Result<Self, Error> {
        let name = |part: &str| format!("blk.{index}.{part}");
        let (hidden, feed_forward, query, key) =
            (shape.hidden, shape.feed_forward, shape.query_width(), shape.key_width());
        let query_key_value = if shape.family == Family::Phi3 {
            Matrix::load(gguf, &name("attn_qkv.weight"), query + 2 * key, hidden)?
        } else {
            let parts = [("attn_q", query), ("attn_k", key), ("attn_v", key)];
            fused(gguf, parts.map(|(part, rows)| (name(&format!("{part}.weight")), rows)), hidden)?
        };
        let gate_up = if shape.family == Family::Phi3 {
            Matrix::load(gguf, &name("ffn_up.weight"), 2 * feed_forward, hidden)?
        } else {
            let parts = ["ffn_gate.weight", "ffn_up.weight"];
            fused(gguf, parts.map(|part| (name(part), feed_forward)), hidden)?
        };
        // Gemma 3 has norms after its steps; elsewhere these tensors are absent.
        Ok(Self {
            attention_norm: gguf.vector(&name("attn_norm.weight"), hidden)?,
            query_key_value,
            bias: bias(gguf, &name("attn_"), query, key)?,
            query_norm: optional(gguf, &name("attn_q_norm.weight"), shape.head)?,
            key_norm: optional(gguf, &name("attn_k_norm.weight"), shape.head)?,
            attention_output: Matrix::load(gguf, &name("attn_output.weight"), hidden, query)?,
            attention_post_norm: optional(gguf, &name("post_attention_norm.weight"), hidden)?,
            feed_norm: gguf.vector(&name("ffn_norm.weight"), hidden)?,
            gate_up,
            down: Matrix::load(gguf, &name("ffn_down.weight"), hidden, feed_forward)?,
            feed_post_norm: optional(gguf, &name("post_ffw_norm.weight"), hidden)?,
        })
    }
}

/// One head's part of the rows at `positions`.
#[inline(always)]
fn remembered(
    rows: &[f32],
    width: usize,
    positions: Range<usize>,
    offset: usize,
    head: usize,
) -> impl Iterator<Item = &[f32]> {
    let rows = rows.chunks_exact(width).skip(positions.start).take(positions.len());
    rows.filter_map(move |row| row.get(offset..offset + head))
}

fn fused<R: Read + Seek, const N: usize>(
    gguf: &mut Gguf<R>,
    parts: [(String, usize); N],
    columns: usize,
) -> Result<Matrix, Error> {
    let parts = parts.into_iter().map(|(name, rows)| Matrix::load(gguf, &name, rows, columns));
    Ok(Matrix::fuse(parts.collect::<Result<Vec<_>, _>>()?))
}

fn optional<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    name: &str,
    length: usize,
) -> Result<Option<Vec<f32>>, Error> {
    if gguf.has_tensor(name) { gguf.vector(name, length).map(Some) } else { Ok(None) }
}

/// The biases of queries, keys and values in one row.
fn bias<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    prefix: &str,
    query: usize,
    key: usize,
) -> Result<Option<Vec<f32>>, Error> {
    let mut all = Vec::new();
    for (part, length) in [("q", query), ("k", key), ("v", key)] {
        let name = format!("{prefix}{part}.bias");
        all.extend(optional(gguf, &name, length)?.unwrap_or_default());
    }
    match all.len() {
        0 => Ok(None),
        length if length == query + 2 * key => Ok(Some(all)),
        _ => Err(Error::damaged(format!("{prefix}* has biases for some of query, key and value only"))),
    }
}

impl Rope {
    fn angles(&self, position: usize) -> Angles {
        #[expect(clippy::cast_precision_loss, reason = "contexts are below 2^24 tokens")]
        let position = position as f32;
        let angle = |frequency: &f32| {
            let (sine, cosine) = (position * frequency).sin_cos();
            (sine * self.magnitude, cosine * self.magnitude)
        };
        self.frequencies.iter().map(angle).collect()
    }
}

#[inline(always)]
fn rotate(head: &mut [f32], pairs: Pairs, angles: &Angles) {
    let turn = |first: &mut f32, second: &mut f32, (sine, cosine): (f32, f32)| {
        (*first, *second) = (*first * cosine - *second * sine, *first * sine + *second * cosine);
    };
    match pairs {
        Pairs::Adjacent => {
            for ([first, second], angle) in zip(head.as_chunks_mut().0, angles) {
                turn(first, second, *angle);
            }
        }
        Pairs::Halves => {
            let (first, rest) = head.split_at_mut(angles.len());
            for ((first, second), angle) in zip(zip(first, rest), angles) {
                turn(first, second, *angle);
            }
        }
    }
}

fn silu(number: f32) -> f32 {
    number / (1.0 + (-number).exp())
}

/// The tanh approximation of GELU, which Gemma was trained with.
fn gelu_tanh(number: f32) -> f32 {
    let inner = (2.0 / std::f32::consts::PI).sqrt() * (number + 0.044_715 * number.powi(3));
    0.5 * number * (1.0 + inner.tanh())
}

#[expect(clippy::cast_precision_loss, reason = "rows are far shorter than 2^24")]
fn length(row: &[f32]) -> f32 {
    row.len() as f32
}
