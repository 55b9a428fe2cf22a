//! Weight matrices as the kernels want them, and their product with the activations of several tokens.

use std::io::{Read, Seek};

use rayon::prelude::*;

use crate::error::Error;
use crate::gguf::{Gguf, Tensor};
use crate::kernel::{Activation, BLOCK, ByteBlock, Level, NibbleBlock, Packed as _};

/// Bytes of a tensor that are read and converted at once.
const SLICE: usize = 4 << 20;
/// Multiplications below which it does not pay to hand work to another thread.
const GRAIN: usize = 1 << 16;

/// A matrix of packed weights: each row is multiplied with the activations.
#[derive(Debug)]
pub(crate) struct Matrix {
    rows: usize,
    columns: usize,
    bands: Vec<Band>,
}

/// Rows in one format. A matrix that was fused out of several tensors has several bands.
#[derive(Debug)]
enum Band {
    Nibbles(Vec<NibbleBlock>),
    Bytes(Vec<ByteBlock>),
}

/// A piece of work for one thread: rows of weights and where their products go.
enum Piece<'a> {
    Nibbles(&'a [NibbleBlock], &'a mut [f32]),
    Bytes(&'a [ByteBlock], &'a mut [f32]),
}

/// The quantised activations of some tokens.
#[derive(Debug)]
pub(crate) struct Activations {
    tokens: usize,
    blocks: Vec<Activation>,
}

impl Activations {
    /// Quantises `tokens` rows of equal length.
    pub(crate) fn new(level: Level, rows: &[f32], tokens: usize) -> Self {
        let width = (rows.len() / tokens.max(1)).max(1);
        let mut blocks = Vec::with_capacity(tokens * width.div_ceil(BLOCK));
        level.run(|| {
            for row in rows.chunks_exact(width) {
                let (chunks, rest) = row.as_chunks();
                blocks.extend(chunks.iter().map(Activation::pack));
                if !rest.is_empty() {
                    let mut last = [0.0; BLOCK];
                    last.iter_mut().zip(rest).for_each(|(last, rest)| *last = *rest);
                    blocks.push(Activation::pack(&last));
                }
            }
        });
        Self { tokens, blocks }
    }
}

impl Matrix {
    /// Reads a tensor of the given size.
    pub(crate) fn load<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<Self, Error> {
        let tensor = gguf.require(name, rows, columns)?;
        let per_slice = (SLICE / tensor.row_bytes()).max(1);
        let mut band = Band::with_capacity(&tensor);
        for first in (0..rows).step_by(per_slice) {
            let bytes = gguf.rows(&tensor, first, per_slice.min(rows - first))?;
            band.extend(&tensor, &bytes);
        }
        Ok(Self { rows, columns, bands: vec![band] })
    }

    /// One matrix out of several with equally long rows, so that one pass multiplies them all.
    pub(crate) fn fuse(matrices: impl IntoIterator<Item = Self>) -> Self {
        let mut fused = Self { rows: 0, columns: 0, bands: Vec::new() };
        for matrix in matrices {
            fused.rows += matrix.rows;
            fused.columns = matrix.columns;
            fused.bands.extend(matrix.bands);
        }
        fused
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// One row as floats; `None` past the end.
    pub(crate) fn row(&self, mut index: usize) -> Option<Vec<f32>> {
        let blocks = self.columns.div_ceil(BLOCK);
        for band in &self.bands {
            let rows = band.len() / blocks;
            if index < rows {
                let mut row = band.unpack(index * blocks, blocks)?;
                row.truncate(self.columns);
                return Some(row);
            }
            index -= rows;
        }
        None
    }

    /// The product with each token's activations: `out[token][row]`.
    pub(crate) fn multiply(&self, level: Level, activations: &Activations) -> Vec<f32> {
        let (tokens, blocks) = (activations.tokens, self.columns.div_ceil(BLOCK));
        let mut out = vec![0.0; self.rows * tokens];
        let mut pieces = self.pieces(tokens, &mut out);
        let work = |piece: &mut Piece<'_>| match piece {
            Piece::Nibbles(rows, out) => level.products(rows, blocks, &activations.blocks, out),
            Piece::Bytes(rows, out) => level.products(rows, blocks, &activations.blocks, out),
        };
        if pieces.len() == self.bands.len() {
            pieces.iter_mut().for_each(work);
        } else {
            pieces.par_iter_mut().for_each(work);
        }
        drop(pieces);
        if tokens == 1 { out } else { transpose(&out, tokens) }
    }

    /// Cuts the rows into pieces for the threads.
    fn pieces<'a>(&'a self, tokens: usize, mut out: &'a mut [f32]) -> Vec<Piece<'a>> {
        let blocks = self.columns.div_ceil(BLOCK);
        let shares = rayon::current_num_threads() * 4;
        let least = GRAIN.div_ceil(self.columns * tokens);
        let rows =
            if rayon::current_num_threads() == 1 { self.rows } else { least.max(self.rows.div_ceil(shares)) };
        let mut pieces = Vec::new();
        for band in &self.bands {
            let (mine, others) = std::mem::take(&mut out).split_at_mut(band.len() / blocks * tokens);
            out = others;
            let outs = mine.chunks_mut(rows * tokens);
            match band {
                Band::Nibbles(all) => {
                    pieces.extend(
                        all.chunks(rows * blocks).zip(outs).map(|(rows, out)| Piece::Nibbles(rows, out)),
                    );
                }
                Band::Bytes(all) => {
                    pieces.extend(
                        all.chunks(rows * blocks).zip(outs).map(|(rows, out)| Piece::Bytes(rows, out)),
                    );
                }
            }
        }
        pieces
    }
}

impl Band {
    fn with_capacity(tensor: &Tensor) -> Self {
        let blocks = tensor.rows() * tensor.columns().div_ceil(BLOCK);
        if tensor.format.is_nibbles() {
            return Self::Nibbles(Vec::with_capacity(blocks));
        }
        Self::Bytes(Vec::with_capacity(blocks))
    }

    fn extend(&mut self, tensor: &Tensor, bytes: &[u8]) {
        match self {
            Self::Nibbles(blocks) => tensor.format.nibbles(bytes, blocks),
            Self::Bytes(blocks) => {
                for row in bytes.chunks_exact(tensor.row_bytes()) {
                    tensor.format.bytes(row, blocks);
                }
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Nibbles(blocks) => blocks.len(),
            Self::Bytes(blocks) => blocks.len(),
        }
    }

    fn unpack(&self, first: usize, count: usize) -> Option<Vec<f32>> {
        let range = first..first + count;
        Some(match self {
            Self::Nibbles(blocks) => blocks.get(range)?.iter().flat_map(NibbleBlock::unpack).collect(),
            Self::Bytes(blocks) => blocks.get(range)?.iter().flat_map(ByteBlock::unpack).collect(),
        })
    }
}

/// `[row][token]` to `[token][row]`.
fn transpose(rows: &[f32], tokens: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(rows.len());
    for token in 0..tokens {
        out.extend(rows.iter().skip(token).step_by(tokens));
    }
    out
}
