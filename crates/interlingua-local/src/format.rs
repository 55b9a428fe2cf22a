//! The block formats of GGUF tensors, and how each becomes blocks that the kernels multiply.
//!
//! Layouts are those of [ggml's quantised blocks](https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h).
//! Four-bit formats with one scale (and minimum) for 32 weights are taken over exactly; everything else becomes
//! eight-bit blocks, whose error is at most 1/254 of the largest of 32 weights.
#![expect(clippy::indexing_slicing, reason = "constant loops over arrays whose sizes are in their types")]

use crate::error::Error;
use crate::kernel::{BLOCK, ByteBlock, NibbleBlock, Packed as _};

/// Weights of one superblock of the K formats.
const SUPER: usize = 256;

/// How the numbers of a tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
}

impl Format {
    /// The format behind a tensor type number of the GGUF specification.
    pub(crate) fn new(number: u32, tensor: &str) -> Result<Self, Error> {
        Ok(match number {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            10 => Self::Q2K,
            11 => Self::Q3K,
            12 => Self::Q4K,
            13 => Self::Q5K,
            14 => Self::Q6K,
            30 => Self::Bf16,
            _ => return Err(Error::unsupported_format(number, tensor)),
        })
    }

    /// Numbers in a block and bytes of a block.
    pub(crate) fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::Bf16 => (1, 2),
            Self::Q4_0 => (BLOCK, 18),
            Self::Q4_1 => (BLOCK, 20),
            Self::Q5_0 => (BLOCK, 22),
            Self::Q5_1 => (BLOCK, 24),
            Self::Q8_0 => (BLOCK, 34),
            Self::Q2K => (SUPER, 84),
            Self::Q3K => (SUPER, 110),
            Self::Q4K => (SUPER, 144),
            Self::Q5K => (SUPER, 176),
            Self::Q6K => (SUPER, 210),
        }
    }

    /// Whether [`Format::nibbles`] takes it over exactly.
    pub(crate) fn is_nibbles(self) -> bool {
        matches!(self, Self::Q4_0 | Self::Q4_1 | Self::Q4K)
    }

    /// Blocks of a four-bit format, exactly as stored.
    pub(crate) fn nibbles(self, bytes: &[u8], out: &mut Vec<NibbleBlock>) {
        match self {
            Self::Q4_0 => out.extend(bytes.as_chunks().0.iter().map(q4_0)),
            Self::Q4_1 => out.extend(bytes.as_chunks().0.iter().map(q4_1)),
            Self::Q4K => out.extend(bytes.as_chunks().0.iter().flat_map(q4_k)),
            _ => {}
        }
    }

    /// One row in eight-bit blocks; a row that is no multiple of 32 is filled up with zeros.
    pub(crate) fn bytes(self, row: &[u8], out: &mut Vec<ByteBlock>) {
        if self == Self::Q8_0 {
            out.extend(row.as_chunks().0.iter().map(q8_0));
            return;
        }
        let floats = self.floats(row);
        let (chunks, rest) = floats.as_chunks();
        out.extend(chunks.iter().map(ByteBlock::pack));
        if !rest.is_empty() {
            let mut last = [0.0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            out.push(ByteBlock::pack(&last));
        }
    }

    /// The numbers themselves.
    pub(crate) fn floats(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F32 => bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Self::F16 => bytes.as_chunks().0.iter().map(|[low, high]| half(*low, *high)).collect(),
            Self::Bf16 => bytes.as_chunks().0.iter().map(|[low, high]| brain(*low, *high)).collect(),
            Self::Q4_0 | Self::Q4_1 | Self::Q4K => {
                let mut blocks = Vec::new();
                self.nibbles(bytes, &mut blocks);
                blocks.iter().flat_map(NibbleBlock::unpack).collect()
            }
            Self::Q5_0 => bytes.as_chunks().0.iter().flat_map(q5_0).collect(),
            Self::Q5_1 => bytes.as_chunks().0.iter().flat_map(q5_1).collect(),
            Self::Q8_0 => bytes.as_chunks().0.iter().flat_map(|block| q8_0(block).unpack()).collect(),
            Self::Q2K => bytes.as_chunks().0.iter().flat_map(q2_k).collect(),
            Self::Q3K => bytes.as_chunks().0.iter().flat_map(q3_k).collect(),
            Self::Q5K => bytes.as_chunks().0.iter().flat_map(q5_k).collect(),
            Self::Q6K => bytes.as_chunks().0.iter().flat_map(q6_k).collect(),
        }
    }
}

fn q4_0(block: &[u8; 18]) -> NibbleBlock {
    let scale = half(block[0], block[1]);
    NibbleBlock { scale, min: -8.0 * scale, quants: part(block, 2) }
}

fn q4_1(block: &[u8; 20]) -> NibbleBlock {
    NibbleBlock { scale: half(block[0], block[1]), min: half(block[2], block[3]), quants: part(block, 4) }
}

fn q8_0(block: &[u8; 34]) -> ByteBlock {
    let quants: [u8; BLOCK] = part(block, 2);
    ByteBlock { scale: half(block[0], block[1]), quants: quants.map(u8::cast_signed) }
}

fn q5_0(block: &[u8; 22]) -> [f32; BLOCK] {
    let scale = half(block[0], block[1]);
    five_bits(u32::from_le_bytes(part(block, 2)), &part(block, 6))
        .map(|quant| scale * (f32::from(quant) - 16.0))
}

fn q5_1(block: &[u8; 24]) -> [f32; BLOCK] {
    let (scale, min) = (half(block[0], block[1]), half(block[2], block[3]));
    five_bits(u32::from_le_bytes(part(block, 4)), &part(block, 8)).map(|quant| scale * f32::from(quant) + min)
}

fn five_bits(high: u32, low: &[u8; 16]) -> [u8; BLOCK] {
    std::array::from_fn(|i| {
        let nibble = if i < 16 { low[i] & 15 } else { low[i - 16] >> 4 };
        nibble | (u8::from((high >> i) & 1 == 1) << 4)
    })
}

fn q2_k(block: &[u8; 84]) -> [f32; SUPER] {
    let (scales, quants): ([u8; 16], [u8; 64]) = (part(block, 0), part(block, 16));
    let (scale, min) = (half(block[80], block[81]), half(block[82], block[83]));
    std::array::from_fn(|i| {
        let (group, byte) = (i / 16, i / 128 * 32 + i % 32);
        let quant = (quants[byte] >> (i % 128 / 32 * 2)) & 3;
        scale * f32::from(scales[group] & 15) * f32::from(quant) - min * f32::from(scales[group] >> 4)
    })
}

fn q3_k(block: &[u8; 110]) -> [f32; SUPER] {
    let (mask, quants, packed): ([u8; 32], [u8; 64], [u8; 12]) =
        (part(block, 0), part(block, 32), part(block, 96));
    let scale = half(block[108], block[109]);
    std::array::from_fn(|i| {
        let group = i / 16;
        let low = if group < 8 { packed[group] & 15 } else { packed[group - 8] >> 4 };
        let high = (packed[8 + group % 4] >> (group / 4 * 2)) & 3;
        let quant = (quants[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2)) & 3;
        let offset = if mask[i % 32] >> (i / 32) & 1 == 1 { 0.0 } else { 4.0 };
        scale * (f32::from(low | (high << 4)) - 32.0) * (f32::from(quant) - offset)
    })
}

fn q4_k(block: &[u8; 144]) -> [NibbleBlock; 8] {
    let (scale, min) = (half(block[0], block[1]), half(block[2], block[3]));
    let (packed, quants): ([u8; 12], [u8; 128]) = (part(block, 4), part(block, 16));
    std::array::from_fn(|i| {
        let (factor, offset) = scale_and_min(i, &packed);
        let nibble = |j: usize| (quants[i / 2 * 32 + j] >> (i % 2 * 4)) & 15;
        NibbleBlock {
            scale: scale * f32::from(factor),
            min: -min * f32::from(offset),
            quants: std::array::from_fn(|j| nibble(j) | (nibble(j + 16) << 4)),
        }
    })
}

fn q5_k(block: &[u8; 176]) -> [f32; SUPER] {
    let (scale, min) = (half(block[0], block[1]), half(block[2], block[3]));
    let (packed, high, quants): ([u8; 12], [u8; 32], [u8; 128]) =
        (part(block, 4), part(block, 16), part(block, 48));
    std::array::from_fn(|i| {
        let group = i / 32;
        let (factor, offset) = scale_and_min(group, &packed);
        let nibble = (quants[group / 2 * 32 + i % 32] >> (group % 2 * 4)) & 15;
        let quant = nibble | (((high[i % 32] >> group) & 1) << 4);
        scale * f32::from(factor) * f32::from(quant) - min * f32::from(offset)
    })
}

fn q6_k(block: &[u8; 210]) -> [f32; SUPER] {
    let (low, high, scales): ([u8; 128], [u8; 64], [u8; 16]) =
        (part(block, 0), part(block, 128), part(block, 192));
    let scale = half(block[208], block[209]);
    std::array::from_fn(|i| {
        let (half_block, quarter) = (i / 128, i % 128 / 32);
        let nibble = (low[half_block * 64 + quarter % 2 * 32 + i % 32] >> (quarter / 2 * 4)) & 15;
        let top = (high[half_block * 32 + i % 32] >> (quarter * 2)) & 3;
        scale * f32::from(scales[i / 16].cast_signed()) * (f32::from(nibble | (top << 4)) - 32.0)
    })
}

/// The six-bit scale and minimum of one eighth of a superblock.
fn scale_and_min(i: usize, packed: &[u8; 12]) -> (u8, u8) {
    if i < 4 {
        return (packed[i] & 63, packed[i + 4] & 63);
    }
    let scale = (packed[i + 4] & 15) | (packed[i - 4] >> 6 << 4);
    let min = (packed[i + 4] >> 4) | (packed[i] >> 6 << 4);
    (scale, min)
}

/// `N` bytes of a block, from `start` on.
fn part<const N: usize, const M: usize>(block: &[u8; M], start: usize) -> [u8; N] {
    std::array::from_fn(|i| block[start + i])
}

/// IEEE 754 binary16.
fn half(low: u8, high: u8) -> f32 {
    let bits = u32::from(u16::from_le_bytes([low, high]));
    let (sign, exponent, fraction) = ((bits & 0x8000) << 16, (bits >> 10) & 31, bits & 0x3ff);
    let magnitude = match exponent {
        // Subnormal: the fraction counts units of 2^-24.
        0 => (f32::from(u16::from_le_bytes([low, high & 3])) * 2.0_f32.powi(-24)).to_bits(),
        31 => 0x7f80_0000 | (fraction << 13),
        _ => ((exponent + 112) << 23) | (fraction << 13),
    };
    f32::from_bits(sign | magnitude)
}

/// The upper half of an IEEE 754 binary32.
fn brain(low: u8, high: u8) -> f32 {
    f32::from_le_bytes([0, 0, low, high])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_are_exact() {
        for (bits, number) in
            [(0x3c00_u16, 1.0), (0xc000, -2.0), (0x0001, 2.0_f32.powi(-24)), (0x7bff, 65_504.0), (0, 0.0)]
        {
            let [low, high] = bits.to_le_bytes();
            assert_eq!(half(low, high).to_bits(), f32::to_bits(number), "{bits:04x}");
        }
        assert!(half(0x00, 0x7c).is_infinite());
    }

    #[test]
    fn each_format_fills_its_block() {
        for format in
            [0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 30].map(|number| Format::new(number, "t").unwrap())
        {
            let (numbers, bytes) = format.block();
            assert_eq!(format.floats(&vec![0; bytes]), vec![0.0; numbers], "{format:?}");
            let mut blocks = Vec::new();
            format.bytes(&vec![1; bytes * BLOCK], &mut blocks);
            assert_eq!(blocks.len(), numbers * BLOCK / BLOCK, "{format:?}");
        }
        assert!(Format::new(99, "t").is_err());
    }

    #[test]
    fn the_fields_of_a_block_are_where_ggml_puts_them() {
        // A scale of 1 in half precision is 00 3c.
        let mut block = [0; 18];
        block[1] = 0x3c;
        block[2] = 0x9f;
        let floats = Format::Q4_0.floats(&block);
        assert_eq!((floats[0], floats[16], floats[1]), (7.0, 1.0, -8.0));

        let mut block = [0; 144];
        block[1] = 0x3c;
        block[3] = 0x3c;
        block[4] = 2;
        block[8] = 3;
        block[16] = 5;
        let floats = Format::Q4K.floats(&block);
        assert_eq!((floats[0], floats[1]), (2.0 * 5.0 - 3.0, -3.0));

        let mut block = [0; 210];
        block[209] = 0x3c;
        block[192] = 2;
        block[0] = 0x0f;
        block[128] = 0x03;
        assert!((Format::Q6K.floats(&block)[0] - 2.0 * (63.0 - 32.0)).abs() < f32::EPSILON);
    }
}
