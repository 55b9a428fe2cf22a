//! The inner loops: products of packed rows with quantised activations, and dot products of floats.
//!
//! What a processor can do is found out when the program runs ([`Level::detect`]), not when it is compiled: the
//! same portable binary uses AVX2 and FMA where they exist. `pulp` gives safe access to both.

#![expect(
    clippy::inline_always,
    reason = "code is compiled for a level of the processor only where it is inlined"
)]

use std::iter::zip;

/// Numbers that share one scale.
pub(crate) const BLOCK: usize = 32;

/// Thirty-two weights of four bits: `scale * q + min`. The low halves of the bytes are the first sixteen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NibbleBlock {
    pub(crate) scale: f32,
    pub(crate) min: f32,
    pub(crate) quants: [u8; BLOCK / 2],
}

/// Thirty-two weights of eight bits, in `-127..=127`: `scale * q`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ByteBlock {
    pub(crate) scale: f32,
    pub(crate) quants: [i8; BLOCK],
}

/// Thirty-two activations of sixteen bits with the sum of what they stand for, which the `min` of a
/// [`NibbleBlock`] is multiplied with.
///
/// Eight bits would be as fast and are too few: with them the default model answers what the capital of France is
/// with a song, for its first two choices lie closer together than the error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Activation {
    pub(crate) scale: f32,
    pub(crate) sum: f32,
    pub(crate) quants: [i16; BLOCK],
}

/// What the processor offers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    /// Plain code, vectorised by the compiler as far as the build's target allows.
    Portable,
    /// 256-bit integer and fused floating-point instructions.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
}

/// A row of weights that can be multiplied with activations.
pub(crate) trait Packed: Copy + Send + Sync {
    /// The product of a row, in plain code.
    fn dot(row: &[Self], activations: &[Activation]) -> f32;

    /// The same with AVX2.
    #[cfg(target_arch = "x86_64")]
    fn dot_avx2(simd: pulp::x86::V3, row: &[Self], activations: &[Activation]) -> f32;

    /// The numbers of one block.
    fn unpack(&self) -> [f32; BLOCK];

    /// Thirty-two numbers as one block.
    fn pack(numbers: &[f32; BLOCK]) -> Self;
}

impl Level {
    /// Asks the processor.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Self::Avx2(simd);
        }
        Self::Portable
    }

    /// Runs `work` compiled for this level.
    #[inline(always)]
    pub(crate) fn run<R>(self, work: impl FnOnce() -> R) -> R {
        match self {
            Self::Portable => work(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => pulp::Simd::vectorize(simd, work),
        }
    }

    /// Products of `rows` with each token's activations, one row after another: `out[row][token]`.
    pub(crate) fn products<P: Packed>(
        self,
        rows: &[P],
        blocks: usize,
        activations: &[Activation],
        out: &mut [f32],
    ) {
        let tokens = activations.len() / blocks;
        match self {
            Self::Portable => {
                each_product(rows, blocks, tokens, activations, out, |row, activations| {
                    P::dot(row, activations)
                });
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => pulp::Simd::vectorize(simd, || {
                each_product(rows, blocks, tokens, activations, out, |row, activations| {
                    P::dot_avx2(simd, row, activations)
                });
            }),
        }
    }
}

#[inline(always)]
fn each_product<P>(
    rows: &[P],
    blocks: usize,
    tokens: usize,
    activations: &[Activation],
    out: &mut [f32],
    dot: impl Fn(&[P], &[Activation]) -> f32,
) {
    for (row, out) in zip(rows.chunks_exact(blocks), out.chunks_exact_mut(tokens)) {
        for (activations, out) in zip(activations.chunks_exact(blocks), out) {
            *out = dot(row, activations);
        }
    }
}

impl Packed for NibbleBlock {
    #[inline(always)]
    fn dot(row: &[Self], activations: &[Activation]) -> f32 {
        let mut total = 0.0;
        for (weights, activation) in zip(row, activations) {
            let (low, high) = activation.quants.split_at(BLOCK / 2);
            let low: i32 = zip(&weights.quants, low).map(|(w, a)| i32::from(w & 15) * i32::from(*a)).sum();
            let high: i32 = zip(&weights.quants, high).map(|(w, a)| i32::from(w >> 4) * i32::from(*a)).sum();
            total += weights.scale * activation.scale * small(low + high) + weights.min * activation.sum;
        }
        total
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn dot_avx2(simd: pulp::x86::V3, row: &[Self], activations: &[Activation]) -> f32 {
        let (avx, avx2) = (simd.avx, simd.avx2);
        let mask = simd.sse2._mm_set1_epi8(15);
        let mut total = avx._mm256_setzero_ps();
        let mut mins = 0.0;
        for (weights, activation) in zip(row, activations) {
            let packed = pulp::cast(weights.quants);
            let low = simd.sse2._mm_and_si128(packed, mask);
            let high = simd.sse2._mm_and_si128(simd.sse2._mm_srli_epi16::<4>(packed), mask);
            let [first, second]: [[i16; BLOCK / 2]; 2] = pulp::cast(activation.quants);
            let first = avx2._mm256_madd_epi16(avx2._mm256_cvtepu8_epi16(low), pulp::cast(first));
            let second = avx2._mm256_madd_epi16(avx2._mm256_cvtepu8_epi16(high), pulp::cast(second));
            let sums = avx._mm256_cvtepi32_ps(avx2._mm256_add_epi32(first, second));
            let scale = avx._mm256_set1_ps(weights.scale * activation.scale);
            total = simd.fma._mm256_fmadd_ps(sums, scale, total);
            mins += weights.min * activation.sum;
        }
        sum(&pulp::cast(total)) + mins
    }

    fn unpack(&self) -> [f32; BLOCK] {
        let mut numbers = [0.0; BLOCK];
        let (low, high) = numbers.split_at_mut(BLOCK / 2);
        for ((quants, low), high) in zip(zip(&self.quants, low), high) {
            *low = f32::from(quants & 15) * self.scale + self.min;
            *high = f32::from(quants >> 4) * self.scale + self.min;
        }
        numbers
    }

    fn pack(numbers: &[f32; BLOCK]) -> Self {
        let min = numbers.iter().copied().fold(f32::INFINITY, f32::min);
        let max = numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let scale = (max - min) / 15.0;
        let inverse = if scale > 0.0 { scale.recip() } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to four bits")]
        let quant = |number: f32| ((number - min) * inverse).round().clamp(0.0, 15.0) as u8;
        let mut quants = [0; BLOCK / 2];
        let (low, high) = numbers.split_at(BLOCK / 2);
        for ((quants, low), high) in zip(zip(&mut quants, low), high) {
            *quants = quant(*low) | (quant(*high) << 4);
        }
        Self { scale, min, quants }
    }
}

impl Packed for ByteBlock {
    #[inline(always)]
    fn dot(row: &[Self], activations: &[Activation]) -> f32 {
        let mut total = 0.0;
        for (weights, activation) in zip(row, activations) {
            let products =
                zip(&weights.quants, &activation.quants).map(|(w, a)| i32::from(*w) * i32::from(*a));
            total += weights.scale * activation.scale * small(products.sum());
        }
        total
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn dot_avx2(simd: pulp::x86::V3, row: &[Self], activations: &[Activation]) -> f32 {
        let (avx, avx2) = (simd.avx, simd.avx2);
        let mut total = avx._mm256_setzero_ps();
        for (weights, activation) in zip(row, activations) {
            let [low, high]: [[i8; BLOCK / 2]; 2] = pulp::cast(weights.quants);
            let [first, second]: [[i16; BLOCK / 2]; 2] = pulp::cast(activation.quants);
            let first = avx2._mm256_madd_epi16(avx2._mm256_cvtepi8_epi16(pulp::cast(low)), pulp::cast(first));
            let second =
                avx2._mm256_madd_epi16(avx2._mm256_cvtepi8_epi16(pulp::cast(high)), pulp::cast(second));
            let sums = avx._mm256_cvtepi32_ps(avx2._mm256_add_epi32(first, second));
            let scale = avx._mm256_set1_ps(weights.scale * activation.scale);
            total = simd.fma._mm256_fmadd_ps(sums, scale, total);
        }
        sum(&pulp::cast(total))
    }

    fn unpack(&self) -> [f32; BLOCK] {
        self.quants.map(|quant| f32::from(quant) * self.scale)
    }

    fn pack(numbers: &[f32; BLOCK]) -> Self {
        let (scale, quants) = bytes(numbers);
        Self { scale, quants }
    }
}

impl Activation {
    /// Thirty-two numbers as one block.
    #[inline(always)]
    pub(crate) fn pack(numbers: &[f32; BLOCK]) -> Self {
        let (scale, quants) = words(numbers);
        let sum: i32 = quants.iter().map(|quant| i32::from(*quant)).sum();
        Self { scale, sum: scale * small(sum), quants }
    }
}

/// Scale and quants of thirty-two numbers in eight bits.
#[inline(always)]
fn bytes(numbers: &[f32; BLOCK]) -> (f32, [i8; BLOCK]) {
    let largest = numbers.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, reason = "scaled to -127..=127; NaN becomes 0")]
    let quants = numbers.map(|number| {
        let scaled = number * inverse;
        // Rounds half away from zero without a call: `round` is one on targets without SSE4.1.
        (scaled + 0.5_f32.copysign(scaled)) as i8
    });
    (largest / 127.0, quants)
}

/// Scale and quants of thirty-two numbers in sixteen bits.
#[inline(always)]
fn words(numbers: &[f32; BLOCK]) -> (f32, [i16; BLOCK]) {
    let largest = numbers.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    let inverse = if largest > 0.0 { 32_767.0 / largest } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, reason = "scaled to -32767..=32767; NaN becomes 0")]
    let quants = numbers.map(|number| {
        let scaled = number * inverse;
        // As in `bytes`.
        (scaled + 0.5_f32.copysign(scaled)) as i16
    });
    (largest / 32_767.0, quants)
}

/// The dot product of two equally long rows of floats, in eight lanes.
#[inline(always)]
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (left, right) in zip(left, right) {
        for ((lane, left), right) in zip(zip(&mut lanes, left), right) {
            *lane += left * right;
        }
    }
    sum(&lanes) + zip(left_rest, right_rest).map(|(left, right)| left * right).sum::<f32>()
}

/// `out += factor * row`.
#[inline(always)]
pub(crate) fn add_scaled(out: &mut [f32], row: &[f32], factor: f32) {
    for (out, number) in zip(out, row) {
        *out += factor * number;
    }
}

#[inline(always)]
fn sum(lanes: &[f32; 8]) -> f32 {
    let [zero, one, two, three, four, five, six, seven] = lanes;
    ((zero + four) + (two + six)) + ((one + five) + (three + seven))
}

/// Sums of products of 32 pairs stay below 2^27, where a float is exact to one in 2^24.
#[inline(always)]
fn small(number: i32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "the weights are known to one in 2^7")]
    let float = number as f32;
    float
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = [f32; BLOCK]> {
        proptest::array::uniform32(-4.0_f32..4.0)
    }

    fn exact(left: &[f32], right: &[f32]) -> f32 {
        zip(left, right).map(|(left, right)| left * right).sum()
    }

    fn product<P: Packed>(level: Level, weights: &[f32; BLOCK], activation: &Activation) -> f32 {
        let mut out = [0.0];
        level.products(&[P::pack(weights)], 1, &[*activation], &mut out);
        out[0]
    }

    proptest! {
        #[test]
        fn every_level_gives_the_product_of_what_was_packed(weights in numbers(), inputs in numbers()) {
            let activation = Activation::pack(&inputs);
            let read: Vec<f32> = activation.quants.iter().map(|quant| f32::from(*quant) * activation.scale).collect();
            for level in [Level::Portable, Level::detect()] {
                let nibbles = exact(&NibbleBlock::pack(&weights).unpack(), &read);
                prop_assert!((product::<NibbleBlock>(level, &weights, &activation) - nibbles).abs() < 1e-2);
                let bytes = exact(&ByteBlock::pack(&weights).unpack(), &read);
                prop_assert!((product::<ByteBlock>(level, &weights, &activation) - bytes).abs() < 1e-2);
            }
        }

        #[test]
        fn packing_keeps_numbers_within_half_a_step(weights in numbers()) {
            let step = |largest: f32, steps: f32| largest / steps * 0.51 + 1e-6;
            for (packed, number) in zip(ByteBlock::pack(&weights).unpack(), weights) {
                prop_assert!((packed - number).abs() <= step(4.0, 127.0));
            }
            for (packed, number) in zip(NibbleBlock::pack(&weights).unpack(), weights) {
                prop_assert!((packed - number).abs() <= step(8.0, 15.0));
            }
        }
    }
}
