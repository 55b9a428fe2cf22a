//! Drawing the next token.

use std::cmp::Ordering;

use interlingua_model::Sampling;

/// Draws tokens as a request asks for it.
#[derive(Debug)]
pub(crate) struct Sampler {
    temperature: f32,
    top_p: f32,
    top_k: usize,
    random: fastrand::Rng,
}

/// What suits small chat models when a request says nothing; the default model's authors recommend both.
const TEMPERATURE: f64 = 0.2;
const TOP_P: f64 = 0.9;

impl Sampler {
    pub(crate) fn new(sampling: &Sampling) -> Self {
        let random = sampling
            .seed
            .map_or_else(fastrand::Rng::new, |seed| fastrand::Rng::with_seed(seed.cast_unsigned()));
        #[expect(clippy::cast_possible_truncation, reason = "settings between 0 and 2")]
        let narrow = |number: f64| number as f32;
        Self {
            temperature: narrow(sampling.temperature.unwrap_or(TEMPERATURE)).max(0.0),
            top_p: narrow(sampling.top_p.unwrap_or(TOP_P)).clamp(0.0, 1.0),
            top_k: sampling
                .top_k
                .and_then(|k| usize::try_from(k).ok())
                .filter(|k| *k > 0)
                .unwrap_or(usize::MAX),
            random,
        }
    }

    /// The next token by its logits.
    pub(crate) fn draw(&mut self, logits: &[f32]) -> u32 {
        if self.temperature <= f32::EPSILON {
            return best(logits);
        }
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weight = |logit: f32| ((logit - largest) / self.temperature).exp();
        // Tokens that are less likely than one in 2^24 of the best cannot be told from zero in what follows.
        let mut candidates: Vec<(u32, f32)> = (0..)
            .zip(logits.iter().map(|logit| weight(*logit)))
            .filter(|(_, weight)| *weight > 1e-7)
            .collect();
        candidates.sort_unstable_by(|left, right| descending(left.1, right.1).then(left.0.cmp(&right.0)));
        candidates.truncate(self.top_k.max(1));
        self.keep_nucleus(&mut candidates);
        let total: f32 = candidates.iter().map(|(_, weight)| weight).sum();
        let mut point = self.random.f32() * total;
        for (token, weight) in &candidates {
            point -= weight;
            if point <= 0.0 {
                return *token;
            }
        }
        candidates.last().map_or_else(|| best(logits), |(token, _)| *token)
    }

    /// Keeps the most likely tokens whose probabilities reach `top_p` together.
    fn keep_nucleus(&self, candidates: &mut Vec<(u32, f32)>) {
        let enough = self.top_p * candidates.iter().map(|(_, weight)| weight).sum::<f32>();
        let mut sum = 0.0;
        let kept = candidates.iter().position(|(_, weight)| {
            sum += weight;
            sum >= enough
        });
        candidates.truncate(kept.map_or(candidates.len(), |last| last + 1));
    }
}

fn best(logits: &[f32]) -> u32 {
    let best = (0..).zip(logits).max_by(|left, right| left.1.total_cmp(right.1));
    best.map_or(0, |(token, _)| token)
}

fn descending(left: f32, right: f32) -> Ordering {
    right.total_cmp(&left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(temperature: f64, top_p: f64, top_k: Option<u32>, seed: i64) -> Sampler {
        let mut sampling = Sampling::default();
        sampling.temperature = Some(temperature);
        sampling.top_p = Some(top_p);
        sampling.top_k = top_k;
        sampling.seed = Some(seed);
        Sampler::new(&sampling)
    }

    fn draws(mut sampler: Sampler) -> Vec<u32> {
        (0..200).map(|_| sampler.draw(&[1.0, 2.0, 0.5, 1.9])).collect()
    }

    #[test]
    fn no_temperature_takes_the_best() {
        assert!(draws(sampler(0.0, 1.0, None, 1)).iter().all(|token| *token == 1));
    }

    #[test]
    fn a_seed_repeats_and_another_does_not() {
        assert_eq!(draws(sampler(1.0, 1.0, None, 7)), draws(sampler(1.0, 1.0, None, 7)));
        assert_ne!(draws(sampler(1.0, 1.0, None, 7)), draws(sampler(1.0, 1.0, None, 8)));
    }

    #[test]
    fn top_k_and_top_p_keep_the_likely() {
        let mut seen = draws(sampler(1.0, 1.0, Some(2), 3));
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [1, 3]);
        assert!(draws(sampler(1.0, 0.1, None, 3)).iter().all(|token| *token == 1));
    }
}
